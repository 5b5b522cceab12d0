"""The canvas in the window: views, comparisons, outdated results, keys and context menus, as the user meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from gui.canvas.drawing import NOT_HERE
from gui.canvas.pictures import Picture
from gui.session.state import AttackSettings
from tests.gui.canvas_events import NONE, drag, move, press, release
from tests.gui.canvas_pixels import array
from tests.gui.driving import action, choose_attack, click, draw, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from pathlib import Path

    from gui.app import Workbench
    from gui.canvas.pane import Pane
    from gui.canvas.pictures import ViewName


def menu_at(bench: Workbench, pane: Pane, point: tuple[float, float]) -> dict[str, QAction]:
    """Click the right mouse button on an image point, and return the menu's actions by their texts."""
    press(pane, point, Qt.MouseButton.RightButton)
    release(pane, point, Qt.MouseButton.RightButton)
    at = pane.position(*point)
    QApplication.sendEvent(pane.viewport, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, pane.viewport.mapToGlobal(at)))
    settle()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return {each.text(): each for each in menu.actions() if each.text()}


def close_menu() -> None:
    while (menu := QApplication.activePopupWidget()) is not None:
        menu.close()
    settle()


def clipboard_image() -> np.ndarray:
    image = QGuiApplication.clipboard().image()
    assert not image.isNull()
    return array(image)


# ---------------------------------------------------------------------- views


def test_keys_choose_the_views_and_the_bar_and_the_menu_agree(bench: Workbench) -> None:
    canvas, header = bench.window.canvas, bench.window.centre.header
    for keys, view in (("2", "wipe"), ("3", "blink"), ("4", "difference"), ("1", "side")):
        press_keys(bench.window, keys)
        assert canvas.view == view
        assert action(bench, f"view_{view}").isChecked()
        assert header.buttons[f"view_{view}"].isChecked()
    click(header.buttons["view_difference"])
    assert canvas.view == "difference"
    until(lambda: canvas.stage.no_difference, "the sentence that nothing was added")
    assert header.options.gain.isVisible()
    press_keys(bench.window, "1")
    assert not header.options.gain.isVisible()


def test_the_difference_follows_the_frame_and_the_lane_makes_it(bench: Workbench) -> None:
    canvas = bench.window.canvas
    press_keys(bench.window, "4")
    run_attack(bench)
    until(lambda: not bench.session.waiting("difference") and canvas.stage.view.scale_bar.texts, "the difference")
    assert canvas.stage.view.scale_bar.texts == ("\u22128/255", "0", "+8/255")
    press_keys(bench.window, "Ctrl+Backspace")
    until(lambda: bench.session.frame.scene.delta is None and not bench.session.waiting("difference"), "the clean image")
    settle()
    assert canvas.stage.pixels is None
    assert canvas.stage.hint.text() == canvas.stage.no_difference != ""
    press_keys(bench.window, "1")


def test_b_is_held_wherever_the_focus_is_and_typed_where_text_is(bench: Workbench) -> None:
    canvas, window = bench.window.canvas, bench.window
    run_attack(bench)
    canvas.setFocus()
    with_focus = window.panels["attack"]
    for widget in (canvas, with_focus):
        window.activateWindow()
        QTest.keyPress(window, Qt.Key.Key_B)
        settle()
        assert canvas.held, widget
        np.testing.assert_array_equal(canvas.adversarial_pane.pixels, bench.session.frame.clean_pixels)
        QTest.keyRelease(window, Qt.Key.Key_B)
        assert not canvas.held
        np.testing.assert_array_equal(canvas.adversarial_pane.pixels, bench.session.frame.adversarial_pixels)


