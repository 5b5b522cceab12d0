"""The targeted attack with a proximity term: closed forms, its proximal step, and its curve."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import engine
from engine import attacks
from tests.engine.conftest import linear_classifier
from tests.engine.test_closed_forms import middle_images, weights

TARGETS = torch.ones(5, dtype=torch.int64)
LABELS = torch.zeros(5, dtype=torch.int64)


def optimum(classifier: engine.Classifier, images: Tensor, norm: str, weight: float) -> Tensor:
    """Of two linear classes with ``d = w_1 - w_0``: ``softplus(-(m + <d, delta>)) + weight * D(delta)``, no clamp acting.

    l2: ``delta = s * d`` with ``2 * weight * s = sigmoid(-(m + s * ||d||^2))``, by bisection. l1: one value, the one with the largest |d|,
    moves until ``|d| * sigmoid(-(m + |d| * s)) = weight``.
    """
    w, _ = weights(classifier)
    d = w[1] - w[0]
    logits = classifier(images)
    m = logits[:, 1] - logits[:, 0]
    if norm == "l1":
        place = int(d.abs().argmax())
        size = d[place].abs()
        s = ((size / weight - 1).log() - m) / size
        delta = torch.zeros(len(images), len(d), dtype=images.dtype)
        delta[:, place] = s.clamp_min(0) * d[place].sign()
        return delta.view_as(images)
    low, high = torch.zeros_like(m), torch.full_like(m, 1 / (2 * weight))
    for _ in range(100):
        s = (low + high) / 2
        rises = torch.sigmoid(-(m + s * (d @ d))) > 2 * weight * s
        low, high = torch.where(rises, s, low), torch.where(rises, high, s)
    return (low[:, None] * d).view_as(images)


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_it_reaches_the_optimum_of_a_linear_model(linear: engine.Classifier, norm: str, reduction: str) -> None:
    images = middle_images()
    w, _ = weights(linear)
    pull = (w[1] - w[0]).abs().max() * linear(images).softmax(1)[:, 0]  # what l1 must outweigh to leave the image alone
    weight = 0.5 if norm == "l2" else 0.97 * float(pull.max())
    scaled = weight * (16 if reduction == "mean" else 1)
    attack = attacks.Proximity.build(norm=norm, weight=scaled, reduction=reduction, steps=150, step_size=0.5 if norm == "l2" else 5)
    *_, last = engine.start(attack, linear, images, labels=LABELS, targets=TARGETS)
    expected = optimum(linear, images, norm, weight)
    assert float(expected.abs().max()) > 0.01
    assert float((images + expected).min()) > 0
    assert float((images + expected).max()) < 1
    torch.testing.assert_close(last.adversarial - images, expected, rtol=0, atol=1e-7)
    margin = linear(images + expected) @ torch.tensor([-1.0, 1.0], dtype=torch.float64)
    distance = expected.flatten(1).norm(dim=1) ** 2 if norm == "l2" else expected.flatten(1).abs().sum(1)
    torch.testing.assert_close(last.loss, -(F.softplus(-margin) + weight * distance), rtol=0, atol=1e-9)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_without_weight_it_is_the_free_attack(norm: str, small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    targets = (labels + 1) % 5
    attack = attacks.Proximity.build(norm=norm, weight=0, steps=8)
    steps = list(engine.start(attack, small64, images, labels=labels, targets=targets))
    x = images
    for step in steps[1:]:
        x = x.requires_grad_()
        gradient = torch.autograd.grad(F.cross_entropy(small64(x), targets, reduction="sum"), x)[0]
        x = (x - 0.5 * gradient).clamp(0, 1).detach()
        torch.testing.assert_close(step.adversarial, x, rtol=0, atol=1e-12)


def test_a_vanishing_weight_tends_to_the_free_attack(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    given = {"labels": labels, "targets": (labels + 1) % 5}
    ends = {}
    for weight in (1e-2, 1e-4, 0.0):
        *_, last = engine.start(attacks.Proximity(weight=weight, steps=8), small64, images, **given)
        ends[weight] = last.adversarial
    near, nearer = (float((ends[weight] - ends[0.0]).abs().max()) for weight in (1e-2, 1e-4))
    assert nearer < 1e-4
    assert nearer < near / 10


@pytest.mark.parametrize(("optimizer", "step_size"), [("descent", 2), ("adam", 0.02)])
def test_l1_leaves_values_exactly_alone_and_l2_hardly_any(
    optimizer: str, step_size: float, small64: engine.Classifier, images: Tensor
) -> None:
    labels = small64.predict(images)
    given = {"labels": labels, "targets": (labels + 1) % 5}
    zeros = {}
    for norm in ("l1", "l2"):
        attack = attacks.Proximity.build(norm=norm, weight=0.5, steps=40, optimizer=optimizer, step_size=step_size)
        result = engine.run(attack, small64, images, **given)
        assert bool(result.success.all())
        zeros[norm] = float((result.adversarial == images).double().mean())
    assert zeros["l1"] > zeros["l2"] + 0.2
    assert zeros["l2"] < 0.15


def test_the_kept_image_is_the_successful_one_with_the_smallest_sum(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    targets = (labels + 2) % 5
    run = engine.start(attacks.Proximity(weight=0.5, steps=30), small64, images, labels=labels, targets=targets)
    best = torch.full((6,), -torch.inf, dtype=torch.float64)
    for step in run:
        reached = step.logits.argmax(1) == targets
        best = torch.where(reached & (step.loss > best), step.loss, best)
    result = run.result()
    assert bool(result.success.all())
    torch.testing.assert_close(result.loss, best)
    total = F.cross_entropy(result.logits, targets, reduction="none") + 0.5 / 192 * result.norms["l1"]
    torch.testing.assert_close(result.loss, -total)


def test_the_curve_is_that_of_single_runs(small64: engine.Classifier, images: Tensor) -> None:
    """A weight of the curve gives what a run with that weight alone gives."""
    labels = small64.predict(images)
    given = {"labels": labels, "targets": (labels + 1) % 5}
    attack = attacks.Proximity(weight=10, steps=20, curve=4)
    assert attack.weights == pytest.approx([10, 0.1, 1, 10, 100])
    result = engine.run(attack, small64, images, **given)
    alone = engine.run(attacks.Proximity(weight=10, steps=20), small64, images, **given)
    torch.testing.assert_close(result.adversarial, alone.adversarial)
    distance, share = result.artifacts["distance"], result.artifacts["probability"]
    assert distance.x.tolist() == pytest.approx([0.1, 1, 10, 10, 100])
    for place, weight in enumerate(distance.x.tolist()):
        single = engine.run(attacks.Proximity(weight=weight, steps=20), small64, images, **given)
        p = single.logits.softmax(1).gather(1, given["targets"][:, None])[:, 0]
        torch.testing.assert_close(distance.lines["L1"][place], single.norms["l1"].median(), rtol=1e-5, atol=1e-9)
        torch.testing.assert_close(share.lines["probability of the target"][place], p.median(), rtol=1e-5, atol=1e-9)
        assert float(share.lines["success"][place]) == pytest.approx(float(single.success.double().mean()))
    assert float(distance.lines["L1"][0]) > float(distance.lines["L1"][3])


def test_a_long_curve_goes_through_a_part_at_a_time(small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that memory has no room for wait; the numbers are the same."""
    labels = small64.predict(images)
    given = {"labels": labels, "targets": (labels + 1) % 5}
    attack = attacks.Proximity(weight=1, steps=5, curve=3)
    at_once = engine.run(attack, small64, images, **given)
    monkeypatch.setattr("engine.attacks.proximity.rows_with_graph", lambda *_: 7)
    in_parts = engine.run(attack, small64, images, **given)
    torch.testing.assert_close(in_parts.adversarial, at_once.adversarial)
    for name, curve in at_once.artifacts.items():
        for line, values in curve.lines.items():
            torch.testing.assert_close(in_parts.artifacts[name].lines[line], values)
    assert (in_parts.forwards, in_parts.backwards) == (at_once.forwards, at_once.backwards)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_no_step_of_automatic_length_leaps_past_the_target(norm: str, images: Tensor) -> None:
    """The gradient is hundreds of times as long as the image is far across: with a length that was given it leaps."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 3)).double()
    module[1].weight.data *= 1000
    classifier = engine.Classifier(module, ["a", "b", "c"], tuple(images.shape[1:]), name="steep", device="cpu")
    given = {"labels": classifier.predict(images), "targets": (classifier.predict(images) + 1) % 3}
    lengths = []
    for step_size in (None, 0.5):
        attack = attacks.Proximity.build(norm=norm, weight=1, steps=1, step_size=step_size)
        *_, last = engine.start(attack, classifier, images, **given)
        lengths.append((last.adversarial - images).flatten(1).norm(dim=1))
    assert float(lengths[0].max()) <= 1 + 1e-9
    assert float(lengths[1].min()) > 2


def test_a_curve_needs_a_weight_to_spread() -> None:
    with pytest.raises(engine.GibbonError, match="Give a weight"):
        attacks.Proximity.build(weight=0, curve=3)


def test_the_swapped_loss_does_not_leave_a_sure_classifier() -> None:
    """Its gradient carries p (1 - p): in float32 nothing moves, where cross-entropy succeeds."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    module[1].weight.data = 20 * torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    classifier = engine.Classifier(module, ["a", "b", "c"], (1, 4, 4), name="sure", device="cpu")
    images = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    labels = classifier.predict(images)
    sure = classifier(images).softmax(1).amax(1) > 1 - 1e-6
    images, labels = images[sure], labels[sure]
    assert len(images) > 5
    given = {"labels": labels, "targets": (labels + 1) % 3}
    lecture = attacks.Proximity.build(**attacks.Proximity.preset("Wang's lecture: its code, l1").values, steps=30)
    assert not bool(engine.run(lecture, classifier, images, **given).success.any())
    assert bool(engine.run(attacks.Proximity(weight=1, steps=30), classifier, images, **given).success.all())


