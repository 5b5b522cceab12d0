"""The loop of Carlini and Wagner's Linf and L0 attacks: what a row may change is tightened whenever its image is found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import count

import torch
from torch import Tensor

from engine.attacks.carlini_wagner.base import CarliniWagner, FirstLook, first_look, lead
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.operation import AttackStep, Problem

_EVERY = 5
"""Steps after which rows that have ended are taken out: looking costs a wait for the device."""


class Tightening(CarliniWagner, ABC):
    """Carlini and Wagner's way with distances whose gradient says little: Adam raises the lead, each success takes something away.

    Every row goes on by itself from where it stands, with a fresh Adam after every success and every failure.
    """

    @abstractmethod
    def rows(self, problem: Problem, look: FirstLook) -> Rows:
        """The rows of ``problem`` at their clean images, which ``look`` is of."""

    @torch.enable_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Step 0 is the clean image; every further one a step of Adam in all rows that go on."""
        look = first_look(problem, self.confidence)
        whole = AttackStep(0, None, problem.images, self.confidence - look.missing, look.logits)
        yield whole
        active, hopeful = ActiveRows(problem), look.hopeful.nonzero().flatten()
        active.keep(hopeful)
        rows = self.rows(active.problem, look.select(hopeful))
        for index in count(1):
            if not len(active):
                return
            images = rows.images.requires_grad_()
            logits = rows.problem.classifier(images)
            leads = lead(logits, rows.problem)
            rise = rows.problem.classifier.gradient(rows.raised(leads).sum(), images)
            step = AttackStep(index, None, images.detach(), leads.detach(), logits.detach(), readings=rows.readings())
            whole = active.spread(step, whole)
            yield whole
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
