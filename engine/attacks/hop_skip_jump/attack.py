"""HopSkipJump: a walk along the decision boundary by labels alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, Axis, Curve
from engine.attacks.hop_skip_jump.boundary_walk import BoundaryWalk, Ticks, WalkStep
from engine.balls import Norm
from engine.operation import Attack, AttackStep, Problem, Step, Use
from engine.parameters import CHOICES, Preset, budget, method, result

_TOGETHER = 6
"""Images of a chunk on the CPU: a step queries for each of them, and these take up to 0.3 s."""


class HopSkipJump(Attack):
    """Walk along the decision boundary towards the clean image, by queries for labels only.

    From an adversarial start, repeat for t = 1, 2, ...: a binary search between the clean image and the iterate, down to the boundary
    (gamma / d^1.5 of the way in l2, gamma / d^2 in linf, or what the numbers resolve); the direction in which the label changes, ``v =
    sum_b (phi_b - mean(phi)) * u_b`` over ``initial_evaluations * sqrt(t)`` random directions u_b of length 1 with ``phi_b = 1`` where
    ``iterate + delta * u_b`` is adversarial, else -1, ``delta = gamma * distance / d``; a step ``distance / sqrt(t)`` along v (its sign in
    linf), halved until the image is adversarial. Each query is one forward row; there are no backward passes.

    The start is ``start``, a second image with another prediction, or else noise, fine and coarse: among up to 16 adversarial ones (128 are
    tried at most) the one with the nearest boundary. Towards a target it must be of the target's class; noise seldom is, so provide one.
    Images without a start stay unchanged, and the result reports it.

    Chen, Jordan, Wainwright 2019, arXiv 1904.02144. Deviations: the start is the best of several noise images instead of the first; delta
    is at least what float32 resolves, which matters above some 100,000 values; a step is halved 20 times at most. With a mask d counts the
    values inside it. ``eight_bit`` is an addition.
    """

    slug: ClassVar[str] = "hop-skip-jump"
    title: ClassVar[str] = "HopSkipJump"
    family: ClassVar[str] = "Black box"
    paper: ClassVar[str] = "Chen et al. 2019, arXiv 1904.02144"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "start"})
    knows: ClassVar[Knowledge] = "labels"
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "norm"
    raises: ClassVar[str] = "−distance"
    norms: ClassVar[tuple[Norm, ...]] = ("l2", "linf")
    presets: ClassVar[tuple[Preset, ...]] = (Preset("As in the authors' code", {"steps": 40}),)

    norm: Literal["l2", "linf"] = budget("l2")
    """The distance to minimise, l2 or linf."""
    steps: int = budget(32, ge=1, le=10_000, unit="steps")
    """Steps along the boundary. 32 take about 13,000 queries, 10 about 2,500, with 100 evaluations at first."""
    initial_evaluations: int = method(100, ge=2, le=100_000, unit="rows", title="evaluations at first")
    """Random directions in the first step; step t has sqrt(t) times as many."""
    max_evaluations: int = method(10_000, ge=2, le=1_000_000, unit="rows", title="evaluations at most")
    """Largest number of directions in one step."""
    gamma: float = method(1.0, title="scale of the precision", gt=0, le=1000)
    """Scale of the precision of the boundary and of the length of the tried directions."""
    eight_bit: bool = result(False, title="holds in 8 bits")
    """Return 8-bit images only, as a PNG file holds them: every image on the boundary is rounded and queried, and in the end the nearest is
    lengthened until its rounded image succeeds. Where none does, the image stays unchanged and counts as no success.
    """

    def rows_together(self, images: Tensor) -> int | None:
        """Return a small number on the CPU, where larger batches are no cheaper per image."""
        return _TOGETHER if images.device.type == "cpu" else None

    def evaluations(self, number: int) -> int:
        """Return the number of directions that step ``number`` (from 1) tries."""
        return min(int(self.initial_evaluations * math.sqrt(number)), self.max_evaluations)

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean images; then the start and the walk, with a step whenever about 0.1 s has gone into one image."""
        walk = BoundaryWalk(problem, self.norm, self.gamma, self.eight_bit)
        total = walk.total(self.evaluations(number) for number in range(1, self.steps + 1))
        yield walk.step(0, total)
        for index, _ in enumerate(self._walk(walk), start=1):
            yield walk.step(index, total)

    def _walk(self, walk: BoundaryWalk) -> Ticks:
        """Run the loop of the paper."""
        yield from walk.begin()
        if not walk.rows:
            return
        yield from walk.to_the_boundary()
        for number in range(1, self.steps + 1):
            walk.iteration = number
            direction = yield from walk.estimate(self.evaluations(number), first=number == 1)
            yield from walk.leap(direction, 1 / math.sqrt(number))
            yield from walk.to_the_boundary()
        if self.eight_bit:
            yield from walk.to_the_lattice()

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the curve of ``distance`` against the queries, after each move from the first start on."""
        assert isinstance(last, WalkStep)
        course = [(queried / len(problem.images), distance) for queried, distance in last.course if bool(distance.isfinite())]
        if not course:
            return {}
        queried, distances = zip(*course, strict=True)
        name = CHOICES[self.norm]
        lines = {f"{name} distance": torch.stack(distances)}
        return {
            "distance": Curve(
                torch.tensor(queried), lines, f"{name} distance against queries", Axis("queries for each image", "queries"), Axis(name)
            )
        }
