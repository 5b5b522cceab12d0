"""The networks of a training's epochs: they are what the training had then, and their files stay within a budget."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import engine
from engine.artifacts import Model
from engine.data import DataSet
from engine.defenses import Train, TrainStep
from engine.defenses.training import EpochFiles
from engine.models import ARCHITECTURES


@pytest.fixture(scope="module")
def digits() -> DataSet:
    return engine.data.load("generated:digits", count=240, seed=0)


def watched(train: Train, data: DataSet, keep: EpochFiles | None = None) -> tuple[list[dict[str, torch.Tensor]], Model]:
    """Train, and return the weights at the end of each epoch, and the trained network."""
    seen: list[dict[str, torch.Tensor]] = []
    with engine.start(train, ARCHITECTURES["digits"].untrained(device="cpu"), data=data, seed=3) as run:
        for step in run:
            assert isinstance(step, TrainStep)
            if len(step.history) > len(seen):
                model = train.present(run.problem)
                seen.append(dict(model.module.state_dict()))
                if keep is not None:
                    keep.keep(model, step.history[-1].epoch, "mine")
        made = run.result().artifacts["model"]
        assert isinstance(made, Model)
        return seen, made


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_file_of_an_epoch_is_the_network_of_a_training_that_ends_there(digits: DataSet, tmp_path: Path) -> None:
    files = EpochFiles(tmp_path)
    train = Train(epochs=3, batch_size=64, rates="constant")
    seen, made = watched(train, digits, files)
    assert list(files.files) == [1, 2, 3]
    loaded = engine.models.load(str(files.files[2]))
    assert loaded.name == "mine, epoch 2"
    assert (loaded.card["epochs"], loaded.card["held_out"]["epoch"]) == (2, 2)
    shorter = engine.run(train.model_copy(update={"epochs": 2}), ARCHITECTURES["digits"].untrained(device="cpu"), data=digits, seed=3)
    assert same(dict(loaded.module.state_dict()), dict(shorter.artifacts["model"].module.state_dict()))  # type: ignore[union-attr]
    assert same(seen[2], dict(made.module.state_dict()))


def test_the_best_epoch_is_kept_at_the_end_and_every_epoch_is_shown_as_it_is(digits: DataSet) -> None:
    seen, made = watched(Train(epochs=4, batch_size=64, keep="best", learning_rate=0.02), digits)
    epoch = made.card["held_out"]["epoch"]
    assert same(seen[epoch - 1], dict(made.module.state_dict()))
    history = made.history
    assert history is not None
    assert made.card["held_out"]["clean"] == pytest.approx(float(history.lines["clean"][epoch - 1]))
    assert not same(seen[0], seen[-1])


def test_the_card_names_the_attack_with_its_budget_and_the_images(digits: DataSet) -> None:
    _, made = watched(Train(epochs=1, batch_size=64, recipe="fgsm eps=0.2"), digits)  # type: ignore[arg-type]
    held = made.card["held_out"]
    assert (held["attack"], held["images"], held["attacked_images"]) == ("PGD-10 at L∞ 0.2", 24, 24)
    _, without = watched(Train(epochs=1, batch_size=64, held_out=0), digits)
    assert "held_out" not in without.card


def test_files_stay_within_their_budget_and_evenly_spaced(tmp_path: Path) -> None:
    model = Model(torch.nn.Linear(10, 10), {"name": "x"})
    size = 700
    files = EpochFiles(tmp_path, most_bytes=4 * size)
    for epoch in range(1, 41):
        files.keep(model, epoch, "x")
        kept = files.files
        assert max(kept) == epoch
        assert sum(path.stat().st_size for path in kept.values()) <= 4 * size
        assert {path.with_suffix(".json") for path in kept.values()} == set(tmp_path.glob("*.json"))
    assert list(files.files) == [16, 32, 40]


def test_parts_that_do_not_fit_say_so_by_their_names() -> None:
    train = Train(recipe="advprop + fgsm k=100 + label-smoothing confidence=0.05")  # type: ignore[arg-type]
    found = train.misfits(torch.nn.Linear(2, 2), 64, 10, "plain")
    assert set(found) == {"advprop", "fgsm", "label-smoothing"}
    assert "plain" in found["advprop"]
    assert "100" in found["fgsm"]
    assert train.misfits(torch.nn.BatchNorm2d(2), 128, 43, "other").keys() == set()
    assert all(sentence.endswith(".") for sentence in found.values())
