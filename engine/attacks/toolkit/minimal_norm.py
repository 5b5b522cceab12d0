"""Base of the minimal-norm attacks: the final boundary search, and results that survive rounding to 8 bits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import torch

from engine.attacks.toolkit.boundary_search import Nearest
from engine.attacks.toolkit.losses import LossName
from engine.attacks.toolkit.rounding import MOST_TRIES, Rounding
from engine.errors import GibbonError
from engine.operation import Attack, AttackStep, Problem
from engine.parameters import result


class MinimalNorm(Attack, ABC):
    """An attack that searches for the nearest adversarial image instead of the worst one in a ball.

    ``search`` is the paper's loop. Two searches by forward passes alone follow: for the boundary on the segment from the clean image to the
    nearest adversarial one found, ``images + t * (nearest - images)``, and with ``eight_bit`` for the shortest image on the 8-bit grid
    along that line which is still adversarial. In l0, where a shorter perturbation counts as much, ``t`` is the share of the changed pixels
    that stay, those of the largest changes. Images at the requested precision, or without an adversarial image, are left out.
    """

    keeps: ClassVar[Literal["loss", "norm", "last"]] = "norm"
    raises: ClassVar[str] = "margin"
    reported: ClassVar[LossName] = "margin"
    """The loss of the steps of the two searches at the end, the same as that of ``search``."""

    boundary_steps: int = result(10, title="halvings to the boundary", ge=0, le=60)
    """Precision of the boundary at the end: 2^-boundary_steps of the distance, as by the same number of halvings. Where the margin is
    smooth three or four forward passes suffice.
    """
    eight_bit: bool = result(False, title="holds in 8 bits")
    """Keep the result adversarial after rounding to 8 bits, as a PNG file holds it: the perturbation is lengthened until its rounded image
    succeeds, then shortened as far as that lasts."""

    beyond_rounding: bool = result(True, title="beyond rounding errors")
    """Count an image as found where the wanted logit leads by more than the order of additions changes: 16 units in the last place of the
    largest logit. Otherwise an image at the boundary may not be adversarial by itself, in another batch or in another library."""

    @property
    def least_margin(self) -> float:
        """The margin by which the wanted logit must lead before an image counts as adversarial; 0: any lead."""
        return 0.0

    @abstractmethod
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Run the loop of the paper; the first step is the clean image. Yield the logits where they are known."""

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Run ``search``, then the boundary search, then the search on the 8-bit grid."""
        if problem.classifier.num_classes < 2:
            raise GibbonError(
                "The model has one class only: there is no other one whose boundary could be near. Load one with two or more."
            )
        nearest = Nearest(
            problem,
            self.distance,
            self.least_margin,
            sparse=getattr(self, "norm", None) == "l0",
            strict=self.beyond_rounding,
            loss=self.reported,
        )
        extra = 2 * self.boundary_steps + (MOST_TRIES if self.eight_bit else 0)
        total: int | None = None
        index = -1
        for step in self.search(problem):
            step, index = nearest.keep(step), step.index
            total = None if step.total is None else step.total + extra
            yield replace(step, total=total, score=nearest.score_of(self.eight_bit))
        for images, logits in nearest.boundary(self.boundary_steps):
            index += 1
            yield replace(nearest.step(index, total, images, logits), score=nearest.score_of(self.eight_bit))
        if self.eight_bit:
            lost = nearest.found.clone()
            for tried in Rounding(problem, nearest.judge).outward(nearest.images, nearest.found):
                index += 1
                yield nearest.rounded_step(index, total, tried)
                lost[tried.rows] &= ~tried.survives
            if bool(lost.any()):
                last = nearest.step(index + 1, total, nearest.images, nearest.logits)
                yield replace(last, score=torch.full_like(nearest.length, -torch.inf), notes=(_lost(int(lost.sum()), len(lost)),))


def _lost(count: int, total: int) -> str:
    which = "the image" if total == 1 else f"{count} of {total} images"
    return f"No rounding of what was found for {which} is adversarial, so an 8-bit file will not hold it."
