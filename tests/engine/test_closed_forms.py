"""On a linear model the attacks have closed forms."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import engine
from engine import attacks
from engine.access import ModelAccess
from tests.engine.conftest import linear_classifier


def weights(classifier: engine.Classifier) -> tuple[Tensor, Tensor]:
    layer = classifier.module[1]  # type: ignore[index]
    return layer.weight, layer.bias


def middle_images(n: int = 5, shape: tuple[int, int, int] = (1, 4, 4)) -> Tensor:
    """Far enough from 0 and 1 that no clamp acts."""
    return 0.4 + 0.2 * torch.rand(n, *shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_fgsm_changes_the_logit_difference_by_eps_times_the_l1_norm(linear: engine.Classifier) -> None:
    """Goodfellow et al.: the growth eps * ||w||_1, exactly."""
    images, eps = middle_images(), 0.05
    labels = torch.zeros(5, dtype=torch.int64)
    result = engine.run(attacks.FGSM(eps=eps), linear, images, labels=labels)
    w, _ = weights(linear)
    grown = (result.logits[:, 1] - result.logits[:, 0]) - (linear(images)[:, 1] - linear(images)[:, 0])
    torch.testing.assert_close(grown, torch.full_like(grown, eps * float((w[1] - w[0]).abs().sum())), rtol=1e-9, atol=0)
    torch.testing.assert_close(result.perturbation, (eps * (w[1] - w[0]).sign()).reshape(1, 1, 4, 4).expand(5, -1, -1, -1))


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm_of_many_classes_is_the_sign_of_the_written_gradient(targeted: bool) -> None:
    """dCE/dx = W^T (softmax - onehot), written out."""
    classifier = linear_classifier(classes=7)
    images, (w, b) = middle_images(), weights(classifier)
    labels = torch.tensor([0, 1, 2, 3, 4])
    targets = (labels + 2) % 7 if targeted else None
    p = F.softmax(images.flatten(1) @ w.T + b, 1)
    gradient = ((p - F.one_hot(labels if targets is None else targets, 7)) @ w).reshape_as(images)
    expected = images + (-0.03 if targeted else 0.03) * gradient.sign()
    result = engine.run(attacks.FGSM(eps=0.03), classifier, images, labels=labels, targets=targets)
    torch.testing.assert_close(result.adversarial, expected)


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.04), ("l2", 0.1), ("l1", 0.1)])
@pytest.mark.parametrize("random_start", [False, True])
def test_pgd_reaches_the_best_point_of_the_ball(linear: engine.Classifier, norm: str, eps: float, random_start: bool) -> None:
    """With two classes the loss is a rising function of (w1 - w0) . delta, so the maximiser is known."""
    images = middle_images()
    labels = torch.zeros(5, dtype=torch.int64)
    d = (weights(linear)[0][1] - weights(linear)[0][0]).reshape(1, 1, 4, 4)
    best = {"linf": eps * d.abs().sum(), "l2": eps * d.norm(), "l1": eps * d.abs().max()}[norm]
    attack = attacks.PGD(norm=norm, eps=eps, steps=400, step_size=eps / 10, random_start=random_start)  # type: ignore[arg-type]
    result = engine.run(attack, linear, images, labels=labels)
    reached = (result.perturbation * d).flatten(1).sum(1)
    torch.testing.assert_close(reached, torch.full_like(reached, float(best)), rtol=2e-3, atol=0)
    if norm == "linf":
        torch.testing.assert_close(result.perturbation, (eps * d.sign()).expand(5, -1, -1, -1))


def test_pgd_in_linf_walks_by_step_size_until_the_ball(linear: engine.Classifier) -> None:
    images = middle_images()
    labels = torch.zeros(5, dtype=torch.int64)
    sign = (weights(linear)[0][1] - weights(linear)[0][0]).sign().reshape(1, 1, 4, 4)
    run = engine.start(attacks.PGD(eps=0.025, steps=4, step_size=0.01, random_start=False), linear, images, labels=labels)
    for step, length in zip(run, [0, 0.01, 0.02, 0.025, 0.025], strict=True):
        torch.testing.assert_close(step.adversarial - images, (length * sign).expand(5, -1, -1, -1))


def test_directions_form_one_family() -> None:
    """Quantile 1 is max, quantile 0 is the sign; max has its largest entry at 1."""
    from engine.attacks.toolkit.directions import direction

    g = torch.randn(3, 2, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    g[2] = 0
    torch.testing.assert_close(direction("truncated", g, "linf", 1.0), direction("max", g, "linf", 0.5))
    small = direction("truncated", g, "linf", 0.0)
    torch.testing.assert_close(small, g.sign())
    assert direction("max", g, "linf", 0.5)[:2].flatten(1).abs().amax(1).tolist() == [1.0, 1.0]
    assert not direction("max", g, "linf", 0.5)[2].any()


def test_cross_entropy_is_reported_exactly_and_the_stable_form_does_not_saturate() -> None:
    """Where softmax rounds the label to 1, cross-entropy's gradient of the label's logit is 0; ours and the stable one's are not."""
    from engine.attacks.toolkit.losses import ascent, value

    logits = torch.tensor([[30.0, 0.0, -2.0], [0.3, 0.1, 0.0], [200.0, 1.0, 0.0]], requires_grad=True)
    labels = torch.tensor([0, 0, 0])
    plain = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), logits)[0]
    literal = torch.autograd.grad(ascent("ce", logits, labels, None).sum(), logits)[0]
    stable = torch.autograd.grad(ascent("stable-ce", logits, labels, None).sum(), logits)[0]
    assert torch.equal(literal[0, 1:], plain[0, 1:])  # as the libraries have it
    assert torch.equal(literal[1], plain[1])
    assert plain[0, 0] == 0
    assert -1e-2 * plain[0, 1:].sum() < literal[0, 0] < 0  # too little to outweigh the others
    assert stable[0, 0] == -1
    assert not plain[2].any()
    assert literal[2].any()  # a vanished gradient falls back
    torch.testing.assert_close(stable[1] / stable[1].norm(), plain[1] / plain[1].norm())
    z = logits.detach().double()
    exact = (z[:, 1:] - z[:, :1]).exp().sum(1).log1p().float()  # even float64's logsumexp loses four digits here
    torch.testing.assert_close(value("ce", logits, labels, None), exact, rtol=1e-5, atol=0)
    target = torch.tensor([2, 2, 2])
    expected = -F.cross_entropy(logits.double(), target, reduction="none").float()
    torch.testing.assert_close(value("stable-ce", logits, labels, target), expected.detach(), rtol=1e-5, atol=0)