def test_whole_multiples_by_key_and_the_grid_is_kept(bench: Workbench) -> None:
    canvas = bench.window.canvas
    for scale in (2, 3, 4, 1):
        press_keys(bench.window, f"Ctrl+{scale}")
        assert canvas.viewpoint.scale == scale
    press_keys(bench.window, "Ctrl+0")
    assert canvas.clean_pane.view.grid.shown == (canvas.viewpoint.scale >= 12)
    press_keys(bench.window, "G")
    assert not canvas.clean_pane.view.grid.shown
    assert bench.window.settings.text("canvas/grid") == "off"
    assert not action(bench, "pixel_grid").isChecked()
    press_keys(bench.window, "G")
    assert bench.window.settings.text("canvas/grid") == "on"


def test_r_and_return_draw_a_sticker_and_its_dock_comes_to_the_front(bench: Workbench) -> None:
    window = bench.window
    window.docks["image"].raise_()
    settle()
    press_keys(window, "R")
    press_keys(window.canvas, "Return")
    assert [(s.x, s.y, s.width, s.height) for s in bench.session.stickers] == [(12, 12, 8, 8)]
    settle()
    assert window.panels["stickers"].isVisible()
    press_keys(window.canvas, "Left")
    assert bench.session.stickers[0].x == 11
    press_keys(window, "Ctrl+Z")
    press_keys(window, "Ctrl+Z")
    assert bench.session.stickers == ()
    window.docks["image"].raise_()
    settle()
    draw(bench)
    assert window.panels["stickers"].isVisible()
    window.docks["image"].raise_()
    settle()
    drag(window.canvas.adversarial_pane, [(15.5, 20.5)])  # a click on it
    settle()
    assert window.panels["stickers"].isVisible()


# ---------------------------------------------------------------------- what is shown


def test_changed_parameters_dim_the_result_and_say_so(bench: Workbench) -> None:
    canvas = bench.window.canvas
    run_attack(bench)
    assert canvas.adversarial_pane.line == ""
    number = bench.session.history.shown.number
    bench.session.change(settings=AttackSettings({"eps": 2 / 255}))
    assert canvas.adversarial_pane.line == f"Out of date since #{number} PGD: eps 8/255 → 2/255"
    assert canvas.adversarial_pane.view.veil.shown
    bench.session.change(settings=AttackSettings())
    assert canvas.adversarial_pane.line == ""
    assert not canvas.adversarial_pane.view.veil.shown


def test_a_sticker_over_a_perturbation_is_named_and_the_next_run_says_that_it_is_taken_off(bench: Workbench, said: list[str]) -> None:
    canvas, session = bench.window.canvas, bench.session
    run_attack(bench)
    number = session.history.shown.number
    draw(bench)
    assert canvas.adversarial_pane.line == f"Stickers with the perturbation of #{number} PGD"
    assert not canvas.adversarial_pane.view.veil.shown  # the image is as it is shown
    said.clear()
    run_attack(bench)
    assert f"The perturbation of #{number} PGD was taken off: PGD starts from the image with its stickers." in said
    assert canvas.adversarial_pane.line == ""
    said.clear()
    run_attack(bench)
    assert not any("was taken off" in sentence for sentence in said)


def test_an_attack_is_undone_and_redone(bench: Workbench) -> None:
    session = bench.session
    run_attack(bench)
    after = session.delta
    assert after is not None
    assert session.undo_stack.undoText() == "PGD"
    press_keys(bench.window, "Ctrl+Z")
    assert session.delta is None
    until(lambda: session.frame.scene.delta is None, "the clean image")
    press_keys(bench.window, "Ctrl+Shift+Z")
    assert session.delta is after
    assert session.history.shown is not None


# ---------------------------------------------------------------------- compared runs


@pytest.fixture
def compared(bench: Workbench) -> list[int]:
    for eps in (8 / 255, 2 / 255, 4 / 255):
        bench.session.change(settings=AttackSettings({"eps": eps, "steps": 10}))
        run_attack(bench)
    return [run.number for run in bench.session.history.attacks]


