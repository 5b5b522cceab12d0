"""The tour's part of Defend: a digits model is trained while an image is attacked, and an epoch of it is attacked then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gui.driving import click, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.panels.curves import CurvesPanel
    from gui.panels.training import TrainingPanel
    from tests.gui.tour.tour import Tour


def _docks(tour: Tour) -> tuple[TrainingPanel, CurvesPanel]:
    return tour.window.panels["training"], tour.window.panels["curves"]


def recipe(tour: Tour) -> None:
    tour.window.workspaces.switch("defend")
    panel, _ = _docks(tour)
    panel.start.setCurrentIndex(panel.start.findText("new digits network"))
    panel.chooser.choose("generated:digits")
    panel.chooser.count.setValue(1200)
    panel.form.set_values({"recipe": "gaussian sigma=0.2 + n-fgsm eps=0.1", "activation": "bounded-leaky", "epochs": 6, "batch_size": 64})
    settle()
    tour.picture("recipe")
    part = panel.form.recipes["recipe"].rows[1].form
    part.set_values({"eps": 7})
    settle()
    assert not panel.foot.run.isEnabled()
    tour.picture("recipe-refused")
    part.set_values({"eps": 0.1})
    settle()
    click(panel.time_button)
    until(lambda: not panel.trainer.timing.running, "the estimate", 120)
    settle()
    assert "It would take" in panel.foot.message.text
    tour.picture("time-before-the-start")


def beside_an_attack(tour: Tour) -> None:
    panel, curves = _docks(tour)
    panel.name.setText("digits-n-fgsm")
    panel.name.textEdited.emit("digits-n-fgsm")
    click(panel.foot.run)
    until(lambda: panel.trainer.making is not None and panel.trainer.making.history, "the first epoch", 120)
    tour.picture("training-running", moving=True)
    tour.window.workspaces.switch("attack")
    run_attack(tour.bench)
    assert panel.trainer.job is not None, "the training ended before the attack"
    tour.picture("attacked-meanwhile", moving=True)
    tour.window.workspaces.switch("defend")
    click(panel.foot.cancel)
    until(lambda: panel.trainer.job is None, "the end")
    settle()
    assert panel.unfinished.rows
    tour.picture("training-cancelled")
    click(panel.unfinished.rows[0].resume)
    until(lambda: panel.trainer.job is None, "the end of the training", 240)
    settle()
    assert panel.unfinished.rows == ()
    assert curves.heading.text == panel.trainer.runs[-1].verdict
    tour.picture("training-resumed-and-done")


def laid_over(tour: Tour) -> None:
    from engine.defenses import Train

    panel, _ = _docks(tour)
    panel.presets.use(Train.preset("Standard"))
    panel.name.setText("digits-standard")
    panel.name.textEdited.emit("digits-standard")
    settle()
    click(panel.foot.run)
    until(lambda: panel.trainer.job is None, "the end of the second training", 240)
    settle()
    panel.trainer.lay_over(next(run for run in reversed(panel.trainer.runs[:-1]) if "n-fgsm" in run.verdict))
    settle()
    tour.picture("two-histories")
    tour.window.bring_up("runs")
    settle()
    tour.picture("training-in-the-runs")
    press_keys(tour.window, "Ctrl+J")
    settle()


def an_epoch(tour: Tour) -> None:
    panel, curves = _docks(tour)
    before = tour.session.state
    panel.trainer.choose(next(run for run in reversed(panel.trainer.runs) if "n-fgsm" in run.verdict))
    settle()
    markers = curves.plots.measures
    click(markers.plot.viewport(), markers.marker_at(3).toPoint())
    until(lambda: any("epoch 3" in model.name for model in tour.session.loaded.models), "the epoch's network")
    settle()
    tour.picture("epoch-marked")
    click(curves.use_button)
    until(lambda: tour.session.classifier is not None and "epoch 3" in tour.session.classifier.name, "the epoch as the model")
    until(lambda: tour.session.frame is not None, "its frame")
    run_attack(tour.bench)
    assert tour.window.workspaces.current.name == "attack"
    tour.picture("epoch-attacked")
    names = ("classifier", "clean", "image", "label", "photograph", "delta", "run")
    tour.session.change(**{name: getattr(before, name) for name in names})
    settle()


STAGES = (recipe, beside_an_attack, laid_over, an_epoch)
