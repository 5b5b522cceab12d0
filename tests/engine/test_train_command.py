"""The command ``train``: any network, any images, any recipe; its files say how they were made, and are made again bit for bit."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import engine
from engine.bits import whole
from engine.cli import main
from engine.defenses import Train
from engine.defenses.objectives import CATALOGUE
from engine.record import TrainingRecord, TrainingSource, loading_inputs, replay_training, training_record
from engine.script import training_as_python

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]
QUICK = ("--epochs", "1", "--batch-size", "16", "--attacked-count", "8", "--device", "cpu")
DIGITS = ("train", "digits", "--data-set", "generated:digits", "--count", "64", "--test-count", "40")


def _files(folder: Path | str, suffix: str) -> Path:
    (found,) = Path(folder).glob(f"*{suffix}")
    return found


def _card(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(path for path in Path(folder).glob("*.json") if ".training." not in path.name).read_text())
    return found


def test_card_and_line_name_the_attack_and_its_budget(run: Run) -> None:
    code, out, err = run(*DIGITS, *QUICK, "--recipe", "pgd eps=0.1 steps=2 + label-smoothing", "--held-out", "10", "--out", "m")
    assert code == 0, err
    card, record = _card("m"), TrainingRecord.read(_files("m", ".training.json"))
    assert card["name"] == "digits-pgd-label-smoothing"
    assert card["recipe"] == record.recipe == "pgd eps=0.1 steps=2 + label-smoothing"
    assert card["attack"] == record.outcome.attack == "PGD-40 at L∞ 0.1 on 8 images"
    assert card["attacked"] == record.outcome.attacked
    assert card["accuracy"] == record.outcome.accuracy
    assert "under PGD-40 at L∞ 0.1 on 8 images" in out
    assert "under PGD-10 at L∞ 0.1" in err  # each epoch's line
    assert "held out" in err


def test_the_command_on_the_card_makes_the_same_file(run: Run) -> None:
    assert run(*DIGITS, *QUICK, "--recipe", "gaussian sigma=0.2 + fgsm k=3", "--seed", "5", "--name", "mine", "--out", "a")[0] == 0
    words = shlex.split(_card("a")["command"])
    assert words[:3] == ["python", "main.py", "train"]
    assert run(*words[2:], "--out", "b", "--device", "cpu")[0] == 0
    assert Path("a/mine.safetensors").read_bytes() == Path("b/mine.safetensors").read_bytes()
    other = [word if word != "5" else "6" for word in words[2:]]
    assert run(*other, "--out", "c", "--device", "cpu")[0] == 0
    assert Path("a/mine.safetensors").read_bytes() != Path("c/mine.safetensors").read_bytes()


def test_record_replays_and_is_a_script(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*DIGITS, *QUICK, "--recipe", "gaussian", "--seed", "2", "--activation", "bounded-leaky", "--out", "m")[0] == 0
    path = _files("m", ".training.json")
    code, out, err = run("replay", path)
    assert (code, err) == (0, "")
    assert out.startswith("The same weights again, bit for bit.")
    code, out, _ = run("script", path)
    assert code == 0
    exec(compile(out, "script.py", "exec"), {"__name__": "script"})
    assert capsys.readouterr().out.rstrip().endswith("The same weights again, bit for bit.")
    changed = json.loads(path.read_text())
    changed["seed"] = 3
    Path("other.json").write_text(json.dumps(changed))
    code, out, _ = run("replay", "other.json", "--json")
    assert code == 1
    assert json.loads(out)["same"] is False


def test_a_cancelled_training_replays_to_its_last_step() -> None:
    """A window's training that was cancelled is a record, too: of the network as it was then."""
    inputs = whole(loading_inputs(TrainingSource(network="digits", data="generated:digits", count=64, test_count=20), device="cpu"))
    with engine.start(Train(epochs=3, batch_size=16, held_out=8), inputs.classifier, data=inputs.train, seed=4) as under_way:
        for _ in range(6):
            next(under_way)
        under_way.close()
        record = training_record(under_way.result(), under_way.last, inputs, name="cut")
    assert (record.outcome.reason, record.outcome.last_step) == ("cancelled", 5)
    assert replay_training(record).same
    assert "step.index >= 5" in training_as_python(record)