def test_two_runs_beside_each_other_and_more_as_a_grid(bench: Workbench, compared: list[int], said: list[str]) -> None:
    canvas, session = bench.window.canvas, bench.session
    first, second, third = compared
    session.change(compared=(first, second))
    until(lambda: canvas.comparing, "the comparison")
    settle()
    assert [pane.heading.name for pane in canvas.panes] == [f"#{first} PGD", f"#{second} PGD"]
    assert [pane.heading.texts[2] for pane in canvas.panes] == ["L∞ 8/255", "L∞ 2/255"]
    assert [pane.heading._swatch.text() for pane in canvas.panes] == ["A", "B"]
    for pane, number in zip(canvas.panes, (first, second), strict=True):
        result = session.history.find(number).result
        best = session.state.name_of(int(result.prediction[0]))
        assert pane.heading.caption.text.startswith(f"{best} · ")
        expected = (255 * result.adversarial[0]).round().byte().permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(pane.pixels, expected)
    press_keys(bench.window, "4")
    until(lambda: canvas.stage.view.scale_bar.texts, "the difference of the runs")
    assert canvas.stage.view.scale_bar.texts[2] in ("+10/255", "+8/255", "+9/255")
    press_keys(bench.window, "1")
    press_keys(bench.window, "R")
    drag(canvas.panes[0], [(12.5, 18.5), (19.5, 24.5)])
    assert session.stickers == ()
    assert NOT_HERE in said
    press_keys(bench.window, "V")
    session.change(compared=(first, second, third))
    until(lambda: len(canvas.pictures) == 3, "the grid")
    settle()
    assert len(canvas.panes) == 3
    header = bench.window.centre.header
    assert not header.buttons["view_wipe"].isVisible()
    workspaces = bench.window.workspaces
    assert workspaces.current.name == "compare"
    workspaces.switch("attack")  # the pair is shown there
    assert not canvas.comparing
    workspaces.switch("compare")
    until(lambda: canvas.comparing, "the grid again")
    settle()
    click(header.options.leave)
    assert not canvas.comparing
    assert session.compared == ()
    np.testing.assert_array_equal(canvas.adversarial_pane.pixels, session.frame.adversarial_pixels)


def test_the_panels_and_the_timeline_say_which_of_the_compared_runs_they_show(bench: Workbench, compared: list[int]) -> None:
    window, session = bench.window, bench.session
    first, second, third = compared
    bars = [window.panels[name].compared for name in ("prediction", "perturbation", "activations")]
    foot = window.centre.foot
    assert all(bar.isHidden() for bar in (*bars, foot.compared))  # the canvas shows one run, so nothing needs to be said
    session.change(compared=(first, second))
    until(lambda: window.canvas.comparing, "the comparison")
    settle()
    for bar in bars:
        assert [button.text() for button in bar.buttons if not button.isHidden()] == ["A", "B"]
        assert bar.label.text() == f"#{third} PGD, not compared"  # the newest run is in the panels
    assert foot.compared.isVisible()
    assert all(button.isHidden() for button in foot.compared.buttons)
    bar = bars[0]
    click(bar.buttons[1])
    until(lambda: session.frame is not None and session.frame.scene.delta is session.history.find(second).scene.delta, "the frame of B")
    settle()
    assert (session.comparison.subject, bar.label.text()) == (f"#{second} PGD", f"#{second} PGD")
    assert bar.buttons[1].accessibleName() == "B, shown here"
    assert [button.text() for button in foot.compared.buttons if not button.isHidden()] == ["B"]
    result = session.history.find(second).result
    assert window.panels["prediction"].painted.observation.adversarial_prediction == int(result.prediction[0])
    session.undo_stack.undo()
    assert session.comparison.subject == f"#{third} PGD, not compared"
    session.clear_perturbation()
    assert session.comparison.subject == "the open image, without a run"
    window.workspaces.switch("attack")
    assert all(bar.isHidden() for bar in (*bars, foot.compared))
    session.change(compared=())


