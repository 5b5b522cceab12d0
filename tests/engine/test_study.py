"""Studies: written and read again to the last bit, shown without their model, and quick to save."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import engine
from engine import attacks, study
from engine.artifacts import Model
from engine.images import from_array, open_image
from engine.operation import Attack
from engine.study import Study, StudyRun, is_recorded
from engine.study.encoded import encoded_runs
from tests.engine.study_scenes import FIRST, a_run, a_study, assert_same


@pytest.mark.parametrize("attack", FIRST.values(), ids=list(FIRST))
def test_a_run_of_every_attack_comes_back_to_the_last_bit(attack: Attack, tmp_path: Path) -> None:
    run = a_run(attack)
    again = study.read(study.write(Study(runs=(run,)), tmp_path / "a.gibbon")).runs[0]
    built = {name: artifact for name, artifact in run.result.artifacts.items() if name in again.result.artifacts or _comes_back(artifact)}
    assert_same(replace(run, result=replace(run.attack, artifacts=built)), again)  # type: ignore[type-var]


def _comes_back(artifact: Any) -> bool:
    return not isinstance(artifact, Model) or artifact.card.get("architecture") in engine.models.ARCHITECTURES


def test_everything_else_comes_back_too(tmp_path: Path) -> None:
    whole = a_study()
    assert_same(whole, study.read(study.write(whole, tmp_path / "a.gibbon")))


def test_a_study_that_was_read_is_written_to_the_same_members(tmp_path: Path) -> None:
    study.write(a_study(), tmp_path / "a.gibbon")
    study.write(study.read(tmp_path / "a.gibbon"), tmp_path / "b.gibbon")
    with zipfile.ZipFile(tmp_path / "a.gibbon") as one, zipfile.ZipFile(tmp_path / "b.gibbon") as other:
        assert set(one.namelist()) == set(other.namelist())
        assert all(one.read(name) == other.read(name) for name in one.namelist() if name.startswith(("tensors", "images")))


def test_runs_that_share_an_image_keep_it_once(tmp_path: Path) -> None:
    runs = [a_run(attacks.FGSM(eps=eps), number) for number, eps in enumerate((0.01, 0.02), 1)]
    sizes = []
    for some in (runs[:1], runs):
        with zipfile.ZipFile(study.write(Study(runs=tuple(some)), tmp_path / "a.gibbon")) as archive:
            sizes.append(len([name for name in archive.namelist() if name.startswith("tensors/")]))
    assert sizes[1] < 2 * sizes[0] - 4


# ---------------------------------------------------------------------- without its model


def test_without_its_model_the_images_of_the_study_have_their_logits_and_others_none(tmp_path: Path) -> None:
    run = a_run(attacks.PGD(eps=0.1, steps=4))
    result = run.attack
    assert result is not None
    again = study.read(study.write(Study(runs=(run,)), tmp_path / "a.gibbon")).runs[0].attack
    assert again is not None
    classifier = again.classifier
    assert is_recorded(classifier)
    assert torch.equal(classifier(again.adversarial), result.logits)
    assert torch.equal(classifier(again.clean), result.clean_logits)
    assert torch.equal(classifier(run.clean[None]), run.answers[0].logits)  # type: ignore[index]
    for step in run.timeline:
        assert torch.equal(classifier(step.adversarial), step.logits)  # type: ignore[arg-type]
    with pytest.raises(engine.GibbonError, match="is not loaded, so only what was recorded can be shown"):
        classifier(1 - again.clean)


def test_an_observation_without_the_model_shows_pictures_and_predictions(tmp_path: Path) -> None:
    run = a_run(attacks.FGSM(eps=0.1))
    again = study.read(study.write(Study(runs=(run,)), tmp_path / "a.gibbon")).runs[0].attack
    assert again is not None
    shown = again.clean[0] + (again.adversarial - again.clean)[0]  # which rounds differently
    seen = engine.explain.observe(
        again.classifier, again.clean[0], shown, bounds={"act": 1.0}, explanations=[engine.explain.GradientSaliency()]
    )
    assert torch.equal(seen.adversarial_logits, again.logits[0])
    assert seen.layers == ()
    assert set(seen.failures) == {"bounds", "saliency"}
    assert "is not loaded" in seen.failures["saliency"]


def test_an_attack_without_the_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    run = a_run(attacks.FGSM(eps=0.1))
    again = study.read(study.write(Study(runs=(run,)), tmp_path / "a.gibbon")).runs[0].attack
    assert again is not None
    with pytest.raises(engine.GibbonError, match="is not loaded"):
        engine.run(attacks.PGD(), again.classifier, again.clean)


@pytest.fixture(scope="module")
def shipped() -> StudyRun:
    """A run on the shipped signs."""
    classifier = engine.models.load("signs", device="cpu")
    image = engine.images.read(next(s for s in engine.images.samples() if s.label_name == "Stop").path, classifier)
    return Study.of(engine.run(attacks.FGSM(), classifier, image[None])).runs[0]


def _read_model(run: StudyRun, path: Path) -> engine.Classifier:
    result = study.read(study.write(Study(runs=(run,)), path)).runs[0].attack
    assert result is not None
    return result.classifier


def test_the_model_is_loaded_again(shipped: StudyRun, tmp_path: Path) -> None:
    loaded = study.load(_read_model(shipped, tmp_path / "a.gibbon"), device="cpu")
    assert not is_recorded(loaded)
    assert loaded.fingerprint == shipped.attack.classifier.fingerprint  # type: ignore[union-attr]


def _own(tmp_path: Path, seed: int = 0) -> Path:
    """A checkpoint of one's own."""
    torch.manual_seed(seed)
    network = engine.models.ARCHITECTURES["digits"].build()
    path = tmp_path / "mine.pt"
    torch.save(network.state_dict(), path)
    return path


