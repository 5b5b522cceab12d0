"""The Defense dock in the real window: sliders, the answer, both attackers, undo, and parity with the engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.attacks import PGD
from engine.defenses.preprocessing import CATALOGUE, NoiseAveraging, read
from engine.evaluate.knowing import both
from engine.text.formatting import format_probability
from gui.panels.defense import DefensePanel
from tests.gui.driving import choose_attack, click, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.forms.slider_edit import SliderEdit


@pytest.fixture
def bench(bench: Workbench) -> Iterator[Workbench]:
    """The window with the dock in front, without a defense."""
    bench.window.bring_up("defense")
    settle()
    yield bench
    bench.session.runs.cancel()
    until(lambda: not bench.session.runs.running, "the end of the run")
    bench.session.set_defense(())
    bench.session.set_attacker(False)
    defended(bench)


def dock(bench: Workbench) -> DefensePanel:
    panel = bench.window.panels["defense"]
    assert isinstance(panel, DefensePanel)
    return panel


def switch_on(bench: Workbench, slug: str) -> None:
    """Add a step by its entry in the menu, and wait for its effect."""
    steps = dock(bench).steps
    assert steps is not None
    steps.menu.aboutToShow.emit()
    next(each for each in steps.menu.actions() if each.data() == slug).trigger()
    defended(bench)


def defended(bench: Workbench) -> None:
    """Wait until the frame has the effect of the defense that is switched on."""

    def there() -> bool:
        frame, steps = bench.session.frame, bench.session.defense
        if frame is None or frame.scene.defense != steps:
            return False
        return not steps or frame.observation.defended is not None or "defense" in frame.observation.failures

    until(there, "the effect of the defense")
    settle()


def slider(bench: Workbench, name: str, row: int = 0) -> SliderEdit:
    from gui.forms.slider_edit import SliderEdit

    steps = dock(bench).steps
    assert steps is not None
    editor = steps.rows[row].form.editor(name)
    assert isinstance(editor, SliderEdit)
    return editor


def agrees_with_the_engine(bench: Workbench) -> None:
    """Compare the numbers of the frame with those of a classifier that is derived here."""
    session = bench.session
    assert session.frame is not None
    assert session.classifier is not None
    seen = session.frame.observation
    pair = torch.stack([seen.clean_image, seen.adversarial_image])
    behind = session.classifier.derive(before=session.defense)
    expected = behind.score(pair).softmax(1)
    assert seen.defended is not None
    assert torch.equal(torch.stack([seen.defended.clean, seen.defended.adversarial]), expected)
    names, place = session.classifier.labels, int(expected[0].argmax())
    shown = f"{names[place]} {format_probability(float(expected[0, place]))}"
    assert shown in dock(bench).pictures.cells[0].lines


@pytest.mark.parametrize("slug", CATALOGUE)
def test_each_defense_shows_the_engines_numbers(bench: Workbench, slug: str) -> None:
    switch_on(bench, slug)
    agrees_with_the_engine(bench)
    panel = dock(bench)
    assert "gradient" not in {field.name for field in panel.steps.rows[0].form.fields}  # type: ignore[union-attr]
    assert panel.pictures.isVisible()
    settle()
    row = bench.window.panels["prediction"].view.bars.rows[0]
    assert row.defended_clean is not None


def test_a_drag_of_the_slider_moves_the_numbers_and_undo_brings_the_defense_back(bench: Workbench) -> None:
    session = bench.session
    switch_on(bench, "jpeg")
    switch_on(bench, "bit-depth")
    editor = slider(bench, "quality")
    editor.slider.setFocus()
    QTest.keyClick(editor.slider, Qt.Key.Key_Home)
    defended(bench)
    assert session.defense[0].quality == 1  # type: ignore[attr-defined]
    agrees_with_the_engine(bench)
    coarse = session.frame.observation.defended  # type: ignore[union-attr]
    QTest.keyClick(editor.slider, Qt.Key.Key_End)
    defended(bench)
    assert session.defense[0].quality == 100  # type: ignore[attr-defined]
    fine = session.frame.observation.defended  # type: ignore[union-attr]
    assert not torch.equal(coarse.clean, fine.clean)  # type: ignore[union-attr]
    assert [step.slug for step in session.defense] == ["jpeg", "bit-depth"]
    rows = dock(bench).steps.rows  # type: ignore[union-attr]
    rows[1].earlier.trigger()
    defended(bench)
    assert [step.slug for step in session.defense] == ["bit-depth", "jpeg"]
    agrees_with_the_engine(bench)
    click(dock(bench).steps.rows[0].remove)  # type: ignore[union-attr]
    defended(bench)
    assert [step.slug for step in session.defense] == ["jpeg"]
    press_keys(bench.window, "Ctrl+Z")
    defended(bench)
    assert [step.slug for step in session.defense] == ["bit-depth", "jpeg"]
    assert [row.part.slug for row in dock(bench).steps.rows] == ["bit-depth", "jpeg"]  # type: ignore[union-attr]
    press_keys(bench.window, "Ctrl+Shift+Z")
    defended(bench)
    assert [step.slug for step in session.defense] == ["jpeg"]


def test_a_refused_value_leaves_the_defense_and_says_why(bench: Workbench) -> None:
    switch_on(bench, "jpeg")
    editor = slider(bench, "quality")
    editor.number.lineEdit().setFocus()
    editor.number.lineEdit().selectAll()
    QTest.keyClicks(editor.number.lineEdit(), "700")
    settle()
    assert bench.session.defense == read("jpeg quality=70")  # the last one that was not refused
    assert "quality" in dock(bench)._trouble_of_step.text
    editor.number.lineEdit().selectAll()
    QTest.keyClicks(editor.number.lineEdit(), "40")
    defended(bench)
    assert bench.session.defense == read("jpeg quality=40")
    assert not dock(bench)._trouble_of_step.text


def test_both_attackers_are_measured_by_one_click_each_with_the_engines_outcome(bench: Workbench) -> None:
    session, panel = bench.session, dock(bench)
    choose_attack(bench, "PGD")
    switch_on(bench, "bit-depth")
    slider(bench, "bits").slider.setValue(1)  # three bits
    defended(bench)
    assert [each.words for each in session.attackers.both] == ["not measured", "not measured"]
    for place in (0, 1):
        assert panel.bar.buttons[place].text() == "Measure"
        click(panel.bar.buttons[place])
        assert panel.bar.buttons[place].text() == "Cancel"
        until(lambda: not session.runs.running, "the end of the attack")
        until(lambda: all(each.words != "…" for each in session.attackers.both), "the judgement")
        settle()
        assert panel.bar.buttons[place].text() == f"#{session.history.attacks[-1].number}"
    unaware, aware = session.attackers.both
    plain, through = session.history.attacks[-2:]
    assert plain.inputs.defense == ()
    assert through.inputs.defense == session.defense
    assert through.scene.classifier is session.classifier
    label = None if session.label is None else torch.tensor([session.label])
    expected = both(
        plain.operation,
        session.classifier,
        session.defense,
        session.clean[None],
        label,
        seed=session.plan.seed,  # type: ignore
    )
    assert torch.equal(expected.plain.adversarial, plain.result.adversarial)
    assert torch.equal(expected.aware.adversarial, through.result.adversarial)
    assert (unaware.success, aware.success) == (bool(expected.unaware_success[0]), bool(expected.aware.success[0]))
    shown = format_probability(float(expected.unaware_logits[0].softmax(0).max()))
    assert shown in panel.bar.outcomes[0].text
    compact = bench.window.panels["prediction"].attackers.buttons
    assert [button.text() for button in compact] == [
        f"{who} {'succeeds' if each.success else 'fails'}" for who, each in zip(("unaware", "aware"), (unaware, aware), strict=True)
    ]
    assert unaware.words in compact[0].toolTip()
    click(panel.bar.buttons[0])
    until(lambda: session.history.shown is plain, "the run of the attacker who does not know")
    defended(bench)
    assert panel.against.text == "Its attacker did not know the defense."
    click(panel.bar.buttons[1])
    until(lambda: session.history.shown is through, "the run of the attacker who knows")
    defended(bench)
    assert panel.against.text == "Its attacker knew this defense."
    assert ("survives" in panel.answer.text or "succeeds" in panel.answer.text) == bool(through.result.success[0])


def test_the_chosen_attacker_is_the_one_of_the_next_run(bench: Workbench) -> None:
    session, panel = bench.session, dock(bench)
    assert not panel.aware.isVisible()
    switch_on(bench, "median")
    click(panel.aware)
    assert session.plan.knows_defense
    run_attack(bench)
    run = session.history.attacks[-1]
    assert run.inputs.defense == session.defense
    assert "behind median" in run.result.classifier.name
    assert not session.staleness.stale
    click(panel.unaware)
    settle()
    assert session.staleness.stale
    assert "through median → none" in session.staleness.sentence
    press_keys(bench.window, "Ctrl+Z")
    assert session.plan.knows_defense
    assert panel.aware.isChecked()


def test_the_run_card_and_the_messages_name_the_defense(bench: Workbench) -> None:
    from gui.session.run_facts import run_facts

    switch_on(bench, "jpeg")
    click(dock(bench).aware)
    run_attack(bench)
    facts = run_facts(bench.session.history.attacks[-1])
    assert facts.budget.endswith("through jpeg")
    assert facts.figures["attacker"] == "knows the defense jpeg"


def test_a_slow_defense_never_blocks_the_window_and_follows_the_last_value(bench: Workbench) -> None:
    session = bench.session
    switch_on(bench, "noise-averaging")
    editor = slider(bench, "samples")
    editor.slider.setFocus()
    for _ in range(6):
        QTest.keyClick(editor.slider, Qt.Key.Key_PageUp)
    wanted = session.defense
    assert isinstance(wanted[0], NoiseAveraging)
    assert wanted[0].samples > 100
    defended(bench)
    assert session.frame is not None
    assert session.frame.observation.defended is not None
    assert session.frame.observation.defended.steps == wanted
    agrees_with_the_engine(bench)


def test_a_slow_defense_waits_for_the_attack_to_be_paused(bench: Workbench) -> None:
    session, panel = bench.session, dock(bench)
    session.set_defense((NoiseAveraging(samples=300),))
    defended(bench)
    session.runs.start(PGD(steps=100_000))
    until(lambda: session.frame.step is not None and session.frame.step > 2, "an iterate")  # type: ignore[union-attr]
    assert session.frame.observation.defended is None  # type: ignore[union-attr]
    assert panel.answer.text.startswith("This defense is slow")
    session.runs.pause(True)
    defended(bench)
    agrees_with_the_engine(bench)
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")
    until(lambda: session.frame is not None and session.frame.step is None, "the result")
    defended(bench)
    agrees_with_the_engine(bench)


def test_a_fast_defense_follows_the_attack_in_progress(bench: Workbench) -> None:
    session = bench.session
    switch_on(bench, "bit-depth")
    session.runs.start(PGD(steps=100_000))
    until(lambda: session.frame.step is not None and session.frame.step > 2, "an iterate")  # type: ignore[union-attr]
    assert session.frame.observation.defended is not None  # type: ignore[union-attr]
    agrees_with_the_engine(bench)
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")


def test_without_a_defense_the_dock_says_what_would_fill_it(bench: Workbench) -> None:
    panel = dock(bench)
    assert panel.hint.isVisible()
    assert panel.hint.text().startswith("Add a step")
    assert not panel.answer.isVisible()
    assert not panel.pictures.isVisible()
    assert not panel.bar.isVisible()
    switch_on(bench, "median")
    assert not panel.hint.isVisible()
    assert panel.answer.isVisible()


def test_no_turn_of_the_window_computes_for_long_while_the_slider_moves(bench: Workbench) -> None:
    switch_on(bench, "non-local-means")
    editor = slider(bench, "search")
    worst, last = 0.0, time.thread_time()

    def beat() -> None:
        nonlocal worst, last
        now = time.thread_time()
        worst, last = max(worst, now - last), now

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(1)
    for place in (3, 40, 90, 20, 60, 10):
        editor.slider.setValue(place)
        QApplication.processEvents()
    defended(bench)
    timer.stop()
    assert bench.session.frame is not None
    assert bench.session.frame.observation.defended.steps == bench.session.defense  # type: ignore[union-attr]
    assert worst < 0.05


def test_the_pictures_stay_in_their_place_while_the_answer_changes(bench: Workbench) -> None:
    choose_attack(bench, "PGD")
    switch_on(bench, "jpeg")
    panel, places, answers, sizes = dock(bench), set(), set(), set()

    def note() -> None:
        settle()
        pictures, scrolled = panel.pictures, panel.steps.parentWidget()
        assert pictures.isVisible()
        assert scrolled is not None
        places.add(
            pictures.mapTo(scrolled, pictures.rect().topLeft()).y() - panel.answer.mapTo(scrolled, panel.answer.rect().topLeft()).y()
        )
        sizes.update((place.width(), place.height()) for place in pictures.places())
        answers.add(panel.answer.text)

    note()
    run_attack(bench)
    defended(bench)
    note()
    for key in (Qt.Key.Key_Home, Qt.Key.Key_End):
        QTest.keyClick(slider(bench, "quality").slider, key)
        defended(bench)
        note()
    assert len(answers) >= 3
    assert len(places) == len(sizes) == 1
