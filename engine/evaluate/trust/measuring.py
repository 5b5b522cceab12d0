"""Measures that need no further attack: the gradient at the image, the loss around it, and the course of the attack."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, get_args

import torch
from torch import Tensor

from engine.attacks.toolkit.losses import LossName, assess, hard_margin
from engine.batching import rows_per_pass
from engine.errors import GibbonError
from engine.evaluate.trust.light import Light, frequent, unmeasured
from engine.evaluate.trust.signs import SIGNS
from engine.operation import Attack, Problem
from engine.randomness import generator
from engine.result import AttackResult

Work = Generator[float | list[Light], None, None]
"""A stage at work: it yields the share of it that is done, and lights as soon as they are known."""
VANISHED = 1e-12
UNSTABLE = 0.1
"""Relative change of the margin above which a gradient says little."""
_SHARE = 2
"""Part of the rows of a forward pass that is taken at once: with its gradient a row takes three times as long."""
LAST, STILL = 10, 0.05
"""Number of last steps, and the share of the loss's way above which it still rises in them."""


def rows_together(images: Tensor, copies: int = 1) -> int:
    """Return how many images a step takes whose gradients are followed from ``copies`` points each, so that it stays within its time."""
    return max(1, rows_per_pass(images) // (_SHARE * copies))


def at_the_image(problem: Problem, attack: Attack) -> Work:
    """Measure the gradient of the attack's loss at each image; yield the shares done, then the lights."""
    name: Any = getattr(attack, "loss", "ce")
    loss: LossName = name if name in get_args(LossName) else "ce"
    largest = []
    for rows in _parts(problem):
        largest.append(_slope(problem.select(rows), loss))
        yield float(rows[-1] + 1) / len(problem.images)
    slopes = torch.cat(largest)
    unusable = (slopes == 0) | ~slopes.isfinite()
    yield [
        frequent("no-gradient", "images with a gradient below 1e-12", (slopes < VANISHED) | unusable),
        frequent("gradient-unavailable", "images without a gradient", unusable),
    ]


@torch.no_grad()
def around_the_image(problem: Problem, radius: float, draws: int) -> Work:
    """Measure how far the margin changes within half the radius; yield the shares done, then the light.

    ``mean over draws of min(1, |L(x + u) - L(x)| / |L(x)|)`` with L the margin of the logits and u uniform in ``+-radius / 2``. Pintor et
    al. take the attack's loss; the cross-entropy of an image that the model is sure of changes by whole factors where nothing happens.
    """
    changes = []
    for row in range(len(problem.images)):
        part = problem.select(torch.tensor([row], device=problem.images.device))
        random, seen = generator(problem.random.seed, "trust", row), []
        there = _margin(part, part.images)
        for first in range(0, draws, size := rows_per_pass(part.images)):
            shape = (min(size, draws - first), *part.images.shape[1:])
            noise = (torch.rand(shape, generator=random) - 0.5).to(part.images) * radius
            seen.append(_margin(part, (part.images + (noise if part.mask is None else part.mask * noise)).clamp(0, 1)))
            yield (row + first / draws) / len(problem.images)
        changes.append(((torch.cat(seen) - there).abs() / there.abs().clamp_min(1e-12)).clamp_max(1).mean())
    change = torch.stack(changes)
    seen_in = "images whose margin changes by more than 10 %"
    yield [frequent("unstable", seen_in, change > UNSTABLE, **{"mean change": float(change.mean())})]


def of_the_attack(result: AttackResult) -> list[Light]:
    """Return the lights that the course of an attack alone decides."""
    rows = ~result.reached_before
    return by_course(silent_rows(result)[rows], unfinished_rows(result)[rows])


def by_course(silent: Tensor, unfinished: Tensor) -> list[Light]:
    """Return the lights of the course of an attack.

    Parameters
    ----------
    silent
        Images ``(N,)`` bool that were adversarial on the way only; see `silent_rows`.
    unfinished
        For each image ``(N,)`` one of the numbers of `unfinished_rows`.
    """
    lights = [frequent("silent-success", "images that were adversarial on the way only", silent, most=0.0)]
    held = unfinished[unfinished != FOOLED]
    if not len(held):
        return [*lights, Light(SIGNS["unfinished"], "off", why="The attack succeeded on every image.")]
    known = held[held != UNKNOWN]
    if not len(known):
        return [*lights, unmeasured("unfinished", f"It needs at least {2 * LAST} steps.")]
    return [*lights, frequent("unfinished", "failed images whose loss still rose", known == ROSE)]


def silent_rows(result: AttackResult) -> Tensor:
    """Return the rows ``(N,)`` bool in which an iterate was adversarial, but not the image that was returned."""
    return (result.steps_to_flip >= 0) & ~result.success & ~result.failed & ~result.reached_before


UNKNOWN, FOOLED, SETTLED, ROSE = -1, 0, 1, 2


def unfinished_rows(result: AttackResult) -> Tensor:
    """Return how the attack ended in each row, ``(N,)`` int8.

    ``FOOLED``: it had nothing to look for any more. ``SETTLED``, ``ROSE``: it failed, and the loss had settled, or still rose.
    ``UNKNOWN``: it failed, and made too few steps to tell.
    """
    held = ~result.reached_before & ~result.success & ~result.failed
    if len(result.trace) <= 2 * LAST:
        return torch.where(held, UNKNOWN, FOOLED).to(torch.int8)
    return torch.where(held, torch.where(rising(_in_logits(result)), ROSE, SETTLED), FOOLED).to(torch.int8)


def rising(trace: Tensor) -> Tensor:
    """Return whether the running maximum of each loss ``(T, N)`` rose by more than 5 % of its way in the last 10 steps, ``(N,)`` bool."""
    known = torch.where(trace.isnan(), -torch.inf, trace).cummax(0).values
    way, last = known[-1] - known[0], known[-1] - known[-1 - LAST]
    return (way > 0) & (last > STILL * way)


def _in_logits(result: AttackResult) -> Tensor:
    """Return the trace ``(T, N)``; a cross-entropy, or minus one, as the soft margin, which it is the softplus of.

    The cross-entropy of an image that the model is sure of grows by whole factors where the margin hardly moves.
    """
    trace = result.trace
    if getattr(result.operation, "loss", "ce") not in ("ce", "stable-ce"):
        return trace
    size = trace.abs().clamp_min(1e-30)
    return trace.sign() * (size + (-(-size).expm1()).log())


@torch.enable_grad()
def _slope(problem: Problem, loss: LossName) -> Tensor:
    """Return the largest magnitude of the gradient at each image, ``(N,)``; NaN where nothing leads from the logits to the image."""
    model, images = problem.classifier, problem.images.detach().requires_grad_()
    model.forwards, model.backwards = model.forwards + len(images), model.backwards + len(images)
    missing = torch.full((len(images),), torch.nan, device=images.device, dtype=images.dtype)
    try:
        logits = model.whole(images)
    except GibbonError:  # a step before the network works without a graph only
        return missing
    if not logits.requires_grad:
        return missing
    raised, weights, _ = assess(loss, logits, problem.labels, problem.targets)
    gradient = torch.autograd.grad(raised, images, weights, allow_unused=True)[0]
    return missing if gradient is None else gradient.abs().amax((1, 2, 3))


def _margin(problem: Problem, images: Tensor) -> Tensor:
    logits = problem.classifier.verdict(images)
    goal = problem.labels if problem.targets is None else problem.targets
    return hard_margin(logits, goal.expand(len(images)))


def _parts(problem: Problem) -> list[Tensor]:
    indices = torch.arange(len(problem.images), device=problem.images.device)
    return list(torch.split(indices, rows_together(problem.images)))
