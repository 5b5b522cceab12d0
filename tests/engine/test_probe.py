"""The probe: the time that a training takes, from a few real steps that leave nothing behind."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError
from itertools import islice
from pathlib import Path

import pytest
import torch

import engine
from engine.bits import whole
from engine.defenses import Train
from engine.defenses.training import Estimate, estimate, estimating, probe
from engine.errors import GibbonError
from tests.engine.training_process import classifier, images


class _Clock:
    """A clock that a network moves: a pass takes what the test says, whatever this computer does meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class _Timed(torch.nn.Module):
    """A network whose passes take a second in training mode, and an eighth of one in evaluation mode."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self.layer, self.clock = torch.nn.Linear(64, 2), clock

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.clock.now += 1.0 if self.training else 0.125
        return self.layer(x.flatten(1))

    def __deepcopy__(self, memo: object) -> _Timed:
        made = _Timed(self.clock)
        made.load_state_dict(self.state_dict())
        return made


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> engine.Classifier:
    clock = _Clock()
    monkeypatch.setattr(probe, "time", clock)
    return engine.Classifier(_Timed(clock), ["left", "right"], (1, 8, 8), [0.5], [0.25], device="cpu")


def test_the_estimate_is_steps_times_the_time_of_one(timed: engine.Classifier) -> None:
    """Three epochs of 24 batches; the measurement of 48 images is one clean pass, and 10 + 1 passes of the quick attack."""
    found = estimate(Train.build(epochs=3, batch_size=8, held_out=48, augment="none"), timed, images())
    assert (found.seconds_per_step, found.steps) == (1.0, 72)
    assert found.seconds == pytest.approx(72 + 3 * (1 + 11) * 0.125)
    assert found.words == "about 1 min 16 s, for 72 steps of 1 s"
    with pytest.raises(FrozenInstanceError):
        found.steps = 1  # type: ignore[misc]


def test_a_larger_measurement_counts_every_pass(timed: engine.Classifier) -> None:
    """Of 700 held-out images six passes are clean, and 256 are attacked in two chunks of 10 + 1 passes; of 200, two and two chunks."""
    for count, passes in ((700, 6 + 22), (200, 2 + 22)):
        found = estimate(Train.build(epochs=2, batch_size=100, held_out=count, augment="none"), timed, images(900))
        assert found.seconds == pytest.approx(found.steps + 2 * passes * 0.125)


def test_attacks_and_clean_epochs_count_as_such(timed: engine.Classifier) -> None:
    """The label's FGSM beside the clean rows takes a gradient in evaluation mode, and a second pass in training mode."""
    recipe = "fgsm placed=beside weight=0.5 direction=label"
    train = Train.build(recipe=recipe, epochs=4, batch_size=16, augment="none", held_out=0)
    assert estimate(train, timed, images()).seconds_per_step == 2.125
    one_in_four = estimate(train.model_copy(update={"clean_last": 2, "clean_first": 1}), timed, images())
    assert one_in_four.seconds_per_step == (2.125 + 3 * 1.0) / 4
    assert one_in_four.seconds == 60 * one_in_four.seconds_per_step


def test_a_training_takes_what_was_estimated() -> None:
    train = Train.build(epochs=3, batch_size=16, held_out=24, recipe="pgd eps=0.1 steps=3", augment="none")
    found = estimate(train, classifier(), images())
    began = time.perf_counter()
    engine.run(train, classifier(), data=images())
    assert found.seconds / 5 < time.perf_counter() - began < 5 * found.seconds  # other programs may run meanwhile


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """No file, no changed weight, no draw from torch's own generator; a training that waits in a file is not touched."""
    train = Train.build(epochs=2, batch_size=16, held_out=24, checkpoint=tmp_path / "state.safetensors")
    model = classifier()
    before, state = model.fingerprint, torch.get_rng_state()
    weights = {name: value.clone() for name, value in model.module.state_dict().items()}
    estimate(train, model, images())
    assert not list(tmp_path.iterdir())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weights[name], value) for name, value in model.module.state_dict().items())
    assert before == model.fingerprint
    with engine.start(train, model, data=images()) as run:
        next(run)
    kept = (tmp_path / "state.safetensors").read_bytes()
    estimate(train.model_copy(update={"epochs": 5}), model, images())
    assert (tmp_path / "state.safetensors").read_bytes() == kept


def test_it_ends_where_its_caller_stops(tmp_path: Path) -> None:
    train = Train.build(epochs=2, batch_size=16, checkpoint=tmp_path / "state.safetensors")
    bits = estimating(train, classifier(), images())
    seen = [*islice(bits, 3)]
    bits.close()
    assert [done for done, _ in seen] == [1, 2, 3]
    assert not list(tmp_path.iterdir())
    progress = [*estimating(train, classifier(), images())]
    assert progress[-1][0] == progress[-1][1] == len(progress)


def test_less_than_an_epoch_of_batches_suffices() -> None:
    found = whole(estimating(Train.build(epochs=1, batch_size=200, held_out=0), classifier(), images()))
    assert found.steps == 1
    assert found.seconds == pytest.approx(found.seconds_per_step)


def test_a_training_that_cannot_begin_is_refused_alike() -> None:
    with pytest.raises(GibbonError, match="k is 40"):
        estimate(Train.build(recipe="fgsm k=40", batch_size=16), classifier(), images())


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(0.12, 1560, 200.0), "about 3 min 20 s, for 1,560 steps of 0.12 s"),
        (Estimate(0.0125, 1, 0.0125), "about 0.0 s, for 1 step of 12 ms"),
    ],
)
def test_words(found: Estimate, words: str) -> None:
    assert found.words == words
