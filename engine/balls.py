"""The balls of adversarial research as values: ``project``, ``sample`` and ``steepest`` of Linf, L2, L1 and L0.

Every method works on perturbations ``(N, C, H, W)`` row by row. ``eps`` is a float or a tensor ``(N,)``, so that one batch
can hold several radii. L0 counts pixels, not channels: a pixel changed in three channels counts once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from engine.randomness import Random

TINY = 1e-12
Norm = Literal["linf", "l2", "l1", "l0"]


def column(values: float | Tensor, like: Tensor) -> Tensor | float:
    """Broadcast ``values`` over the pixels of ``like``: ``(N,)`` becomes ``(N, 1, 1, 1)``."""
    if isinstance(values, Tensor):
        return values.to(like).reshape(-1, *[1] * (like.dim() - 1))
    return values


def normalised(gradient: Tensor, p: float = 2) -> Tensor:
    """Return ``gradient / ||gradient||_p`` per row, without under- or overflow; a zero row stays zero.

    The row is divided by its largest magnitude first: where a classifier is sure of an image, the cross-entropy's gradient is about
    ``exp(-margin)``, and the square of that is 0 long before the gradient itself is.
    """
    flat, tiny = gradient.flatten(1), torch.finfo(gradient.dtype).tiny
    scaled = flat / flat.abs().amax(1, keepdim=True).clamp_min(tiny)
    lengths: Tensor = torch.linalg.vector_norm(scaled, ord=p, dim=1, keepdim=True)
    unit: Tensor = scaled / lengths.clamp_min(tiny)
    return unit.view_as(gradient)


@dataclass(frozen=True)
class Ball(ABC):
    """The ball ``{delta : ||delta|| <= eps}`` of one norm."""

    eps: float | Tensor
    """Radius in pixel units; for L0 the number of pixels."""

    @abstractmethod
    def project(self, delta: Tensor) -> Tensor:
        """Return the nearest point of the ball (Euclidean) for each row."""

    @abstractmethod
    def sample(self, random: Random, like: Tensor) -> Tensor:
        """Return a random point of the ball per row, uniform unless the subclass says otherwise."""

    @abstractmethod
    def steepest(self, gradient: Tensor) -> Tensor:
        """Return the direction of steepest ascent: ``argmax_d <d, gradient>`` over the ball of radius 1."""

    @staticmethod
    @abstractmethod
    def widest(shape: Sequence[int]) -> float:
        """Return the radius at which the ball contains every image ``(C, H, W)`` in [0, 1], whatever its centre."""

    @abstractmethod
    def size(self, delta: Tensor) -> Tensor:
        """Return the norm of each row, ``(N,)``."""


@final
class Linf(Ball):
    """The ball of the maximum norm, ``max |delta| <= eps``."""

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """Return 1, the largest change of a value."""
        return 1.0

    def project(self, delta: Tensor) -> Tensor:
        """Clamp every entry to ``[-eps, eps]``."""
        eps = column(self.eps, delta)
        return torch.minimum(torch.maximum(delta, -eps), eps) if isinstance(eps, Tensor) else delta.clamp(-eps, eps)

    def sample(self, random: Random, like: Tensor) -> Tensor:
        """Draw every value uniformly in ``[-eps, eps]``."""
        return (2 * random.uniform(like.shape[1:]).to(like) - 1) * column(self.eps, like)

    def steepest(self, gradient: Tensor) -> Tensor:
        """Return ``sign(gradient)``, with ``sign(0) = 0``."""
        return gradient.sign()

    def size(self, delta: Tensor) -> Tensor:
        """Return the largest magnitude of each row, ``(N,)``."""
        return delta.flatten(1).abs().amax(1)


@final
class L2(Ball):
    """The ball of the Euclidean norm, ``sqrt(sum delta^2) <= eps``."""

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """Return ``sqrt(C H W)``, the distance between opposite corners of the cube."""
        return math.sqrt(math.prod(shape))

    def project(self, delta: Tensor) -> Tensor:
        """Scale rows outside the ball back onto its surface."""
        lengths = self.size(delta).clamp_min(TINY)
        shrink = (torch.as_tensor(self.eps, dtype=lengths.dtype, device=lengths.device) / lengths).clamp_max(1)
        return delta * column(shrink, delta)

    def sample(self, random: Random, like: Tensor) -> Tensor:
        """Draw a Gaussian direction at radius ``eps * u^(1/n)``, which is uniform in the ball."""
        direction = normalised(random.normal(like.shape[1:]).to(like))
        radius = random.uniform((1,)).to(like).reshape(-1).pow(1 / math.prod(like.shape[1:]))
        return direction * column(radius, like) * column(self.eps, like)

    def steepest(self, gradient: Tensor) -> Tensor:
        """Return ``gradient / ||gradient||_2``, and zero for a zero row."""
        return normalised(gradient)

    def size(self, delta: Tensor) -> Tensor:
        """Return the Euclidean length of each row, ``(N,)``."""
        lengths: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
        return lengths


@final
class L1(Ball):
    """The ball of the sum of magnitudes, ``sum |delta| <= eps``."""

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """Return ``C H W``, the sum of the largest changes."""
        return float(math.prod(shape))

    def project(self, delta: Tensor) -> Tensor:
        """Soft-threshold at the level that brings the row's sum to ``eps`` (Duchi et al., ICML 2008)."""
        flat = delta.flatten(1)
        magnitudes = flat.abs()
        eps = torch.as_tensor(self.eps, dtype=flat.dtype, device=flat.device).reshape(-1, 1)
        ordered = magnitudes.sort(dim=1, descending=True).values
        excess = ordered.cumsum(1) - eps
        counts = torch.arange(1, flat.shape[1] + 1, device=flat.device, dtype=flat.dtype)
        active = (ordered * counts > excess).sum(1, keepdim=True).clamp_min(1)
        level = (excess.gather(1, active - 1) / active).clamp_min(0)
        inside = magnitudes.sum(1, keepdim=True) <= eps
        shrunk = flat.sign() * (magnitudes - level).clamp_min(0)
        return torch.where(inside, flat, shrunk).view_as(delta)

    def sample(self, random: Random, like: Tensor) -> Tensor:
        """Draw uniformly in the ball: exponential magnitudes with random signs, divided by their sum plus one more exponential."""
        n = math.prod(like.shape[1:])
        magnitudes = -random.uniform((n + 1,)).to(like).clamp_min(TINY).log()
        signs = torch.where(random.uniform((n,)).to(like) < 0.5, -1.0, 1.0)
        unit = signs * magnitudes[:, :n] / magnitudes.sum(1, keepdim=True)
        return unit.view_as(like) * column(self.eps, like)

    def steepest(self, gradient: Tensor) -> Tensor:
        """Return a vector with all of the budget on the entry of largest gradient."""
        flat = gradient.flatten(1)
        place = flat.abs().argmax(1, keepdim=True)
        return torch.zeros_like(flat).scatter(1, place, flat.gather(1, place).sign()).view_as(gradient)

    def size(self, delta: Tensor) -> Tensor:
        """Return the sum of magnitudes of each row, ``(N,)``."""
        return delta.flatten(1).abs().sum(1)