def test_two_classes_step_ll_is_fgsm() -> None:
    """With two classes the least likely class is the other one: bit for bit the untargeted attack on the prediction."""
    classifier = linear_classifier()
    images = middle_images()
    plain = engine.run(attacks.FGSM(eps=0.03), classifier, images)
    least = engine.run(attacks.FGSM(eps=0.03, towards="least likely"), classifier, images)
    assert torch.equal(plain.adversarial, least.adversarial)


def test_step_rnd_never_draws_the_label_and_draws_the_others_alike() -> None:
    from engine.attacks.toolkit.target_classes import random_other
    from engine.operation import Problem
    from engine.randomness import RowRandom

    classifier = linear_classifier(classes=4)
    images = middle_images(1).expand(4000, -1, -1, -1)
    labels = torch.full((4000,), 2)
    problem = Problem(ModelAccess(classifier, "gradients"), images, labels, RowRandom(0, range(4000)))
    counts = torch.bincount(random_other(problem), minlength=4)
    assert counts[2] == 0
    assert ((counts[[0, 1, 3]] - 4000 / 3).abs() < 150).all()


def test_sticker_content_goes_to_the_corner_of_the_cube(linear: engine.Classifier) -> None:
    """A linear score over [0, 1] inside the mask is largest at 0 or 1 in every pixel."""
    images = middle_images(1)
    mask = torch.zeros(4, 4)
    mask[1:3, 1:3] = 1
    d = (weights(linear)[0][1] - weights(linear)[0][0]).reshape(1, 1, 4, 4)
    result = engine.run(attacks.StickerPGD(steps=10, step_size=0.1), linear, images, labels=torch.tensor([0]), mask=mask)
    expected = torch.where(mask > 0, (d > 0).double(), images)
    torch.testing.assert_close(result.adversarial, expected)
    content = result.artifacts["content"]
    torch.testing.assert_close(content.pixels[0, :, 1:3, 1:3], expected[0, :, 1:3, 1:3])


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.04), ("l2", 0.1), ("l1", 0.1)])
@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_all_of_the_budget_is_spent_inside_the_mask(linear: engine.Classifier, kind: str, norm: str, eps: float) -> None:
    """What the gradient is outside the mask counts for nothing, though it is the largest there."""
    images, labels = middle_images(), torch.zeros(5, dtype=torch.int64)
    d = (weights(linear)[0][1] - weights(linear)[0][0]).reshape(4, 4)
    mask = torch.zeros(4, 4, dtype=torch.float64)
    mask.view(-1)[d.abs().flatten().argsort()[4:8]] = 1
    inside = (d * mask).flatten()
    best = {"linf": eps * inside.abs().sum(), "l2": eps * inside.norm(), "l1": eps * inside.abs().max()}[norm]
    parameters = {"norm": norm, "eps": eps}
    if kind == "pgd":
        parameters |= {"steps": 4, "step_size": eps / 4, "random_start": False}
    result = engine.run(attacks.CATALOGUE[kind].build(**parameters), linear, images, labels=labels, mask=mask)
    reached = (result.perturbation * d).flatten(1).sum(1)
    torch.testing.assert_close(reached, torch.full_like(reached, float(best)), rtol=1e-9, atol=0)


def test_the_quantile_is_that_of_the_pixels_inside_the_mask() -> None:
    from engine.attacks.toolkit.directions import direction

    g = torch.arange(1.0, 33).reshape(2, 1, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2, 0] = 1  # 1 and 5 in the first image, 17 and 21 in the second
    steps = direction("truncated", g, "linf", 0.5, mask)
    assert steps.flatten(1)[:, [0, 4]].tolist() == [[1, 1], [1, 1]]
    steps = direction("truncated", g, "linf", 1.0, mask)
    torch.testing.assert_close(steps.flatten(1)[:, [0, 4]], torch.tensor([[1 / 5, 1], [17 / 21, 1]]))
    assert float(steps.sum()) == pytest.approx(1 / 5 + 17 / 21 + 2)
    whole = torch.ones(2, 1, 4, 4)
    torch.testing.assert_close(direction("truncated", g, "linf", 0.7, whole), direction("truncated", g, "linf", 0.7))