def test_the_differences_stand_beside_the_canvas_in_a_column_for_each_run(bench: Workbench, compared: list[int]) -> None:
    window, session = bench.window, bench.session
    session.change(compared=tuple(compared[:2]))
    settle()
    panel = window.panels["comparison"]
    assert window.docks["comparison"].isVisible()
    assert window.dockWidgetArea(window.docks["comparison"]) == Qt.DockWidgetArea.RightDockWidgetArea
    table = panel.table
    rows = {table.verticalHeaderItem(line).text(): [table.item(line, place).text() for place in (0, 1)] for line in range(table.rowCount())}
    assert rows["eps"] == ["8/255", "2/255"]
    assert "steps" not in rows
    assert [table.horizontalHeaderItem(place).toolTip() for place in (0, 1)] == [f"A: #{compared[0]} PGD", f"B: #{compared[1]} PGD"]
    assert panel.summary.text == f"A and B: {len(rows)} differences."
    metrics = table.fontMetrics()
    for line in range(table.rowCount()):  # long values have lines of their own
        for place in (0, 1):
            words, wide = table.item(line, place).text(), table.columnWidth(place) - 8
            lines = metrics.boundingRect(0, 0, wide, 1000, Qt.TextFlag.TextWordWrap, words).height()
            assert table.rowHeight(line) >= lines, words
    assert table.text.splitlines()[0] == f"\tA #{compared[0]} PGD\tB #{compared[1]} PGD"
    click(panel.alike, QPoint(8, panel.alike.height() // 2))
    settle()
    assert "steps" in [table.verticalHeaderItem(line).text() for line in range(table.rowCount())]
    session.remove_runs(compared[0])
    settle()
    assert session.comparison.runs == ()
    session.undo_stack.undo()
    assert [run.number for run in session.comparison.runs] == compared[:2]
    session.change(compared=())


def test_a_removed_run_leaves_the_comparison_and_undo_brings_it_back(bench: Workbench, compared: list[int]) -> None:
    canvas, session = bench.window.canvas, bench.session
    session.change(compared=tuple(compared[:2]))
    until(lambda: canvas.comparing, "the comparison")
    session.remove_runs(compared[0])
    until(lambda: not canvas.comparing, "the pair")
    session.undo_stack.undo()
    until(lambda: canvas.comparing, "the comparison again")
    session.change(compared=())


def test_an_attack_beside_a_comparison_does_not_disturb_it(bench: Workbench, compared: list[int]) -> None:
    canvas, session = bench.window.canvas, bench.session
    session.change(compared=tuple(compared[:2]))
    until(lambda: canvas.comparing, "the comparison")
    before = [pane.pixels.copy() for pane in canvas.panes]
    run_attack(bench)
    for pane, was in zip(canvas.panes, before, strict=True):
        np.testing.assert_array_equal(pane.pixels, was)
    session.change(compared=())
    np.testing.assert_array_equal(canvas.adversarial_pane.pixels, session.frame.adversarial_pixels)


@pytest.mark.parametrize("count", [2, 3])
def test_the_compared_run_of_the_timeline_follows_the_iteration_under_the_hand(bench: Workbench, compared: list[int], count: int) -> None:
    canvas, session = bench.window.canvas, bench.session
    chosen = tuple(compared[-count:])  # the last one is the run that is shown
    session.change(compared=chosen)
    until(lambda: canvas.comparing and len(canvas.pictures) == count, "the comparison")
    results = [picture.pixels.copy() for picture in canvas.pictures]
    session.moments.show(3)
    until(lambda: session.frame is not None and session.frame.step == 3, "iteration 3")
    settle()
    step = session.moments.step
    assert step is not None
    expected = (255 * step.adversarial[0]).round().byte().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(canvas.panes[-1].pixels, expected)
    assert canvas.panes[-1].heading.name == f"#{chosen[-1]} PGD, iteration 3"
    assert canvas.panes[-1].heading.texts[2] == "L∞ 4/255"
    best = int(session.frame.observation.adversarial_prediction)
    assert canvas.panes[-1].heading.caption.text.startswith(f"{session.state.name_of(best)} · ")
    for pane, was in zip(canvas.panes[:-1], results[:-1], strict=True):
        np.testing.assert_array_equal(pane.pixels, was)
    session.moments.to_end()
    until(lambda: session.frame.step is None, "the end")
    settle()
    for pane, was in zip(canvas.panes, results, strict=True):
        np.testing.assert_array_equal(pane.pixels, was)
    assert "iteration" not in canvas.panes[-1].heading.name
    session.change(compared=())


def test_the_difference_of_two_runs_follows_the_iteration_and_the_end(bench: Workbench, compared: list[int]) -> None:
    canvas, session = bench.window.canvas, bench.session
    session.change(compared=tuple(compared[-2:]))
    canvas.set_view("difference")
    until(lambda: canvas.comparing and canvas.stage.view.scale_bar.texts and not session.waiting("difference"), "the difference")
    at_end = canvas.stage.pixels.copy()
    session.moments.show(0)
    until(lambda: session.frame.step == 0 and not session.waiting("difference"), "the first iteration")
    until(lambda: not np.array_equal(canvas.stage.pixels, at_end), "its difference")
    session.moments.to_end()
    until(lambda: np.array_equal(canvas.stage.pixels, at_end), "the difference of the results")
    session.change(compared=())


# ---------------------------------------------------------------------- context menus


def test_the_menu_copies_each_image_as_displayed_and_at_its_own_size(bench: Workbench) -> None:
    canvas = bench.window.canvas
    run_attack(bench)
    frame = bench.session.frame
    clean, adversarial = (
        (canvas.clean_pane, frame.clean_pixels, "Clean"),
        (canvas.adversarial_pane, frame.adversarial_pixels, "Adversarial"),
    )
    for pane, pixels, name in (clean, adversarial):
        menu_at(bench, pane, (28.5, 28.5))[f"Copy {name} at its own size, 32 × 32"].trigger()
        close_menu()
        np.testing.assert_array_equal(clipboard_image(), pixels)
        menu_at(bench, pane, (28.5, 28.5))["Copy as displayed"].trigger()
        close_menu()
        shown = clipboard_image()
        assert shown.shape[:2] == (round(32 * canvas.viewpoint.scale),) * 2
        middle = ((np.arange(32) + 0.5) * canvas.viewpoint.scale).astype(int)
        np.testing.assert_array_equal(shown[np.ix_(middle, middle)], pixels)


def test_the_menu_saves_the_clean_image_whole(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "clean"), ""))
    menu_at(bench, bench.window.canvas.clean_pane, (2, 2))["Save Clean as…"].trigger()
    close_menu()
    np.testing.assert_array_equal(array(QImage(str(tmp_path / "clean.png"))), bench.session.frame.clean_pixels)
    assert said[-1] == "clean.png was written."


