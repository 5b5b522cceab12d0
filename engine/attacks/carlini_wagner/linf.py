"""Carlini and Wagner's Linf attack: a bound that shrinks after every success, each descent starting from the last one's end."""

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
"""Factors of automatic step sizes: on the distance that the first gradient suggests, and on tau once there is one."""
_BINDS = 0.1
"""Share of the distance reached; a row ends when its bound falls below it."""


class CarliniWagnerLinf(Tightening):
    """Search for the nearest adversarial image in Linf: after every success lower the bound ``tau`` on every pixel and continue.

    A success sets ``tau = shrink * min(tau, max |image - clean|)``; Adam then restarts, in every row independently. ``steps`` without a
    success count as a failure; after ``tries`` failures the row ends.

    ``"projected"``: maximise the lead (best wanted minus best unwanted logit) with the image clamped to ``clean +- tau`` after each step; a
    failure returns to the last success with the root of ``shrink``. ``"penalty"``, the paper's: minimise ``constant * max(-lead,
    -confidence) + sum max(|image - clean| - tau, 0)``; a failure multiplies the constant by ``growth``. Adam divides by the root mean
    square of the gradient, which one excursion beyond tau fills with the penalty's, so the paper's form is slower and stops earlier: on 100
    digits a median of .096 instead of .083, with 15 times the passes.

    There is one forward and one backward pass per step of each active row. Carlini, Wagner 2016, arXiv 1608.04644. Published means of the
    best, average and worst target: MNIST .13, .16, .23 and CIFAR-10 .0092, .013, .019 (from memory, unconfirmed). Deviations: the projected
    form; the step size comes from the first gradient, later from tau; the boundary search at the end.
    """

    slug: ClassVar[str] = "cw-linf"
    title: ClassVar[str] = "Carlini & Wagner L∞"
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Carlini, Wagner 2016, arXiv 1608.04644"
    norms: ClassVar[tuple[Norm, ...]] = ("linf",)
    raises: ClassVar[str] = "margin"
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
    """Steps of Adam without a success that count as a failure."""
    tries: int = budget(4, title="failures at most", ge=1, le=100, unit="failures")
    """Number of failures after which a row ends."""
    shrink: float = method(0.9, title="factor after a success", gt=0, lt=1)
    """Factor by which a success reduces the bound."""
    form: Literal["projected", "penalty"] = method("projected")
    """Treatment of the bound. projected: the image is clamped to the bound after each step. penalty: the paper's sum over the excess."""
    step_size: Number | None = method(None, gt=0, none="from the first gradient", unit="of [0, 1]")
    """Adam's step size. None: from the first gradient, then from tau, falling to 0 between two successes."""
    constant: Number | None = method(None, gt=0, none="from the first gradient", when={"form": "penalty"})
    """Initial weight of the hinge. None: the value at which the steepest pixel balances the penalty."""
    growth: float = method(2.0, title="factor after a failure", gt=1, le=1000, when={"form": "penalty"})
    """Factor by which a failure multiplies the constant."""
    smallest: Number = method(0.0, title="smallest bound", ge=0, lt=1, unit="of [0, 1]")
    """Bound below which a row ends."""

    @property
    def round_length(self) -> int:
        """Number of steps without a success that end a round."""
        return self.steps

    def rows(self, problem: Problem, look: FirstLook) -> Rows:
        """Return the state without a bound, with step sizes and constants from the first gradient where none are given."""
        return _Rows(self, problem, look)


class _Rows(Rows):
    """State of the rows: bound, distance reached, constant, failures, step size."""

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
        """Rows with a try left, ``(N,)`` bool. A bound far below the distance reached (in the penalty's form) has no more effect."""
        binds = (self._tau > self._attack.smallest) & (~self._reached.isfinite() | (self._tau > _BINDS * self._reached))
        return (self._failures < self._attack.tries) & binds & ~self._broken

    def readings(self) -> Mapping[str, Tensor]:
        """Return the bound, as the median over rows."""
        return {"L∞ bound": self._tau.median()}

    def raised(self, leads: Tensor) -> Tensor:
        """Return the leads, or minus the paper's objective."""
        if self._attack.form == "projected":
            return leads
        delta = self.images - self.problem.images
        excess = (delta.abs() - column(self._tau, delta)).clamp_min(0).flatten(1).sum(1)
        return -self._constant * (self._attack.confidence - leads).clamp_min(0) - excess

    @torch.no_grad()
    def move(self, rise: Tensor, leads: Tensor, success: Tensor) -> None:
        """Take a step of Adam; then a success lowers the bound, and a failure restores the last success or raises the constant."""
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
        """Clamp the images to the bound; after a failure return those of the last success, within a looser bound."""
        again = failure & self._reached.isfinite()
        self._shrink = torch.where(again, self._shrink.sqrt(), self._shrink)
        self._tau = torch.where(again, self._shrink * self._reached, self._tau)
        moved = torch.where(again[:, None, None, None], self._nearest, moved)
        bound = column(self._tau, moved)
        return torch.minimum(torch.maximum(moved, clean - bound), clean + bound)
