"""The tour's stages of tables and robustness curves: set up, computed, a cell's images, one of them opened, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.evaluate.tables import TableSpec
from tests.gui.driving import click, press_keys, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def table(tour: Tour) -> None:
    tour.window.workspaces.switch("test")
    tour.window.bring_up("tables")
    panel = tour.window.panels["tables"]
    until(lambda: panel.built, "the parts of a table", 60)
    settle()
    tour.picture("tables-empty")
    desk = panel.desk
    desk.builder.show_spec(
        TableSpec(
            title="Digits",
            models=["digits", "digits-bounded", "digits + jpeg quality=40"],
            data=[{"name": "generated:digits", "count": 40}],
            attacks=[
                {"attack": "fgsm", "eps": [0.1, 0.2]},
                {"attack": "pgd", "name": "PGD-20", "eps": [0.1, 0.2], "steps": 20},
            ],
        )
    )
    desk.afresh.setChecked(True)
    settle()
    click(desk.foot.run)
    until(lambda: desk.sheet is not None and desk.table.model().rowCount() and len(desk.sheet.results.cells) > 3, "the first cells", 120)
    tour.picture("tables-running", moving=True)
    until(lambda: not desk.runner.running, "the end of the table", 120)
    settle()
    at = desk.table.visualRect(desk.table.index_of("digits", "PGD-20")).center()
    click(desk.table.viewport(), at)
    until(lambda: desk.images.grid.count > 0, "the images of the cell", 60)
    settle()
    tour.picture("tables")
    opened = len(tour.session.history.entries)
    grid = desk.images.grid
    click(grid.viewport(), grid.visualRect(grid.model().index(1, 0)).center())
    until(lambda: len(tour.session.history.entries) > opened, "the run of an image", 60)
    until(lambda: tour.session.frame is not None and tour.session.frame.scene.delta is tour.session.delta, "its frame")
    settle()
    assert tour.window.workspaces.current.name == "attack"
    tour.picture("tables-image-opened")
    press_keys(tour.window, "Alt+Left")
    settle()
    assert tour.window.workspaces.current.name == "test"


def attack_dialog(tour: Tour) -> None:
    rows = tour.window.panels["tables"].desk.builder.attacks
    click(rows.add_button)
    settle()
    assert rows.dialog is not None
    tour.picture("tables-attack", rows.dialog)
    rows.dialog.reject()


def curve(tour: Tour) -> None:
    tour.window.bring_up("robustness")
    panel = tour.window.panels["robustness"]
    until(lambda: panel.built, "the parts of a curve", 60)
    desk = panel.desk
    desk.setup.models.list.tick(["digits", "digits-bounded"])
    desk.setup.data.choose("generated:digits")
    desk.setup.data.count.setValue(40)
    settle()
    click(desk.foot.run)
    until(lambda: desk.outcome is not None and len(desk.outcome.curves) > 1, "the second curve", 120)
    tour.picture("robustness-running", moving=True)
    until(lambda: not desk.runner.running, "the end of the curves", 120)
    settle()
    tour.picture("robustness")
    press_keys(tour.window, "Ctrl+Z")
    tour.window.workspaces.switch("attack")


STAGES = (table, attack_dialog, curve)