def _run_of_own(path: Path) -> StudyRun:
    classifier = engine.models.load(path, architecture="digits", device="cpu")
    return Study.of(engine.run(attacks.FGSM(), classifier, torch.full((1, 1, 28, 28), 0.5))).runs[0]


def test_a_checkpoint_that_moved_with_the_study_is_found_beside_it(tmp_path: Path) -> None:
    run = _run_of_own(_own(tmp_path))
    home = tmp_path / "elsewhere"
    home.mkdir()
    (tmp_path / "mine.pt").rename(home / "mine.pt")
    stand_in = _read_model(run, home / "a.gibbon")
    assert study.load(stand_in, home, "cpu").fingerprint == run.attack.classifier.fingerprint  # type: ignore[union-attr]
    with pytest.raises(engine.GibbonError, match="There is no file"):
        study.load(stand_in, None, "cpu")


def test_a_model_that_is_gone_or_has_other_weights_or_runs_code_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = _own(tmp_path)
    stand_in = _read_model(_run_of_own(path), tmp_path / "a.gibbon")
    _own(tmp_path, seed=1)
    with pytest.raises(engine.GibbonError, match=r"has other weights than the study's model .* Put the original file there"):
        study.load(stand_in, tmp_path, "cpu")
    path.write_bytes(b"no weights")
    with pytest.raises(engine.GibbonError, match=r"is not loaded: .*Pictures and numbers are shown"):
        study.load(stand_in, tmp_path, "cpu")
    path.unlink()
    with pytest.raises(engine.GibbonError, match=r"is not loaded: There is no file"):
        study.load(stand_in, tmp_path, "cpu")
    code = tmp_path / "own.py"
    code.write_text(f"import torch\ndef make():\n    open({str(tmp_path / 'ran')!r}, 'w')\n", "utf-8")
    module: Any = stand_in.module
    module.entry = module.entry.model_copy(update={"source": f"{code}:make"})
    with pytest.raises(engine.GibbonError, match="is made by code"):
        study.load(stand_in, tmp_path, "cpu")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("activation", ["keep", "bounded"])
def test_a_network_that_was_trained_comes_back_with_the_study(activation: str, tmp_path: Path) -> None:
    from engine.defenses import Train
    from engine.defenses.cards import classifier_of
    from engine.study import trained

    data = engine.data.load("generated:digits", count=40, seed=1)
    before = engine.models.load("digits", device="cpu")
    result = engine.run(Train(epochs=1, activation=activation), before, data=data)
    (model,) = (artifact for artifact in result.artifacts.values() if isinstance(artifact, Model))
    attacked = engine.run(attacks.FGSM(), classifier_of(model, "cpu"), data.batch([0])[0])
    runs = (StudyRun(result, number=1, verdict="trained"), replace(Study.of(attacked).runs[0], number=2))
    again = study.read(study.write(Study(runs=runs), tmp_path / "a.gibbon"))
    networks = [artifact for artifact in again.runs[0].result.artifacts.values() if isinstance(artifact, Model)]
    assert again.runs[1].attack is not None
    found = trained(again.runs[1].attack.classifier, networks, "cpu")
    assert found is not None
    assert torch.equal(found(attacked.adversarial), attacked.logits)


