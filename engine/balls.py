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

from engine.randomness import RowRandom

TINY = 1e-12
Norm = Literal["linf", "l2", "l1", "l0"]


def column(values: float | Tensor, like: Tensor) -> Tensor | float:
    """``values`` broadcast over the pixels of ``like``: ``(N,)`` becomes ``(N, 1, 1, 1)``."""
    if isinstance(values, Tensor):
        return values.to(like).reshape(-1, *[1] * (like.dim() - 1))
    return values


def normalised(gradient: Tensor, p: float = 2) -> Tensor:
    """``gradient / ||gradient||_p`` per row, however small or large it is; a zero row stays zero.

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
    """``{delta : ||delta|| <= eps}`` for one norm."""

    eps: float | Tensor
    """Radius in pixel units; for L0 the number of pixels."""

    @abstractmethod
    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the ball (Euclidean), row by row."""

    @abstractmethod
    def sample(self, random: RowRandom, like: Tensor) -> Tensor:
        """A random point of the ball, uniform where the docstring says nothing else."""

    @abstractmethod
    def steepest(self, gradient: Tensor) -> Tensor:
        """``argmax_d <d, gradient>`` over the ball of radius 1."""

    @staticmethod
    @abstractmethod
    def widest(shape: Sequence[int]) -> float:
        """The radius at which the ball holds every image ``(C, H, W)`` in [0, 1], whatever its centre."""

    @abstractmethod
    def size(self, delta: Tensor) -> Tensor:
        """The norm of each row, ``(N,)``."""


@final
class Linf(Ball):
    """``max |delta| <= eps``."""

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """As in `Ball`."""
        return 1.0

    def project(self, delta: Tensor) -> Tensor:
        """Clamp every entry to ``[-eps, eps]``."""
        eps = column(self.eps, delta)
        return torch.minimum(torch.maximum(delta, -eps), eps) if isinstance(eps, Tensor) else delta.clamp(-eps, eps)

    def sample(self, random: RowRandom, like: Tensor) -> Tensor:
        """Uniform in the cube."""
        return (2 * random.uniform(like.shape[1:]).to(like) - 1) * column(self.eps, like)

    def steepest(self, gradient: Tensor) -> Tensor:
        """``sign(gradient)``, with ``sign(0) = 0``."""
        return gradient.sign()

    def size(self, delta: Tensor) -> Tensor:
        """The largest magnitude of each row."""
        return delta.flatten(1).abs().amax(1)


@final
class L2(Ball):
    """``sqrt(sum delta^2) <= eps``."""

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """As in `Ball`."""
        return math.sqrt(math.prod(shape))

    def project(self, delta: Tensor) -> Tensor:
        """Scale rows outside the ball back onto its surface."""
        lengths = self.size(delta).clamp_min(TINY)
        shrink = (torch.as_tensor(self.eps, dtype=lengths.dtype, device=lengths.device) / lengths).clamp_max(1)
        return delta * column(shrink, delta)

    def sample(self, random: RowRandom, like: Tensor) -> Tensor:
        """A Gaussian direction at radius ``eps * u^(1/n)``: uniform in the ball."""
        direction = normalised(random.normal(like.shape[1:]).to(like))
        radius = random.uniform((1,)).to(like).reshape(-1).pow(1 / math.prod(like.shape[1:]))
        return direction * column(radius, like) * column(self.eps, like)

    def steepest(self, gradient: Tensor) -> Tensor:
        """``gradient / ||gradient||_2``."""
        return normalised(gradient)

    def size(self, delta: Tensor) -> Tensor:
        """The Euclidean length of each row."""
        lengths: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
        return lengths


@final
class L1(Ball):
    """``sum |delta| <= eps``."""

    @staticmethod
    def widest(shape: Sequence[int]) -> float:
        """As in `Ball`."""
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

    def sample(self, random: RowRandom, like: Tensor) -> Tensor:
        """Exponential magnitudes with random signs over their sum plus one more exponential: uniform in the ball."""
        n = math.prod(like.shape[1:])
        magnitudes = -random.uniform((n + 1,)).to(like).clamp_min(TINY).log()
        signs = torch.where(random.uniform((n,)).to(like) < 0.5, -1.0, 1.0)
        unit = signs * magnitudes[:, :n] / magnitudes.sum(1, keepdim=True)
        return unit.view_as(like) * column(self.eps, like)

    def steepest(self, gradient: Tensor) -> Tensor:
        """All of the budget on the entry of the largest gradient."""
        flat = gradient.flatten(1)
        place = flat.abs().argmax(1, keepdim=True)
        return torch.zeros_like(flat).scatter(1, place, flat.gather(1, place).sign()).view_as(gradient)

    def size(self, delta: Tensor) -> Tensor:
        """The sum of magnitudes of each row."""
        return delta.flatten(1).abs().sum(1)


@final
class L0(Ball):
    """At most ``eps`` pixels differ from zero."""

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
        """As in `Ball`."""
        return float(math.prod(shape[1:]))

    def project(self, delta: Tensor) -> Tensor:
        """Keep the ``eps`` pixels of the largest Euclidean length over channels, zero the others."""
        return self._keep(delta, delta.norm(dim=1))

    def sample(self, random: RowRandom, like: Tensor) -> Tensor:
        """``eps`` random pixels with values uniform in [-1, 1]."""
        values = 2 * random.uniform(like.shape[1:]).to(like) - 1
        return self._keep(values, random.uniform(like.shape[2:]).to(like))

    def steepest(self, gradient: Tensor) -> Tensor:
        """The sign of the gradient in the pixel of the largest gradient."""
        return L0(1).project(gradient).sign()

    def size(self, delta: Tensor) -> Tensor:
        """The number of pixels with a change in any channel."""
        return (delta != 0).any(1).flatten(1).sum(1).to(delta.dtype)


BALLS: dict[Norm, type[Ball]] = {"linf": Linf, "l2": L2, "l1": L1, "l0": L0}
"""The ball of a norm's name."""
