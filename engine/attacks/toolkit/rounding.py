"""Search for the shortest image on the 8-bit grid, along the line of a perturbation, that is still adversarial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.balls import column
from engine.images import lattice
from engine.operation import Problem

_OVERSHOOTS = tuple(0.02 * 1.5**k for k in range(14))
"""Overshoots past the float solution, as shares of its length, at which rounded images are tried: up to four times as far."""
_REFINEMENTS = 4
MOST_TRIES = 2 + len(_OVERSHOOTS) + _REFINEMENTS
_SLACK = 1e-3
"""Tolerance in grey levels within which a value counts as on the grid."""

Judge = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Function from images ``(n, C, H, W)`` and their rows ``(n,)`` to the model's output ``(n, ...)`` and whether they are adversarial,
``(n,)`` bool.
"""


@dataclass(frozen=True, eq=False)
class Rounded:
    """Images on the 8-bit grid with the model's output."""

    rows: Tensor
    """Indices of the rows in the problem, ``(n,)``."""
    images: Tensor
    """The rounded images, ``(n, C, H, W)``."""
    said: Tensor
    """The output of the judge, ``(n, ...)``."""
    survives: Tensor
    """Whether image and file are adversarial, ``(n,)`` bool."""


class Rounding:
    """Rounding of adversarial images, which lengthens perturbations until their rounded image is adversarial, too.

    Parameters
    ----------
    problem
        The problem of all images.
    judge
        Queries the model within the attacker's access: logits or labels.
    """

    def __init__(self, problem: Problem, judge: Judge) -> None:
        self._clean, self._judge = problem.images, judge
        low, high = FeasibleSet(problem).box
        self._low, self._high = (low * 255 - _SLACK).ceil() / 255, (high * 255 + _SLACK).floor() / 255

    @torch.no_grad()
    def near(self, images: Tensor, rows: Tensor, *, away: bool = False) -> Rounded:
        """Return ``images`` of ``rows`` on the grid: rounded to the nearest level, or to the next one ``away`` from the clean image."""
        clean, low, high = self._clean[rows], self._low[rows], self._high[rows]
        ray = images - clean
        levels = images * 255
        outward = torch.where(ray > 0, (levels - _SLACK).ceil(), (levels + _SLACK).floor()) / 255
        rounded = (outward if away else lattice(images)).clamp_min(low).clamp_max(high)
        # Unchanged values keep their bits, and so do values that a soft mask holds between two grey levels.
        rounded = torch.where((ray != 0) & (low <= high), rounded, clean)
        said, survives = self._judge(rounded, rows)
        file = lattice(rounded)
        if not torch.equal(file, rounded):  # a clean image may itself be off the grid, and the file would round it, too
            survives = survives & self._judge(file, rows)[1]
        return Rounded(rows, rounded, said, survives)

    @torch.no_grad()
    def outward(self, far: Tensor, found: Tensor) -> Iterator[Rounded]:
        """Yield rounded images outward from ``far`` (of all rows) for the rows ``found``; at most `MOST_TRIES` for each.

        The order is: the nearest levels; those away from the clean image, most of which survive even for a tiny perturbation; and images
        past it, ever farther until a rounded one survives, whose overshoot is then halved. The caller chooses the shortest survivor of each
        row.
        """
        rows = found.nonzero().flatten()
        if not len(rows):
            return
        tried = self.near(far[rows], rows)
        yield tried
        rows = rows[~tried.survives]
        if not len(rows):
            return
        yield self.near(far[rows], rows, away=True)
        clean = self._clean[rows]
        ray, ladder = far[rows] - clean, torch.tensor(_OVERSHOOTS).to(far)
        low, high = far.new_zeros(len(rows)), far.new_full((len(rows),), torch.nan)
        rung = torch.zeros_like(rows)
        left = torch.full_like(rung, _REFINEMENTS)
        for _ in range(len(ladder) + _REFINEMENTS):
            known = ~high.isnan()
            now = torch.where(known, left > 0, rung < len(ladder)).nonzero().flatten()
            if not len(now):
                return
            overshoot = torch.where(known, (low + high) / 2, ladder[rung.clamp_max(len(ladder) - 1)])[now]
            tried = self.near((clean[now] + column(1 + overshoot, clean) * ray[now]).clamp(0, 1), rows[now])
            yield tried
            left, rung = torch.where(known, left - 1, left), torch.where(known, rung, rung + 1)
            success = tried.survives
            high, low = high.index_copy(0, now[success], overshoot[success]), low.index_copy(0, now[~success], overshoot[~success])
