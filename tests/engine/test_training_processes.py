"""Trainings that are killed, and trainings that several processes share."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.defenses import Train
from engine.defenses.training import Epoch
from engine.errors import GibbonError
from tests.engine.training_process import classifier, images, train

SCRIPT = Path(__file__).with_name("training_process.py")
ROOT = SCRIPT.parents[2]


def _start(*arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )


@cache
def _whole() -> dict[str, torch.Tensor]:
    model = engine.run(train(None), classifier(), data=images(), seed=0).artifacts["model"]
    return {**model.module.state_dict(), **{f"history.{name}": line.float() for name, line in model.history.lines.items()}}


def _kill_after(process: subprocess.Popen[str], steps: int) -> int:
    """Kill a training after so many steps; return the number of the last one that it said."""
    assert process.stdout is not None
    last = -1
    for line in process.stdout:
        last = int(line)
        if last >= steps:
            process.kill()
            break
    process.wait(60)
    process.communicate()
    return last


@pytest.mark.slow
def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    """Killed in the middle of an epoch: the next process begins that epoch again, and the bits are the same."""
    checkpoint, out = tmp_path / "state.safetensors", tmp_path / "out.safetensors"
    steps = len([*engine.start(train(None, epochs=1), classifier(), data=images(), seed=0)])
    _kill_after(_start(out, checkpoint), steps + 5)
    assert checkpoint.exists()
    assert not out.exists()
    process = _start(out, checkpoint)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    expected, found = _whole(), load_file(out)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.slow
def test_killed_again_and_again_the_checkpoint_is_always_whole(tmp_path: Path) -> None:
    checkpoint, out = tmp_path / "state.safetensors", tmp_path / "out.safetensors"
    chance = random.Random(0)
    for _ in range(20):
        _kill_after(_start(out, checkpoint), chance.randrange(1, 40))
    process = _start(out, checkpoint)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    expected, found = _whole(), load_file(out)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_cancelled_at_any_step_it_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    expected = _whole()
    checkpoint = tmp_path / "state.safetensors"
    for stop in (1, 7, 13, 15, 17, 30):  # in an epoch's batches, at its end, in its measurement
        with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
            for _ in range(stop):
                next(run)
    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        for _ in run:
            pass
        model = run.result().artifacts["model"]
    assert all(torch.equal(expected[name], value) for name, value in model.module.state_dict().items())
    assert all(torch.equal(expected[f"history.{name}"], line.float()) for name, line in model.history.lines.items())


def test_two_processes_train_what_one_trains(tmp_path: Path) -> None:
    store = tmp_path / "store"
    outs = [tmp_path / f"{rank}.safetensors" for rank in range(2)]
    processes = [_start(out, "", rank, 2, store) for rank, out in enumerate(outs)]
    for process in processes:
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
    one, other, expected = load_file(outs[0]), load_file(outs[1]), _whole()
    for name, value in expected.items():
        assert torch.equal(one[name], other[name])
        assert torch.allclose(one[name], value, atol=1e-5), name


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"learning_rate": 0.1}, "learning rate"),
        ({"recipe": "gaussian"}, "recipe"),
        ({"batch_size": 8}, "batch size"),
        ({"held_out": 0}, "held out"),
    ],
)
def test_another_training_is_refused_with_the_difference(tmp_path: Path, changed: dict[str, object], name: str) -> None:
    checkpoint = tmp_path / "state.safetensors"
    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        next(run)
    before = checkpoint.read_bytes()
    other = Train.build(**{**train(checkpoint).model_dump(), **changed})
    with pytest.raises(GibbonError, match=name):
        engine.run(other, classifier(), data=images(), seed=0)
    with pytest.raises(GibbonError, match=r"\d+ images there, 200 here"):
        engine.run(train(checkpoint), classifier(), data=images(200), seed=0)
    with pytest.raises(GibbonError, match="seed is 0 there and 1 here"):
        engine.run(train(checkpoint), classifier(), data=images(), seed=1)
    assert checkpoint.read_bytes() == before


def test_a_checkpoint_from_a_newer_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.defenses.training import checkpoints

    checkpoint = tmp_path / "state.safetensors"
    monkeypatch.setattr(checkpoints, "VERSION", 99)
    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        next(run)
    monkeypatch.undo()
    with pytest.raises(GibbonError, match="newer version"):
        engine.run(train(checkpoint), classifier(), data=images(), seed=0)


def test_a_loss_that_is_no_number_stops_at_its_step_and_spares_the_file(tmp_path: Path) -> None:
    checkpoint = tmp_path / "state.safetensors"
    operation = train(checkpoint)
    with engine.start(operation, classifier(), data=images(), seed=0) as run:
        for step in run:
            if step.epoch == 2:
                break
    good = checkpoint.read_bytes()
    broken = classifier()
    with engine.start(operation, broken, data=images(), seed=0) as run:
        next(run)
        fit = run.problem.scratch["fit"]
        with torch.no_grad():
            fit.network[0].weight.fill_(torch.nan)
        with pytest.raises(GibbonError, match=r"no longer a number at step \d+ of epoch 2"):
            for _ in run:
                pass
    assert checkpoint.read_bytes() == good


@pytest.mark.parametrize("spoiled", ["loss", "weights"])
def test_a_training_that_is_cancelled_when_it_has_diverged_spares_the_file(tmp_path: Path, spoiled: str) -> None:
    """The losses are looked at every few steps only: a cancel in between must not save what no training can be resumed from."""
    checkpoint = tmp_path / "state.safetensors"
    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        for step in run:
            if step.epoch == 2:
                break
    good = checkpoint.read_bytes()
    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        next(run)
        with torch.no_grad():
            run.problem.scratch["fit"].network[0].weight.fill_(torch.nan)
        if spoiled == "loss":
            assert not torch.isfinite(next(run).readings["loss"])
    assert checkpoint.read_bytes() == good


def test_weights_without_numbers_at_an_epochs_end_are_refused(tmp_path: Path) -> None:
    """The loss of the last batch is computed before its step: it is a number when the step has ruined the weights."""
    checkpoint = tmp_path / "state.safetensors"
    run = engine.start(train(checkpoint), classifier(), data=images(), seed=0)
    next(run)
    fit = run.problem.scratch["fit"]
    update = fit.optimiser.step

    def ruined() -> None:
        update()
        if len(fit.done) == fit.batches - 1:
            with torch.no_grad():
                fit.network[0].weight.fill_(torch.inf)

    fit.optimiser.step = ruined
    with pytest.raises(GibbonError, match="weights are no longer numbers after step 13 of epoch 1"):
        for _ in run:
            pass
    assert not checkpoint.exists()


def test_a_full_disk_spares_the_checkpoint_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "state.safetensors"
    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        next(run)
    good = checkpoint.read_bytes()

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with engine.start(train(checkpoint), classifier(), data=images(), seed=0) as run:
        next(run)
        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises((GibbonError, OSError)):
            for _ in run:
                pass
    monkeypatch.undo()
    assert checkpoint.read_bytes() == good
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


def test_the_best_epoch_and_patience() -> None:
    operation = Train.build(epochs=30, batch_size=16, held_out=60, patience=2, keep="best", augment="none")
    result = engine.run(operation, classifier(), data=images(), seed=0)
    lines = result.artifacts["model"].history.lines
    best = int(lines["clean"].argmax())
    assert len(lines["clean"]) == best + 3 < 30
    assert result.artifacts["model"].card["epochs"] == best + 3


def test_clean_epochs_leave_the_attack_out() -> None:
    """The last epochs of a schedule are those of plain training: their rows are what the data gave."""
    operation = Train.build(recipe="pgd eps=0.3 steps=2 ramp=0", epochs=3, clean_last=1, clean_first=1, batch_size=16, held_out=0)
    moved = {1: False, 2: False, 3: False}
    for step in engine.start(operation, classifier(), data=images(), seed=0):
        moved[step.epoch] |= not torch.equal(step.clean, step.trained)
    assert moved == {1: False, 2: True, 3: False}


def test_history_holds_what_was_measured() -> None:
    artifacts = engine.run(train(None, epochs=2), classifier(), data=images(), seed=0).artifacts
    lines = artifacts["model"].history.lines
    assert set(lines) == {"loss", "accuracy", "clean", "attacked"}
    assert all(((line >= 0) & (line <= 1)).all() for name, line in lines.items() if name != "loss")
    assert (lines["attacked"] <= lines["clean"]).all()
    (site,) = artifacts["activations"].lines.values()
    assert (site > 0).all()


def test_dropout_draws_by_seed_epoch_and_batch_and_leaves_torchs_generator_alone() -> None:
    """What dropout drops is the same wherever a training begins again, whatever else has drawn; and what follows is not disturbed."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(64, 2))
    model = engine.Classifier(network, ["left", "right"], (1, 8, 8), device="cpu")
    operation = Train.build(epochs=2, batch_size=16, held_out=0, augment="none")
    weights = []
    for before in (1, 2):
        torch.manual_seed(before)
        state = torch.get_rng_state()
        weights.append(engine.run(operation, model, data=images(), seed=0).artifacts["model"].module.state_dict())
        assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    other = engine.run(operation, model, data=images(), seed=1).artifacts["model"].module.state_dict()
    assert not all(torch.equal(weights[0][name], other[name]) for name in other)


