"""What an attack reads on the way, and what its run leaves in the docks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gui.panels.attack.readings import readings_in_words
from tests.gui.panel_scenes import open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


def test_a_black_box_attack_tells_its_queries(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    said: list[str] = []
    session.logged.connect(lambda entry: said.append(entry.text))
    open_image(qtbot, session)
    attack_panel.choose("square")
    attack_panel.form.set_values({"n_queries": 60})
    with qtbot.waitSignal(session.history.changed):
        attack_panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)
    result = session.history.entries[-1].result
    assert attack_panel.readings.readings.text().endswith(f"queries {result.forwards:,}")
    assert said[-1].endswith(f", {result.forwards:,} queries")
    attack_panel.choose("pgd")
    with qtbot.waitSignal(session.history.changed):
        attack_panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)
    assert not attack_panel.readings.readings.isVisible()
    assert "queries" not in said[-1]


def test_what_a_run_left_goes_when_another_attack_is_chosen(qtbot: QtBot, probe_panel: AttackDock, session: Session) -> None:
    session.set_target(2)
    probe_panel.start_field.canvas_button.click()
    qtbot.waitUntil(lambda: probe_panel.start is not None)
    with qtbot.waitSignal(session.history.changed):
        probe_panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)
    left = probe_panel.readings.text.text()
    assert left.startswith("last run:")
    assert probe_panel.readings.readings.isVisible()
    probe_panel.choose("pgd")
    assert probe_panel.readings.text.text() == ""
    assert not probe_panel.readings.readings.isVisible()
    probe_panel.choose("probe")
    assert probe_panel.readings.text.text() == left
    assert probe_panel.readings.readings.isVisible()


def test_what_is_grown_from_noise_has_no_distance(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    from gui.panels.perturbation import PerturbationPanel
    from gui.panels.prediction import PredictionPanel
    from gui.session.run_facts import run_facts

    prediction, perturbation = show(qtbot, PredictionPanel(session)), show(qtbot, PerturbationPanel(session))
    said: list[str] = []
    session.logged.connect(lambda entry: said.append(entry.text))
    open_image(qtbot, session)
    attack_panel.choose("fooling")
    session.set_target(3)
    with qtbot.waitSignal(session.history.changed):
        attack_panel.run()
    qtbot.waitUntil(lambda: not session.runs.running and session.frame is not None and session.frame.scene.delta is session.delta)
    assert session.frame is not None
    assert session.frame.scene.grown
    assert {figure.value for figure in prediction.view.figures.figures} == {"–"}
    assert perturbation.perturbation.maps.maps == ()
    assert "noise" in perturbation.perturbation.maps.note
    assert "noise →" in said[-1]
    assert "L2" not in said[-1]
    facts = run_facts(session.history.entries[-1])
    assert facts.size == ""
    assert "L2" not in facts.figures
    session.clear_perturbation()
    qtbot.waitUntil(lambda: session.frame is not None and not session.frame.scene.grown)
    assert prediction.view.figures.figures[2].value == "0"


@pytest.mark.parametrize(
    ("readings", "words"),
    [
        ({}, ""),
        ({"loss": 0.5, "odd rate": 1.5}, "loss 0.5 · odd rate 1.5"),
        ({"held-out fooling rate": 0.614}, "held-out fooling rate 61.4 %"),
        ({"queries": 1200.0, "radius": 0.01234}, "queries 1,200 · radius 0.0123"),
    ],
)
def test_readings_in_words(readings: dict[str, float], words: str) -> None:
    assert readings_in_words(readings, {"held-out fooling rate": "share"}) == words


def test_the_runs_of_a_study_are_not_denied(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    """After a study was opened the history has runs whose ending is not known here: nothing is said about it."""
    open_image(qtbot, session)
    attack_panel.choose("fgsm")
    assert attack_panel.readings.text.text() == ""
    with qtbot.waitSignal(session.history.changed):
        attack_panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)
    assert attack_panel.readings.text.text() == "last run: 1 step"
    attack_panel.readings.show_ending(None, "fgsm")
    assert attack_panel.readings.text.text() == ""
