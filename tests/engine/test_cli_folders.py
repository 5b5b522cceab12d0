"""Where commands write: a missing folder is made before the run and said; a folder that cannot be one is refused before the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import engine
from engine import attacks, study
from engine.artifacts import Model, Table
from engine.cli import main as command
from engine.defenses import Train, save_model
from engine.figures import export_arrays
from engine.images import write_png
from engine.record.batches import write_csv
from engine.script import write_script
from tests.engine.study_scenes import load
from tests.engine.test_cli import STOP

Run = Callable[..., tuple[int, str, str]]
FAST = ("--attack", "fgsm", "--panels", "clean", "--device", "cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record."""
    folder = tmp_path_factory.mktemp("made")
    assert command(["attack", "--image", str(STOP), *FAST, "--out", str(folder)]) == 0
    return folder / f"{STOP.stem}-fgsm.json"


@pytest.fixture
def record(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record; the present folder is empty."""
    monkeypatch.chdir(tmp_path)
    return made


def lines(record: Path, place: str) -> dict[str, tuple[str, ...]]:
    """The command lines that write into a place, by command."""
    return {
        "attack": ("attack", "--image", str(STOP), *FAST, "--out", place),
        "batch": ("batch", "--image-set", "generated:signs", "--count", "2", "--attack", "fgsm", "--device", "cpu", "--out", place),
        "figure": ("figure", str(record), "--panels", "clean", "--out", f"{place}/a.png"),
        "animate": ("animate", str(record), f"{place}/a.gif", "--panels", "clean", "--width-px", "320"),
        "replay": ("replay", str(record), "--out", f"{place}/a.png"),
        "script": ("script", str(record), "--out", f"{place}/a.py"),
        "train": ("train", "digits", "--data-set", "generated:digits", "--epochs", "1", "--device", "cpu", "--out", place),
        "reproduce": ("reproduce", "linear", "--device", "cpu", "--out", place),
        "demo": ("demo", "--device", "cpu", "--out", place),
    }


NAMES = [name if name not in ("train", "demo", "reproduce") else pytest.param(name, marks=pytest.mark.slow) for name in lines(Path(), "")]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_folder_is_made_and_said_once(name: str, record: Path, run: Run) -> None:
    code, _, err = run(*lines(record, "new/deep")[name])
    assert code in (0, 1), err
    assert err.splitlines()[0] == "There was no folder “new/deep”, so it was made."
    assert err.count("it was made") == 1
    assert any(Path("new/deep").iterdir())
    code, _, err = run(*lines(record, ".")[name], *(() if name == "demo" else ("--overwrite",)))
    assert "it was made" not in err.replace("gibbon-demo", "")


@pytest.mark.parametrize("name", list(lines(Path(), "")))
def test_a_file_in_the_place_of_the_folder_is_refused_before_the_run(
    name: str, record: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("taken").write_text("mine")
    begun: list[object] = []
    monkeypatch.setattr(engine.Run, "__next__", lambda run: begun.append(run))  # nothing must get so far
    code, _, err = run(*lines(record, "taken/deep")[name])
    assert code == 2
    assert "taken" in err
    assert "is a file, not a folder" in err
    assert err.count("\n") == 1
    assert not begun
    assert Path("taken").read_text() == "mine"


def writers() -> dict[str, Callable[[Path], object]]:
    """Functions of the engine that write a file, by name."""
    classifier = load()
    result = engine.run(attacks.FGSM(), classifier, torch.rand(1, *classifier.input_shape))
    return {
        "image.png": lambda path: write_png(path, torch.rand(3, 8, 8)),
        "table.csv": lambda path: write_csv(path, Table(("a",), ((1,),), "")),
        "arrays.npz": lambda path: export_arrays(path, result, 0),
        "script.py": lambda path: write_script(path, "pass"),
        "study.gibbon": lambda path: study.write(study.Study.of(result), path),
        "weights.safetensors": lambda path: save_model(_model(), path),
    }


def _model() -> Model:
    return Model(torch.nn.Linear(1, 1), {})


@pytest.mark.parametrize("name", ["image.png", "table.csv", "arrays.npz", "script.py", "study.gibbon", "weights.safetensors"])
def test_the_engine_never_makes_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(engine.GibbonError) as caught:
        writers()[name](tmp_path / "gone" / name)
    assert str(caught.value) == f"“{name}” cannot be written: there is no folder “{tmp_path / 'gone'}”. Make it, or choose another one."
    assert not (tmp_path / "gone").exists()


def test_a_checkpoint_in_a_missing_folder_is_refused_before_the_first_epoch(tmp_path: Path) -> None:
    classifier, data = engine.models.load("digits", device="cpu"), engine.data.load("generated:digits", count=20)
    with pytest.raises(engine.GibbonError, match="There is no folder"):
        engine.run(Train(epochs=1, checkpoint=tmp_path / "gone" / "a.safetensors"), classifier, data=data)
    assert not (tmp_path / "gone").exists()
