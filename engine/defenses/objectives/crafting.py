"""Adversarial images of a batch, made with the network as it is at this step of its training."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from engine.balls import BALLS, Norm, column
from engine.defenses.objectives.batch import Trainee

RowLoss = Callable[[Tensor], Tensor]
"""From logits ``(N, K)`` to the loss of each row ``(N,)``, which the attacker maximises."""


def against(labels: Tensor) -> RowLoss:
    """Return the cross-entropy of each row with its label."""
    return lambda logits: functional.cross_entropy(logits, labels, reduction="none")


def one_step(images: Tensor, trainee: Trainee, loss: RowLoss, eps: float | Tensor, *, clip: bool = True, dropout: bool = False) -> Tensor:
    """Return ``images + eps * sign(grad loss)``, within [0, 1] if ``clip`` (FGSM, arXiv 1412.6572); ``eps`` is a number or ``(N,)``.

    The gradient is that of the network in evaluation mode; with ``dropout``, units are dropped as in training.
    """
    with trainee.evaluating(dropout=dropout):
        gradient = trainee.gradient(images, loss)
    stepped = images + column(eps, images) * gradient.sign()
    return stepped.clamp(0.0, 1.0) if clip else stepped


def projected_steps(
    images: Tensor,
    trainee: Trainee,
    loss: RowLoss,
    *,
    norm: Norm,
    eps: float,
    steps: int,
    step_size: float,
    start: Tensor,
) -> Tensor:
    """Return PGD's images (arXiv 1706.06083): ``steps`` times the steepest step, the ball around ``images``, and [0, 1].

    ``start`` is the first perturbation, ``(N, C, H, W)``. The network's mode is evaluation; its statistics do not change.
    """
    ball = BALLS[norm](eps)
    delta = (images + ball.project(start)).clamp(0.0, 1.0) - images
    with trainee.evaluating():
        for _ in range(steps):
            gradient = trainee.gradient(images + delta, loss)
            delta = ball.project(delta + step_size * ball.steepest(gradient))
            delta = (images + delta).clamp(0.0, 1.0) - images
    return (images + delta).clamp(0.0, 1.0).detach()


def divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence ``KL(softmax(logits) || softmax(others))`` of each row, ``(N,)``."""
    log_p, log_q = logits.log_softmax(1), others.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)