def test_the_menu_sets_the_start_image_for_attacks_that_take_one(bench: Workbench) -> None:
    session, canvas = bench.session, bench.window.canvas
    run_attack(bench)
    choose_attack(bench, "HopSkipJump")
    entry = menu_at(bench, canvas.adversarial_pane, (28, 28))["Set as start image"]
    assert entry.isEnabled()
    entry.trigger()
    close_menu()
    until(lambda: session.plan.start is not None, "the start image")
    assert session.plan.start.image.equal(session.frame.observation.adversarial_image)
    assert session.plan.start.prediction == session.frame.observation.adversarial_prediction
    session.undo_stack.undo()
    assert session.plan.start is None
    choose_attack(bench, "PGD")
    entry = menu_at(bench, canvas.adversarial_pane, (28, 28))["Set as start image"]
    assert entry.isEnabled() or "takes no start image" in entry.toolTip()
    close_menu()


def test_the_menu_edits_the_sticker_under_the_mouse_and_so_does_the_edit_menu(bench: Workbench) -> None:
    session, canvas = bench.session, bench.window.canvas
    draw(bench)
    assert "Duplicate sticker" not in menu_at(bench, canvas.adversarial_pane, (2, 2))
    close_menu()
    assert session.selected is None
    assert not action(bench, "delete_sticker").isEnabled()
    menu_at(bench, canvas.clean_pane, (15.5, 20.5))["Duplicate sticker"].trigger()
    close_menu()
    assert len(session.stickers) == 2
    top = session.stickers[1].id
    action(bench, "lower_sticker").trigger()
    assert [sticker.id for sticker in session.stickers] == [top, 1]
    action(bench, "raise_sticker").trigger()
    assert [sticker.id for sticker in session.stickers] == [1, top]
    menu_at(bench, canvas.adversarial_pane, (15.5, 19.5))["Delete sticker"].trigger()
    close_menu()
    assert len(session.stickers) == 1
    press_keys(bench.window, "Ctrl+Z")
    assert len(session.stickers) == 2


