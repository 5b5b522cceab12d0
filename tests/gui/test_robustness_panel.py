"""The Robustness dock on the real window: curves with their bands, live, cancelled, and written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

import engine
from engine.attacks import CATALOGUE
from engine.evaluate.curves import RobustnessCurve
from engine.evaluate.tables import TableAttack, TableModel
from gui.choosers.attack_dialog import table_attacks
from gui.panels.robustness.work import CurveRequest, CurveWork, Outcome
from gui.session.model_rows import ModelRow
from tests.gui.driving import click, settle, until, wait_written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.app import Workbench
    from gui.panels.robustness.desk import CurveDesk

PGD = TableAttack(attack="pgd", parameters={"eps": "16/255", "steps": 5})


@pytest.fixture
def desk(bench: Workbench) -> Iterator[CurveDesk]:
    """The dock in front, with two small models, PGD and ten drawn signs."""
    bench.window.workspaces.switch("test")
    bench.window.bring_up("robustness")
    panel = bench.window.panels["robustness"]
    until(lambda: panel.built, "the parts")
    made: CurveDesk = panel.desk
    made.setup.models.list.tick(["signs", "signs-bounded"])
    made.setup.data.choose("generated:signs")
    made.setup.data.count.setValue(10)
    made.setup.halvings.setValue(4)
    made.setup.set_attack(PGD)
    settle()
    yield made
    made.runner.cancel()
    until(lambda: not made.runner.running, "the end")


def finish(desk: CurveDesk) -> None:
    assert desk.foot.run.isEnabled(), desk.obstacle
    click(desk.foot.run)
    until(lambda: not desk.runner.running, "the end of the curves")
    settle()
    assert not desk.foot.message.text


@pytest.mark.parametrize(("entry", "norm"), [(PGD, "L∞"), (TableAttack(attack="deepfool"), "L2")], ids=["by radius", "by norm"])
def test_the_curves_are_the_engines_and_lie_in_their_bands(desk: CurveDesk, entry: TableAttack, norm: str) -> None:
    desk.setup.set_attack(entry)
    assert desk.setup.halvings.isEnabled() == (entry is PGD)
    finish(desk)
    operation = RobustnessCurve.of(entry.variants()[0].attack, halvings=4)
    first, other = engine.models.load("signs"), engine.models.load("signs-bounded")
    whole = engine.run(operation, first, models=[other], data=engine.data.load("generated:signs", count=10), seed=0)
    curve, summary = whole.artifacts["accuracy"], whole.artifacts["smallest"]
    outcome = desk.outcome
    assert outcome is not None
    assert outcome.norm == norm
    assert [each.name for each in outcome.curves] == ["signs", "signs-bounded"]
    for place, band in enumerate(desk.plot.bands):
        line = curve.lines[list(curve.lines)[place]].numpy()
        assert np.array_equal(band.line.y, line)
        assert (np.diff(line) <= 0).all()
        assert (band.low <= line).all()
        assert (line <= band.high).all()
        assert band.mark == summary.rows[place][summary.columns.index("mean norm")]
    spots = desk.plot.marks.getData()
    assert len(spots[0]) == sum(band.mark is not None for band in desk.plot.bands) > 0
    assert desk.table.table.rowCount() == 2
    assert "mean norm" in desk.table.csv()


def test_the_curves_grow_while_they_are_computed_and_are_upper_bounds_after_a_cancel(bench: Workbench, desk: CurveDesk) -> None:
    desk.setup.data.count.setValue(60)
    desk.setup.set_attack(TableAttack(attack="pgd", parameters={"eps": "16/255", "steps": 60}))
    settle()
    click(desk.foot.run)
    until(lambda: desk.outcome is not None and len(desk.outcome.curves) == 1, "the first curve")
    assert desk.runner.running
    assert not desk.export_button.isEnabled()
    assert "the curves only fall from here" in desk.plot.readout.text
    assert [work.panel for work in bench.session.jobs.running] == ["robustness"]
    click(desk.foot.cancel)
    until(lambda: not desk.runner.running, "the end")
    settle()
    assert desk.outcome is not None
    assert desk.outcome.reason == "cancelled"
    assert "only fall from here" in desk.plot.readout.text
    assert desk.export_button.isEnabled()


def test_only_attacks_that_can_be_searched_are_offered(desk: CurveDesk) -> None:
    offered = table_attacks(CATALOGUE, searched=True)
    assert {"pgd", "fgsm", "deepfool"} <= offered.keys()
    for kind in offered.values():
        RobustnessCurve.of(kind())
    click(desk.setup.attack_button)
    dialog = desk.setup.dialog
    assert dialog is not None
    assert not dialog.rows.isRowVisible(dialog.name)
    (item,) = dialog.list.tree.findItems("FGSM", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    dialog.list.tree.scrollToItem(item)
    click(dialog.list.tree.viewport(), dialog.list.tree.visualItemRect(item).center())
    dialog.form.set_values({"eps": 0.25})
    settle()
    click(dialog.ok)
    settle()
    assert desk.setup.attack_words.text == "FGSM: L∞ 0.25"


def test_a_model_of_other_classes_is_left_out_with_a_remark(desk: CurveDesk) -> None:
    desk.setup.models.list.tick(["signs", "digits"])
    finish(desk)
    assert desk.outcome is not None
    assert [each.name for each in desk.outcome.curves] == ["signs"]
    assert "not compared" in desk.table.csv()
    assert "note" in desk.table.table.columns


def computed(bench: Workbench, desk: CurveDesk, source: str) -> Outcome:
    """Compute the curves of the dock's choice with another model in front, as the dock does."""
    asked = desk.setup.request()
    rows = (ModelRow(TableModel(source=source)), *asked.models)
    job = CurveWork(CurveRequest(asked.operation, rows, asked.choice, 0), bench.session.data_sources)
    list(job.prepare())
    run = job.make()
    list(run)
    return job.finish(run.result())


