"""Training: learns, resumes to the same bits, refuses what does not fit, writes what can be read back."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import engine
from engine.data import DataSet
from engine.defenses import Bounded, BoundedLeaky, Train, TrainStep, accuracy, classifier_of, save_model
from engine.defenses.augmentation import COLOURS, STROKES, Augmentation
from engine.defenses.training.schedule import Schedule
from engine.errors import GibbonError
from engine.models.architectures import ARCHITECTURES
from engine.randomness import BatchRandom


def _net(activation: type[nn.Module] = nn.ReLU) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), activation(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 2))


def _classifier(network: nn.Module | None = None) -> engine.Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return engine.Classifier(network or _net(), ["left", "right"], (1, 8, 8), [0.5], [0.25], name="halves", device="cpu")


def _draws(rows: int, seed: int) -> BatchRandom:
    return BatchRandom(torch.Generator().manual_seed(seed), rows)


def _halves(count: int = 48) -> DataSet:
    """Bright on the left or on the right: a set that anything learns."""
    draw = torch.Generator().manual_seed(3)
    images = torch.randint(0, 90, (count, 1, 8, 8), generator=draw, dtype=torch.uint8)
    targets = torch.arange(count) % 2
    for image, target in zip(images, targets.tolist(), strict=True):
        image[..., 4 * target : 4 * target + 4] += 120
    return DataSet("halves", ("left", "right"), images, targets, "made up")


def _trained(seed: int = 0, **parameters: object) -> engine.Result:
    result: engine.Result = engine.run(
        Train.build(**({"epochs": 3, "batch_size": 8} | parameters)), _classifier(), data=_halves(), seed=seed
    )
    return result


def test_a_card_keeps_what_training_does_not_change() -> None:
    """Facts that no weights hold, the input transform of GoogLeNet among them: without them the file would be read otherwise."""
    facts = {"architecture": "torchvision:googlenet", "transform_input": True, "slope": 0.1}
    classifier = engine.Classifier(_net(), ["left", "right"], (1, 8, 8), [0.5], [0.25], device="cpu", card={**facts, "accuracy": 0.5})
    card = engine.run(Train(epochs=1, batch_size=48), classifier, data=_halves(), seed=0).artifacts["model"].card
    assert facts.items() <= card.items()
    assert (card["mean"], card["std"]) == ([0.5], [0.25])
    assert "accuracy" not in card


def test_learns_and_leaves_the_given_classifier_alone() -> None:
    classifier = _classifier()
    before = classifier.fingerprint
    result = engine.run(Train(epochs=6, batch_size=8, learning_rate=0.03, augment="none"), classifier, data=_halves(), seed=0)
    model = result.artifacts["model"]
    assert accuracy(classifier_of(model), _halves()) == 1.0
    assert accuracy(classifier, _halves()) < 1.0
    assert _classifier().fingerprint == before == classifier.fingerprint
    assert model.history.x.tolist() == [1, 2, 3, 4, 5, 6]
    assert model.history.lines["loss"][-1] < model.history.lines["loss"][0]


def test_a_step_is_one_batch() -> None:
    run = engine.start(Train(epochs=2, batch_size=10), _classifier(), data=_halves(), seed=0)
    steps = [step for step in run if isinstance(step, TrainStep)]
    assert [step.index for step in steps] == list(range(8))
    assert {step.total for step in steps} == {7}
    assert [step.epoch for step in steps] == [1] * 4 + [2] * 4


def test_nothing_in_a_step_changes_after_it_was_yielded() -> None:
    """Steps that are kept say later what they said when they came: a window may draw them while the training goes on."""
    run = engine.start(Train(epochs=3, batch_size=10), _classifier(), data=_halves(), seed=0)
    kept, said = [], []
    for step in run:
        assert isinstance(step, TrainStep)
        kept.append(step)
        said.append((step.index, step.epoch, step.history, *(float(value) for value in step.readings.values())))
        with pytest.raises(FrozenInstanceError):
            step.epoch = 7  # type: ignore[misc]
    after = [(step.index, step.epoch, step.history, *(float(value) for value in step.readings.values())) for step in kept]
    assert after == said
    assert [len(step.history) for step in kept] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]  # an epoch's last batch finishes it
    assert {tuple(step.readings) for step in kept} == {("loss", "accuracy")}
    assert [step.share_done for step in kept] == [pytest.approx((number + 1) / 12) for number in range(12)]
    assert kept[4].news == "epoch 2 of 3"
    losses = [float(step.loss) for step in kept]
    for number, epoch in enumerate(kept[-1].history):
        assert epoch.epoch == number + 1
        assert epoch.loss == pytest.approx(sum(losses[4 * number : 4 * number + 4]) / 4)


def test_whoever_stops_at_the_last_batch_of_an_epoch_keeps_it(tmp_path: Path) -> None:
    train = Train(epochs=2, batch_size=10, checkpoint=tmp_path / "state.safetensors")
    with engine.start(train, _classifier(), data=_halves(), seed=0) as run:
        for _ in range(4):
            next(run)
    with engine.start(train, _classifier(), data=_halves(), seed=0) as run:
        first = next(run)
    assert isinstance(first, TrainStep)
    assert (first.epoch, len(first.history)) == (1, 1)


def test_two_runs_of_one_operation_train_two_networks() -> None:
    train = Train(epochs=1, batch_size=10)
    one, other = (engine.start(train, _classifier(), data=_halves(), seed=seed) for seed in (0, 1))
    for first, second in zip(one, other, strict=True):
        assert not torch.equal(first.readings["loss"], second.readings["loss"])
    left, right = (run.result().artifacts["model"].module.state_dict() for run in (one, other))
    assert any(not torch.equal(left[name], right[name]) for name in left)


def test_seed_decides_the_weights() -> None:
    same, again, other = (_trained(seed).artifacts["model"].module.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(same[name], again[name]) for name in same)
    assert any(not torch.equal(same[name], other[name]) for name in same)


@pytest.mark.parametrize("activation", ["keep", "bounded", "bounded-leaky"])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path: Path, activation: str) -> None:
    whole = _trained(activation=activation).artifacts["model"]
    train = Train.build(epochs=3, batch_size=8, activation=activation, checkpoint=tmp_path / "state.safetensors")
    with engine.start(train, _classifier(), data=_halves(), seed=0) as run:
        for _ in range(15):  # in the third epoch, after which the cancelled run is saved as it stands
            next(run)
    with engine.start(train, _classifier(), data=_halves(), seed=0) as run:
        steps = [step for step in run if isinstance(step, TrainStep)]
        resumed = run.result().artifacts["model"]
    assert (steps[0].epoch, steps[0].index) == (3, 15)
    expected, found = whole.module.state_dict(), resumed.module.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert torch.equal(whole.history.lines["loss"], resumed.history.lines["loss"])
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


def test_a_finished_checkpoint_gives_its_model_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    first, second = (_trained(checkpoint=path).artifacts["model"].module.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    _trained(epochs=1, checkpoint=path)
    kept = path.read_bytes()
    with pytest.raises(GibbonError, match="belongs to another training: epochs is 1 there and 2 here"):
        _trained(epochs=2, checkpoint=path)
    assert path.read_bytes() == kept
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(GibbonError, match="not a training checkpoint"):
        _trained(epochs=1, checkpoint=path)


def test_without_normalisation_bounds_are_the_first_batchs_quantile() -> None:
    data = _halves()
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
    train = Train(epochs=1, batch_size=48, augment="none", fresh=False, activation="bounded")
    model = engine.run(train, _classifier(network), data=data, seed=0).artifacts["model"]
    images = (data.batch(slice(None))[0] - 0.5) / 0.25
    with torch.no_grad():
        values = network[1](network[0](images)).clamp_min(0).flatten().sort().values
    rank = -(-995 * len(values) // 1000)
    assert model.card["bounds"] == {"2": pytest.approx(float(values[rank - 1]), rel=1e-5)}


def test_with_normalisation_bounds_start_at_one_and_only_the_leaky_one_moves() -> None:
    fixed, trained = (_trained(activation=name).artifacts["model"].card["bounds"]["2"] for name in ("bounded", "bounded-leaky"))
    assert fixed == 1.0
    assert trained != 1.0
    assert trained == pytest.approx(1.0, abs=0.3)


def test_weight_decay_leaves_bounds_and_biases_alone() -> None:
    from engine.defenses.training.schedule import _groups

    network = ARCHITECTURES["signs"].build("bounded-leaky")
    decayed, free = _groups(network, 0.1)
    raw = [module.raw_bound for module in network.modules() if isinstance(module, BoundedLeaky)]
    assert len(raw) == 6
    assert decayed["weight_decay"] == 0.1
    assert free["weight_decay"] == 0.0
    assert all(any(p is q for q in free["params"]) for p in raw)
    assert {p.ndim for p in decayed["params"]} == {2, 4}


@pytest.mark.parametrize("name", ["digits", "signs", "objects"])
@pytest.mark.parametrize(
    ("activation", "kind", "more"), [("relu", nn.ReLU, 0), ("bounded", Bounded, 0), ("bounded-leaky", BoundedLeaky, 1)]
)
def test_architectures(name: str, activation: str, kind: type[nn.Module], more: int) -> None:
    architecture = ARCHITECTURES[name]
    classifier = architecture.untrained(activation, device="cpu")
    rectifiers = [module for module in classifier.module.modules() if isinstance(module, kind)]
    sites = classifier.sites
    assert len(sites) == len(rectifiers) == {"digits": 3, "signs": 6, "objects": 5}[name]
    assert [site.name for site in sites] == [f"act{index + 1}" for index in range(len(sites))]
    counted = sum(p.numel() for p in classifier.module.parameters())
    assert counted == {"digits": 38_390, "signs": 309_515, "objects": 139_802}[name] + more * len(sites)


def test_saved_model_and_card_make_the_same_classifier(tmp_path: Path) -> None:
    model = _trained(activation="bounded-leaky").artifacts["model"]
    weights, card = save_model(model, tmp_path / "halves", name="halves-bounded-leaky", accuracy=0.5)
    facts = json.loads(card.read_text())
    assert (facts["name"], facts["accuracy"], facts["activation"], facts["epochs"]) == ("halves-bounded-leaky", 0.5, "bounded-leaky", 3)
    network = _net(BoundedLeaky)
    network.load_state_dict(load_file(weights))
    images, _ = _halves().batch(slice(None))
    with torch.no_grad():
        plain = network.eval()((images - torch.tensor(facts["mean"])) / torch.tensor(facts["std"]))
        made = classifier_of(model, device="cpu")(images)
        torch.testing.assert_close(made, plain)  # the order in memory decides the last digits
        loaded = engine.Classifier(network, facts["labels"], tuple(facts["input_shape"]), facts["mean"], facts["std"], device="cpu")
        assert torch.equal(loaded(images), made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["halves.json", "halves.safetensors"]


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is wanted")
    model = _trained(epochs=1).artifacts["model"]
    with pytest.raises(GibbonError, match="cannot be written"):
        save_model(model, tmp_path / "taken" / "halves")  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match="There is no folder"):
        _trained(epochs=1, checkpoint=tmp_path / "taken" / "state.safetensors")


def test_what_does_not_fit_is_said() -> None:
    data = _halves()
    with pytest.raises(GibbonError, match="give a data set"):
        engine.run(Train(), _classifier())
    with pytest.raises(GibbonError, match="takes"):
        engine.run(Train(), ARCHITECTURES["digits"].untrained(device="cpu"), data=data)
    with pytest.raises(GibbonError, match=r"have 1 channel, but .* takes 3: give data.with_channels\(3\)"):
        engine.run(Train(), ARCHITECTURES["signs"].untrained(device="cpu"), data=data)
    three = DataSet("three", ("a", "b", "c"), data.images, data.targets, "made up")
    with pytest.raises(GibbonError, match="has no class “a”, “b”"):
        engine.run(Train(), _classifier(), data=three)
    with pytest.raises(GibbonError, match="epochs"):
        Train.build(epochs=0)

    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(64, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.dense(torch.relu(x.flatten(1)))

    with pytest.raises(GibbonError, match="as functions"):
        engine.run(Train(activation="bounded"), _classifier(Functional()), data=data)


class _Fragile(nn.Module):
    """The more "right" there is in the data, the further ``weight`` falls; below 0 its logarithm is no number."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(64, 2)
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x.flatten(1)) + torch.stack([self.weight.log(), torch.zeros(())])


