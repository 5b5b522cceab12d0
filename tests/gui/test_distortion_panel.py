"""The Distortion dock in the real window: the dragged strength, the strip, the measurement, and parity with the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyle, QStyleOptionSlider

from engine.evaluate.distortion import KINDS, DistortionSurvival, moment
from engine.intervals import Share
from engine.text.formatting import format_probability
from gui.panels.distortion.desk import DistortionDesk
from gui.panels.distortion.looks import death, story
from gui.panels.distortion.strength import FINE, knots, place_of, strength_at
from gui.session.survival import Goal
from tests.gui.driving import Hold, choose_attack, click, drag, draw, press_keys, run_attack, settle, until, wait_written

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.panels.distortion.looks import Look


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    """The window with the dock in front in its workspace."""
    bench.window.workspaces.switch("stickers")
    bench.window.bring_up("distortion")
    settle()
    until(lambda: bench.window.panels["distortion"].built, "the dock's parts")
    settle()
    return bench


def desk(bench: Workbench) -> DistortionDesk:
    found = bench.window.panels["distortion"].desk
    assert isinstance(found, DistortionDesk)
    return found


def choose(bench: Workbench, slug: str) -> None:
    """Choose a distortion by the keyboard, and wait for its pictures."""
    combo = desk(bench).live.kind_combo
    combo.setFocus()
    place = combo.findData(slug)
    QTest.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(place):
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == slug
    answered(bench)


def answered(bench: Workbench) -> None:
    """Wait until pictures and strip show the canvas at the strength that is set."""
    live, session = desk(bench).live, bench.session

    def there() -> bool:
        shown, strip = live.shown, live.strip_shown
        if shown is None or strip is None or live._settled.isActive() or session.waiting("frame"):
            return False
        fresh = all(each.frame is session.frame and each.kind is live.kind for each in (shown, strip))
        return fresh and shown.looks[0].strength == live.strength.strength

    until(there, "the distorted images")
    settle()


def agrees_with_the_engine(bench: Workbench) -> None:
    """Compare pictures and bars with the engine's own numbers."""
    live, frame = desk(bench).live, bench.session.frame
    assert frame is not None
    seen, classifier = frame.observation, frame.scene.classifier
    made = moment(classifier, seen.clean_image, seen.adversarial_image, live.kind.slug, live.strength.strength)
    expected = made.adversarial_logits.softmax(0)
    best = int(expected.argmax())
    shown = f"{classifier.labels[best]} {format_probability(float(expected[best]))}"
    assert shown in live.pictures.cells[1].lines
    row = next(row for row in live.bars.rows if row.name == classifier.labels[best])
    assert row.adversarial == pytest.approx(float(expected[best]))
    pixels = (made.adversarial * 255).round().to(torch.uint8).permute(1, 2, 0)
    assert torch.equal(torch.from_numpy(live.pictures.cells[1].pixels.copy()), pixels)


@pytest.mark.parametrize("slug", KINDS)
def test_positions_of_the_slider_reach_every_strength_that_is_tried(slug: str) -> None:
    kind = KINDS[slug]
    known = knots(kind)
    assert [strength_at(kind, place * FINE) for place in range(len(known))] == [pytest.approx(each) for each in known]
    assert all(strength_at(kind, place_of(kind, each)) == pytest.approx(each) for each in known)
    values = [strength_at(kind, place) for place in range((len(known) - 1) * FINE + 1)]
    assert values == sorted(values, reverse=known[0] > known[-1])
    assert all(kind.low <= value <= kind.high for value in values)


class _Seen:
    """Predictions under a distortion, in place of a look."""

    def __init__(self, shown: str, clean: int, adversarial: int) -> None:
        self.shown, self.clean_prediction, self.adversarial_prediction = shown, clean, adversarial


