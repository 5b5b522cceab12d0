"""Steps to flip: a literal loop, a closed form, the agreement with DeepFool, wrong labels among the hardest."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.evaluate import HardSamples, HardSamplesStep
from tests.engine.conftest import linear_classifier


def measured(operation: HardSamples, classifier: engine.Classifier, **given: Any) -> tuple[HardSamplesStep, engine.Result]:
    with engine.start(operation, classifier, **given) as run:
        steps = list(run)
        result = run.result()
    assert isinstance(steps[-1], HardSamplesStep)
    shares = [step.share_done or 0.0 for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return steps[-1], result


def by_hand(operation: HardSamples, classifier: engine.Classifier, image: Tensor, label: int) -> tuple[int, float, float]:
    """One image, one step after the other."""
    shown = image.clone()
    for step in range(operation.steps + 1):
        shown = shown.detach().requires_grad_()
        logits = classifier(shown[None])
        if int(logits.argmax()) != label:
            change = (shown - image).detach()
            return step, float(change.norm()), float(change.abs().max())
        others = logits[0].clone()
        others[label] = -torch.inf
        (gradient,) = torch.autograd.grad(others.max() - logits[0, label], shown)
        move = gradient.sign() if operation.direction == "sign" else gradient / gradient.abs().max()
        shown = (shown + operation.step_size * move).clamp(0, 1)
    return operation.steps + 1, math.inf, math.inf


@pytest.mark.parametrize("direction", ["sign", "max"])
@pytest.mark.parametrize("rows_at_once", [2, 100])
def test_it_is_the_literal_loop(
    direction: Any, rows_at_once: int, small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one chunk or in three, with rows that leave at different steps, some that are wrong before, and some that hold out."""
    monkeypatch.setattr("engine.evaluate.hard_samples.rows_per_pass", lambda _: 2 * rows_at_once)
    operation = HardSamples(steps=9, step_size=0.02, direction=direction)
    labels = small64.predict(images)
    labels[1] = (labels[1] + 1) % 5
    last, _ = measured(operation, small64, images=images, labels=labels)
    expected = [by_hand(operation, small64, image, int(label)) for image, label in zip(images, labels, strict=True)]
    assert last.steps.tolist() == [steps for steps, _, _ in expected]
    assert last.l2.tolist() == pytest.approx([l2 for _, l2, _ in expected])
    assert last.linf.tolist() == pytest.approx([linf for _, _, linf in expected])
    assert (last.steps[1], last.l2[1]) == (0, 0)
    assert last.predictions.tolist() == small64.predict(images).tolist()


def test_a_linear_model_has_a_closed_form() -> None:
    """The margin of two classes falls by ``step_size * ||w||_1`` in every step, w the difference of the weights."""
    classifier = linear_classifier()
    weight = classifier.module[1].weight.detach()  # type: ignore[index]
    w = (weight[1] - weight[0]).double()
    image = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    logits = classifier.score(image)
    margin = float((logits[0, 0] - logits[0, 1]).abs())
    expected = math.floor(margin / (1e-3 * float(w.abs().sum()))) + 1
    last, _ = measured(HardSamples(steps=400, step_size=1e-3), classifier, images=image)
    assert int(last.steps[0]) == expected
    assert float(last.linf[0]) == pytest.approx(expected * 1e-3)
    assert float(last.l2[0]) == pytest.approx(expected * 1e-3 * 4)


def ranks(values: Tensor) -> Tensor:
    """Ranks, of equal values their mean."""
    values = values.double()
    _, group = values.unique(return_inverse=True)
    order = torch.empty_like(values)
    order[values.argsort()] = torch.arange(len(values), dtype=torch.float64)
    mean = torch.zeros(int(group.max()) + 1, dtype=torch.float64).index_add(0, group, order) / group.bincount()
    return mean[group]


def spearman(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([ranks(one), ranks(other)]))[0, 1])


