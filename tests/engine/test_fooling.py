"""Fooling images: the noise, the steps, and the lecture's loss as Keras computes it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import engine
from engine import attacks
from engine.attacks.toolkit.lecture_loss import swapped, target_probability
from tests.engine.conftest import linear_classifier

LECTURE = attacks.FoolingImage.preset("Wang's lecture: fake image").values
PAPER = attacks.FoolingImage.preset("Goodfellow et al. 2014, figure 5").values


def keras_binary_crossentropy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """As Keras has it, in float32: clip the second argument, turn it into a logit, and compare the first with it."""
    epsilon = np.float32(1e-7)
    clipped = np.clip(y_pred.astype(np.float32), epsilon, np.float32(1) - epsilon)
    z = np.log(clipped / (1 - clipped))
    return (np.maximum(z, 0) - z * y_true + np.log1p(np.exp(-np.abs(z)))).mean(-1)


def test_the_swapped_loss_is_what_keras_computes_with_its_arguments_swapped() -> None:
    logits = 4 * torch.randn(64, 10, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(64) % 10
    p = logits.softmax(1)
    literal = keras_binary_crossentropy(p.numpy(), F.one_hot(targets, 10).numpy())
    np.testing.assert_allclose(swapped(logits, targets).numpy(), literal, atol=3e-6)
    np.testing.assert_allclose(literal, 3.206 * (1 - p[torch.arange(64), targets].numpy()), atol=1e-3)


def test_the_lectures_ten_losses_are_its_probabilities() -> None:
    """What the slides print: the last loss, 0.00787604, belongs to p = 0.99754."""
    p = torch.tensor([0.05210, 0.99754], dtype=torch.float64)
    logits = torch.stack([p.log(), (1 - p).log()], 1)
    logits = torch.cat([logits, torch.full((2, 8), -60.0, dtype=torch.float64)], 1)
    found = swapped(logits, torch.zeros(2, dtype=torch.int64))
    torch.testing.assert_close(found, torch.tensor([3.039003, 0.00787604], dtype=torch.float64), rtol=0, atol=2e-4)


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("direction", ["gradient", "sign"])
def test_a_step_on_a_linear_model_is_the_written_one(direction: str, clip: bool) -> None:
    """dCE/dx = W^T (softmax - onehot), from the noise of the first iterate."""
    classifier = linear_classifier(classes=4)
    layer = classifier.module[1]  # type: ignore[index]
    targets = torch.tensor([0, 3, 1])
    attack = attacks.FoolingImage.build(direction=direction, step_size=0.7, steps=2, clip=clip)
    first, *rest = engine.start(attack, classifier, targets=targets, seed=4)
    x = first.adversarial
    for step in rest:
        p = F.softmax(x.flatten(1) @ layer.weight.T + layer.bias, 1)
        gradient = ((p - F.one_hot(targets, 4)) @ layer.weight).reshape_as(x)
        x = x - 0.7 * (gradient if direction == "gradient" else gradient.sign())
        x = x.clamp(0, 1) if clip else x
        torch.testing.assert_close(step.adversarial, x.clamp(0, 1))
        torch.testing.assert_close(step.pixels, x)


def test_the_trace_is_linear_in_the_probability_along_the_run(small64: engine.Classifier) -> None:
    targets = torch.tensor([0, 1, 2, 3])
    result = engine.run(attacks.FoolingImage.build(**LECTURE), small64, targets=targets, seed=1)
    loss, p = result.artifacts["loss"], result.artifacts["probability"]
    assert loss.x.tolist() == list(range(11))
    scale = (-math.log(2**-23) - math.log(1e-7)) / 5
    for name in ("class 0", "class 3"):
        torch.testing.assert_close(loss.lines[name], scale * (1 - p.lines[name]))


def test_what_is_handed_over_without_the_clamp_is_the_clamped_image_and_says_so(small64: engine.Classifier) -> None:
    """The descent's pixels are no image: loss, logits and success are those of the image, the curves those of the pixels."""
    targets = torch.tensor([0, 1, 2, 3])
    attack = attacks.FoolingImage(begin="gaussian", center=0, spread=1, clip=False, loss="prob_linear")
    result = engine.run(attack, small64, targets=targets)
    pixels = result.artifacts["unclipped"].values
    assert float(pixels.min()) < 0
    torch.testing.assert_close(result.logits, small64(result.adversarial))
    torch.testing.assert_close(result.loss, -swapped(result.logits, targets))
    last = torch.stack([line[-1] for line in result.artifacts["probability"].lines.values()])
    torch.testing.assert_close(last, target_probability(small64(pixels), targets))
    clipped = engine.run(attacks.FoolingImage(), small64, targets=targets)
    assert "unclipped" not in clipped.artifacts


