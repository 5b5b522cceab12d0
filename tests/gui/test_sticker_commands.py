"""The stickers' tools and commands in the window: keys, menu, palette, the bar above the canvas, undo, and text on the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from engine.stickers import Colour, Optimised, Sticker
from tests.gui.canvas_events import drag, press, release
from tests.gui.driving import action, press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench

TOOL_KEYS = {"V": "select", "R": "rectangle", "E": "ellipse", "L": "polygon", "P": "brush", "Shift+P": "eraser", "H": "pan"}


@pytest.fixture(autouse=True)
def _bare(bench: Workbench) -> None:
    bench.session.change(stickers=(), selected=None)
    bench.window.canvas.set_tool("select")


def test_every_tool_has_a_key_a_menu_entry_and_a_button(bench: Workbench) -> None:
    canvas, header = bench.window.canvas, bench.window.centre.header
    for keys, tool in TOOL_KEYS.items():
        press_keys(bench.window, keys)
        assert canvas.tool == tool
        assert action(bench, f"{tool}_tool").isChecked()
        assert header.buttons[f"{tool}_tool"].isChecked()
        assert header.brush.isVisibleTo(header) == (tool in ("brush", "eraser"))
    canvas.set_tool("select")


def test_brackets_set_the_radius_and_the_bar_follows_and_sets_it(bench: Workbench) -> None:
    canvas, header = bench.window.canvas, bench.window.centre.header
    press_keys(bench.window, "P")
    canvas.set_radius(4)
    press_keys(bench.window, "]")
    assert (canvas.radius, header.brush.radius.value()) == (5, 5)
    press_keys(bench.window, "[")
    press_keys(bench.window, "[")
    assert (canvas.radius, header.brush.radius.value()) == (3, 3)
    said: list[str] = []
    bench.session.notice.connect(said.append)
    box = header.brush.radius
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "0")
    QTest.keyClick(box, "\r")
    assert (canvas.radius, box.value()) == (3, 3)
    assert "at least 1: a single pixel" in said[-1]
    bench.session.notice.disconnect(said.append)


def test_in_a_narrow_window_the_radius_has_its_room_and_the_views_come_back_with_another_tool(bench: Workbench) -> None:
    window, header = bench.window, bench.window.centre.header
    before = window.size()
    window.workspaces.switch("stickers")
    window.resize(1000, 650)
    settle()
    press_keys(window, "P")
    settle()
    radius = header.brush.radius
    assert radius.isVisible()
    assert radius.width() >= radius.sizeHint().width()
    assert header.buttons["eraser_tool"].width() >= header.buttons["eraser_tool"].sizeHint().width()
    press_keys(window, "V")
    settle()
    assert header.buttons["view_wipe"].isVisible()
    assert not radius.isVisible()
    window.resize(before)
    window.workspaces.switch("attack")
    settle()


def test_keys_of_tools_are_letters_where_text_is_typed(bench: Workbench) -> None:
    line = QLineEdit(bench.window)
    line.show()
    line.setFocus()
    for letters in ("l", "p", "E", "[", "]"):
        QTest.keyClicks(line, letters)
    assert line.text() == "lpE[]"
    assert bench.window.canvas.tool == "select"
    line.hide()
    line.deleteLater()


def test_the_commands_of_stickers_are_enabled_by_a_selection(bench: Workbench) -> None:
    ids = ("copy_sticker", "cut_sticker", "lock_sticker", "hide_sticker", "snap_sticker", "front_sticker", "align_left", "save_sticker")
    assert not any(action(bench, id).isEnabled() for id in ids)
    bench.session.commit_stickers((Sticker(1, 2, 2, 4, 4),), "Add")
    bench.session.select(1)
    settle()
    assert all(action(bench, id).isEnabled() for id in ids)


def test_lock_hide_and_align_by_the_menu_are_one_undo_step_each(bench: Workbench) -> None:
    session = bench.session
    session.commit_stickers((Sticker(1, 2, 2, 4, 4, Optimised()), Sticker(2, 9, 12, 5, 5, Colour((1, 0, 0)))), "Add")
    session.select(1, frozenset({2}))
    settle()
    begin = session.undo_stack.count()
    action(bench, "align_right").trigger()
    assert [sticker.right for sticker in session.stickers] == [14, 14]
    press_keys(bench.window, "Ctrl+Shift+H")
    assert [sticker.visible for sticker in session.stickers] == [False, False]
    until(lambda: session.frame.scene.stickers == session.stickers, "the frame without stickers")
    assert (session.frame.clean_pixels == session.frame.adversarial_pixels).all()
    press_keys(bench.window, "Ctrl+Shift+L")
    assert [sticker.locked for sticker in session.stickers] == [True, True]
    assert session.undo_stack.count() == begin + 3
    for _ in range(3):
        session.undo_stack.undo()
    assert [(sticker.x, sticker.locked, sticker.visible) for sticker in session.stickers] == [(2, False, True), (9, False, True)]


def test_a_brush_stroke_is_seen_by_the_model_and_taken_back_by_one_undo(bench: Workbench) -> None:
    session, canvas = bench.session, bench.window.canvas
    press_keys(bench.window, "P")
    canvas.set_radius(3)
    steps = session.undo_stack.count()
    drag(canvas.panes[0], [(8.5, 8.5), (16.5, 8.5), (16.5, 20.5)])
    assert session.undo_stack.count() == steps + 1
    until(lambda: session.frame.scene.stickers == session.stickers, "the frame with the stroke")
    assert (session.frame.clean_pixels != session.frame.adversarial_pixels).any()
    press_keys(bench.window, "Ctrl+Z")
    assert session.stickers == ()


def test_ctrl_z_takes_a_corner_back_while_a_polygon_is_drawn(bench: Workbench) -> None:
    session, canvas = bench.session, bench.window.canvas
    session.commit_stickers((Sticker(1, 2, 2, 4, 4),), "Add")
    press_keys(bench.window, "L")
    canvas.setFocus()
    for corner in ((16, 4), (28, 4), (28, 14)):
        press(canvas.panes[0], corner)
        release(canvas.panes[0], corner)
    press_keys(canvas, "Ctrl+Z")
    assert len(session.stickers) == 1  # the undo stack is left alone
    press(canvas.panes[0], (22, 20))
    release(canvas.panes[0], (22, 20))
    press_keys(canvas, "Return")
    assert len(session.stickers[1].shape.points) == 3  # type: ignore[attr-defined]
    assert session.selected == 2


def test_stickers_on_the_clipboard_are_pasted_wherever_the_keyboard_is(bench: Workbench) -> None:
    session, window = bench.session, bench.window
    session.commit_stickers((Sticker(1, 2, 2, 4, 4),), "Add")
    session.select(1)
    settle()
    action(bench, "copy_sticker").trigger()
    clean = session.clean
    action(bench, "paste_image").trigger()
    assert len(session.stickers) == 2
    assert session.clean is clean
    said: list[str] = []
    session.notice.connect(said.append)
    QGuiApplication.clipboard().setText("a word")
    action(bench, "paste_image").trigger()
    assert said[-1].startswith("The text on the clipboard is no sticker")
    QGuiApplication.clipboard().clear()
    action(bench, "paste_image").trigger()
    assert said[-1] == "There is no image on the clipboard, and no sticker."
    session.notice.disconnect(said.append)
    assert len(session.stickers) == 2
    assert QApplication.activeModalWidget() is None
    assert window.canvas.tool == "select"


def test_an_attack_on_hidden_stickers_says_that_they_are_hidden(bench: Workbench) -> None:
    from engine.attacks import StickerPGD
    from gui.session.readiness import obstacle

    session = bench.session
    session.change(**session.plan.choosing(StickerPGD.slug))
    session.commit_stickers((Sticker(1, 2, 2, 4, 4, Optimised(), visible=False),), "Add")
    assert "is hidden" in str(obstacle(session.state, session.data_sources))


def test_locking_or_renaming_a_sticker_leaves_a_result_as_it_is(bench: Workbench) -> None:
    from dataclasses import replace

    from engine import attacks

    session = bench.session
    session.commit_stickers((Sticker(1, 2, 2, 4, 4, Colour((1, 1, 1))),), "Add")
    session.runs.start(attacks.FGSM())
    until(lambda: session.history.entries and not session.runs.running, "the run")
    until(lambda: session.staleness.run is not None, "the result on the canvas")
    run = session.staleness.run
    session.commit_stickers((replace(session.stickers[0], locked=True, name="corner"),), "Lock")
    assert session.staleness.run is run
    assert "stickers" not in {each.name for each in session.staleness.differences}
    session.commit_stickers((replace(session.stickers[0], visible=False),), "Hide")
    assert session.staleness.run is None or "stickers" in {each.name for each in session.staleness.differences}
