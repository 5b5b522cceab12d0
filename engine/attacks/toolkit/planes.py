"""Class boundaries of a linearised classifier as planes, and DeepFool's step across the nearest one."""

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
"""Newton rounds, at most, for the lengths by which planes are compared; the step itself uses all rounds."""


def dual_norm(slope: Tensor, norm: Norm) -> Tensor:
    """Return the dual norm ``(N,)`` of ``(N, ...)``: a plane at function value ``gap`` is ``gap / dual_norm(slope)`` away in ``norm``."""
    length: Tensor = torch.linalg.vector_norm(slope.flatten(1), ord=_DUAL[norm], dim=1)
    return length


def leads(logits: Tensor, own: Tensor, rivals: Tensor) -> Tensor:
    """Return by how much the logits of the classes ``rivals`` ``(k, N)`` exceed those of ``own`` ``(N,)``, as ``(k, N)``."""
    return (logits.gather(1, rivals.T) - logits.gather(1, own[:, None])).T


class Planes(NamedTuple):
    """The zero sets of k linearised functions of each row: the steps for which ``<slope, step> = gap``."""

    slopes: Tensor
    """Normal vectors of the planes, ``(k, N, C, H, W)``."""
    gaps: Tensor
    """Gaps to the planes, ``(k, N)``: above 0 where the plane has not been crossed."""

    @classmethod
    def of(cls, model: ModelAccess, rising: Tensor, images: Tensor) -> Self:
        """Linearise functions ``rising`` ``(k, N)``, below 0 so far, with their graph from ``images``: k gradients of one pass."""
        return cls(model.gradients(rising, images), -rising.detach())


@torch.no_grad()
def paper_step(planes: Planes, norm: Literal["l2", "linf"]) -> tuple[Tensor, Tensor]:
    """Return DeepFool's step as in the paper, to the nearest plane in a space without limits.

    ``l = argmin_k |gap_k| / ||slope_k||_q`` (q is 2 for l2, 1 for linf), and the step is ``|gap_l| * slope_l / ||slope_l||_2^2`` in l2,
    ``|gap_l| * sign(slope_l) / ||slope_l||_1`` in linf; as in the authors' code 1e-4 longer. Moosavi-Dezfooli, Fawzi, Frossard 2015, arXiv
    1511.04599, algorithm 2 and section 3.3.

    Returns
    -------
    step
        ``(N, C, H, W)``.
    stuck
        ``(N,)`` bool: no plane of the row has a slope that can be followed; the step is zero.
    """
    # The squares of small slopes would underflow.
    peaks = planes.slopes.flatten(2).abs().amax(2).clamp_min(torch.finfo(planes.slopes.dtype).tiny)
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
    """Return DeepFool's step in a box: the shortest one across the nearest reachable plane.

    The nearest plane is that of the least ``gap / ||slope||_q`` (q is 2 for l2, 1 for linf). Without a box the step is ``gap * slope /
    ||slope||_2^2`` in l2 and ``gap * sign(slope) / ||slope||_1`` in linf, slightly lengthened.

    Parameters
    ----------
    planes
        The planes of each row.
    low, high
        ``(N, C * H * W)``: ranges of each value down (at most 0) and up; they may be infinite.
    norm
        The norm of the step's length.
    overshoot
        Distance past the plane, as a share of the gap.
    rounds
        Rounds of Newton's method, as in `shortest`; 0 is exact where no value is limited.

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
    """Return the gain ``(N,)`` of a step that ends past the plane: ``(1 + overshoot) * gap``, slightly increased."""
    return (1 + overshoot) * gap + _FARTHER * dual_norm(slope, norm)