@pytest.mark.parametrize(("spread", "clip"), [(0.25, True), (1.0, False)])
def test_gaussian_noise_has_its_mean_and_deviation(small64: engine.Classifier, spread: float, clip: bool) -> None:
    attack = attacks.FoolingImage(begin="gaussian", center=0.5, spread=spread, clip=clip)
    first = next(engine.start(attack, small64, targets=torch.zeros(40, dtype=torch.int64)))
    assert float(first.pixels.mean()) == pytest.approx(0.5, abs=0.03)
    expected = 1.0 if not clip else float((0.5 + 0.25 * torch.randn(100_000, generator=torch.Generator().manual_seed(1))).clamp(0, 1).std())
    assert float(first.pixels.std()) == pytest.approx(expected, rel=0.03)


def test_the_seeds_of_rows_differ_and_the_image_may_be_the_start(small64: engine.Classifier, images: Tensor) -> None:
    targets = torch.ones(6, dtype=torch.int64)
    noise = next(engine.start(attacks.FoolingImage(), small64, targets=targets)).adversarial
    assert not torch.equal(noise[0], noise[1])
    start = next(engine.start(attacks.FoolingImage(begin="image"), small64, images, targets=targets)).adversarial
    assert torch.equal(start, images)


def test_any_class_may_be_grown_whatever_the_image_on_the_canvas_is(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    result = engine.run(attacks.FoolingImage(), small64, images, labels=labels, targets=labels)
    assert bool(result.success.all())
    with pytest.raises(engine.GibbonError, match="reach from 0 to 5"):
        engine.run(attacks.FoolingImage(), small64, targets=torch.arange(6))


def test_without_a_target_it_says_what_is_missing(small64: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(engine.GibbonError, match="class to reach"):
        engine.run(attacks.FoolingImage(), small64, images)


def test_many_rows_are_told_by_quartiles_and_twins_by_their_row(small64: engine.Classifier) -> None:
    few = engine.run(attacks.FoolingImage(steps=2), small64, targets=torch.tensor([1, 2, 1]))
    assert set(few.artifacts["loss"].lines) == {"class 1 (0)", "class 2", "class 1 (2)"}
    many = engine.run(attacks.FoolingImage(steps=2), small64, targets=torch.arange(11) % 5)
    lines = many.artifacts["loss"].lines
    assert list(lines) == ["lower quartile", "median", "upper quartile"]
    torch.testing.assert_close(lines["median"], -many.trace.median(1).values)


def test_presets_are_the_published_settings() -> None:
    lecture, paper = attacks.FoolingImage.build(**LECTURE), attacks.FoolingImage.build(**PAPER)
    assert (lecture.steps, lecture.length, lecture.loss, lecture.begin, lecture.clip) == (10, 0.5, "prob_linear", "uniform", False)
    assert (paper.steps, paper.direction, paper.begin, paper.center, paper.spread) == (1, "sign", "gaussian", 0, 1)


@pytest.mark.data
def test_on_the_shipped_digits_every_class_is_grown_from_noise() -> None:
    digits = engine.models.load("digits", device="cpu")
    targets = torch.arange(10).repeat(10)
    result = engine.run(attacks.FoolingImage(), digits, targets=targets)
    assert float(result.success.float().mean()) >= 0.97
    assert float(target_probability(result.logits, targets).median()) > 0.9


@pytest.mark.data
@pytest.mark.parametrize("target", [0, 3])
def test_the_lectures_fake_image_on_a_network_trained_the_lectures_way(target: int) -> None:
    """256 starts of the lecture's settings. Which class is easy depends on the training's seed, so both are asked for the same."""
    classifier = engine.models.load("digits-lecture", device="cpu")
    targets = torch.full((256,), target)
    result = engine.run(attacks.FoolingImage.build(**LECTURE), classifier, targets=targets)
    p = target_probability(classifier(result.artifacts["unclipped"].values), targets)
    trace = result.artifacts["loss"].lines["median"]
    print(target, float((p > 0.9).float().mean()), [round(v, 3) for v in trace.tolist()])
    assert float((p >= 0.99).float().mean()) >= 0.85
    assert 2.4 <= float(trace[0]) <= 3.206
    assert 0.001 <= float(trace[-1]) <= 0.03
    assert int((trace < 1).nonzero()[0]) <= 6


def test_a_run_that_is_cancelled_has_the_curve_until_then(small64: engine.Classifier) -> None:
    run = engine.start(attacks.FoolingImage(), small64, targets=torch.tensor([2]))
    for _ in range(4):
        next(run)
    held = run.result().artifacts["loss"]
    for _ in run:
        pass
    whole = run.result().artifacts["loss"]
    assert (len(held.x), len(whole.x)) == (4, 11)
    assert torch.equal(held.lines["class 2"], whole.lines["class 2"][:4])
