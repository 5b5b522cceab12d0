"""Carlini and Wagner's Linf attack: a bound that shrinks after every success, each descent beginning where the last one ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.carlini_wagner.base import FirstLook
from engine.attacks.carlini_wagner.tightening import Rows, Tightening
from engine.balls import TINY, Norm, column
from engine.operation import Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_FIRST, _LATER = 0.1, 0.5
"""Automatic step sizes: of the distance that the first gradient suggests, and of tau once there is one."""
_BINDS = 0.1
"""Of the distance reached: the bound below which a row ends."""


class CarliniWagnerLinf(Tightening):
    """Look for the nearest adversarial image in Linf: whenever one is found, lower the bound ``tau`` on every pixel and go on from there.

    A success sets ``tau = shrink * min(tau, max |image - clean|)``; Adam then begins anew, in every row by itself. ``steps`` without a
    success are a failure; after ``tries`` failures the row ends.

    ``"projected"``: maximise the lead (best wanted minus best unwanted logit) with the image clamped to ``clean +- tau`` after each step; a
    failure returns to the last success with the root of ``shrink``. ``"penalty"``, the paper's: minimise
    ``constant * max(-lead, -confidence) + sum max(|image - clean| - tau, 0)``; a failure multiplies the constant by
    ``growth``. Adam divides by the root mean square of the gradient, which one excursion beyond tau fills with the penalty's, so the
    paper's form is slower and stops earlier: on 100 digits a median of .096 instead of .083, with 15 times the passes.

    One forward and one backward pass per step of each row that goes on. Carlini, Wagner 2016, arXiv 1608.04644. Published means of the
    best, average and worst target: MNIST .13, .16, .23 and CIFAR-10 .0092, .013, .019 (from memory, unconfirmed). Deviations: the
    projected form; the step size comes from the first gradient, later from tau; the boundary search at the end.
    """

    slug: ClassVar[str] = "cw-linf"
    title: ClassVar[str] = "Carlini & Wagner L∞"
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Carlini, Wagner 2016, arXiv 1608.04644"
    norms: ClassVar[tuple[Norm, ...]] = ("linf",)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "as in the paper",
            {
                "form": "penalty",
                "steps": 1000,
                "tries": 22,
                "step_size": 5e-3,
                "constant": 1e-5,
                "smallest": 1 / 256,
                "boundary_steps": 0,
            },
        ),
        Preset("to convergence", {"steps": 100, "tries": 8}),
    )

    steps: int = budget(20, ge=1, le=100_000, unit="steps")
    """Steps of Adam without a success that are a failure."""
    tries: int = budget(4, ge=1, le=100, unit="failures")
    """Failures after which a row ends."""
    shrink: float = method(0.9, gt=0, lt=1)
    """What a success leaves of the bound."""
    form: Literal["projected", "penalty"] = method("projected")
    """projected: the image is clamped to the bound after each step. penalty: the paper's sum over what exceeds the bound."""
    step_size: Number | None = method(None, gt=0, none="from the first gradient", unit="of [0, 1]")
    """Adam's step size. None: from the first gradient, then from tau, falling to 0 between two successes."""
    constant: Number | None = method(None, gt=0, none="from the first gradient", when={"form": "penalty"})
    """The first weight of the hinge. None: that which lets the steepest pixel balance the penalty."""
    growth: float = method(2.0, gt=1, le=1000, when={"form": "penalty"})
    """By what a failure multiplies the constant."""
    smallest: Number = method(0.0, ge=0, lt=1, unit="of [0, 1]")
    """A row whose bound falls below this ends."""

    @property
    def round_length(self) -> int:
        """As in `Tightening`."""
        return self.steps

    def rows(self, problem: Problem, look: FirstLook) -> Rows:
        """No bound yet, and step sizes and constants from the first gradient where none are given."""
        return _Rows(self, problem, look)


class _Rows(Rows):
    """The bound and what it was reached at, the constant, the failures, the step size."""

    def __init__(self, attack: CarliniWagnerLinf, problem: Problem, look: FirstLook) -> None:
        super().__init__(problem)
        self._attack = attack
        first = look.distance("linf")
        self._tau = torch.ones_like(first)
        self._nearest = problem.images
        self._reached = torch.full_like(first, torch.inf)
        self._shrink = torch.full_like(first, attack.shrink)
        self._failures = torch.zeros_like(first)
        self._size = torch.full_like(first, attack.step_size) if attack.step_size is not None else _FIRST * first
        steepest = look.gradient.flatten(1).abs().amax(1).clamp_min(TINY)
        self._constant = 1 / steepest if attack.constant is None else torch.full_like(first, attack.constant)
        self._broken = torch.zeros_like(first, dtype=torch.bool)

    @property
    def going_on(self) -> Tensor:
        """Rows with a try left. A bound far below what was reached (in the penalty's form) binds nothing any more."""
        binds = (self._tau > self._attack.smallest) & (~self._reached.isfinite() | (self._tau > _BINDS * self._reached))
        return (self._failures < self._attack.tries) & binds & ~self._broken

    def readings(self) -> Mapping[str, Tensor]:
        """The bound, of the middle one of the rows."""
        return {"L∞ bound": self._tau.median()}

    def raised(self, leads: Tensor) -> Tensor:
        """The leads, or minus the paper's objective."""
        if self._attack.form == "projected":
            return leads
        delta = self.images - self.problem.images
        excess = (delta.abs() - column(self._tau, delta)).clamp_min(0).flatten(1).sum(1)
        return -self._constant * (self._attack.confidence - leads).clamp_min(0) - excess

    @torch.no_grad()
    def move(self, rise: Tensor, leads: Tensor, success: Tensor) -> None:
        """A step of Adam; then a success lowers the bound, and a failure returns or raises the constant."""
        attack = self._attack
        size = self._size if attack.step_size is not None else self._size * (1 - self.adam.count / attack.steps).clamp_min(0.1)
        images, clean = self.images.detach(), self.problem.images
        moved = images + column(size, images) * self.adam(rise)
        failure = (self.adam.count >= attack.steps) & ~success
        far = (images - clean).flatten(1).abs().amax(1)
        nearer = success & (far < self._reached)
        self._nearest = torch.where(nearer[:, None, None, None], images, self._nearest)
        self._reached = torch.where(nearer, far, self._reached)
        self._tau = torch.where(success, self._shrink * self._tau.minimum(far), self._tau)
        self._failures = self._failures + failure
        if attack.form == "projected":
            moved = self._back(moved, failure, clean)
        else:
            self._constant = torch.where(failure, self._constant * attack.growth, self._constant)
        if attack.step_size is None:
            farther = torch.where(failure, 2 * self._size, self._size)
            reached = self._tau if attack.form == "projected" else self._reached
            self._size = torch.where(self._reached.isfinite(), _LATER * reached, farther)
        self.images = self.box.clamp(moved)
        self._broken = self._broken | leads.isnan()
        self.adam.restart(success | failure)

    def _back(self, moved: Tensor, failure: Tensor, clean: Tensor) -> Tensor:
        """The images within the bound; after a failure those of the last success, within a bound less tight."""
        again = failure & self._reached.isfinite()
        self._shrink = torch.where(again, self._shrink.sqrt(), self._shrink)
        self._tau = torch.where(again, self._shrink * self._reached, self._tau)
        moved = torch.where(again[:, None, None, None], self._nearest, moved)
        bound = column(self._tau, moved)
        return torch.minimum(torch.maximum(moved, clean - bound), clean + bound)