@pytest.mark.parametrize(
    ("recipe", "channels", "eps"),
    [
        ("standard", 1, 0.3),
        ("standard", 3, 8 / 255),
        ("pgd eps=0.1", 3, 0.1),
        ("label-smoothing + pgd eps=0.1", 1, 0.1),
        ("label-smoothing + pgd norm=l2 eps=0.5", 3, 8 / 255),
        ("pgd norm=l2 eps=0.5 + trades eps=0.2", 3, 0.2),
        ("vat eps=2.1", 1, 0.3),
        ("stickers", 3, 8 / 255),
        ("advprop", 3, 4 / 255),
    ],
)
def test_each_epoch_is_measured_in_the_ball_for_which_the_recipe_trains(recipe: str, channels: int, eps: float) -> None:
    """A radius of another norm is none of L∞: VAT's 2.1 would leave nothing of an image."""
    assert Train.build(recipe=recipe).quick_attack(channels).eps == pytest.approx(eps)
    assert Train.build(recipe=recipe, quick_eps=0.05).quick_attack(channels).eps == 0.05


def _epochs(attacked: list[float], clean: float = 0.9) -> tuple[Epoch, ...]:
    return tuple(Epoch(number, 0.1, 0.9, clean, share) for number, share in enumerate(attacked, 1))


@pytest.mark.parametrize(
    ("attacked", "ends", "best"),
    [
        ([0.1, 0.3, 0.5, 0.6], False, 3),
        ([0.1, 0.5, 0.26], False, 1),
        ([0.1, 0.5, 0.24], True, 1),
        ([0.1, 0.19, 0.0], False, 1),  # never robust: a fall within the noise is no collapse
        ([0.5, 0.5, 0.5], False, 0),  # the earliest of equals
    ],
)
def test_a_collapse_of_the_robustness_ends_the_training_with_the_best_epoch(attacked: list[float], ends: bool, best: int) -> None:
    """Its clean accuracy does not fall: only the attack shows it."""
    history = _epochs(attacked)
    ending = Train.build(recipe="n-fgsm").ending
    assert bool(ending.why(history)) == ends
    assert ending.kept(history) == ending.best(history) == best
    assert ending.keeps(history) == (best == len(history) - 1)
    spared = Train.build(recipe="n-fgsm stop_at_collapse=no").ending
    assert spared.why(history) == ""
    assert spared.kept(history) == len(history) - 1