def test_another_recipe_version_is_refused_in_a_sentence(run: Run) -> None:
    assert run(*DIGITS, *QUICK, "--recipe", "gaussian", "--out", "m")[0] == 0
    path = _files("m", ".training.json")
    content = json.loads(path.read_text())
    for change, sentence in (
        ({"objective": "telepathy"}, "no training objective “telepathy”"),
        ({"objective": "gaussian", "colour": 1}, "colour"),
    ):
        content["operation"]["parameters"]["recipe"] = [change]
        Path("newer.json").write_text(json.dumps(content))
        code, _, err = run("replay", "newer.json")
        assert code == 2
        assert sentence in err
        assert "newer" in err
    Path("newest.json").write_text(json.dumps({**content, "version": 2}))
    assert "Install a newer one" in run("replay", "newest.json")[2]


@pytest.mark.parametrize(
    ("network", "size"), [pytest.param("torchvision:resnet18", "32", marks=pytest.mark.slow), ("torchvision:squeezenet1_1", "48")]
)
def test_torchvision_networks_are_trained_from_new_weights(run: Run, network: str, size: str) -> None:
    line = ("train", network, "--data-set", "generated:signs", "--count", "43", "--test-count", "43", "--size", size, *QUICK, "--out", "m")
    code, _, err = run(*line)
    assert code == 0, err
    weights = _files("m", ".safetensors")
    classifier = engine.models.load(weights, device="cpu")
    assert classifier.num_classes == 43
    assert classifier.input_shape == (3, int(size), int(size))
    assert run("replay", _files("m", ".training.json"))[0] == 0


def test_grey_images_fit_networks_for_colours(run: Run) -> None:
    line = ("train", "torchvision:resnet18", "--data-set", "generated:digits", "--count", "20", "--test-count", "10", *QUICK, "--out", "m")
    code, _, err = run(*line)
    assert code == 0, err
    assert engine.models.load(_files("m", ".safetensors"), device="cpu").input_shape == (3, 28, 28)


def test_a_file_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from torch import nn\n\ndef halves():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), [str(n) for n in range(10)], (1, 28, 28)\n"
    )
    line = ("train", "own.py:halves", "--data-set", "generated:digits", "--count", "32", "--test-count", "10", *QUICK)
    code, _, err = run(*line, "--out", "m")
    assert code == 2
    assert "--allow-code" in err
    assert run(*line, "--out", "m", "--allow-code")[0] == 0
    assert run("replay", _files("m", ".training.json"), "--allow-code")[0] == 0
    code, _, err = run("train", "own.py:halves", *QUICK, "--allow-code", "--out", "n")
    assert code == 2
    assert "Name a data set" in err


def test_training_goes_on_from_a_model(run: Run) -> None:
    """Without one step that changes much the network still knows what it knew."""
    line = ("--data-set", "generated:signs", "--count", "86", "--test-count", "86", "--learning-rate", "1e-6", *QUICK)
    code, out, err = run("train", "--from", "signs", *line, "--out", "m", "--json")
    assert code == 0, err
    assert json.loads(out)["accuracy"] > 0.8
    assert _card("m")["training"]["fresh"] is False
    assert run("replay", _files("m", ".training.json"))[0] == 0
    code, _, err = run("train", "signs", "--from", "signs", *QUICK)
    assert code == 2
    assert "Train what?" in err