@final
class L0(Ball):
    """The set of perturbations in which at most ``eps`` pixels differ from zero."""

    def _budget(self, rows: int) -> list[int]:
        if isinstance(self.eps, Tensor):
            return [int(value) for value in self.eps.tolist()]
        return [int(self.eps)] * rows

    def _keep(self, delta: Tensor, scores: Tensor) -> Tensor:
        order = scores.flatten(1).argsort(dim=1, descending=True, stable=True)
        ranks = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order))
        budget = torch.tensor(self._budget(len(delta)), device=delta.device).reshape(-1, 1)
        return delta * (ranks < budget).view(len(delta), 1, *delta.shape[2:]).to(delta)

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """Return ``H W``, the number of pixels."""
        return float(math.prod(shape[1:]))

    def project(self, delta: Tensor) -> Tensor:
        """Keep the ``eps`` pixels of largest Euclidean length over channels, and set the others to zero."""
        return self._keep(delta, delta.norm(dim=1))

    def sample(self, random: Random, like: Tensor) -> Tensor:
        """Draw values uniform in [-1, 1] at ``eps`` random pixels."""
        values = 2 * random.uniform(like.shape[1:]).to(like) - 1
        return self._keep(values, random.uniform(like.shape[2:]).to(like))

    def steepest(self, gradient: Tensor) -> Tensor:
        """Return the sign of the gradient in the pixel of largest gradient, zero elsewhere."""
        return L0(1).project(gradient).sign()

    def size(self, delta: Tensor) -> Tensor:
        """Return the number of pixels with a change in any channel, ``(N,)``."""
        return (delta != 0).any(1).flatten(1).sum(1).to(delta.dtype)


BALLS: dict[Norm, type[Ball]] = {"linf": Linf, "l2": L2, "l1": L1, "l0": L0}
"""The class of ball for each norm's name."""
