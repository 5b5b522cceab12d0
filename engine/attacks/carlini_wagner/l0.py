"""Carlini and Wagner's L0 attack: after each success the pixels that contribute least are frozen, and the others continue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, Map
from engine.attacks.carlini_wagner.base import FirstLook
from engine.attacks.carlini_wagner.tightening import Rows, Tightening
from engine.balls import Norm, column
from engine.operation import AttackStep, Problem, Step
from engine.parameters import Preset, budget, method, result
from engine.text.parsing import Number

_UNCHANGED = 1e-4
"""Pixels that moved less than this are frozen in addition, as in the authors' code."""


class CarliniWagnerL0(Tightening):
    """Search for an adversarial image with few changed pixels: after each success those that contribute least become clean for good.

    A pixel's contribution is ``|image - clean| * |gradient of the lead|``, summed over channels; the lead is the best wanted minus the best
    unwanted logit. ``"adaptive"``: Adam maximises the lead itself, a success freezes a ``share`` of the pixels left, and ``steps`` without
    a success return to the last one with half the share, until not one pixel more can be frozen. ``"paper"``: Adam minimises ``||image -
    clean||_2^2 + constant * max(-lead, -confidence)``, a success freezes the lowest ``0.3 * sqrt(pixels changed)``, fewer once a
    contribution exceeds .01, and ``steps`` without a success double the constant, up to 2e6. Descents begin at the image of the last
    success.

    There is one forward and one backward pass per step of each active row. Carlini, Wagner 2016, arXiv 1608.04644. Published means of the
    best, average and worst target: MNIST 8.5, 16, 33 and CIFAR-10 5.9, 13, 24 pixels (from memory, unconfirmed). Deviations: the adaptive
    share (a few hundred steps instead of tens of thousands) and the missing distance term, which L0 does not count.
    """

    slug: ClassVar[str] = "cw-l0"
    title: ClassVar[str] = "Carlini & Wagner L0"
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Carlini, Wagner 2016, arXiv 1608.04644"
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    raises: ClassVar[str] = "margin"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("as in the paper", {"freezing": "paper", "steps": 1000, "step_size": 0.01, "constant": 1e-3, "confidence": 0.01}),
    )

    boundary_steps: int = result(0, title="halvings to the boundary", ge=0, le=60)
    """Halvings of the segment from the clean image to the adversarial one at the end. They do not change the number of pixels."""
    steps: int = budget(30, ge=1, le=100_000, unit="steps")
    """Steps of Adam without a success that count as a failure."""
    freezing: Literal["adaptive", "paper"] = method("adaptive")
    """Rule for the number of pixels that a success freezes: a share that failures halve, or the paper's rule."""
    share: float = method(0.3, title="share frozen at first", gt=0, lt=1, when={"freezing": "adaptive"})
    """Initial share of the changed pixels to freeze."""
    step_size: Number = method(0.1, gt=0, le=1, unit="of [0, 1]")
    """Adam's step size, which is large because few pixels have to move far."""
    constant: Number = method(1.0, gt=0, when={"freezing": "paper"})
    """Initial weight of the hinge."""

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return a map of the changed pixels."""
        assert isinstance(last, AttackStep)
        changed = (last.adversarial != problem.images).any(1)
        return {"changed": Map(changed.to(problem.images.dtype), "changed pixels")}

    @property
    def round_length(self) -> int:
        """Number of steps without a success that end a round."""
        return self.steps

    def rows(self, problem: Problem, look: FirstLook) -> Rows:
        """Return the state in which all pixels of the mask may change; successes will freeze some."""
        return _Rows(self, problem)


class _Rows(Rows):
    """The pixels that may change, and the images of the last success."""

    def __init__(self, attack: CarliniWagnerL0, problem: Problem) -> None:
        super().__init__(problem)
        self._attack = attack
        self._allowed = self.box.inside.any(1, keepdim=True)
        self._best, self._best_allowed = problem.images, self._allowed
        self._scores = torch.zeros_like(problem.images[:, 0].flatten(1))
        self._share = problem.images.new_full((len(problem.images),), attack.share)
        self._constant = torch.full_like(self._share, attack.constant)
        self._count = torch.ones_like(self._share)
        self._found = torch.zeros_like(self._share, dtype=torch.bool)
        self._going_on = torch.ones_like(self._found)

    @property
    def going_on(self) -> Tensor:
        """Rows that have more pixels to freeze and have not failed for good, ``(N,)`` bool."""
        return self._going_on

    def readings(self) -> Mapping[str, Tensor]:
        """Number of pixels that may still change, the median over rows."""
        return {"pixels": self._allowed.flatten(1).sum(1).median()}

    @torch.no_grad()
    def move(self, rise: Tensor, leads: Tensor, success: Tensor) -> None:
        """Take a step of Adam inside the allowed pixels; a success freezes some of them, a failure restores the last success."""
        images, clean = self.images.detach(), self.problem.images
        moved = images - self._attack.step_size * self.adam(self._fall(images - clean, rise, leads))
        failure = (self.adam.count >= self._attack.steps) & ~success
        self._note(images, (images - clean).abs(), rise, success)
        again = self._adapted(failure, success) if self._attack.freezing == "adaptive" else self._doubled(failure, success)
        where = again[:, None, None, None]
        self._allowed = torch.where(where, self._fewer(), self._allowed)
        moved = torch.where(where, self._best, moved)
        self.images = torch.where(self._allowed, self.box.clamp(moved), clean)
        self._going_on = self._going_on & ~leads.isnan()
        self.adam.restart(success | failure)

    def _adapted(self, failure: Tensor, success: Tensor) -> Tensor:
        """Choose rows that freeze pixels of their last success, and their share: after a failure half as much as before."""
        changed = self._best_allowed.flatten(1).sum(1)
        self._share = torch.where(failure, self._share / 2, self._share)
        ends = (failure & (~self._found | (self._count <= 1))) | (success & (changed <= 1))
        self._count = torch.where(success, (self._share * changed).floor(), torch.where(failure, (self._count / 2).floor(), self._count))
        self._count = self._count.clamp_min(1)
        self._going_on = self._going_on & ~ends
        return (success | failure) & ~ends

    def _doubled(self, failure: Tensor, success: Tensor) -> Tensor:
        """Apply the paper's rule: a success freezes at most 0.3 * sqrt(changed), a failure doubles the constant."""
        left = self._best_allowed.flatten(1)
        changed = left.sum(1)
        cheap = (left & (self._scores <= 0.01)).sum(1) + 1
        self._count = (0.3 * changed.to(self._share).sqrt()).ceil().minimum(cheap.to(self._share))
        self._constant = torch.where(failure, 2 * self._constant, self._constant)
        ends = (self._constant > 2e6) | (success & (changed <= 1))
        self._going_on = self._going_on & ~ends
        return success & ~ends

    def _fall(self, delta: Tensor, rise: Tensor, leads: Tensor) -> Tensor:
        """Return the gradient that Adam descends: of minus the lead, or of the paper's objective."""
        if self._attack.freezing == "adaptive":
            return -rise * self._allowed
        hinge = (leads < self._attack.confidence).to(rise) * self._constant
        return (2 * delta - column(hinge, rise) * rise) * self._allowed

    def _note(self, images: Tensor, moved: Tensor, rise: Tensor, success: Tensor) -> None:
        where = success[:, None, None, None]
        self._best = torch.where(where, images, self._best)
        self._best_allowed = torch.where(where, self._allowed & (moved.amax(1, keepdim=True) > _UNCHANGED), self._best_allowed)
        scores = (moved.sum(1) * rise.abs().sum(1)).flatten(1)
        self._scores = torch.where(success[:, None], scores, self._scores)
        self._found = self._found | success

    def _fewer(self) -> Tensor:
        """Return the pixels of every row's last success without those that contributed least. Selecting rows would wait for the device."""
        left = self._best_allowed.flatten(1)
        order = torch.where(left, self._scores, torch.inf).argsort(dim=1, stable=True)
        ranks = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order))
        return (left & (ranks >= self._count[:, None])).view_as(self._allowed)
