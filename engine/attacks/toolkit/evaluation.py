"""Evaluation of images for a gradient attack: logits, loss and gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from engine.attacks.toolkit.losses import LossName, assess, value
from engine.batching import rows_with_graph
from engine.operation import Problem

Goals = Tensor | Callable[[Tensor], Tensor] | None
"""Target classes ``(N,)``, or a function that chooses them by the logits of the same pass, or None: away from the labels."""


class Evaluation(NamedTuple):
    """Logits, loss and gradient at images ``(N, C, H, W)``."""

    logits: Tensor
    """The logits, ``(N, K)``."""
    loss: Tensor
    """The loss that the attacker maximises, ``(N,)``."""
    gradient: Tensor
    """Gradient of the loss, ``(N, C, H, W)``; where none was requested an expanded zero."""


def loss_and_gradient(problem: Problem, images: Tensor, loss: LossName, targets: Goals = None, *, gradient: bool = True) -> Evaluation:
    """Run a forward pass, and a backward pass if ``gradient`` is requested.

    Parameters
    ----------
    problem
        The problem with the labels of ``images``, row by row; its ``objective`` is added to the loss.
    images
        ``(N, C, H, W)``. More rows than fit into memory (restarts and targets multiply them) are evaluated in chunks.
    loss
        Name of the loss.
    targets
        Target classes. None: away from the labels.
    """
    count = len(images)
    if count == 1 or problem.objective is not None:  # an objective may combine rows, so it needs all of them at once
        return _evaluated(problem, images, problem.labels, loss, targets, gradient)

    def chunk_of(part: slice) -> Evaluation:
        if part.stop - part.start >= count:
            return _evaluated(problem, images, problem.labels, loss, targets, gradient)
        goals = targets[part] if isinstance(targets, Tensor) else targets
        return _evaluated(problem, images[part], problem.labels[part], loss, goals, gradient)

    parts = problem.classifier.in_chunks(count, chunk_of, rows_with_graph(images, problem.classifier.copies))
    return parts[0] if len(parts) == 1 else Evaluation(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def untargeted_loss(problem: Problem, seen: Evaluation, loss: LossName, targets: Tensor) -> Tensor:
    """Return the untargeted loss ``(N,)`` of evaluated rows, by which rows with different ``targets`` can be compared."""
    plain = value(loss, seen.logits, problem.labels, None)
    if problem.objective is None:
        return plain
    return plain + (seen.loss - value(loss, seen.logits, problem.labels, targets))


def _evaluated(problem: Problem, images: Tensor, labels: Tensor, loss: LossName, targets: Goals, gradient: bool) -> Evaluation:
    model = problem.classifier
    with torch.set_grad_enabled(gradient):
        images = images.detach()
        if gradient:
            images.requires_grad_()
        logits = model(images)
        goals = targets(logits.detach()) if callable(targets) else targets
        extra = None if problem.objective is None else problem.objective(images)
        if not gradient:
            reported = value(loss, logits, labels, goals)
            return Evaluation(logits, reported if extra is None else reported + extra, images.new_zeros(()).expand_as(images))
        raised, weights, reported = assess(loss, logits, labels, goals)
        copies = problem.copies if len(images) == len(problem.images) else None
        if extra is None:
            return Evaluation(logits.detach(), reported, model.gradient(raised, images, weights, copies=copies))
        found = model.gradient((weights * raised).sum() + extra.sum(), images, copies=copies)
        return Evaluation(logits.detach(), reported + extra.detach(), found)