def test_a_run_of_a_study_has_its_record_without_the_model(tmp_path: Path) -> None:
    from engine.record import Record, image_entry, record_of, replay

    run = _run_of_own(_own(tmp_path))
    assert run.attack is not None
    again = study.read(study.write(Study(runs=(run,)), tmp_path / "a.gibbon")).runs[0].attack
    assert again is not None
    one, other = (record_of(result, image=image_entry(result.clean[0]), folder=tmp_path) for result in (run.attack, again))
    assert one == other
    assert one.model.options.architecture == "digits"
    assert replay(Record.read(other.write(tmp_path / "a.json")), folder=tmp_path).same


def test_a_model_changed_by_hand_is_told(tmp_path: Path) -> None:
    classifier = engine.models.load("digits", device="cpu").derive(before=[torch.nn.AvgPool2d(3, 1, 1)])
    run = Study.of(engine.run(attacks.FGSM(), classifier, torch.full((1, 1, 28, 28), 0.5))).runs[0]
    with pytest.raises(engine.GibbonError, match="was changed by hand"):
        study.load(_read_model(run, tmp_path / "a.gibbon"))


# ---------------------------------------------------------------------- photographs


def test_a_large_photograph_is_referred_to_and_found_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.study import photographs

    monkeypatch.setattr(photographs, "EMBEDDED_BYTES", 100)
    run = a_run(attacks.FGSM())
    assert run.clean is not None
    engine.images.write_png(tmp_path / "large.png", run.clean)
    photograph = open_image(tmp_path / "large.png")
    path = study.write(Study(runs=(replace(run, photograph=photograph),)), tmp_path / "a.gibbon")
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.startswith("images/")]
    again = study.read(path)
    assert_same(again.runs[0].photograph, photograph)
    (tmp_path / "large.png").rename(tmp_path / "other.png")
    gone = study.read(path)
    assert gone.runs[0].photograph is None
    assert "cannot be moved" in gone.remarks[0]
    assert gone.runs[0].clean is not None


def test_a_pasted_photograph_is_embedded_at_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.study import photographs

    monkeypatch.setattr(photographs, "EMBEDDED_BYTES", 100)
    pasted = from_array(torch.randint(256, (40, 50), dtype=torch.uint8).numpy(), "pasted image")
    path = study.write(Study(runs=(replace(a_run(attacks.FGSM()), photograph=pasted),)), tmp_path / "a.gibbon")
    assert_same(study.read(path).runs[0].photograph, pasted)


# ---------------------------------------------------------------------- versions


def test_a_run_of_an_attack_that_is_not_here_stays_in_the_study(tmp_path: Path) -> None:
    whole = a_study()
    study.write(whole, tmp_path / "a.gibbon")
    catalogue = dict(attacks.CATALOGUE)
    del attacks.CATALOGUE["fgsm"]
    try:
        without = study.read(tmp_path / "a.gibbon")
        assert without.runs == ()
        assert "no “fgsm” among this Gibbon's attacks" in without.remarks[0]
        study.write(without, tmp_path / "b.gibbon")
    finally:
        attacks.CATALOGUE.clear()
        attacks.CATALOGUE.update(catalogue)  # in the same order, which the lists in the window show
    assert_same(whole.runs, study.read(tmp_path / "b.gibbon").runs)


def test_parameters_of_an_earlier_version_say_what_they_meant_then(tmp_path: Path) -> None:
    from tests.engine.study_damage import edited

    study.write(Study(runs=(a_run(attacks.Square(max_queries=50)),)), tmp_path / "a.gibbon")

    def older(name: str, content: Any) -> Any:
        if name == "study.json":
            content["operations"] = 1
        elif name.startswith("runs/"):
            del content["operation"]["parameters"]["corners"]
        return content

    again = study.read(edited(tmp_path / "a.gibbon", older)).runs[0]
    assert again.result.operation.corners == "all"  # type: ignore[attr-defined]


# ---------------------------------------------------------------------- scripts and speed


