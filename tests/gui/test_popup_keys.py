"""The window's shortcuts while a popup is open over it: they close the popup and do their work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gui.shell.palette import CommandPalette
from tests.gui.driving import click, press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench

_CONTROL = Qt.KeyboardModifier.ControlModifier
_CHOOSERS = ("model", "image", "goal", "attack")


def opened(bench: Workbench, name: str) -> QWidget:
    """Open a chooser of the spine by a click, and return the widget that has the keyboard in it."""
    chip = getattr(bench.window.spine, name)
    click(chip)
    settle()
    assert chip.popup.isVisible()
    return chip.popup.focusWidget() or chip.popup


@pytest.mark.parametrize("name", _CHOOSERS)
def test_f5_runs_from_every_chooser_and_closes_it(bench: Workbench, name: str) -> None:
    session = bench.session
    before = len(session.history.entries)
    field = opened(bench, name)
    QTest.keyClick(field, Qt.Key.Key_F5)
    assert not getattr(bench.window.spine, name).popup.isVisible()
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the run")


def test_another_chooser_opens_by_its_key(bench: Workbench) -> None:
    spine = bench.window.spine
    QTest.keyClick(opened(bench, "attack"), Qt.Key.Key_M, _CONTROL)
    settle()
    assert not spine.attack.popup.isVisible()
    assert spine.model.popup.isVisible()
    QTest.keyClick(spine.model.popup.focusWidget(), Qt.Key.Key_Escape)
    assert not spine.model.popup.isVisible()


def test_a_workspace_opens_by_its_key(bench: Workbench) -> None:
    QTest.keyClick(opened(bench, "model"), Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    settle()
    assert bench.window.workspaces.current.name == "explain"
    bench.window.workspaces.switch("attack")


def test_a_shortcut_of_two_keys_shows_a_panel(bench: Workbench) -> None:
    spine, docks = bench.window.spine, bench.window.docks
    docks["messages"].close()
    field = opened(bench, "image")
    QTest.keyClick(field, Qt.Key.Key_K, _CONTROL)
    assert spine.image.popup.isVisible()  # the shortcut has only begun
    QTest.keyClick(field, Qt.Key.Key_E)
    settle()
    assert not spine.image.popup.isVisible()
    assert not docks["messages"].isHidden()
    assert spine.image.list.search.text() == ""


def test_a_shortcut_that_is_left_unfinished_gives_the_keys_back(bench: Workbench) -> None:
    spine = bench.window.spine
    field = opened(bench, "attack")
    QTest.keyClick(field, Qt.Key.Key_K, _CONTROL)
    QTest.keyClicks(field, "1fgsm")
    assert spine.attack.popup.isVisible()
    assert spine.attack.list.search.text() == "1fgsm"  # Ctrl+K, 1 is no shortcut
    spine.attack.popup.hide()


def test_letters_search_and_the_keys_of_a_text_field_edit(bench: Workbench) -> None:
    canvas, spine = bench.window.canvas, bench.window.spine
    field = opened(bench, "attack")
    QTest.keyClicks(field, "r")  # alone, it would be the tool for rectangles
    assert spine.attack.list.search.text() == "r"
    undone = bench.session.undo_stack.index()
    QTest.keyClick(field, Qt.Key.Key_Z, _CONTROL)
    assert spine.attack.popup.isVisible()
    assert spine.attack.list.search.text() == ""
    assert bench.session.undo_stack.index() == undone
    assert canvas.tool == "select"
    spine.attack.popup.hide()


def test_what_cannot_be_done_leaves_the_popup_open(bench: Workbench) -> None:
    assert not bench.window.actions_table["previous_run"].isEnabled()
    QTest.keyClick(opened(bench, "attack"), Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    settle()
    assert bench.window.spine.attack.popup.isVisible()
    bench.window.spine.attack.popup.hide()


def test_f5_runs_from_the_command_palette(bench: Workbench) -> None:
    session = bench.session
    before = len(session.history.entries)
    press_keys(bench.window, "Ctrl+Shift+P")
    settle()
    (palette,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, CommandPalette) and each.isVisible()]
    QTest.keyClick(palette.search, Qt.Key.Key_F5)
    settle()
    assert not [each for each in QApplication.topLevelWidgets() if isinstance(each, CommandPalette) and each.isVisible()]
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the run")
