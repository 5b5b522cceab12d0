"""Auto-PGD against the algorithm of its paper, word for word; its targets, restarts and the images that drop out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.attacks.toolkit.losses import LossName, ascent, value
from tests.engine.test_closed_forms import middle_images, weights


def test_the_checkpoints_of_a_hundred_steps() -> None:
    """Croce and Hein: p = 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99."""
    assert attacks.APGD().checkpoints() == [22, 41, 57, 70, 80, 87, 93, 99]


def by_the_paper(
    classifier: engine.Classifier, clean: Tensor, start: Tensor, label: Tensor, attack: attacks.APGD
) -> tuple[list[Tensor], list[int]]:
    """Algorithm 1 of Croce and Hein for one image, with plain numbers; also the checkpoints at which the step was halved."""
    eps, steps, marks = attack.eps, attack.steps, [0, *attack.checkpoints()]
    name: LossName = "ce" if attack.loss == "ce" else "dlr"

    def project(x: Tensor) -> Tensor:
        delta = x - clean
        delta = delta.clamp(-eps, eps) if attack.norm == "linf" else delta * min(1.0, eps / max(float(delta.norm()), 1e-300))
        return (clean + delta).clamp(0, 1)

    def f(x: Tensor) -> tuple[float, Tensor]:
        z = x.clone().requires_grad_()
        loss = ascent(name, classifier(z), label, None)
        return float(loss.detach()), torch.autograd.grad(loss.sum(), z)[0]

    def unit(g: Tensor) -> Tensor:
        return g.sign() if attack.norm == "linf" else g / g.norm()

    eta, x_before, x = 2 * eps, start, start
    loss, g = f(x)
    x_max, f_max, g_max = x, loss, g
    seen, rises, f_max_mark, halved_before, halved = [x], 0, f_max, False, []
    for k in range(steps):
        if k in marks[1:]:
            since = k - marks[marks.index(k) - 1]
            halve = rises < attack.rho * since or (not halved_before and f_max == f_max_mark)
            if halve:
                eta, x, g, loss = eta / 2, x_max, g_max, f_max
                halved.append(k)
            halved_before, f_max_mark, rises = halve, f_max, 0
        z = project(x + eta * unit(g))
        new = z if k == 0 else project(x + 0.75 * (z - x) + 0.25 * (x - x_before))
        x_before, x = x, new
        before, (loss, g) = loss, f(x)
        rises += loss > before
        if loss > f_max:
            x_max, f_max, g_max = x, loss, g
        seen.append(x)
    return seen, halved


@pytest.mark.parametrize(("norm", "eps", "loss"), [("linf", 0.05, "ce"), ("l2", 0.4, "ce"), ("linf", 0.05, "dlr")])
def test_apgd_is_the_algorithm_of_the_paper(small64: engine.Classifier, images: Tensor, norm: str, eps: float, loss: str) -> None:
    labels = small64.predict(images)
    attack = attacks.APGD.build(norm=norm, eps=eps, loss=loss, steps=30, drop_fooled=False)
    run = list(engine.start(attack, small64, images, labels=labels))[1:]
    halvings = 0
    for row in range(len(images)):
        alone = slice(row, row + 1)
        seen, halved = by_the_paper(small64, images[alone], run[0].adversarial[alone], labels[alone], attack)
        halvings += len(halved)
        assert len(seen) == len(run)
        for step, expected in zip(run, seen, strict=True):
            torch.testing.assert_close(step.adversarial[alone], expected, rtol=0, atol=1e-7)
    assert halvings > len(images)  # the checkpoints had something to say


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.04), ("l2", 0.1)])
def test_apgd_reaches_the_best_point_of_the_ball(linear: engine.Classifier, norm: str, eps: float) -> None:
    """With two classes the loss rises with (w1 - w0) . delta, and the maximiser is known."""
    images, labels = middle_images(), torch.zeros(5, dtype=torch.int64)
    d = (weights(linear)[0][1] - weights(linear)[0][0]).reshape(1, 1, 4, 4)
    best = eps * d.sign() if norm == "linf" else eps * d / d.norm()
    attack = attacks.APGD.build(norm=norm, eps=eps, steps=60, drop_fooled=False)
    result = engine.run(attack, linear, images, labels=labels)
    torch.testing.assert_close(result.perturbation, best.expand(5, -1, -1, -1), rtol=0, atol=1e-6)


def test_fooled_images_drop_out_and_leave_the_others_alone(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    labels[1] = (labels[1] + 1) % 5  # wrong before: it costs one look
    attack = attacks.APGD(eps=0.02, steps=20)
    some, alone = engine.run(attack, small64, images, labels=labels), []
    for row in range(len(images)):
        part = slice(row, row + 1)
        alone.append(engine.run(attack, small64, images[part], labels=labels[part], first_row=row))
        torch.testing.assert_close(some.adversarial[part], alone[row].adversarial, rtol=0, atol=1e-9)
    assert some.forwards == sum(one.forwards for one in alone)
    assert alone[1].forwards == 1
    assert 0 < int(some.success.sum()) < len(images)
    held = engine.run(attack.model_copy(update={"drop_fooled": False}), small64, images, labels=labels)
    assert held.forwards > some.forwards
    assert torch.equal(held.success, some.success)


def test_targets_of_apgd_are_rows_of_one_batch(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    attack = attacks.APGD(eps=0.01, steps=10, loss="targeted-dlr", n_target_classes=3, restarts=2, drop_fooled=False)
    result = engine.run(attack, small64, images, labels=labels)
    n = len(images)
    assert result.forwards == n + 3 * 2 * 11 * n
    assert result.backwards == 3 * 2 * 10 * n
    assert torch.equal(result.loss > 0, result.success)
    assert math.isclose(float(result.loss[0]), float(value("dlr", result.logits, labels, None)[0]))