@pytest.mark.parametrize(
    ("read", "target", "at", "words"),
    [
        ([1, 1, 1], None, None, "The attack survives up to c, the strongest that is tried."),
        ([0, 0, 0], None, 0, "The attack is dead at a, the weakest that is tried."),
        ([1, 0, 0], None, 1, "The attack dies between a and b."),
        ([1, 0, 2], None, 1, "The attack dies between a and b. It succeeds again at c."),
        ([2, 1, 2], 2, 1, "The attack dies between a and b. It succeeds again at c."),
    ],
)
def test_the_story_names_the_strength_at_which_the_attack_dies(read: list[int], target: int | None, at: int | None, words: str) -> None:
    looks: list[Look] = [_Seen(name, 0, each) for name, each in zip("abc", read, strict=True)]  # type: ignore[misc]
    goal = Goal(0, target)
    assert death(goal, looks) == at
    assert story(goal, looks) == words


def test_a_clean_image_that_is_misread_is_named() -> None:
    looks: list[Look] = [_Seen("a", 0, 1), _Seen("b", 2, 1)]  # type: ignore[list-item]
    assert story(Goal(0), looks).endswith("At b the clean image is misread, too.")


@pytest.mark.parametrize("slug", ["brighter", "noise", "jpeg", "distance"])
def test_the_dragged_strength_moves_pictures_bars_and_answer(bench: Workbench, slug: str) -> None:
    choose_attack(bench, "PGD")
    run_attack(bench)
    choose(bench, slug)
    live = desk(bench).live
    agrees_with_the_engine(bench)
    before = live.shown
    slider = live.strength.slider
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    handle = slider.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider).center()
    drag(slider, [handle, handle + QPoint(20, 0), QPoint(slider.width() - 2, handle.y())])
    answered(bench)
    assert live.strength.strength == KINDS[slug].strengths[-1]
    assert live.shown is not before
    agrees_with_the_engine(bench)
    QTest.keyClick(slider, Qt.Key.Key_Home)
    answered(bench)
    assert live.strength.strength == knots(KINDS[slug])[0]
    agrees_with_the_engine(bench)


def test_the_strip_has_the_engines_predictions_and_a_click_chooses_a_strength(bench: Workbench) -> None:
    choose_attack(bench, "PGD")
    run_attack(bench)
    choose(bench, "blur")
    live, frame = desk(bench).live, bench.session.frame
    assert frame is not None
    seen, classifier = frame.observation, frame.scene.classifier
    for cell, strength in zip(live.strip.cells, KINDS["blur"].strengths, strict=True):
        made = moment(classifier, seen.clean_image, seen.adversarial_image, "blur", strength)
        assert cell.name == classifier.labels[int(made.adversarial_logits.argmax())]
        assert cell.strength == KINDS["blur"].shown(strength)
    for place in (0, 4):
        click(live.strip, live.strip.room(place).center())
        answered(bench)
        assert live.strength.strength == KINDS["blur"].strengths[place]
        assert live.strip.chosen == place
        agrees_with_the_engine(bench)


def test_another_distortion_leaves_nothing_of_the_former_one(bench: Workbench) -> None:
    choose(bench, "blur")
    live = desk(bench).live
    assert live.strip.cells
    with Hold(bench.session):
        live.kind_combo.setFocus()
        QTest.keyClick(live.kind_combo, Qt.Key.Key_Down)
        settle()
        assert live.strip.cells == ()
        assert live.story.text == ""
        click(live.strip)
        assert live.strength.strength == KINDS["noise"].strengths[2]
    answered(bench)
    assert [cell.strength for cell in live.strip.cells] == [KINDS["noise"].shown(each) for each in KINDS["noise"].strengths]


def test_a_typed_strength_may_leave_the_slider_and_a_senseless_one_is_refused(bench: Workbench) -> None:
    choose(bench, "blur")
    live = desk(bench).live
    assert live.strength.number is not None
    line = live.strength.number.lineEdit()
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "4")
    answered(bench)
    assert live.strength.strength == 4
    agrees_with_the_engine(bench)
    line.selectAll()
    QTest.keyClicks(line, "40")
    settle()
    assert live.strength.strength == 4
    assert "Choose between 0 and 20" in live.message.text
    choose(bench, "jpeg")
    assert not live.message.text


