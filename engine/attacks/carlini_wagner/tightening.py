"""The loop of Carlini and Wagner's Linf and L0 attacks: every success of a row tightens its constraint."""

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
"""Steps between checks for rows that have ended: a check waits for the device."""
_UNFINISHED = "The search was ended after as many rounds as it may take, although some images were still getting nearer."


def most_rounds(problem: Problem) -> int:
    """Return the largest number of full rounds of a search: ``100 + 10 * sqrt(H * W)``.

    Rows end after far fewer rounds where successes reduce pixels or distance. On other models only this limit ends them. The slowest search
    that must finish, the paper's rule for L0, takes ``sqrt(pixels) / 0.15`` successes and 31 failures.
    """
    return 100 + 10 * math.isqrt(math.prod(problem.images.shape[2:]))


class Tightening(CarliniWagner, ABC):
    """Carlini and Wagner's method for distances with an uninformative gradient: Adam maximises the lead, each success tightens.

    Every row continues independently from its iterate, with a fresh Adam after every success and every failure.
    """

    @abstractmethod
    def rows(self, problem: Problem, look: FirstLook) -> Rows:
        """Return the state of the rows of ``problem`` at their clean images, evaluated in ``look``."""

    @property
    @abstractmethod
    def round_length(self) -> int:
        """Number of steps without a success after which a row fails; a success or a failure ends a round."""

    @torch.enable_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as step 0, then a step of Adam in all active rows each."""
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
    """State of the active rows. The first axis of all tensors is the row, so that `select` finds them."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.box = problem, FeasibleSet(problem).box
        self.images = problem.images.clone()
        self.adam = Adam(self.images)

    @property
    @abstractmethod
    def going_on(self) -> Tensor:
        """Rows that have not ended, ``(N,)`` bool."""

    @abstractmethod
    def readings(self) -> Mapping[str, Tensor]:
        """Readings of all rows, for display."""

    def raised(self, leads: Tensor) -> Tensor:
        """Return the values ``(N,)`` to differentiate: the leads themselves or a function of them and of ``images``."""
        return leads

    @abstractmethod
    def move(self, rise: Tensor, leads: Tensor, success: Tensor) -> None:
        """Take a step of Adam with the gradient ``rise``; then tighten rows with a ``success``, and relax failed ones."""

    @torch.no_grad()
    def select(self, left: Tensor, problem: Problem) -> None:
        """Keep only the rows at these indices, with their ``problem``."""
        self.problem, self.box = problem, FeasibleSet(problem).box
        self.adam.select(left)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value[left])
