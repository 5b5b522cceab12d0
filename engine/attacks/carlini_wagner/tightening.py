"""The loop of Carlini and Wagner's Linf and L0 attacks: what a row may change is tightened whenever its image is found."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from engine.attacks.carlini_wagner.base import CarliniWagner, FirstLook, first_look, lead
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.operation import AttackStep, Problem

_EVERY = 5
"""Steps after which rows that have ended are taken out: looking costs a wait for the device."""
_UNFINISHED = "The search was ended after as many rounds as it may take, although some images were still getting nearer."


def most_rounds(problem: Problem) -> int:
    """How many rounds of full length a search takes at most: ``100 + 10 * sqrt(H * W)``.

    Rows end by themselves after far fewer where successes take pixels or distance away. Nothing else ends them on a model in which they
    do not. The slowest that is meant to end, the paper's rule for L0, takes ``sqrt(pixels) / 0.15`` successes and 31 failures.
    """
    return 100 + 10 * math.isqrt(math.prod(problem.images.shape[2:]))


class Tightening(CarliniWagner, ABC):
    """Carlini and Wagner's way with distances whose gradient says little: Adam raises the lead, each success takes something away.

    Every row goes on by itself from where it stands, with a fresh Adam after every success and every failure.
    """

    @abstractmethod
    def rows(self, problem: Problem, look: FirstLook) -> Rows:
        """The rows of ``problem`` at their clean images, which ``look`` is of."""

    @property
    @abstractmethod
    def round_length(self) -> int:
        """After how many steps without a success a row fails: that, or a success, ends a round."""

    @torch.enable_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Step 0 is the clean image; every further one a step of Adam in all rows that go on."""
        look = first_look(problem, self.confidence)
        whole = AttackStep(0, None, problem.images, self.confidence - look.missing, look.logits)
        yield whole
        active, hopeful = ActiveRows(problem), look.hopeful.nonzero().flatten()
        active.keep(hopeful)
        rows = self.rows(active.problem, look.select(hopeful))
        last = self.round_length * most_rounds(problem)
        for index in range(1, last + 1):
            if not len(active):
                return
            images = rows.images.requires_grad_()
            logits = rows.problem.classifier(images)
            leads = lead(logits, rows.problem)
            rise = rows.problem.classifier.gradient(rows.raised(leads).sum(), images)
            step = AttackStep(index, None, images.detach(), leads.detach(), logits.detach(), readings=rows.readings())
            whole = active.spread(step, whole)
            yield whole if index < last else replace(whole, notes=(_UNFINISHED,))
            rows.move(rise, leads, self.found(rows.problem, logits, leads))
            if index % _EVERY == 0 and (left := active.drop(~rows.going_on)) is not None:
                rows.select(left, active.problem)


class Rows(ABC):
    """What every row that goes on has of its own. All tensors have the rows first, so that `select` finds them."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.box = problem, FeasibleSet(problem).box
        self.images = problem.images.clone()
        self.adam = Adam(self.images)

    @property
    @abstractmethod
    def going_on(self) -> Tensor:
        """``(N,)`` bool: rows that have not ended."""

    @abstractmethod
    def readings(self) -> Mapping[str, Tensor]:
        """What to watch, of all rows."""

    def raised(self, leads: Tensor) -> Tensor:
        """``(N,)``: what to differentiate, the leads themselves or what is made of them and of ``images``."""
        return leads

    @abstractmethod
    def move(self, rise: Tensor, leads: Tensor, success: Tensor) -> None:
        """A step of Adam with the gradient ``rise`` of what is raised; then what ``success`` takes from a row, or failure gives back."""

    @torch.no_grad()
    def select(self, left: Tensor, problem: Problem) -> None:
        """Go on with the rows at these indices alone, whose ``problem`` this is."""
        self.problem, self.box = problem, FeasibleSet(problem).box
        self.adam.select(left)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value[left])
