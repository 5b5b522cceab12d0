"""The window as a whole: its docks, commands, layout and dialogs, with the shipped model and the real engine thread."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox, QScrollArea, QToolButton

from engine.text.left_out import LEFT_OUT
from gui import theme
from gui.canvas.keys import SHORTCUTS
from gui.forms.form import BASIC
from gui.shell.actions import SPECS
from gui.shell.docks import DOCKS
from gui.shell.help_page import KeyboardHelp, keys_by_chapter
from tests.gui.attack_dock import attack_dock
from tests.gui.driving import (
    action,
    choose_attack,
    click,
    drag,
    draw,
    line,
    on_pane,
    press_keys,
    run_attack,
    settle,
    until,
)
from tests.gui.seen import named

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.session.log_entry import LogEntry


# ---------------------------------------------------------------------- what it is made of


def test_it_opens_on_the_stop_sign(bench: Workbench) -> None:
    frame = bench.session.frame
    assert frame is not None
    seen = frame.observation
    assert frame.scene.classifier.labels[seen.clean_prediction] == "Stop"
    assert float(seen.clean.max()) > 0.99
    assert bench.window.windowTitle().startswith("sign-stop")


def test_every_dock_can_be_closed_floated_and_brought_back(bench: Workbench) -> None:
    view = next(a.menu() for a in bench.window.menuBar().actions() if a.text() == "View")
    action(bench, "reset_workspace").trigger()
    for spec in DOCKS:
        dock, command = bench.window.docks[spec.name], bench.window.panel_actions[spec.name]
        assert dock.objectName() == f"dock.{spec.name}"
        assert type(bench.window.panels[spec.name]).__name__ == spec.panel
        assert command in view.actions()
        dock.close()
        assert dock.isHidden()
        command.trigger()
        assert not dock.isHidden()
        dock.switch_floating()
        assert dock.isFloating()
    action(bench, "reset_workspace").trigger()
    placed = {name for name in bench.window.workspaces.current.docks if name not in bench.window.workspaces.drawer.folded}
    assert not any(dock.isFloating() for dock in bench.window.docks.values())
    assert {name for name, dock in bench.window.docks.items() if not dock.isHidden()} == placed


def test_the_story_needs_no_hidden_tab(bench: Workbench) -> None:
    """Attack, canvas, prediction and perturbation are seen at once, on a small screen too."""
    action(bench, "reset_workspace").trigger()
    settle()
    for name in ("attack", "prediction", "perturbation"):
        panel = bench.window.panels[name]
        assert panel.isVisible(), name
        assert panel.visibleRegion().boundingRect().height() > 150, name
    assert bench.window.canvas.adversarial_pane.viewport.height() > 250
    assert (bench.window.width(), bench.window.height()) == (1280, 800)


# ---------------------------------------------------------------------- commands


def test_every_command_has_its_method_tip_and_own_keys() -> None:
    keys = [key for spec in SPECS for key in spec.shortcuts]
    assert len(keys) == len(set(keys))
    assert len({spec.id for spec in SPECS}) == len(SPECS)
    for spec in SPECS:
        assert callable(spec.do)
        assert spec.tip
        assert spec.title


def test_the_help_page_scrolls_up_and_down_only(bench: Workbench) -> None:
    page = KeyboardHelp(bench.window)
    page.open()
    settle()
    area = page.findChild(QScrollArea)
    assert not area.horizontalScrollBar().isVisible()
    assert area.widget().width() >= area.widget().sizeHint().width()  # no line is cut or broken
    assert page.width() <= page.screen().availableSize().width()
    assert page.height() <= page.screen().availableSize().height()
    page.resize(200, 300)
    settle()
    assert not area.horizontalScrollBar().isVisible()
    page.close()
    settle()


def test_the_help_page_names_every_shortcut(bench: Workbench) -> None:
    shown = {what for rows in keys_by_chapter().values() for _, what in rows}
    assert {spec.title.rstrip("…") for spec in SPECS if spec.shortcuts} <= shown
    assert {shortcut.help for shortcut in SHORTCUTS if shortcut.help} <= shown  # although a menu may have the key, too
    assert ("Ctrl+V", "Paste copied stickers") in keys_by_chapter()["On the canvas"]
    assert dict(keys_by_chapter()["Panels"])["Ctrl+K, P"] == "Prediction"
    assert len(keys_by_chapter()["Panels"]) == sum(bool(dock.keys) for dock in DOCKS)
    once = [what for rows in keys_by_chapter().values() for _, what in rows if what.endswith("sticker")]
    assert len(once) == len(set(once))
    press_keys(bench.window, "F1")
    page = bench.window.findChild(KeyboardHelp)
    assert page.isVisible()
    page.reject()
    until(lambda: bench.window.findChild(KeyboardHelp) is None, "the end of the page")


def test_help_lists_what_the_lectures_name_and_gibbon_leaves_out(bench: Workbench) -> None:
    action(bench, "left_out").trigger()
    (box,) = bench.window.findChildren(QMessageBox)
    assert box.isVisible()
    for each in LEFT_OUT:
        assert html.escape(each.subject) in box.informativeText()
        assert html.escape(each.why) in box.informativeText()
    box.close()
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert all(word in readme for word in ("1704.05712", "DolphinAttack", "malware", "face recognition", "photographed again"))


def test_run_and_clear_by_key(bench: Workbench) -> None:
    choose_attack(bench, "PGD")
    run_attack(bench)
    (entry,) = bench.session.history.entries
    assert bool(entry.result.success[0])
    assert bench.session.history.shown is entry
    assert action(bench, "clear_perturbation").isEnabled()
    press_keys(bench.window, "Ctrl+Backspace")
    assert bench.session.delta is None
    assert bench.session.history.shown is None
    assert not action(bench, "clear_perturbation").isEnabled()


def test_a_sticker_drawn_optimised_undone(bench: Workbench) -> None:
    draw(bench)
    (sticker,) = bench.session.stickers
    assert (sticker.x, sticker.y, sticker.width, sticker.height) == (12, 18, 8, 7)
    choose_attack(bench, "Sticker content")
    run_attack(bench)
    shown = bench.session.history.shown
    assert shown is bench.session.history.entries[-1]
    widget, points = on_pane(bench, line((15.5, 21.5), (8.5, 10.5), 5))
    drag(widget, points)
    assert bench.session.history.shown is None
    press_keys(bench.window, "Ctrl+Z")
    assert bench.session.stickers[0].x == 12
    assert bench.session.history.shown is shown  # what is on the canvas is again what came out of the run
    for name in ("Optimise sticker content", "Choose Sticker content", "Draw sticker 1"):
        assert action(bench, "undo").text() == f"Undo {name}"
        press_keys(bench.window, "Ctrl+Z")
    assert bench.session.stickers == ()
    press_keys(bench.window, "Ctrl+Shift+Z")
    assert len(bench.session.stickers) == 1


def test_previous_and_next_run(bench: Workbench, said: list[str]) -> None:
    choose_attack(bench, "FGSM")
    run_attack(bench)
    run_attack(bench)
    first, second = bench.session.history.entries
    assert bench.session.history.shown is second
    press_keys(bench.window, "Alt+Left")
    assert bench.session.history.shown is first
    press_keys(bench.window, "Alt+Left")
    assert bench.session.history.shown is first
    assert "oldest" in said[-1]
    press_keys(bench.window, "Alt+Right")
    assert bench.session.history.shown is second


def test_tools_by_key(bench: Workbench) -> None:
    for key, tool in (("R", "rectangle"), ("E", "ellipse"), ("H", "pan"), ("V", "select")):
        press_keys(bench.window, key)
        assert bench.window.canvas.tool == tool
        assert action(bench, f"{tool}_tool").isChecked()


def test_zoom_by_command(bench: Workbench) -> None:
    canvas = bench.window.canvas
    fitted = canvas.viewpoint.scale
    action(bench, "zoom_in").trigger()
    assert canvas.viewpoint.scale > fitted
    action(bench, "actual_size").trigger()
    assert canvas.viewpoint.scale == pytest.approx(1)
    action(bench, "fit").trigger()
    assert canvas.viewpoint.scale == pytest.approx(fitted)


def test_the_theme_is_switched_and_kept(bench: Workbench, qapp: QApplication) -> None:
    action(bench, "theme_dark").trigger()
    assert theme.is_dark(qapp.palette())
    assert bench.window.theme.choice == "dark"
    for role in ("#0072B2", "#D55E00", "#009E73", "#CC79A7"):
        assert theme.contrast_ratio(theme.readable(role, qapp.palette()), qapp.palette().base().color()) >= 4.5
    action(bench, "theme_light").trigger()
    assert not theme.is_dark(qapp.palette())
    action(bench, "theme_system").trigger()
    assert bench.window.theme.choice == "system"


# ---------------------------------------------------------------------- the unexpected


def test_an_error_in_a_slot_goes_to_the_log(bench: Workbench, logged: list[LogEntry], capsys: pytest.CaptureFixture[str]) -> None:
    from gui.shell.exception_hook import ExceptionHook

    catcher = ExceptionHook(bench.session)
    try:
        raise ZeroDivisionError("one over nothing")
    except ZeroDivisionError as error:
        catcher.hook(type(error), error, error.__traceback__)
    assert logged[-1].kind == "error"
    assert "one over nothing" in logged[-1].text
    assert "test_main_window.py" in logged[-1].details
    assert "ZeroDivisionError" in capsys.readouterr().err
    catcher.deleteLater()
    settle()


def test_a_low_window_shows_an_attacks_parameters(bench: Workbench) -> None:
    panel = attack_dock(bench)
    assert (bench.window.width(), bench.window.height()) == (1280, 800)
    bench.window.reset_layout()
    settle()
    for slug in ("pgd", "cw-l2", "universal"):
        panel.choose(slug)
        settle()
        basic = [panel.form.editor(field.name) for field in panel.form.fields if field.group == BASIC]
        parts = [*basic, panel.form.advanced.button]
        assert basic
        assert all(part.visibleRegion().boundingRect().height() == part.height() for part in parts), slug
    assert "1610.08401" not in panel.read_description
    unfold = named(panel.panel, QToolButton, "Description and paper")
    brief = panel.read_description
    click(unfold)
    assert panel.description in panel.read_description
    assert "1610.08401" in panel.read_description
    click(unfold)
    assert panel.read_description == brief