def test_the_menu_clears_the_perturbation(bench: Workbench) -> None:
    run_attack(bench)
    menu_at(bench, bench.window.canvas.adversarial_pane, (28, 28))["Clear perturbation"].trigger()
    close_menu()
    assert bench.session.delta is None


def test_the_readout_stands_over_the_images_of_the_window(bench: Workbench) -> None:
    canvas = bench.window.canvas
    move(canvas.clean_pane, (14.5, 9.5), NONE)
    assert canvas.readout.text.replace("\u2007", "").startswith("x 14, y 9 · clean ")
    assert canvas.readout.isVisible()
    QApplication.sendEvent(canvas.clean_pane.viewport, QEvent(QEvent.Type.Leave))
    assert not canvas.readout.isVisible()
    assert canvas.rect().contains(canvas.readout.geometry())


def test_a_double_click_on_a_heading_leaves_the_canvas_alone_and_brings_all_back(bench: Workbench) -> None:
    window, heading = bench.window, bench.window.canvas.clean_pane.heading
    before = window.canvas.viewpoint.scale
    QTest.mouseDClick(heading, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, heading.rect().center())
    settle()
    assert window.workspaces.canvas_is_alone
    assert not window.panels["attack"].isVisible()
    assert window.canvas.viewpoint.scale > before
    QTest.mouseDClick(heading, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, heading.rect().center())
    settle()
    assert window.panels["attack"].isVisible()
    assert not window.workspaces.canvas_is_alone


def test_the_images_are_named_with_their_predictions_for_those_who_do_not_see_them(bench: Workbench) -> None:
    canvas, labels = bench.window.canvas, bench.session.state.labels
    run_attack(bench)
    seen = bench.session.frame.observation
    names = [pane.view.accessibleName() for pane in canvas.panes]
    assert names[0].startswith(f"Clean: {labels[seen.clean_prediction]} · ")
    assert names[1].startswith(f"Adversarial: {labels[seen.adversarial_prediction]} · ")
    press_keys(bench.window, "2")
    assert canvas.stage.view.accessibleName() == " and ".join(names)


@pytest.mark.parametrize("width", [1130, 1000, 1280, 1920])
@pytest.mark.parametrize("view", ["side", "wipe", "blink", "difference"])
def test_the_bar_is_whole_again_when_a_comparison_is_left(bench: Workbench, width: int, view: ViewName) -> None:
    canvas, header = bench.window.canvas, bench.window.centre.header
    bench.window.resize(width, 800)
    canvas.set_view(view)
    settle()

    def hidden() -> list[str]:
        return [widget.accessibleName() for widget in (*header.buttons.values(), header.zoom) if widget.isHidden()]

    before = hidden()
    for count in (2, 3):
        pixels = np.zeros((32, 32, 3), np.uint8)
        canvas.set_compared([Picture(f"#{n}", "#000000", pixels, run=n, letter="ABC"[n]) for n in range(count)])
        settle()
        canvas.set_compared([])
        assert hidden() == before  # in the same moment, not at the next resize
        settle()
        assert hidden() == before
    for other in ("difference", "blink", "side", view):
        canvas.set_view(other)
    assert hidden() == before
    canvas.set_view("side")
    settle()