def test_channels_of_images_are_converted_like_opened_ones() -> None:
    """Grey is repeated; colours become Pillow's grey, to the last bit."""
    draw = torch.Generator().manual_seed(0)
    colours = torch.randint(0, 256, (5, 3, 8, 9), generator=draw, dtype=torch.uint8)
    data = DataSet("made", ("a",), colours, torch.zeros(5, dtype=torch.int64), "made up")
    grey = data.with_channels(1).images
    for image, found in zip(colours, grey, strict=True):
        expected = np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert np.array_equal(found[0].numpy(), expected)
    assert torch.equal(data.with_channels(1).with_channels(3).images, grey.expand(-1, 3, -1, -1))
    assert data.with_channels(3) is data


def test_divergence_is_an_error_not_a_model() -> None:
    data = _halves()
    always_right = DataSet("right", data.labels, data.images, torch.ones_like(data.targets), "made up")
    train = Train(epochs=3, batch_size=8, fresh=False, augment="none", learning_rate=1.0)
    with pytest.raises(GibbonError, match="diverged"):
        engine.run(train, _classifier(_Fragile()), data=always_right)


@pytest.mark.parametrize(("augmentation", "channels"), [(STROKES, 1), (COLOURS, 3)])
def test_augmentation_stays_in_range_and_follows_its_generator(augmentation: Augmentation, channels: int) -> None:
    images = torch.rand(16, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    first, again, other = (augmentation(images, _draws(16, seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == images.shape
    assert float(first.min()) >= 0.0
    assert float(first.max()) <= 1.0


def test_no_augmentation_changes_nothing() -> None:
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(1e-3, 1)
    assert torch.allclose(Augmentation()(images, _draws(4, 0)), images, atol=1e-5)


def test_rotation_by_a_right_angle_is_a_rotation() -> None:
    """One draw decides the angle: an image turned by the drawn angle equals the reference turned by it."""
    images = torch.zeros(1, 1, 33, 33)
    images[..., 16, 26] = 1.0  # ten pixels right of the middle
    turned = Augmentation(rotation=15)(images, _draws(len(images), 5))
    angle = (2 * torch.rand(1, 1, 1, 1, generator=torch.Generator().manual_seed(5)) - 1).item() * torch.pi * 15 / 180
    y, x = (turned[0, 0] == turned.max()).nonzero()[0].tolist()
    # Sampling turns the grid by the angle, so the picture turns the other way.
    expected = torch.tensor([10 * torch.cos(torch.tensor(angle)), -10 * torch.sin(torch.tensor(angle))])
    assert torch.allclose(torch.tensor([x - 16.0, y - 16.0]), expected, atol=1.0)


@pytest.mark.parametrize("warm_up", [0.2, 0.5])
def test_the_rate_rises_linearly_over_the_warm_up_and_falls_as_a_cosine(warm_up: float) -> None:
    schedule = Schedule(epochs=10, batch_size=8, learning_rate=0.4, weight_decay=0.0, warm_up=warm_up)
    assert schedule.rate(0) == pytest.approx(0.05 * 0.4)
    assert schedule.rate(warm_up / 2) == pytest.approx(0.525 * 0.4)
    assert schedule.rate(warm_up) == pytest.approx(0.4)
    assert schedule.rate((1 + warm_up) / 2) == pytest.approx(0.2)
    assert schedule.rate(1) == pytest.approx(0, abs=1e-12)
    rates = [schedule.rate(step / 100) for step in range(101)]
    top = round(100 * warm_up)
    assert all(low < high for low, high in pairwise(rates[: top + 1]))
    assert all(high > low for high, low in pairwise(rates[top:]))
