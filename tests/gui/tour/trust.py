"""The tour's part of trust: the lights of a run at once, the others measured, and a network that rounds its gradient away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.session.state import AttackSettings
from tests.gui.driving import choose_attack, click, run_attack, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def at_once(tour: Tour) -> None:
    """The cheap lights of a run that fails come by themselves; a click on the row of marks opens the sentences."""
    tour.window.workspaces.switch("attack")
    choose_attack(tour.bench, "PGD")
    tour.session.change(stickers=(), settings=AttackSettings({"eps": 0.002, "steps": 30, "step_size": 0.00001, "random_start": False}))
    run_attack(tour.bench)
    row = tour.window.panels["prediction"].lights
    until(lambda: row.isVisible() and any(light.on for light in row.lights), "the lights")
    settle()
    click(row)
    settle()
    assert tour.window.panels["trust"].seen
    tour.picture("trust-at-once")


def measured(tour: Tour) -> None:
    """A click measures the others in the background, with progress."""
    panel = tour.window.panels["trust"]
    click(panel.foot.run)
    until(lambda: panel.foot.news.text(), "the progress")
    tour.picture("trust-measuring", moving=True)
    until(lambda: not tour.session.trust.runner.running, "the end", 240)
    settle()
    tour.window.bring_up("runs")
    settle()
    tour.picture("trust-measured-and-on-the-card")


def one_step(tour: Tour) -> None:
    """An attack of one step that fails is no sign of robustness."""
    choose_attack(tour.bench, "FGSM")
    tour.session.change(settings=AttackSettings({"eps": 0.0005}))
    run_attack(tour.bench)
    tour.window.bring_up("trust")
    until(lambda: tour.window.panels["trust"].caveat.isVisible(), "the sentence")
    settle()
    tour.picture("trust-one-step")
    tour.session.change(settings=AttackSettings())
    choose_attack(tour.bench, "PGD")


STAGES = (at_once, measured, one_step)
