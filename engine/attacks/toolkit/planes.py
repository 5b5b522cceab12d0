"""Class boundaries as the planes that they are for a classifier made linear, and DeepFool's step across the nearest one."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

import torch
from torch import Tensor

from engine.access import ModelAccess
from engine.attacks.toolkit.shortest_step import shortest
from engine.balls import Norm

_DUAL: dict[Norm, float] = {"linf": 1.0, "l2": 2.0, "l1": torch.inf}
_FARTHER = 1e-4
"""Added to every distance, as in DeepFool's code: a row on a boundary has to move as well."""
_ROUNDS = 1
"""Newton rounds for the lengths by which planes are compared, at most; the step itself takes all."""


def dual_norm(slope: Tensor, norm: Norm) -> Tensor:
    """``(N,)`` of ``(N, ...)``: a plane that is ``gap`` away in the function is ``gap / dual_norm(slope)`` away in ``norm``."""
    length: Tensor = torch.linalg.vector_norm(slope.flatten(1), ord=_DUAL[norm], dim=1)
    return length


def leads(logits: Tensor, own: Tensor, rivals: Tensor) -> Tensor:
    """``(k, N)``: by how much the logits of the classes ``rivals`` ``(k, N)`` exceed those of ``own`` ``(N,)``."""
    return (logits.gather(1, rivals.T) - logits.gather(1, own[:, None])).T


class Planes(NamedTuple):
    """Where k functions of each row are 0, by the classifier made linear: at the steps for which ``<slope, step> = gap``."""

    slopes: Tensor
    """``(k, N, C, H, W)``."""
    gaps: Tensor
    """``(k, N)``: above 0 where the plane has not been crossed."""

    @classmethod
    def of(cls, model: ModelAccess, rising: Tensor, images: Tensor) -> Self:
        """Of functions ``rising`` ``(k, N)``, below 0 so far, with the graph from ``images`` on: k gradients of one forward pass."""
        return cls(model.gradients(rising, images), -rising.detach())


@torch.no_grad()
def paper_step(planes: Planes, norm: Literal["l2", "linf"]) -> tuple[Tensor, Tensor]:
    """DeepFool's step as the paper writes it, to the nearest plane in a space without limits.

    ``l = argmin_k |gap_k| / ||slope_k||_q`` (q is 2 for l2, 1 for linf), and the step is ``|gap_l| * slope_l / ||slope_l||_2^2`` in l2,
    ``|gap_l| * sign(slope_l) / ||slope_l||_1`` in linf; as in the authors' code 1e-4 longer. Moosavi-Dezfooli, Fawzi, Frossard 2015,
    arXiv 1511.04599, algorithm 2 and section 3.3.

    Returns
    -------
    step
        ``(N, C, H, W)``.
    stuck
        ``(N,)`` bool: no plane of the row has a slope that can be followed; the step is zero.
    """
    peaks = planes.slopes.flatten(2).abs().amax(2).clamp_min(torch.finfo(planes.slopes.dtype).tiny)  # small slopes' squares underflow
    slopes, gaps = planes.slopes.flatten(2) / peaks[:, :, None], planes.gaps.abs() / peaks
    norms = torch.linalg.vector_norm(slopes, ord=_DUAL[norm], dim=2)
    distances = torch.where(norms > 0, gaps / norms, torch.inf).nan_to_num(nan=torch.inf, posinf=torch.inf)
    distance, nearest = distances.min(0)
    stuck = distance == torch.inf
    slope, length = slopes[nearest, torch.arange(len(nearest), device=nearest.device)], norms.gather(0, nearest[None])[0]
    towards = slope / length[:, None] if norm == "l2" else slope.sign()
    step = torch.where(stuck[:, None], 0.0, (distance + _FARTHER)[:, None] * towards)
    return step.view_as(planes.slopes[0]), stuck


@torch.no_grad()
def step_across(
    planes: Planes, low: Tensor, high: Tensor, norm: Literal["l2", "linf"], overshoot: float = 0.0, rounds: int = 7
) -> tuple[Tensor, Tensor]:
    """DeepFool's step: the shortest one across the nearest plane that can be reached.

    The nearest plane is that of the least ``gap / ||slope||_q`` (q is 2 for l2, 1 for linf). Without a box the step is
    ``gap * slope / ||slope||_2^2`` in l2 and ``gap * sign(slope) / ||slope||_1`` in linf, a hair longer.

    Parameters
    ----------
    planes
        Of each row.
    low, high
        ``(N, C * H * W)``: how far each value can go down, at most 0, and up; they may be infinite.
    norm
        Which length.
    overshoot
        How far past the plane, of the gap.
    rounds
        Of Newton's method, as in `shortest`; 0 is exact where nothing is limited.

    Returns
    -------
    step
        ``(N, C, H, W)``.
    stuck
        ``(N,)`` bool: no plane of the row has a slope that can be followed.
    """
    slopes, gaps = planes.slopes.flatten(2), planes.gaps
    lengths = shortest(slopes, gaps, low, high, norm, min(_ROUNDS, rounds) if len(gaps) > 1 else 0)[1]
    stuck = ~(lengths < torch.inf).any(0)
    nearest = lengths.nan_to_num(torch.inf).argmin(0), torch.arange(gaps.shape[1], device=gaps.device)
    slope = slopes[nearest]
    step, _ = shortest(slope, beyond(gaps[nearest], slope, norm, overshoot), low, high, norm, rounds)
    return step.view_as(planes.slopes[0]), stuck


def beyond(gap: Tensor, slope: Tensor, norm: Norm, overshoot: float) -> Tensor:
    """``(N,)``: what a step is to gain so that it ends past the plane, ``(1 + overshoot) * gap`` and a hair."""
    return (1 + overshoot) * gap + _FARTHER * dual_norm(slope, norm)