def test_a_model_of_other_channels_in_front_leaves_the_others_their_curves(bench: Workbench, desk: CurveDesk) -> None:
    outcome = computed(bench, desk, "digits")
    assert [each.name for each in outcome.curves] == ["signs", "signs-bounded"]
    assert outcome.left_out == ("“digits” was left out. It takes images of other channels: not compared.",)


def test_a_model_of_other_classes_in_front_leaves_the_others_their_curves(bench: Workbench, desk: CurveDesk) -> None:
    outcome = computed(bench, desk, "objects")
    assert [each.name for each in outcome.curves] == ["signs", "signs-bounded"]
    assert outcome.left_out == ("“objects” was left out. It has other classes: not compared.",)


def test_a_model_that_cannot_be_loaded_leaves_the_others_their_curves(bench: Workbench, desk: CurveDesk) -> None:
    outcome = computed(bench, desk, "/nowhere/gone.pt")
    assert [each.name for each in outcome.curves] == ["signs", "signs-bounded"]
    assert outcome.warnings[0].startswith("“/nowhere/gone.pt” was left out. ")


def test_numbers_record_and_figure_are_written(desk: CurveDesk, tmp_path: Path) -> None:
    finish(desk)
    desk.save_numbers(tmp_path / "c.csv")
    wait_written(desk.session)
    assert {path.name for path in tmp_path.iterdir()} >= {"c.csv", "c.images.csv", "c.json"}
    assert [model["model"] for model in json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["models"]] == [
        "signs",
        "signs-bounded",
    ]
    desk.save_figure(tmp_path / "c.png")
    wait_written(desk.session)
    assert (tmp_path / "c.png").is_file()


def test_the_readout_states_the_interval_under_the_mouse(desk: CurveDesk) -> None:
    finish(desk)
    band = desk.plot.bands[0]
    desk.plot._read(float(desk.plot.xs[3]))
    said = desk.plot.readout.text
    assert f"{desk.plot.axes.y_text(float(band.low[3]))} to {desk.plot.axes.y_text(float(band.high[3]))}" in said