def reference(name: str, count: int) -> tuple[engine.Classifier, engine.data.DataSet]:
    """A shipped classifier and a set of its kind; real ones are skipped where they are not on this machine."""
    classifier = engine.models.load("digits" if "mnist" in name else "signs", device="cpu")
    slug, split = engine.data.parse_name(name)
    try:
        return classifier, engine.data.load(slug, split, count=count)
    except engine.GibbonError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "name",
    ["generated:signs", pytest.param("gtsrb:test", marks=pytest.mark.data), pytest.param("mnist:test", marks=pytest.mark.data)],
)
def test_steps_agree_with_deepfool_and_misread_images_need_none(name: str) -> None:
    classifier, data = reference(name, 86)
    last, result = measured(HardSamples(), classifier, data=data)
    images, _ = data.batch(slice(None))
    labels = data.targets_for(classifier.labels)
    wrong = classifier.predict(images) != labels
    assert torch.equal(last.steps == 0, wrong)
    assert torch.equal(last.l2 == 0, wrong)
    nearest = engine.run(attacks.DeepFool(), classifier, images, labels)
    assert spearman(last.steps, nearest.norms["l2"]) >= 0.7
    assert spearman(last.l2, nearest.norms["l2"]) >= 0.7
    rows = result.artifacts["images"].rows  # type: ignore[union-attr]
    assert [row[3] for row in rows] == sorted(last.steps.tolist())
    assert {row[0] for row in rows} == set(range(86))
    assert sum(row[1] for row in result.artifacts["classes"].rows) == 86  # type: ignore[union-attr]
    flipped = result.artifacts["flipped"].lines["flipped"]  # type: ignore[union-attr]
    assert float(flipped[0]) == pytest.approx(float(wrong.double().mean()))
    assert float(flipped[-1]) == pytest.approx(float((last.steps <= 100).double().mean()))


def test_wrong_labels_are_found_among_the_hardest() -> None:
    """2 % of the labels are wrong: among the hardest 2 % there are at least five times as many of them."""
    classifier, data = reference("generated:signs", 300)
    right = data.subset((classifier.predict(data.batch(slice(None))[0]) == data.targets_for(classifier.labels)).nonzero().flatten())
    count, noisy = len(right), max(1, len(right) // 50)
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(3))[:noisy]
    targets = right.targets.clone()
    targets[chosen] = (targets[chosen] + 1) % len(right.labels)
    last, _ = measured(HardSamples(steps=4), classifier, data=replace(right, targets=targets))
    hardest = last.steps.argsort(stable=True)[:noisy]
    found = len(set(hardest.tolist()) & set(chosen.tolist())) / noisy
    assert found >= 5 * noisy / count


def test_a_run_that_is_left_early_has_what_it_measured(small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.evaluate.hard_samples.rows_per_pass", lambda _: 4)
    run = engine.start(HardSamples(steps=3), small64, images)
    next(run)
    rows = run.result().artifacts["images"].rows  # type: ignore[union-attr]
    assert {row[0] for row in rows} == {0, 1}
    run.close()


def test_a_set_of_another_size_is_refused(small: engine.Classifier) -> None:
    data = engine.data.load("generated:digits", count=10)
    with pytest.raises(engine.GibbonError, match="Choose a set of that size"):
        engine.run(HardSamples(), small, data=data)


def test_a_model_without_a_gradient_holds_out() -> None:
    classifier = engine.Classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2)), ["a", "b"], (1, 2, 2), device="cpu")
    with torch.no_grad():
        classifier.module[1].weight.zero_()  # type: ignore[index]
        classifier.module[1].bias.copy_(torch.tensor([1.0, 0.0]))  # type: ignore[index]
    last, _ = measured(HardSamples(steps=5, direction="max"), classifier, images=torch.full((1, 1, 2, 2), 0.5))
    assert last.steps.tolist() == [6]
    assert last.l2.tolist() == [math.inf]