def test_a_batch_becomes_a_run_for_each_image(tmp_path: Path) -> None:
    classifier = engine.models.load("digits", device="cpu")
    images = torch.rand(3, 1, 28, 28)
    result = engine.run(attacks.PGD(steps=3), classifier, images)
    kept = study.read(study.write(Study.of(result), tmp_path / "a"))
    assert (tmp_path / "a.gibbon").exists()
    assert [run.number for run in kept.runs] == [1, 2, 3]
    for row, run in enumerate(kept.runs):
        assert run.attack is not None
        assert torch.equal(run.attack.adversarial[0], result.adversarial[row])
        assert torch.equal(run.attack.trace[:, 0], result.trace[:, row])
        assert bool(run.attack.survives_8bit) == bool(result.survives_8bit[row])
    assert kept.shown == kept.runs[-1].id
    assert (kept.plan.slug, kept.plan.settings.parameters) == ("pgd", {"steps": 3})


def test_an_attack_of_ones_own_is_refused_in_a_sentence(tmp_path: Path) -> None:
    class Mine(attacks.FGSM):
        slug = "mine"
        title = "Mine"

    with pytest.raises(engine.GibbonError, match="“Mine” is in no catalogue"):
        study.write(Study(runs=(a_run(Mine()),)), tmp_path / "a.gibbon")
    assert list(tmp_path.iterdir()) == []


def test_fifty_runs_are_saved_again_in_no_time(tmp_path: Path) -> None:
    runs = tuple(a_run(attacks.PGD(eps=0.01 * number, steps=5), number) for number in range(1, 51))
    study.write(Study(runs=runs), tmp_path / "a.gibbon")
    taken = []
    for _ in range(5):
        began = time.process_time()  # of this process alone: others may keep the computer busy
        study.write(Study(runs=runs), tmp_path / "a.gibbon")
        taken.append(time.process_time() - began)
    assert min(taken) < 0.3


def test_timelines_share_a_budget_and_keep_first_flip_and_last(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.study import timelines

    steps = a_run(attacks.PGD(eps=0.1, steps=40)).timeline
    one = steps[0].adversarial.nbytes
    kept = [step.index for step in timelines.thinned(steps, 7, 8 * one)]
    assert {0, 7, 40} <= set(kept)
    assert len(kept) <= 8
    assert timelines.thinned(steps, 7, 100 * one) == steps
    assert [step.index for step in timelines.thinned(steps, -1, 0)] == [0, 40]
    runs = [replace(a_run(attacks.PGD(eps=0.1, steps=10)), number=number) for number in (1, 2)]
    monkeypatch.setattr(timelines, "STUDY_BYTES", 11 * one)
    parts = encoded_runs(runs)
    assert len(parts[runs[0].id].tensors) < len(parts[runs[1].id].tensors)


# ---------------------------------------------------------------------- the window as another process


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that `engine.show` starts, which are kept from starting."""
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: commands.append(command))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    return commands


def test_show_opens_the_window_on_a_copy_of_a_result(shipped: StudyRun, started: list[list[str]]) -> None:
    assert shipped.attack is not None
    path = engine.show(shipped.attack)
    (command,) = started
    assert command[0] == sys.executable
    assert Path(command[1]).is_file()
    assert command[2:] == ["gui", str(path.resolve()), "--copy"]
    again = study.read(path)
    assert path.stem == "fgsm"
    assert_same(shipped.attack, again.runs[0].attack)


def test_show_opens_studies_and_files(shipped: StudyRun, started: list[list[str]], tmp_path: Path) -> None:
    whole = Study(runs=(shipped,), shown=shipped.id)
    assert len(study.read(engine.show(whole)).runs) == 1
    path = study.write(whole, tmp_path / "a.gibbon")
    assert engine.show(path) == path
    assert started[-1][2:] == ["gui", str(path.resolve())], "a file is opened itself, not a copy of it"
    with pytest.raises(engine.GibbonError, match="There is no file"):
        engine.show(tmp_path / "none.gibbon")
    with pytest.raises(engine.GibbonError, match="5 cannot be shown"):
        engine.show(5)  # type: ignore[arg-type]


def test_show_says_so_where_there_is_no_display(shipped: StudyRun, started: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(engine.GibbonError, match="no display here, so the window cannot open"):
        engine.show(shipped.attack)  # type: ignore[arg-type]
    assert started == []