def test_without_an_attack_it_says_what_is_missing_and_a_drawn_sticker_is_followed(bench: Workbench) -> None:
    choose(bench, "brighter")
    live = desk(bench).live
    assert live.story.text.startswith("Nothing is changed on the canvas yet.")
    assert desk(bench).measuring.foot.message.text == "Run an attack, or show a finished one: its image is what is measured."
    assert not desk(bench).measuring.foot.run.isEnabled()
    before = live.pictures.cells[1].pixels
    draw(bench)
    answered(bench)
    assert not (live.pictures.cells[1].pixels == before).all()
    agrees_with_the_engine(bench)
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: not bench.session.stickers, "the sticker's end")
    answered(bench)
    assert (live.pictures.cells[1].pixels == before).all()


def test_the_run_on_the_canvas_is_measured_with_the_engines_rates_and_exported(bench: Workbench, tmp_path: Path) -> None:
    choose_attack(bench, "PGD")
    run_attack(bench)
    measuring = desk(bench).measuring
    click(measuring.foot.run)
    assert not measuring.foot.run.isEnabled()
    assert measuring.foot.cancel.isEnabled()
    until(lambda: not measuring.runner.running, "the end of the measurement", 120)
    settle()
    outcome, run = measuring.outcome, bench.session.history.shown
    assert outcome is not None
    assert outcome.result is not None
    assert run is not None
    looks = sum(len(kind.strengths) for kind in KINDS.values())
    others = len(bench.session.loaded.models) - 1
    assert len(outcome.rows) == 1 + looks + others
    from engine.driver import run as run_operation

    operation = DistortionSurvival.of(run.planned)
    made = run.result
    again = run_operation(operation, made.classifier, made.clean, made.labels, start=made.adversarial, seed=bench.session.plan.seed)
    expected = again.artifacts["survival"].rows  # type: ignore[union-attr]
    place = outcome.columns.index("destruction rate")
    assert [row[place : place + 5] for row in outcome.rows[: 1 + looks]] == [row[2:7] for row in expected]
    _, low, high, undone, of = outcome.rows[1][place : place + 5]
    assert (low, high) == Share(undone, of).interval
    assert measuring.table.visibleRegion().boundingRect().height() > 100, "what was asked for is scrolled into sight"
    assert "1 of 1 image is adversarial" in measuring.heading.text
    measuring.save_sheet(tmp_path / "sheet.pdf")
    measuring.save_numbers(tmp_path / "numbers.csv")
    wait_written(bench.session)
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in tmp_path.iterdir()} >= {"sheet.pdf.json", "numbers.csv", "numbers.images.csv", "numbers.json"}
    assert not measuring.rates.isEnabled()


def test_a_data_set_is_measured_and_a_cancel_keeps_what_was_reached(bench: Workbench, tmp_path: Path) -> None:
    choose_attack(bench, "FGSM")
    measuring = desk(bench).measuring
    measuring.subject.setFocus()
    QTest.keyClick(measuring.subject, Qt.Key.Key_Down)
    assert measuring.of_data
    assert measuring.data.isVisible()
    measuring.data.choose("generated:signs")
    measuring.data.count.setValue(40)
    click(measuring.foot.run)
    until(lambda: measuring.runner.job is None or measuring.runner.preview is not None, "the first rates", 120)
    if measuring.runner.running:
        click(measuring.foot.cancel)
    until(lambda: not measuring.runner.running, "the end", 60)
    settle()
    outcome = measuring.outcome
    assert outcome is not None
    assert len(outcome.last.clean) == 40
    assert measuring.rates.isEnabled()
    measuring.save_rates(tmp_path / "rates.svg")
    wait_written(bench.session)
    assert (tmp_path / "rates.svg").is_file()
    QTest.keyClick(measuring.subject, Qt.Key.Key_Up)


def test_an_evaluation_of_the_image_under_a_stronger_distortion_is_asked_once(bench: Workbench) -> None:
    """Many moves of the slider ask for one picture at most beside the one in progress: only the newest waits."""
    choose(bench, "blur")
    live = desk(bench).live
    heard: list[float] = []
    then = live._on_look
    live._on_look = lambda answer: (heard.append(answer.looks[0].strength), then(answer))  # type: ignore[method-assign,assignment,func-returns-value]
    try:
        for place in range(0, 5 * FINE, 2):
            live.strength.slider.setValue(place)
        answered(bench)
    finally:
        del live._on_look
    assert heard[-1] == live.strength.strength
    assert len(heard) <= 3
