"""The tour's stage of Test: several images at once with one of them opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gui.driving import click, press_keys, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def several_images(tour: Tour) -> None:
    tour.window.workspaces.switch("test")
    tour.window.bring_up("batch")
    panel = tour.window.panels["batch"]
    panel.setup.chooser.choose("generated:signs")
    panel.setup.chooser.count.setValue(24)
    settle()
    click(panel.foot.run)
    until(lambda: panel.results is not None and len(panel.results.rows) > 4, "the first rows", 120)
    tour.picture("images-running", moving=True)
    until(lambda: not panel.runner.running, "the end of the images", 120)
    settle()
    tour.picture("images")
    row = next(row for row in panel.results.rows if row.success)
    panel.open_row(row)
    until(lambda: tour.window.workspaces.current.name == "attack", "the row attacked again", 60)
    until(lambda: tour.session.history.shown is not None and tour.session.history.shown.inputs.seed == row.seed, "the run of a row")
    until(lambda: tour.session.frame is not None and tour.session.frame.scene.delta is tour.session.delta, "its frame")
    settle()
    tour.picture("image-opened")
    press_keys(tour.window, "Alt+Left")
    settle()
    assert tour.window.workspaces.current.name == "test"
    press_keys(tour.window, "Ctrl+Z")
    tour.window.workspaces.switch("attack")


STAGES = (several_images,)
