"""Gradient regularisation: a loss that changes little with the image (double backpropagation)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from engine.balls import normalised
from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import method


class GradientRegularisation(Objective):
    """Add ``weight * mean ||grad_x CE(f(x), y)||_2^2``, whose own gradient goes through the gradient (double backpropagation).

    Each image's gradient is that of its own loss, not of the mean. Without ``exact`` the norm is the finite difference
    ``(CE(x + h g / ||g||) - CE(x)) / h``, squared, with a constant direction: no graph of second order. The network is in evaluation mode
    meanwhile, since the statistics of a batch would couple its images.
    """

    slug: ClassVar[str] = "gradient-regularisation"
    title: ClassVar[str] = "Gradient regularisation"
    also: ClassVar[tuple[str, ...]] = ("double backpropagation", "gradient penalty", "input gradient")
    family: ClassVar[Family] = "Added terms"
    paper: ClassVar[str] = "Drucker, LeCun 1991; Ross, Doshi-Velez 2017, arXiv 1711.09404"

    weight: float = method(1.0, ge=0.0, le=1e6, title="weight λ")
    """Weight of the squared norm, for pixels in [0, 1]."""
    exact: bool = method(True)
    """Differentiate the gradient itself. Off: by a finite difference, which needs less memory."""
    h: float = method(0.01, gt=0.0, le=1.0, unit="of [0, 1]", title="step h", when={"exact": False})
    """Length of the finite difference."""

    def loss(self, loss: Tensor, logits: Tensor, batch: Batch, trainee: Trainee) -> Tensor:
        """Add the mean squared norm of the gradients to the loss."""
        with trainee.evaluating():
            squared = self._exact(batch, trainee) if self.exact else self._difference(batch, trainee)
        return loss + self.weight * batch.mean(squared)

    def _exact(self, batch: Batch, trainee: Trainee) -> Tensor:
        images = batch.images.detach().requires_grad_()
        losses = against(batch.labels)(trainee.logits(images))
        (gradient,) = torch.autograd.grad(losses.sum(), images, create_graph=True)
        return gradient.flatten(1).square().sum(1)

    def _difference(self, batch: Batch, trainee: Trainee) -> Tensor:
        images, loss = batch.images.detach(), against(batch.labels)
        direction = normalised(trainee.gradient(images, loss))
        grown = loss(trainee.logits(images + self.h * direction)) - loss(trainee.logits(images))
        return (grown / self.h).square()
