"""Training from the window: a recipe, live curves in the background lane, a network that can be used and saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import engine
from engine.defenses import Train
from gui.panels.curves.plots import running_mean
from tests.gui.driving import click, press_keys, run_attack, settle, until
from tests.gui.panel_scenes import grey_folder
from tests.gui.seen import empty_text

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.panels.curves import CurvesPanel
    from gui.panels.training import TrainingPanel


@pytest.fixture
def panel(bench: Workbench) -> TrainingPanel:
    """The dock with a recipe for a small digits network on drawn digits, and without trainings."""
    bench.window.bring_up("curves")
    bench.window.bring_up("training")
    found: TrainingPanel = bench.window.panels["training"]
    for run in found.trainer.runs:
        found.trainer.remove(run)
    start(found, "new digits network")
    found.chooser.choose("generated:digits")
    found.chooser.count.setValue(128)
    found.form.reset()
    found.form.set_values({"epochs": 2, "batch_size": 32})
    found.seed.setValue(0)
    settle()
    return found


def start(panel: TrainingPanel, title: str) -> None:
    panel.start.setCurrentIndex([panel.start.itemText(place) for place in range(panel.start.count())].index(title))


def curves(bench: Workbench) -> CurvesPanel:
    found: CurvesPanel = bench.window.panels["curves"]
    return found


def train(panel: TrainingPanel) -> None:
    assert panel.foot.run.isEnabled(), panel.obstacle
    click(panel.foot.run)
    until(lambda: panel.trainer.job is None, "the end of the training")
    settle()


def test_a_training_is_the_engines_own_and_its_network_can_be_used(bench: Workbench, panel: TrainingPanel, tmp_path: Path) -> None:
    assert empty_text(curves(bench))
    train(panel)
    (run,) = panel.trainer.runs
    architecture = engine.models.ARCHITECTURES["digits"]
    images, test = engine.data.load("generated:digits", count=128, seed=0), engine.data.load("generated:digits", count=128, seed=1)
    operation = Train(epochs=2, batch_size=32)
    expected = engine.run(operation, architecture.untrained(device="cpu"), data=images, seed=0).artifacts["model"].module
    made = run.classifier.module
    assert all(torch.equal(one, other) for one, other in zip(made.state_dict().values(), expected.state_dict().values(), strict=True))
    right = run.classifier.predict(test.batch(slice(None))[0]) == test.targets
    assert run.accuracy == float(right.float().mean())
    assert run in bench.session.history.entries
    shown = curves(bench)
    shown.save(run, tmp_path / "mine.safetensors")
    until(lambda: panel.trainer.runs[0].path is not None, "the file")
    bench.window.bring_up("curves")
    click(shown.use_button)
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "digits", "the network as the model")
    assert bench.session.classifier is not None
    assert bench.session.classifier.source == str(tmp_path / "mine.safetensors")
    assert bench.session.classifier.fingerprint == run.classifier.fingerprint
    card = bench.session.classifier.card
    assert (card["accuracy"], card["seed"]) == (run.accuracy, 0)
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "signs", "the model of before")


def test_curves_grow_while_it_runs_and_attacking_goes_on(bench: Workbench, panel: TrainingPanel) -> None:
    panel.form.set_values({"epochs": 400})
    bench.window.bring_up("curves")
    click(panel.foot.run)
    shown = curves(bench)
    until(lambda: shown.plots.loss.xs.size > 20, "the curves")
    before = shown.plots.loss.xs.size
    assert "epoch" in panel.foot.news.text()
    assert not panel.foot.run.isEnabled()
    assert [(work.panel, work.title) for work in bench.session.jobs.running] == [("training", "Train digits")]
    run_attack(bench)
    until(lambda: shown.plots.loss.xs.size > before, "more of the curves")
    click(panel.foot.pause)
    assert panel.trainer.job is not None
    assert panel.trainer.job.paused
    click(panel.foot.pause)
    click(panel.foot.cancel)
    until(lambda: panel.trainer.job is None, "the end")
    (run,) = panel.trainer.runs  # the network so far is kept
    assert 0 < run.epochs < 400
    assert run.ended == "cancelled"
    assert f"cancelled after {run.epochs} of 400 epochs" in shown.heading.text
    assert bench.session.jobs.running == ()


def test_several_trainings_stay_and_each_shows_its_own_curves(bench: Workbench, panel: TrainingPanel) -> None:
    train(panel)
    panel.form.set_values({"epochs": 1})
    train(panel)
    first, second = panel.trainer.runs
    shown = curves(bench)
    bench.window.bring_up("curves")
    assert panel.trainer.chosen is second
    assert shown.plots.loss.xs.max() == pytest.approx(1)
    assert shown.table.model().rowCount() == 2
    index = shown.table.model().index(1, 0)  # the newest is first
    click(shown.table.viewport(), shown.table.visualRect(index).center())
    assert panel.trainer.chosen is first
    assert shown.plots.loss.xs.max() == pytest.approx(2)
    click(shown.remove_button)
    assert panel.trainer.runs == (second,)


def test_it_goes_on_from_the_loaded_model_and_leaves_that_alone(bench: Workbench, panel: TrainingPanel) -> None:
    classifier = bench.session.classifier
    assert classifier is not None
    before = {name: value.clone() for name, value in classifier.module.state_dict().items()}
    start(panel, f"{classifier.name}, go on from its weights")
    panel.chooser.choose("generated:signs")
    panel.chooser.count.setValue(86)
    panel.form.set_values({"epochs": 1, "learning_rate": 1e-4})
    train(panel)
    (run,) = panel.trainer.runs
    assert run.recipe.operation.fresh is False
    assert run.accuracy > 0.8  # new weights would be at about 2 % after two steps
    assert all(torch.equal(value, classifier.module.state_dict()[name]) for name, value in before.items())
    assert run.classifier.name == f"{classifier.name}-trained"


def test_images_that_do_not_fit_and_a_wrong_number_are_said_before(panel: TrainingPanel) -> None:
    panel.chooser.choose("generated:signs")
    assert "coloured" in panel.foot.message.text
    assert not panel.foot.run.isEnabled()
    panel.chooser.choose("generated:digits")
    assert panel.foot.run.isEnabled()
    panel.form.set_values({"epochs": "many"})
    assert "epochs" in panel.foot.message.text
    panel.form.set_values({"epochs": 2})
    panel.name.setText("")
    panel.name.textEdited.emit("")
    assert "name" in panel.foot.message.text


def test_a_training_that_fails_says_why_and_another_can_begin(bench: Workbench, panel: TrainingPanel, tmp_path: Path) -> None:
    start(panel, "new signs network")
    panel.chooser.add_folder(grey_folder(tmp_path, 4, 32))  # one class, and no class of signs
    click(panel.foot.run)
    until(lambda: panel.trainer.job is None, "the failure")
    assert "classes" in panel.foot.message.text
    assert panel.trainer.runs == ()
    start(panel, "new digits network")
    panel.chooser.choose("generated:digits")
    panel.chooser.count.setValue(64)
    train(panel)
    assert len(panel.trainer.runs) == 1
    assert panel.foot.message.text == ""


def test_the_mean_of_an_epoch_is_that_of_its_batches() -> None:
    values = np.array([4.0, 2.0, 6.0, 0.0])
    assert running_mean(np.arange(4.0), values, 2).tolist() == [4.0, 3.0, 4.0, 3.0]
    assert running_mean(np.array([0.0, 5.0, 10.0]), values[:3], 2).tolist() == [4.0, 2.0, 6.0]  # a thinned trace