def test_zero_gradients_leave_the_image_as_it_is(images: Tensor) -> None:
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([2.0, 0.0], dtype=x.dtype).expand(len(x), 2) + 0 * x.flatten(1).sum(1, keepdim=True)

    classifier = engine.Classifier(Constant().double(), ["a", "b"], (3, 8, 8), name="constant", device="cpu")
    targets = torch.ones(6, dtype=torch.int64)
    for optimizer in ("descent", "adam"):
        result = engine.run(attacks.Proximity.build(optimizer=optimizer, steps=3), classifier, images.float(), targets=targets)
        assert torch.equal(result.adversarial, result.clean)
        assert not bool(result.success.any())


def test_linear_classifier_of_many_classes_reaches_every_target() -> None:
    """All targets of one image as rows of one batch."""
    classifier = linear_classifier(classes=7)
    image = middle_images(1)
    label = int(classifier.predict(image)[0])
    targets = torch.tensor([k for k in range(7) if k != label])
    given = {"labels": torch.full((6,), label), "targets": targets}
    result = engine.run(attacks.Proximity(weight=0.02, steps=100), classifier, image.expand(6, -1, -1, -1), **given)
    assert torch.equal(result.prediction[result.success], targets[result.success])
    assert int(result.success.sum()) >= 5


