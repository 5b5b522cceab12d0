"""The tour's stages between the story and the attacks: the transfer to another model, and an experiment of the lectures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.gui.driving import click, run_attack, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def transfer(tour: Tour) -> None:
    if tour.session.history.shown is None:
        run_attack(tour.bench)
    tour.window.bring_up("transfer")
    panel = tour.window.panels["transfer"]
    until(lambda: panel.table.model().rowCount() == 1, "what the attacked model says")
    menu = panel.menu
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if "signs-bounded" in action.toolTip().split(":")[0].split()).trigger()
    until(lambda: panel.table.model().rowCount() == 2, "what the other model says")
    settle()
    tour.picture("dock-transfer")


def reproduce(tour: Tour) -> None:
    before = os.environ.get("GIBBON_DATA")
    os.environ["GIBBON_DATA"] = str(tour.out / "no-data-here")  # so that drawn digits stand in on every machine
    try:
        tour.window.open_experiment("linear")
        window = tour.window.panels["experiments"]
        until(lambda: window.built, "the experiments")
        settle()
        tour.picture("experiments")
        click(window.foot.run_button)
        until(lambda: window.foot.news.text().startswith("drawing"), "a step")
        tour.picture("experiments-running", moving=True)
        until(lambda: window.runs.job is None, "the end of the experiment")
        settle()
        assert window.outcome.verdict.text == "Both checks passed."
        tour.picture("experiments-linear")
    finally:
        tour.window.workspaces.switch("attack")
        if before is None:
            del os.environ["GIBBON_DATA"]
        else:
            os.environ["GIBBON_DATA"] = before


STAGES = (transfer, reproduce)