def test_a_folder_is_divided_by_the_seed(run: Run, tmp_path: Path) -> None:
    data = engine.data.load("generated:digits", count=60)
    for row in range(60):
        place = tmp_path / "photos" / data.labels[int(data.targets[row])]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[row, 0].numpy()).save(place / f"{row}.png")
    (tmp_path / "photos" / "3" / "broken.png").write_bytes(b"no image")
    (tmp_path / "photos" / "4" / "empty.png").write_bytes(b"")
    line = ("train", "digits", "--data-set", "folder:photos", *QUICK)
    code, out, err = run(*line, "--out", "m")
    assert code == 0, err
    assert "2 files were left out" in out
    assert "broken.png" in out
    assert "empty.png" in out
    record = TrainingRecord.read(_files("m", ".training.json"))
    assert record.source.data == "folder:../photos"
    assert (record.data.count, record.test.count) == (50, 10)
    assert run("replay", _files("m", ".training.json"))[0] == 0
    Image.new("L", (28, 28), 9).save(tmp_path / "photos" / "0" / "0.png")
    code, _, err = run("replay", _files("m", ".training.json"))
    assert code == 2
    assert "the files have changed" in err


def test_classes_that_differ_are_refused_before_the_training(run: Run, tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (28, 28), (number, 9, 9 * len(name))).save(tmp_path / "pets" / name / f"{number}.png")
    code, _, err = run("train", "digits", "--data-set", "folder:pets", *QUICK)
    assert (code, err.count("\n")) == (2, 1)
    assert "has 2 classes, but “digits” is a network for 10" in err
    code, _, err = run("train", "--from", "digits", "--data-set", "folder:pets", *QUICK)
    assert (code, err.count("\n")) == (2, 1)
    assert "no class “cats”, “dogs”" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--recipe", "fgsm k=17", "--batch-size", "16"], "k is 17, but a batch has 16"),
        (["--recipe", "pgd eps=0"], "eps"),
        (["--recipe", "n-fgsm eps=0"], "eps"),
        (["--recipe", "pdg"], "Did you mean “pgd”?"),
        (["--recipe", "gaussian + gaussian"], "stands twice"),
        (["--recipe", "gaussian sgima=1"], "sgima"),
        (["--quick-eps", "0"], "quick_eps"),
        (["--preset", "nonsense"], "has no preset of the name “nonsense”"),
        (["--preset", "Zhang"], "has several presets of the name “Zhang”"),
        (["--checkpoint", "x"], "--checkpoint is no option here"),
        (["--held-out", "200"], "too few are left to train on"),
        (["--clean-first", "3", "--epochs", "2"], "clean epochs"),
    ],
)
def test_bad_recipes_in_one_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    code, out, err = run("train", "digits", "--data-set", "generated:digits", "--device", "cpu", *arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert not list(Path().glob("*.safetensors"))


def test_help_lists_every_field_and_every_objective(run: Run) -> None:
    code, out, _ = run("train", "--help")
    assert code == 0
    for name in set(Train.model_fields) - {"checkpoint", "fresh"}:
        assert f"--{name.replace('_', '-')}" in out
    for slug, kind in CATALOGUE.items():
        assert slug in out
        for name in kind.model_fields:
            assert f"{name}=" in out
    assert all(each.title in " ".join(out.split()) for each in Train.presets)
    assert max(map(len, out.splitlines())) <= 100
    code, out, _ = run("train", "--recipe", "vat + trades", "--help")
    assert code == 0
    assert "Parameters of “vat”" in out
    assert "Parameters of “trades”" in out
    assert "Usage" not in out


def test_presets_are_recipes_by_name(run: Run) -> None:
    """Some words of a title suffice; an option beside it wins."""
    assert run(*DIGITS, *QUICK, "--preset", "Gaussian bounded", "--seed", "1", "--out", "m")[0] == 0
    card = _card("m")
    assert (card["name"], card["recipe"], card["activation"]) == ("digits-bounded-gaussian", "gaussian", "bounded")
    words = shlex.split(card["command"])
    assert run(*words[2:], "--out", "n", "--device", "cpu")[0] == 0
    assert _files("m", ".safetensors").read_bytes() == _files("n", ".safetensors").read_bytes()
    assert run(*DIGITS, *QUICK, "--preset", "Gaussian bounded", "--activation", "keep", "--out", "o")[0] == 0
    assert _card("o")["activation"] == "relu"


def test_a_long_training_says_how_long_first(run: Run) -> None:
    code, _, err = run(*DIGITS, "--epochs", "20", "--batch-size", "16", "--attacked-count", "0", "--device", "cpu", "--held-out", "0")
    assert code == 0
    lines = err.splitlines()
    assert lines[0].startswith("Training digits on generated:digits (64 images) takes about ")
    assert "for 80 steps of" in lines[0]
    assert lines[-1].startswith("epoch 20 of 20: loss ")


# ---------------------------------------------------------------- as programs


def _program(*arguments: str, folder: Path, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [sys.executable, *prefix, str(ROOT / "main.py"), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _let_compute(process: subprocess.Popen[str], seconds: float) -> None:
    """Wait until a program has computed for so long: on a machine with other work, time alone says nothing."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        time.sleep(seconds)
        return

    def spent() -> float:
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    end = spent() + seconds
    while process.poll() is None and spent() < end:
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
def test_ctrl_c_in_an_epoch_keeps_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """The state is that of the step, not of the epoch before; resumed, the weights are those of a training that nobody interrupted."""
    line = ("train", "digits", "--data-set", "generated:digits", "--count", "200", "--epochs", "1", "--batch-size", "2", "--device", "cpu")
    line = (*line, "--test-count", "20", "--attacked-count", "0", "--recipe", "pgd eps=0.1 steps=6 ramp=0", "--name", "d")
    process = _program(*line, folder=tmp_path)
    assert process.stderr is not None
    first = process.stderr.readline()  # the estimate, or the first epoch's line
    assert "takes about" in first
    _let_compute(process, 0.15)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume continues" in err
    assert "order" in load_file(tmp_path / "d.unfinished.safetensors")  # there only in the middle of an epoch
    assert run(*line, "--resume")[0] == 0
    assert run(*line, "--out", "whole")[0] == 0
    assert (tmp_path / "d.safetensors").read_bytes() == (tmp_path / "whole" / "d.safetensors").read_bytes()


@pytest.mark.slow
def test_two_processes_under_torchrun(tmp_path: Path, run: Run) -> None:
    """Two processes meet by gloo, share each batch, and only the first one prints and writes."""
    (tmp_path / "own.py").write_text(
        "from torch import nn\n\ndef small():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), [str(n) for n in range(10)], (1, 28, 28)\n"
    )
    line = ("train", "own.py:small", "--data-set", "generated:digits", "--count", "64", "--test-count", "10", *QUICK, "--allow-code")
    prefix = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    process = _program(*line, "--out", "two", folder=tmp_path, prefix=prefix)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.count("right on") == 1
    assert err.count("epoch 1 of 1") == 1
    assert run(*line, "--out", "one")[0] == 0
    two, one = (load_file(_files(tmp_path / name, ".safetensors")) for name in ("two", "one"))
    assert all(torch.allclose(two[name], one[name], atol=1e-5) for name in one)
    record = TrainingRecord.read(_files(tmp_path / "two", ".training.json"))
    assert record.processes == 2
    assert record.command.startswith("torchrun --nproc-per-node 2 main.py train own.py:small")


def test_the_package_is_called_the_same_way() -> None:
    assert main(["train", "--help"], "gibbon") == 0


def test_resuming_with_another_recipe_seed_or_images_is_refused_with_the_difference(run: Run) -> None:
    """The unfinished training stays as it is, and its own command ends it."""
    line = ("train", "digits", "--data-set", "generated:digits", "--count", "64", *QUICK, "--name", "d", "--attacked-count", "0")
    inputs = whole(loading_inputs(TrainingSource(network="digits", data="generated:digits", count=64), device="cpu"))
    unfinished = Path("d.unfinished.safetensors")
    operation = Train.build(epochs=1, batch_size=16, checkpoint=unfinished, recipe="gaussian")
    with engine.start(operation, inputs.classifier, data=inputs.train, seed=0) as under_way:
        next(under_way)
    kept = unfinished.read_bytes()
    own = ("--recipe", "gaussian", "--resume")
    for changed, difference in (
        (("--recipe", "gaussian sigma=0.1", "--resume"), "recipe"),
        ((*own, "--seed", "1"), "seed is 0 there and 1 here"),
        ((*own, "--held-out", "8"), "held out"),
    ):
        code, _, err = run(*line, *changed)
        assert (code, err.count("\n")) == (2, 1)
        assert difference in err
        assert unfinished.read_bytes() == kept
    other = [word if word != "64" else "80" for word in line]
    code, _, err = run(*other, *own)
    assert code == 2
    assert "64 images there, 80 here" in err
    assert run(*line, *own)[0] == 0
    assert not unfinished.exists()


@pytest.fixture
def begun(run: Run) -> tuple[str, ...]:
    """An unfinished training ``d`` of 64 drawn digits, and the command that continues it, without --resume, --seed and --count."""
    inputs = whole(loading_inputs(TrainingSource(network="digits", data="generated:digits", count=64), device="cpu"))
    operation = Train.build(epochs=1, batch_size=16, checkpoint=Path("d.unfinished.safetensors"))
    with engine.start(operation, inputs.classifier, data=inputs.train, seed=0) as under_way:
        next(under_way)
    return ("train", "digits", *QUICK, "--name", "d", "--resume")


@pytest.mark.parametrize(
    ("changed", "phrases"),
    [
        ({"--seed": "3"}, ["seed is 0 there and 3 here"]),
        ({"--count": "80"}, ["64 images there, 80 here"]),
        ({"--data-set": "folder:pets"}, ["generated:digits there, folder:pets here", "64 images there, 20 here"]),
        ({"--seed": "4", "--count": "32"}, ["seed is 0 there and 4 here", "64 images there, 32 here"]),
        ({"--learning-rate": "0.5"}, ["learning rate is 0.003 there and 0.5 here"]),
        ({"--recipe": "gaussian", "--seed": "5"}, ["recipe is “standard” there and “gaussian” here", "seed is 0 there and 5 here"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_each_difference_is_named_before_a_step_is_made(
    run: Run, begun: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], phrases: list[str]
) -> None:
    for name in map(str, range(10)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (28, 28), 20 * int(name) + number).save(tmp_path / "pets" / name / f"{number}.png")
    monkeypatch.setattr("engine.cli.train_run._SHORT", 0)  # the time is measured otherwise for long trainings only
    given = {"--data-set": "generated:digits", "--count": "64", **changed}
    kept = Path("d.unfinished.safetensors").read_bytes()
    code, out, err = run(*begun, *(word for pair in given.items() for word in pair))
    assert (code, out, err.count("\n")) == (2, "", 1)  # one line: no estimate came before
    assert "belongs to another training" in err
    for phrase in phrases:
        assert phrase in err
    assert "[" not in err
    assert kept == Path("d.unfinished.safetensors").read_bytes()


def test_changed_files_of_the_same_name_and_number_are_named(run: Run, tmp_path: Path) -> None:
    from engine import data

    for name in map(str, range(10)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (28, 28), 20 * int(name) + number).save(tmp_path / "pets" / name / f"{number}.png")
    inputs = whole(loading_inputs(TrainingSource(network="digits", data="folder:pets"), device="cpu"))
    operation = Train.build(epochs=1, batch_size=16, checkpoint=Path("d.unfinished.safetensors"))
    with engine.start(operation, inputs.classifier, data=inputs.train, seed=0) as under_way:
        next(under_way)
    for path in (tmp_path / "pets").rglob("*.png"):
        Image.open(path).point(lambda value: value + 2).save(path)
    code, _, err = run("train", "digits", "--data-set", "folder:pets", *QUICK, "--name", "d", "--resume")
    assert code == 2
    assert "the files of the images have changed" in err
    drawn = data.load("generated:digits", count=64, seed=9)
    first = whole(loading_inputs(TrainingSource(network="digits", data="generated:digits", count=64), device="cpu"))
    other = operation.model_copy(update={"checkpoint": Path("e.safetensors")})
    with engine.start(other, first.classifier, data=first.train, seed=0) as under_way:
        next(under_way)
    with pytest.raises(engine.GibbonError, match=r"the images of generated:digits.* are drawn otherwise"):
        engine.run(other, first.classifier, data=drawn.subset(range(64)), seed=0)


DIVERGES = ("--learning-rate", "1", "--optimiser", "sgd", "--recipe", "gradient-regularisation weight=1000", "--attacked-count", "0")


def test_a_training_that_diverges_leaves_the_network_of_its_last_good_epoch(run: Run) -> None:
    line = ("train", "digits", "--data-set", "generated:digits", "--count", "300", "--test-count", "40", "--epochs", "2", "--device", "cpu")
    code, out, err = run(*line, *DIVERGES, "--name", "d", "--out", "m")
    assert code == 2
    last = err.splitlines()[-1]
    assert "Training diverged" in last
    assert "of epoch 2" in last
    assert "--learning-rate" in last
    assert "learning_rate" not in last
    assert "“m/d.safetensors” now holds the network of epoch 1" in last
    assert "m/d.safetensors" in out
    card = json.loads(Path("m/d.json").read_text())
    assert card["epochs"] == 1
    loaded = engine.models.load("m/d.safetensors", device="cpu")
    assert all(value.isfinite().all() for value in loaded.module.state_dict().values())
    assert run("replay", "m/d.training.json")[0] == 0
    gentle = ("--epochs", "1", "--attacked-count", "0", "--test-count", "40")
    line = ("train", "digits", "--data-set", "generated:digits", "--count", "64", "--device", "cpu", *gentle, "--learning-rate", "0.001")
    assert run(*line, "--name", "d", "--out", "m")[0] == 2  # as the sentence says, one of these is needed
    assert run(*line, "--name", "d", "--out", "m", "--overwrite")[0] == 0
    assert run(*line, "--name", "e", "--out", "m")[0] == 0


def test_a_training_that_diverges_at_once_says_that_nothing_was_saved(run: Run) -> None:
    line = ("train", "digits", "--data-set", "generated:digits", "--count", "300", "--epochs", "1", "--batch-size", "4", "--held-out", "0")
    code, out, err = run(*line, *DIVERGES[:-3], "gradient-regularisation weight=1e6", "--device", "cpu", "--name", "d", "--out", "m")
    assert (code, out) == (2, "")
    assert "nothing was saved" in err
    assert not Path("m").exists()  # the folder was made for it


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--recipe", "fgsm k=500"], "raise --batch-size"),
        (["--held-out", "64"], "Lower --held-out"),
        (["--recipe", "pgd eps=0.3 +"], "“+”"),
        (["--clean-first", "3", "--epochs", "2"], "clean epochs"),
    ],
)
def test_a_refused_training_makes_no_folder(run: Run, arguments: list[str], sentence: str) -> None:
    code, _, err = run(*DIGITS, "--device", "cpu", "--out", "new/deep", *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert sentence in err
    assert not Path("new").exists()


@pytest.mark.parametrize("recipe", ["pgd eps=0.3 +", "+ pgd", "pgd + + gaussian", "+"])
def test_a_plus_stands_between_two_parts(recipe: str) -> None:
    from engine.defenses import preprocessing

    with pytest.raises(engine.GibbonError, match=r"has a “\+” that no part"):
        Train.build(recipe=recipe)
    with pytest.raises(engine.GibbonError, match=r"has a “\+” that no part"):
        preprocessing.read(recipe.replace("pgd eps=0.3", "jpeg").replace("pgd", "jpeg").replace("gaussian", "bit-depth"))
    assert Train.build(recipe="").recipe == ()
    assert [part.slug for part in Train.build(recipe="pgd+gaussian").recipe] == ["pgd", "gaussian"]