@pytest.mark.data
@pytest.mark.slow
def test_the_ten_targets_of_the_lecture() -> None:
    """Test digit 0 ("7"), cross-entropy, means: distances of the nine foreign targets for lambda 0, 1, 5, 30."""
    classifier = engine.models.load("digits-lecture", device="cpu")
    images, labels = engine.data.load("mnist", "test").batch([0])
    assert labels.tolist() == [7]
    targets = torch.tensor([t for t in range(10) if t != 7])
    expected = {"l1": [6.04, 4.69, 3.82, 3.86], "l2": [6.04, 4.81, 3.31, 2.89]}
    for norm, distances in expected.items():
        for weight, distance in zip([0, 1, 5, 30], distances, strict=True):
            given = {"labels": labels.expand(9), "targets": targets}
            result = engine.run(attacks.Proximity.build(norm=norm, weight=weight), classifier, images.expand(9, -1, -1, -1), **given)
            p = result.logits.softmax(1).gather(1, targets[:, None])
            print(norm, weight, distance, float(result.norms["l2"].mean()), float(p.median()), float(p.min()))
            assert bool(result.success.all())
            assert float(result.norms["l2"].mean()) <= 1.25 * distance
            assert float(p.median()) >= (0.99 if weight <= 1 else 0.9)
