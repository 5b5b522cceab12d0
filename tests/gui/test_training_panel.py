"""Training from the window: a recipe in the background lane, live curves, epochs as models, and trainings that are resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

import engine
from engine.defenses import Train
from engine.defenses.training import EpochFiles
from gui.panels.runs.run_commands import COMMANDS
from gui.plots.thinned import drawn, running_mean
from gui.session.history import FinishedRun
from gui.session.training.folders import unfinished
from gui.session.training.run import TrainingRun, model_of, record_of
from gui.session.training.shown import of_run
from gui.shell.opening import open_file
from tests.gui.driving import click, press_keys, run_attack, settle, until
from tests.gui.panel_scenes import grey_folder
from tests.gui.seen import empty_text

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.panels.curves import CurvesPanel
    from gui.panels.training import TrainingPanel
    from gui.panels.wall import WallPanel


@pytest.fixture
def panel(bench: Workbench, tmp_path: Path) -> Iterator[TrainingPanel]:
    """The dock with a recipe for a small digits network on drawn digits, and without trainings."""
    before = bench.session.state
    bench.window.workspaces.switch("defend")
    found: TrainingPanel = bench.window.panels["training"]
    found.trainer.base = tmp_path / "trainings"
    found.trainer.look()
    found.name.clear()
    found.name.textEdited.emit("")  # the name follows the network again
    start(found, "new signs network")
    start(found, "new digits network")
    found.chooser.choose("generated:digits")
    found.chooser.count.setValue(128)
    found.form.reset()
    found.form.set_values({"epochs": 2, "batch_size": 32})
    found.seed.setValue(0)
    settle()
    yield found
    found.trainer.cancel()
    until(lambda: found.trainer.job is None, "the end")
    names = ("classifier", "clean", "image", "label", "photograph", "delta", "run")
    bench.session.change(**{name: getattr(before, name) for name in names})


def start(panel: TrainingPanel, title: str) -> None:
    panel.start.setCurrentIndex([panel.start.itemText(place) for place in range(panel.start.count())].index(title))


def curves(bench: Workbench) -> CurvesPanel:
    found: CurvesPanel = bench.window.panels["curves"]
    return found


def train(panel: TrainingPanel) -> TrainingRun:
    assert panel.foot.run.isEnabled(), panel.obstacle
    before = len(panel.trainer.runs)
    click(panel.foot.run)
    until(lambda: panel.trainer.job is None, "the end of the training")
    settle()
    assert len(panel.trainer.runs) == before + 1, panel.trainer.failure
    run = panel.trainer.runs[-1]
    assert isinstance(run, TrainingRun)
    return run


def weights(run: TrainingRun) -> dict[str, torch.Tensor]:
    return run.classifier.module.state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_is_the_engines_own_and_its_network_can_be_used(bench: Workbench, panel: TrainingPanel, tmp_path: Path) -> None:
    assert empty_text(curves(bench))
    run = train(panel)
    architecture = engine.models.ARCHITECTURES["digits"]
    images, test = engine.data.load("generated:digits", count=128, seed=0), engine.data.load("generated:digits", count=128, seed=1)
    operation = Train(epochs=2, batch_size=32)
    expected = engine.run(operation, architecture.untrained(device="cpu"), data=images, seed=0)
    assert same(weights(run), expected.artifacts["model"].module.state_dict())  # type: ignore[union-attr]
    right = run.classifier.predict(test.batch(slice(None))[0]) == test.targets
    assert run.accuracy == float(right.float().mean())
    assert run in bench.session.history.entries
    assert run.classifier in bench.session.loaded.models
    assert run.operation == operation  # the window's own checkpoint is no part of the record
    assert run.result.provenance["operation"] == expected.provenance["operation"]
    assert run.result.provenance["data"]["sha256"] == images.sha256
    shown = curves(bench)
    shown.save(tmp_path / "mine.safetensors")
    until(lambda: run.number in panel.trainer.saved, "the file")
    click(shown.use_button)
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "digits", "the network as the model")
    assert bench.session.classifier is not None
    assert bench.session.classifier.source == str(tmp_path / "mine.safetensors")
    assert bench.session.classifier.fingerprint == run.classifier.fingerprint
    card = bench.session.classifier.card
    assert (card["accuracy"], card["seed"]) == (run.accuracy, 0)
    assert bench.window.workspaces.current.name == "attack"
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "signs", "the model of before")


def test_a_training_of_the_window_is_made_again_by_its_record_and_by_its_script(
    bench: Workbench, panel: TrainingPanel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(panel)
    bench.window.bring_up("runs")
    settle()
    runs = bench.window.panels["runs"]
    place = [each.number for each in runs.cards.runs.runs].index(run.number)
    click(runs.cards.viewport(), runs.cards.visualRect(runs.cards.runs.index(place)).center())
    assert [each.number for each in runs.selected] == [run.number]
    runs.carry_out("copy_python")
    until(lambda: "defenses.Train.build" in QGuiApplication.clipboard().text(), "the script")
    exec(compile(QGuiApplication.clipboard().text(), "script", "exec"), {})
    assert "The same weights again, bit for bit." in capsys.readouterr().out
    curves(bench).save(tmp_path / "mine.safetensors")
    until((tmp_path / "mine.training.json").is_file, "the record")
    record = engine.record.TrainingRecord.read(tmp_path / "mine.training.json")
    assert (record.name, record.seed, record.outcome.accuracy) == ("digits", 0, run.accuracy)
    assert engine.record.replay_training(record, folder=tmp_path).same
    bench.session.studies.save(tmp_path / "kept.gibbon")
    until((tmp_path / "kept.gibbon").exists, "the study")
    kept = next(each for each in engine.study.read(tmp_path / "kept.gibbon").runs if each.number == run.number)
    assert record_of(FinishedRun(result=kept.result, verdict=kept.verdict, number=kept.number)) == record_of(run)


def test_a_recorded_training_is_set_up_by_a_drop_and_made_again(bench: Workbench, panel: TrainingPanel, tmp_path: Path) -> None:
    panel.form.set_values({"recipe": "gaussian sigma=0.2", "epochs": 1})
    run, logged = train(panel), []
    bench.session.logged.connect(lambda entry: logged.append(entry.text))
    curves(bench).save(tmp_path / "mine.safetensors")
    until((tmp_path / "mine.training.json").is_file, "the record")
    panel.form.reset()
    panel.chooser.count.setValue(64)
    panel.seed.setValue(7)
    open_file(bench.window, tmp_path / "mine.training.json")
    until(lambda: panel.seed.value() == 0, "the recorded training")
    assert panel.form.operation == run.recipe.operation
    assert panel.chooser.count.value() == 128
    again = train(panel)
    assert same(weights(again), weights(run))
    assert "The weights of digits are those of mine.training.json again, bit for bit." in logged
    panel.seed.setValue(1)
    train(panel)
    assert len([text for text in logged if "mine.training.json" in text]) == 2  # the saving and the comparison; this one is another
    content = json.loads((tmp_path / "mine.training.json").read_text())
    content["source"]["network"] = "retina"
    (tmp_path / "other.training.json").write_text(json.dumps(content))
    open_file(bench.window, tmp_path / "other.training.json")
    until(lambda: any("has no network “retina”" in text for text in logged), "the sentence")
    assert panel.seed.value() == 1


def test_a_training_from_a_changed_or_unsaved_network_has_no_script_that_could_not_run(bench: Workbench, panel: TrainingPanel) -> None:
    run = train(panel)
    swapped = run.classifier
    assert not swapped.source
    bench.session.set_classifier(swapped)
    start(panel, f"{swapped.name}, go on from its weights")
    panel.form.set_values({"epochs": 1})
    again = train(panel)
    (copy,) = (command for command in COMMANDS if command.name == "copy_python")
    assert copy.obstacle([run]) == ""
    assert copy.obstacle([again]) == "The network that this training began from was never saved to a file."
    assert copy.obstacle([run, again]) == "A training is a script of its own: select it alone."


def test_curves_grow_while_it_runs_and_attacking_goes_on(bench: Workbench, panel: TrainingPanel) -> None:
    panel.form.set_values({"epochs": 400})
    click(panel.foot.run)
    shown = curves(bench)

    def points() -> int:
        return max((len(line.x) for line in shown.plots.measures.content.lines), default=0)

    until(lambda: points() > 20, "the curves")
    before = points()
    assert "epoch" in panel.foot.news.text()
    assert not panel.foot.run.isEnabled()
    assert [(work.panel, work.title) for work in bench.session.jobs.running] == [("training", "Train digits")]
    run_attack(bench)
    until(lambda: points() > before, "more of the curves")
    click(panel.foot.pause)
    assert panel.trainer.job is not None
    assert panel.trainer.job.paused
    click(panel.foot.pause)
    click(panel.foot.cancel)
    until(lambda: panel.trainer.job is None, "the end")
    (run,) = panel.trainer.runs  # the network so far is kept
    assert isinstance(run, TrainingRun)
    assert 0 < run.epochs < 400
    assert run.ended == "cancelled"
    assert f"cancelled after {run.epochs} of 400 epochs" in shown.heading.text
    assert len(run.series.read()) == len(run.series.read("loss")) >= 4 * run.epochs  # every step's, none is thinned away
    assert bench.session.jobs.running == ()


def test_the_curves_name_the_attack_and_a_click_on_an_epoch_loads_its_network(bench: Workbench, panel: TrainingPanel) -> None:
    panel.chooser.count.setValue(256)
    panel.form.set_values({"recipe": "n-fgsm eps=0.1 stop_at_collapse=no", "activation": "bounded-leaky", "epochs": 3})
    run = train(panel)
    shown = curves(bench)
    names = [line.name for line in shown.plots.measures.content.lines]
    assert names == ["each batch", "loss", "training", "held out, clean", "held out, PGD-10 at L∞ 0.1"]
    assert "PGD-10 at L∞ 0.1" in run.verdict
    assert "held-out" in run.verdict
    assert {line.name for line in shown.plots.activations.content.lines if line.dashed} == {
        f"bound of {name}"
        for name in run.result.artifacts["bounds"].lines  # type: ignore[union-attr]
    }
    markers = shown.plots.measures
    assert list(markers.content.markers) == [1, 2, 3]
    heights = {markers.readout.height()}
    for x in (0.4, 1.0, 2.6):  # no number of the readout is cut, and nothing moves under the mouse
        QTest.mouseMove(markers.plot.viewport(), QPoint(round(x * (markers.marker_at(2).x() - markers.marker_at(1).x())) + 60, 40))
        settle()
        assert markers.readout.text.startswith("epoch ")
        assert "PGD-10 at L∞ 0.1 " in markers.readout.text
        assert not markers.readout.cut
        heights.add(markers.readout.height())
    assert len(heights) == 1
    click(markers.plot.viewport(), markers.marker_at(2).toPoint())
    until(lambda: any(model.name == "digits, epoch 2" for model in bench.session.loaded.models), "the epoch's network")
    assert shown.use_button.text() == "Attack epoch 2"
    click(shown.use_button)
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "digits, epoch 2", "the epoch under study")
    run_attack(bench)
    again = engine.run(
        Train(recipe="n-fgsm eps=0.1 stop_at_collapse=no", activation="bounded-leaky", epochs=3, batch_size=32),  # type: ignore[arg-type]
        engine.models.ARCHITECTURES["digits"].untrained(device="cpu"),
        data=engine.data.load("generated:digits", count=256, seed=0),
        seed=0,
    ).artifacts["model"]
    last = engine.models.load(str(run.folder / "epoch-00003.safetensors"))
    assert same(last.module.state_dict(), again.module.state_dict())  # type: ignore[union-attr]
    assert bench.session.classifier is not None
    assert bench.session.classifier.fingerprint != last.fingerprint


def test_an_epoch_is_among_the_models_that_the_spine_offers_with_its_accuracy(bench: Workbench, panel: TrainingPanel) -> None:
    panel.name.setText("mine")
    panel.form.set_values({"held_out": 16})
    run = train(panel)
    before, shown, models = bench.session.classifier, curves(bench), bench.session.models
    assert before is not None
    markers = shown.plots.measures
    click(markers.plot.viewport(), markers.marker_at(1).toPoint())
    until(lambda: any(model.name == "mine, epoch 1" for model in bench.session.loaded.models), "the epoch's network")
    spine = bench.window.spine
    click(spine.model)
    found = spine.model.list
    assert found.current == models.source_of(before)
    QTest.keyClicks(found.search, "mine, epoch 1")
    settle()
    row = found.tree.currentItem()
    held = engine.models.load(str(run.folder / "epoch-00001.safetensors")).card["held_out"]
    assert [row.text(0), row.text(1)] == ["mine, epoch 1", f"{100 * held['clean']:.1f} %"]
    QTest.keyClick(found.search, Qt.Key.Key_Return)
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "mine, epoch 1", "the epoch under study")
    assert spine.model.texts == ("mine, epoch 1", f"{100 * held['clean']:.1f} % of {held['images']:,} held out")
    assert found.current == models.source_of(bench.session.classifier)
    attacked = f"{100 * held['attacked']:.1f} % of 16 held-out images under PGD-10 at L∞ 0.3"
    assert bench.window.panels["model"].card.text("attacked") == attacked
    assert "signs" not in [each.name for each in models.of_session.values()]


def test_two_histories_are_laid_over_each_other(bench: Workbench, panel: TrainingPanel) -> None:
    first = train(panel)
    panel.form.set_values({"epochs": 1})
    panel.name.setText("other")
    second = train(panel)
    shown = curves(bench)
    assert panel.trainer.chosen is second
    assert not any(line.dashed for line in shown.plots.measures.content.lines)
    shown.over.setFocus()
    press_keys(shown.over, "Down")  # from the entry for none to the only other training
    settle()
    assert panel.trainer.over is first
    for number, width in ((first.number, 900), (second.number, 420)):  # what is said of two trainings tells them apart, and is whole
        assert f"#{number} " in " ".join(shown.choice.itemText(place) for place in range(shown.choice.count()))
        shown.resize(width, 500)
        settle()
        assert not shown.heading.cut
    assert f"┅&nbsp;#{first.number}&nbsp;digits" in shown.plots.measures.key.text()
    dashed = [line.name for line in shown.plots.measures.content.lines if line.dashed]
    assert "digits: loss" in dashed
    assert "digits: each batch" not in dashed
    click(shown.remove_button)
    assert panel.trainer.runs == (first,)
    assert (panel.trainer.chosen, panel.trainer.over) == (first, None)
    press_keys(bench.window, "Ctrl+Z")
    assert panel.trainer.runs == (first, second)


def test_a_cancelled_training_is_resumed_to_the_same_bits(bench: Workbench, panel: TrainingPanel) -> None:
    panel.form.set_values({"recipe": "gaussian", "epochs": 40})
    click(panel.foot.run)
    until(lambda: panel.trainer.making is not None and len(panel.trainer.making.history) >= 2, "two epochs")
    click(panel.foot.cancel)
    until(lambda: panel.trainer.job is None, "the end")
    settle()
    (row,) = panel.unfinished.rows
    assert "digits, gaussian: cancelled in epoch" in row.words.text
    cancelled = panel.trainer.runs[-1]
    assert isinstance(cancelled, TrainingRun)
    losses = list(cancelled.series.read("loss"))
    panel.form.set_values({"epochs": 2, "recipe": ()})  # the form of another one: the training has its own recipe
    click(row.resume)
    until(lambda: panel.trainer.job is None, "the end of the resumed training")
    settle()
    assert panel.unfinished.rows == ()
    assert panel.trainer.failure == ""
    run = panel.trainer.runs[-1]
    assert isinstance(run, TrainingRun)
    assert (run.epochs, run.ended) == (40, "finished")
    steps = list(run.series.read())  # every step has its point, and those before the cancellation are as they were
    assert steps == sorted(set(steps))
    assert set(steps) >= set(cancelled.series.read()[:-1])
    assert list(run.series.read("loss"))[: len(losses) - 1] == losses[:-1]
    images = engine.data.load("generated:digits", count=128, seed=0)
    whole = Train(recipe="gaussian", epochs=40, batch_size=32)  # type: ignore[arg-type]
    made = engine.run(whole, engine.models.ARCHITECTURES["digits"].untrained(device="cpu"), data=images, seed=0).artifacts["model"]
    assert same(weights(run), made.module.state_dict())  # type: ignore[union-attr]


def test_a_training_whose_window_is_gone_is_offered_and_discarded_after_a_question(panel: TrainingPanel) -> None:
    panel.form.set_values({"epochs": 40})
    click(panel.foot.run)
    until(lambda: panel.trainer.making is not None and len(panel.trainer.making.history) >= 1, "an epoch")
    base = panel.trainer.base
    panel.trainer.look()
    assert panel.trainer.unfinished == ()  # it runs
    click(panel.foot.cancel)
    until(lambda: panel.trainer.job is None, "the end")
    (found,) = unfinished(base)
    found.folder.note(status="running")  # as a window leaves it that was killed
    panel.trainer.look()
    (row,) = panel.unfinished.rows
    assert "interrupted in epoch" in row.words.text
    assert panel.unfinished.isVisible()
    answered: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        answered.append(box.text())
        click(next(button for button in box.buttons() if button.text() == "Discard"))

    from PySide6.QtCore import QTimer

    QTimer.singleShot(0, answer)
    click(row.discard)
    assert "digits" in answered[0]
    assert not found.folder.path.exists()
    assert not panel.unfinished.isVisible()


def test_its_time_is_measured_before_the_start(panel: TrainingPanel) -> None:
    panel.form.set_values({"recipe": "pgd eps=0.1", "epochs": 3})
    click(panel.time_button)
    assert panel.trainer.timing.running
    until(lambda: not panel.trainer.timing.running, "the estimate")
    settle()
    assert "It would take" in panel.foot.message.text
    assert "12 steps" in panel.foot.message.text  # 128 images in batches of 32, three times
    assert panel.trainer.runs == ()
    panel.form.set_values({"epochs": 4})
    assert panel.foot.message.text == ""  # an estimate of another training says nothing
    click(panel.time_button)
    click(panel.foot.cancel)
    until(lambda: not panel.trainer.timing.running, "the end of the measurement")
    assert panel.foot.message.text == ""


def test_the_wall_shows_pairs_and_makes_no_pictures_while_it_is_hidden(bench: Workbench, panel: TrainingPanel) -> None:
    wall: WallPanel = bench.window.panels["wall"]
    panel.form.set_values({"recipe": "gaussian sigma=0.5", "epochs": 400})
    click(panel.foot.run)
    until(lambda: panel.trainer.seen is not None, "the images")
    seen = panel.trainer.seen
    assert wall.grid.count == 16
    assert seen is not None
    pairs = list(zip(seen.clean, seen.trained, strict=True))
    assert all(one.shape == other.shape == (28, 28, 3) for one, other in pairs)
    assert any((one != other).any() for one, other in pairs)
    cells = wall.grid.cells()
    assert all(lower.top() >= upper.bottom() for upper, lower in cells)
    assert all(wall.grid.rect().contains(place) for pair in cells for place in pair)
    bench.window.docks["wall"].hide()
    settle()
    job = panel.trainer.job
    assert job is not None
    until(lambda: not job._wanted.is_set(), "the last picture asked for")
    steps = job.index
    until(lambda: job.index > steps + 5 and job._preview is None, "that it is taken")
    panel.trainer.seen = None
    until(lambda: job.index > steps + 25, "more steps")
    assert panel.trainer.seen is None
    bench.window.docks["wall"].show()
    until(lambda: panel.trainer.seen is not None, "images again")


def test_a_study_keeps_a_training_with_its_curves_and_its_epochs(bench: Workbench, panel: TrainingPanel, tmp_path: Path) -> None:
    panel.chooser.count.setValue(256)
    run = train(panel)
    path = tmp_path / "kept.gibbon"
    bench.session.studies.save(path)
    until(path.exists, "the study")
    found = next(each for each in engine.study.read(path).runs if each.number == run.number)
    back = FinishedRun(result=found.result, verdict=found.verdict, number=found.number)
    shown, before = of_run(back, panel.trainer.base), of_run(run, panel.trainer.base)
    assert (shown.name, shown.heading, shown.attack) == (before.name, before.heading, before.attack)
    assert shown.measures["clean"] == pytest.approx(before.measures["clean"], nan_ok=True)
    assert len(shown.batches) >= 2 * 8  # the points of all batches, too
    for name in ("batches", "loss", "accuracy"):
        assert np.array_equal(getattr(shown, name), getattr(before, name), equal_nan=True)
    assert shown.each == before.each
    assert {name: list(line) for name, line in shown.maxima.items()} == {name: list(line) for name, line in before.maxima.items()}
    assert shown.files == before.files
    assert list(shown.files) == [1, 2]
    assert same(model_of(back).module.state_dict(), weights(run))


def test_further_models_leave_the_chosen_images_alone(bench: Workbench, panel: TrainingPanel) -> None:
    choice = panel.chooser.choice
    assert choice is not None
    assert choice.name == "generated:digits"  # not what is suggested where MNIST is on the machine
    start(panel, "new signs network")
    assert panel.chooser.choice != choice
    start(panel, "new digits network")
    panel.chooser.choose("generated:signs")
    bench.session.loaded.add(engine.models.load("digits-bounded", device="cpu"))
    assert panel.chooser.choice is not None
    assert panel.chooser.choice.name == "generated:signs"
    assert "grey" in panel.obstacle or "colour" in panel.obstacle


def test_the_next_start_sets_up_the_training_that_was_begun_last(bench: Workbench, panel: TrainingPanel) -> None:
    from gui.panels.training import TrainingPanel
    from gui.settings import Settings

    panel.name.setText("mine")
    panel.seed.setValue(7)
    panel.form.set_values({"recipe": "gaussian sigma=0.2 + label-smoothing", "epochs": 1, "learning_rate": 0.001})
    train(panel)
    wanted = panel.recipe
    assert wanted is not None
    again = TrainingPanel(bench.session)
    made = again.recipe
    assert made is not None
    assert (made.architecture, made.data, made.count, made.name, made.seed) == ("digits", "generated:digits", 128, "mine", 7)
    assert made.operation == wanted.operation
    start(again, "new signs network")
    assert again.name.text() == "mine"
    again.deleteLater()
    for damaged in ("[]", "{", '{"version": 999}', '{"version": 1, "parameters": {"epochs": "many"}}'):
        Settings().keep_text("training/last", damaged)
        other = TrainingPanel(bench.session)
        assert other.foot.run.isEnabled(), damaged
        other.deleteLater()


def test_an_epoch_is_seen_when_its_network_is_written_and_not_before(panel: TrainingPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    keep = EpochFiles.keep

    def noting(self: EpochFiles, *given: Any) -> Path:
        assert panel.trainer.making is not None
        written = keep(self, *given)
        seen.append(len(panel.trainer.making.history))
        return written

    monkeypatch.setattr(EpochFiles, "keep", noting)
    train(panel)
    assert seen == [0, 1]


def test_it_goes_on_from_the_loaded_model_and_leaves_that_alone(bench: Workbench, panel: TrainingPanel) -> None:
    classifier = bench.session.classifier
    assert classifier is not None
    before = {name: value.clone() for name, value in classifier.module.state_dict().items()}
    start(panel, f"{classifier.name}, go on from its weights")
    panel.chooser.choose("generated:signs")
    panel.chooser.count.setValue(86)
    panel.form.set_values({"epochs": 1, "learning_rate": 1e-4})
    run = train(panel)
    assert run.recipe.operation.fresh is False
    assert run.accuracy > 0.8  # new weights would be at about 2 % after two steps
    assert same(before, classifier.module.state_dict())
    assert run.classifier.name == f"{classifier.name}-trained"


def test_what_does_not_fit_is_said_before(panel: TrainingPanel) -> None:
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
    panel.name.setText("digits")
    panel.name.textEdited.emit("digits")
    recipe = panel.form.recipes["recipe"]
    panel.form.set_values({"recipe": "advprop + fgsm k=100"})
    advprop, fgsm = recipe.rows
    assert "batch normalisation" in advprop.error or advprop.error == ""  # by the architecture
    assert "100" in fgsm.error
    assert not panel.foot.run.isEnabled()


def test_a_whole_recipe_is_filled_in_by_its_name(panel: TrainingPanel) -> None:
    panel.form.set_values({"epochs": 7})
    for preset in Train.presets:
        panel.presets.use(preset)
        made = panel.form.operation
        assert made == Train.build(**{"batch_size": 32, "epochs": 7, **preset.values}), preset.title
    assert [action.text() for action in panel.presets.menu().actions()] == [preset.title for preset in Train.presets]


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
    x, means = running_mean(np.arange(4.0), values, 2)
    assert (x.tolist(), means.tolist()) == ([0.0, 1.0, 2.0, 3.0], [4.0, 3.0, 4.0, 3.0])
    x, means = running_mean(np.arange(1000.0), np.arange(1000.0), 10, most=5)
    assert len(x) == 5
    assert means[-1] == pytest.approx(np.arange(990.0, 1000.0).mean())
    assert [len(each) for each in running_mean(np.zeros(0), np.zeros(0), 3)] == [0, 0]


def test_a_long_line_keeps_its_peaks() -> None:
    y = np.zeros(100_000)
    y[[17, 54_321]] = 5.0, -7.0
    x, kept = drawn(np.arange(len(y), dtype=float), y)
    assert len(x) < 1000
    assert (kept.max(), kept.min()) == (5.0, -7.0)
    assert {17.0, 54_321.0} <= set(x)
    assert (np.diff(x) >= 0).all()
