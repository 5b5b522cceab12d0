"""The canvas's foot: every gesture with real mouse and keys, what it says, and that it is never wrong about what is plotted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QImage, QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.attacks import FGSM, PGD, CarliniWagnerL2, HopSkipJump
from gui import theme
from gui.panels.timeline import TimelineFoot
from gui.panels.timeline.curve import LossCurve
from gui.panels.timeline.panel import HEIGHT
from tests.gui.driving import action, click, drag, press_keys, run_attack, settle, until
from tests.gui.panel_scenes import attack, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.app import Workbench
    from gui.session.session import Session

ATTACK = PGD(eps=0.2, steps=20)


@pytest.fixture
def foot(qtbot: QtBot, session: Session) -> TimelineFoot:
    """The foot of a session with a finished attack of twenty steps."""
    open_image(qtbot, session)
    made: TimelineFoot = show(qtbot, TimelineFoot(session), 640, HEIGHT)
    attack(qtbot, session, ATTACK)
    settle()
    return made


def at(foot: TimelineFoot, index: int | None) -> None:
    session = foot.session
    until(lambda: session.moments.index == index and session.frame is not None and session.frame.step == index, f"iteration {index}")
    settle()


def place(foot: TimelineFoot, step: int, y: int = 20) -> QPoint:
    return QPoint(round(foot.strip.x_of(step)), y)


# ---------------------------------------------------------------------- the hand


@pytest.mark.parametrize("y", [3, 24, 45])
def test_a_click_anywhere_on_the_strip_goes_there(foot: TimelineFoot, y: int) -> None:
    for step in (7, 20, 1, 13):
        click(foot.strip, place(foot, step, min(y, foot.strip.height() - 2)))
        at(foot, step)
        assert foot.strip.value() == step
        assert foot.numbers.number == f"{step}/20"
        assert foot.numbers.word == "iteration"


def test_a_drag_scrubs_and_may_leave_the_strip(foot: TimelineFoot) -> None:
    seen: list[int | None] = []
    foot.session.moments.changed.connect(lambda: seen.append(foot.session.moments.index))
    drag(foot.strip, [place(foot, step) for step in range(2, 19)] + [QPoint(5000, 400)])
    at(foot, 20)
    assert set(range(2, 19)) <= set(seen)
    drag(foot.strip, [place(foot, 10), QPoint(-300, -20)])
    at(foot, 0)


def test_moving_the_mouse_without_a_button_changes_nothing(foot: TimelineFoot) -> None:
    QTest.mouseMove(foot.strip, place(foot, 5))
    QTest.mouseMove(foot.strip, place(foot, 9))
    QTest.mouseClick(foot.strip, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, place(foot, 5))
    settle()
    assert foot.session.moments.index is None


def test_near_its_mark_the_flip_is_picked(foot: TimelineFoot) -> None:
    flip = foot.session.moments.flip
    assert flip
    foot.resize(4000, HEIGHT)
    settle()
    click(foot.strip, place(foot, flip) + QPoint(4, 0))
    at(foot, flip)


def test_keys(foot: TimelineFoot) -> None:
    foot.strip.setFocus()
    for key, expected in (
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Up, 2),
        (Qt.Key.Key_PageUp, 12),
        (Qt.Key.Key_Left, 11),
        (Qt.Key.Key_Down, 10),
        (Qt.Key.Key_PageDown, 0),
        (Qt.Key.Key_Left, 0),
        (Qt.Key.Key_End, None),
    ):
        QTest.keyClick(foot.strip, key)
        at(foot, expected)
    assert foot.numbers.word == "result"


def wheel(foot: TimelineFoot, turn: int) -> None:
    centre = QPointF(foot.strip.rect().center())
    event = QWheelEvent(
        *(centre, QPointF(foot.strip.mapToGlobal(centre)), QPoint(), QPoint(0, turn)),
        *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False),
    )
    QApplication.sendEvent(foot.strip, event)


def test_the_wheel_moves_by_one_also_in_parts_of_a_notch(foot: TimelineFoot) -> None:
    foot.session.moments.show(10)
    at(foot, 10)
    wheel(foot, -120)
    at(foot, 11)
    wheel(foot, 240)
    at(foot, 9)
    for _ in range(3):  # a touch pad
        wheel(foot, -30)
    settle()
    assert foot.session.moments.index == 9
    wheel(foot, -30)
    at(foot, 10)


def test_space_and_the_button_play_and_a_hand_stops(foot: TimelineFoot) -> None:
    moments = foot.session.moments
    moments.set_rate(30)
    click(foot.play_button, QPoint(10, foot.play_button.height() // 2))
    assert moments.playing
    assert foot.play_button.accessibleName() == "Pause the timeline"
    until(lambda: (moments.index or 0) > 3, "the play")
    click(foot.strip, place(foot, 2))
    assert not moments.playing
    at(foot, 2)
    foot.strip.setFocus()
    QTest.keyClick(foot.strip, Qt.Key.Key_Space)
    assert moments.playing
    until(lambda: (moments.index or 0) > 4, "the play")
    QTest.keyClick(foot.strip, Qt.Key.Key_Right)
    assert not moments.playing
    assert foot.play_button.accessibleName() == "Play the timeline"


def test_the_rate_and_repeat_are_in_the_buttons_menu(foot: TimelineFoot) -> None:
    texts = [each.text() for each in foot.play_button.menu().actions() if each.text()]
    assert texts == ["4 iterations a second", "12 iterations a second", "30 iterations a second", "Repeat"]
    foot.play_button.menu().actions()[2].trigger()
    foot.loop_action.trigger()
    assert (foot.session.moments.rate, foot.session.moments.loop) == (30, True)


def test_keeping_an_iteration_by_its_button(foot: TimelineFoot) -> None:
    assert not foot.keep_button.isEnabled()
    assert "the result, which is kept" in foot.keep_button.toolTip()
    click(foot.strip, place(foot, 6))
    at(foot, 6)
    assert foot.keep_button.isEnabled()
    click(foot.keep_button)
    until(lambda: len(foot.session.history.entries) == 2, "the kept run")
    at(foot, None)
    assert foot.numbers.number == "6/20"
    assert foot.numbers.word == "result"
    assert foot.session.history.shown.result.iteration == 6


# ---------------------------------------------------------------------- what it says


def test_the_numbers_are_those_of_the_iteration(foot: TimelineFoot) -> None:
    trace = foot.session.history.shown.result.trace[:, 0]
    for step in (0, 9, 20):
        foot.session.moments.show(step)
        at(foot, step)
        assert float(foot.loss.number.replace("−", "-").replace(",", "")) == pytest.approx(
            float(trace[step]), abs=0.5 * 10**-foot.strip.curve.decimals
        )


def test_neither_the_numbers_nor_the_strip_move_while_scrubbing(foot: TimelineFoot) -> None:
    places = set()
    for step in range(21):
        foot.session.moments.show(step)
        settle()
        places.add((foot.numbers.geometry().getRect(), foot.loss.geometry().getRect(), foot.strip.geometry().getRect()))
        assert len(foot.loss.number.partition(".")[2]) == foot.strip.curve.decimals
    assert len(places) == 1


@pytest.mark.parametrize(
    ("made", "target", "name"),
    [
        (ATTACK, None, "cross-entropy"),
        (ATTACK, 3, "−cross-entropy towards Priority road"),
        (PGD(eps=0.2, steps=4, loss="margin"), 3, "margin towards Priority road"),
        (FGSM(towards="least likely"), None, "−cross-entropy towards "),
        (CarliniWagnerL2(rounds=1, steps=5, boundary_steps=2), None, "margin"),
        (HopSkipJump(steps=1, initial_evaluations=10), None, "−distance"),
    ],
)
def test_what_is_plotted_has_its_name_and_sign(made: object, target: int | None, name: str, qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    session.set_target(target)
    foot = show(qtbot, TimelineFoot(session), 640, HEIGHT)
    attack(qtbot, session, made)
    assert foot.strip.curve.name.startswith(name)
    assert foot.strip.curve.name == name or name.endswith(" ")
    assert "the attack maximises it" in foot.loss.toolTip()


def test_the_curve_grows_while_the_attack_runs_and_never_shows_the_run_before(qtbot: QtBot, foot: TimelineFoot) -> None:
    session = foot.session
    session.set_target(3)
    session.runs.start(PGD(eps=0.2, steps=100_000))
    settle()
    assert not len(foot.strip.curve.steps) or "towards" in foot.strip.curve.name or foot._pages.currentIndex() == 0
    until(lambda: len(foot.strip.curve.steps) > 30 and foot._pages.currentIndex() == 1, "the curve")
    assert foot.strip.curve.name == "−cross-entropy towards Priority road"
    assert foot.strip.maximum() == 100_000
    assert foot.numbers.word == "live"
    assert foot.numbers.number.endswith("/100,000")
    count = len(foot.strip.curve.steps)
    until(lambda: len(foot.strip.curve.steps) > count + 10, "more of the curve")
    assert not foot.live_button.isVisible()
    foot.strip.setFocus()
    QTest.keyClick(foot.strip, Qt.Key.Key_Home)
    until(lambda: session.frame.step == 0, "iteration 0")
    assert foot.live_button.isVisible()
    assert "when the attack has ended" in foot.keep_button.toolTip()
    click(foot.live_button)
    until(lambda: session.frame.step > 20, "a live frame")
    session.runs.cancel()
    until(lambda: not session.runs.running and session.frame.step is None, "the end")
    assert foot.numbers.word == "result"


def test_without_a_run_it_says_what_will_be_there(qtbot: QtBot, session: Session) -> None:
    foot = show(qtbot, TimelineFoot(session), 640, HEIGHT)
    assert foot.empty.isVisible()
    assert "appear here" in foot.empty.text()
    open_image(qtbot, session)
    attack(qtbot, session, ATTACK)
    assert foot.strip.isVisible()
    session.clear_perturbation()
    settle()
    assert foot.empty.isVisible()
    assert foot.height() == HEIGHT


def test_a_run_whose_iterations_were_not_kept(qtbot: QtBot, foot: TimelineFoot) -> None:
    """As of a study that was saved without them: the curve is there, the strip cannot be moved and says why."""
    session = foot.session
    object.__setattr__(session.history.shown, "timeline", None)
    session.moments.follow()
    settle()
    assert foot.strip.isVisible()
    assert not foot.strip.isEnabled()
    assert "not kept" in foot.strip.toolTip()
    assert not foot.keep_button.isEnabled()
    click(foot.strip, place(foot, 6))
    assert session.moments.index is None


def test_a_reader_for_the_blind_hears_a_slider(foot: TimelineFoot) -> None:
    foot.session.moments.show(8)
    at(foot, 8)
    interface = QAccessible.queryAccessibleInterface(foot.strip)
    assert interface.role() == QAccessible.Role.Slider
    assert interface.text(QAccessible.Text.Name) == "Iteration"
    value = interface.valueInterface()
    assert (value.minimumValue(), value.maximumValue(), value.currentValue()) == (0, 20, 8)
    for button in (foot.play_button, foot.keep_button, foot.live_button):
        assert button.accessibleName()
        assert button.toolTip()


# ---------------------------------------------------------------------- the picture


def column(image: QImage, x: int) -> list[int]:
    return [image.pixelColor(x, y).lightness() for y in range(image.height())]


@pytest.mark.parametrize("dark", [False, True])
def test_the_iteration_is_never_hidden(foot: TimelineFoot, dark: bool) -> None:
    """At every step, also under the flip, the handle stands out from what is beside it."""
    foot.setPalette(theme.palette(dark))
    foot.strip.setPalette(theme.palette(dark))
    settle()
    background = foot.strip.palette().color(QPalette.ColorRole.Window).lightness()
    for step in (0, foot.session.moments.flip, 20):
        foot.session.moments.show(step)
        at(foot, step)
        image = foot.strip.grab().toImage()
        x = min(max(round(foot.strip.x_of(step)), 0), image.width() - 1)
        contrast = [abs(value - background) for value in column(image, x)]
        assert sum(value > 100 for value in contrast) > foot.strip.height() / 3


@pytest.mark.parametrize("width", [270, 360, 640, 1600])
def test_nothing_overlaps_at_any_width(foot: TimelineFoot, width: int) -> None:
    foot.resize(width, HEIGHT)
    settle()
    parts = [foot.play_button, foot.strip, foot.numbers, foot.loss, foot.keep_button]
    visible = [part for part in parts if part.isVisible()]
    for one, other in itertools.pairwise(visible):
        assert one.geometry().right() < other.geometry().left()
    assert visible[-1].geometry().right() < width
    assert foot.strip.width() >= 60
    assert foot.minimumSizeHint().width() <= 270


def test_a_curve_of_many_steps_keeps_its_extremes() -> None:
    losses = np.random.default_rng(0).normal(size=100_000)
    losses[77_777] = 50.0
    steps, reduced = LossCurve(np.arange(100_000.0), losses).reduced(300)
    assert len(steps) == len(reduced) <= 600
    assert reduced.max() == 50.0
    assert reduced.min() == losses.min()
    assert bool((np.diff(steps) >= 0).all())


def test_losses_that_are_no_numbers_and_equal_losses() -> None:
    curve = LossCurve(np.arange(4.0), np.array([1.0, np.nan, np.inf, 1.0]))
    assert curve.limits == (0.5, 1.5)
    assert curve.text(curve.loss_at(1)) == "–"
    assert curve.text(-0.0001) == "0.00"
    assert curve.reduced(10)[0].tolist() == [0, 3]
    assert LossCurve(np.zeros(0), np.zeros(0)).loss_at(3) is None


# ---------------------------------------------------------------------- in the window


def test_the_menus_commands_and_every_panel_follow(bench: Workbench) -> None:
    session, window = bench.session, bench.window
    foot = window.centre.foot
    assert isinstance(foot, TimelineFoot)
    assert foot.height() == HEIGHT
    assert foot.geometry().top() >= window.canvas.geometry().bottom()
    assert not action(bench, "next_iteration").isEnabled()
    run_attack(bench)
    assert action(bench, "next_iteration").isEnabled()
    action(bench, "first_iteration").trigger()
    at(foot, 0)
    press_keys(window, ".")
    at(foot, 1)
    press_keys(window, ",")
    at(foot, 0)
    action(bench, "flip_iteration").trigger()
    at(foot, session.moments.flip)
    frame = session.frame
    for name in ("prediction", "perturbation", "activations"):
        panel = window.panels[name]
        if panel.isVisible() and hasattr(panel, "painted"):
            assert panel.painted is frame, name
    tiles = window.panels["prediction"].view.figures
    assert f"{frame.observation.norms['linf']:.3g}" in [tile.value for tile in tiles.figures]
    assert torch.equal(frame.observation.adversarial_image, session.moments.step.adversarial[0])
    press_keys(window, "Shift+K")
    until(lambda: session.history.shown is not None and session.history.shown.iteration_of is not None, "the kept run")
    at(foot, None)
    action(bench, "show_result").trigger()
    at(foot, None)


def test_the_export_button_is_hidden_until_there_is_something_to_export(foot: TimelineFoot, bench: Workbench) -> None:
    foot.set_export(None)
    assert not foot.export_button.isVisibleTo(foot)
    foot.set_export(action(bench, "export_figure"))
    assert foot.export_button.isVisibleTo(foot)
    assert foot.export_button.accessibleName()


def test_typing_a_comma_in_a_field_types_a_comma(bench: Workbench) -> None:
    from PySide6.QtWidgets import QLineEdit

    run_attack(bench)
    edit = next(edit for edit in bench.window.findChildren(QLineEdit) if edit.isVisible() and edit.isEnabled() and not edit.isReadOnly())
    edit.setFocus()
    bench.session.moments.show(5)
    at(bench.window.centre.foot, 5)
    edit.clear()
    QTest.keyClicks(edit, ".")
    settle()
    assert bench.session.moments.index == 5


def test_the_ends_can_be_reached_beside_a_flip(foot: TimelineFoot) -> None:
    """A flip at the second step of many is nearer to the first step than its mark reaches."""
    strip, last = foot.strip, foot.strip.maximum()
    strip.resize(160, HEIGHT)
    for flip in (1, last - 1):
        strip.set_marks(None, True, flip)
        assert abs(strip.x_of(flip) - strip.x_of(0 if flip == 1 else last)) <= 8
        assert [strip.step_at(x) for x in (-20, strip.x_of(0), strip.x_of(flip), strip.x_of(last), 500)] == [0, 0, flip, last, last]


def test_after_a_sticker_was_moved_the_foot_and_the_chip_speak_of_the_same_thing(bench: Workbench) -> None:
    from dataclasses import replace

    from tests.gui.driving import draw

    session, foot = bench.session, bench.window.centre.foot
    draw(bench)
    session.change(**session.plan.choosing("sticker"))
    run_attack(bench)
    run = session.history.shown
    assert run is not None
    (sticker,) = session.stickers
    session.commit_stickers((replace(sticker, x=sticker.x - 6),), "Move")
    until(lambda: session.staleness.stale, "the staleness")
    settle()
    assert session.staleness.run is run
    assert foot.empty.text() == f"The iterations of #{run.number} were made for other stickers. Show #{run.number} again to see them."
    forms = bench.window.spine.shown.chip.second.forms
    assert session.staleness.subject == "Stickers"
    assert bench.window.canvas.adversarial_pane.line.startswith("Stickers changed since")
    assert "stickers changed since" in forms
    assert not any("parameters" in form for form in forms)
    session.show_entry(run.number)
    until(lambda: session.history.shown is run, "the run")
    settle()
    assert len(foot.strip.curve.steps) > 0


def test_losses_that_are_all_tiny_are_no_row_of_zeros() -> None:
    tiny = LossCurve(np.arange(3.0), np.array([2e-9, 0.0, 3.5e-8]))
    assert [tiny.text(value) for value in tiny.losses] == ["2.00e−09", "0", "3.50e−08"]
    usual = LossCurve(np.arange(2.0), np.array([2e-9, 12.5]))
    assert [usual.text(value) for value in usual.losses] == ["0.00", "12.50"]
