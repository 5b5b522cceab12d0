"""The Square attack: random search with squares, which needs scores and no gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.access import Knowledge
from engine.attacks.square.moves import L2Moves, LinfMoves, Moves, Plan
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.budget import InBall, usual_eps
from engine.attacks.toolkit.losses import value
from engine.balls import Norm
from engine.errors import WrongField
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_BLOCK = 64
"""Number of moves for which a row draws at once."""
_SCHEDULE = ((10, 1), (50, 2), (200, 4), (500, 8), (1000, 16), (2000, 32), (4000, 64), (6000, 128), (8000, 256))
"""Queries (of 10,000) up to which the share is divided by a factor; by 512 after the last."""


class Square(InBall):
    """Change one random square at a time and keep changes that increase the loss; this needs scores and no gradient.

    ``image_1`` is the clean image with vertical stripes at the ends of the ball (linf) or tiles of bumps and dents (l2). Then for query q:
    ``proposal = image_q`` with a square of ``share(q)`` of the area changed, ``image_(q+1) = proposal`` where ``loss(proposal) >
    loss(image_q)``. In linf every channel of the square goes to ``clean + eps`` or ``clean - eps`` by one sign, drawn until something
    changes; in l2 the square takes the unused budget of the ball and that of a second square. ``share`` falls from ``p_init`` to ``p_init /
    512`` in steps, at the queries 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 of 10,000, scaled to ``n_queries``. One forward row per
    query; solved rows leave the batch.

    Andriushchenko, Croce, Flammarion, Hein 2019, arXiv 1912.00049. Deviations: every row has a square of its own; in linf squares reach the
    last row and column, which those of the authors' code do not; with a mask, squares lie around its pixels and their share is that of its
    area; the clean image is queried once more, first.
    """

    slug: ClassVar[str] = "square"
    title: ClassVar[str] = "Square"
    family: ClassVar[str] = "Black box"
    paper: ClassVar[str] = "Andriushchenko et al. 2019, arXiv 1912.00049"
    knows: ClassVar[Knowledge] = "scores"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("As in the authors' code, ImageNet, L∞", {"eps": 12.75 / 255, "p_init": 0.05, "n_queries": 10_000}),
        Preset("As in the authors' code, ImageNet, L2", {"norm": "l2", "eps": 5.0, "p_init": 0.1, "n_queries": 10_000}),
        Preset("As in the authors' code, MNIST trained against PGD", {"eps": 0.3, "p_init": 0.8, "n_queries": 20_000}),
    )

    norm: Literal["linf", "l2"] = budget("linf")
    """The norm of the ball that contains the perturbation."""
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]", usual=usual_eps("linf", "l2"))
    """Radius of the ball in pixel units: 8/255 is eight grey levels."""
    n_queries: int = budget(5000, ge=1, le=1_000_000, unit="rows", title="queries")
    """Largest number of queries for each image; the clean image is not counted."""
    p_init: float = method(0.8, gt=0, le=1, title="first area")
    """Share of the image's area (of the mask's, where there is one) that the first squares cover. 0.8 suits robust and small models; the
    authors took 0.05 (linf) and 0.1 (l2) for ImageNet.
    """
    corners: Literal["published", "all"] = method("published", when={"norm": "l2"})
    """Positions of squares in l2 without a mask. published: as in the authors' code, where no square reaches the last row and column; on a
    network trained against PGD that fools 51 images instead of 48. all: anywhere, as always in linf.
    """
    loss: Literal["margin", "ce"] = method("margin")
    """Loss to maximise. margin: best other logit minus the label's. ce: cross-entropy, which progresses more evenly towards a target."""
    proposals: int = method(1, ge=1, le=1024, unit="rows")
    """Number of squares tried together for each image; the best one is taken. 1 is the paper's search. More cost as many queries, but a
    single image of a small model then takes less time.
    """

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.proposals > self.n_queries:
            raise WrongField("proposals", f"{self.proposals} at a time are more than all {self.n_queries} queries. Allow more queries.")
        return self

    def share(self, query: int) -> float:
        """Return the share of the area that the squares cover after ``query`` queries."""
        scaled = query * 10_000 // self.n_queries
        return self.p_init / next((divisor for last, divisor in _SCHEDULE if scaled <= last), 512)

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean images, the start, then one step per query (or per ``proposals`` queries)."""
        steps = 1 + (self.n_queries - 1) // self.proposals
        logits = problem.classifier(problem.images)
        whole = AttackStep(0, steps, problem.images, self._loss(problem, logits), logits)
        yield whole
        active = ActiveRows(problem)
        active.drop(problem.succeeds(logits))
        walk = _Walk(active.problem, self._moves(problem).select(active.rows))
        for index in range(1, steps + 1):
            if not len(active):
                return
            if index == 1:
                walk.begin(*self._asked(walk.problem, walk.moves.begin(walk.first())))
            else:
                walk.take(*self._best_proposal(walk, (index - 2) * self.proposals))
            whole = active.spread(AttackStep(index, steps, walk.images, walk.loss, walk.logits), whole)
            yield whole
            asks = index % 8 == 0 or problem.images.device.type == "cpu"  # on an accelerator a check for the remaining rows waits
            if asks and (left := active.drop(walk.solved)) is not None:
                walk = walk.select(left, active.problem)

    def _moves(self, problem: Problem) -> Moves:
        return (LinfMoves if self.norm == "linf" else L2Moves).of(problem, self.eps, self.norm == "linf" or self.corners == "all")

    def _loss(self, problem: Problem, logits: Tensor) -> Tensor:
        return value(self.loss, logits, problem.labels, problem.targets)

    def _asked(self, problem: Problem, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = problem.classifier(images)
        return images, self._loss(problem, logits), logits

    def _best_proposal(self, walk: _Walk, queried: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return images, losses and logits of each row's best proposal, after ``asked`` queries."""
        if walk.used_up:
            shares = [self.share(queried + move * self.proposals) for move in range(_BLOCK)]
            walk.plan_moves(shares, self.proposals)
        proposals = walk.propose()
        if self.proposals == 1:
            return self._asked(walk.problem, proposals)
        problem, n = walk.problem, len(walk.loss)
        logits = problem.classifier(proposals)
        labels, targets = (None if t is None else t.repeat_interleave(self.proposals) for t in (problem.labels, problem.targets))
        assert labels is not None
        loss = value(self.loss, logits, labels, targets)
        best = loss.nan_to_num(nan=-torch.inf).view(n, -1).argmax(1) + torch.arange(n, device=loss.device) * self.proposals
        return proposals[best], loss[best], logits[best]


class _Walk:
    """The iterate of each active row, and its next moves, planned many at once."""

    images: Tensor
    loss: Tensor
    logits: Tensor

    def __init__(self, problem: Problem, moves: Moves) -> None:
        self.problem, self.moves = problem, moves
        self.solved = torch.zeros_like(problem.labels, dtype=torch.bool)
        self._plan: Plan | None = None
        self._used = 0
        self._each = 1
        self._of_many: Moves | None = None

    def first(self) -> Tensor:
        """Draw the numbers for the start."""
        return self.problem.random.uniform((self.moves.first_numbers,))

    @property
    def used_up(self) -> bool:
        """Whether further moves must be planned."""
        return self._plan is None or self._used == _BLOCK

    def plan_moves(self, shares: Sequence[float], proposals: int) -> None:
        """Plan a block of moves with ``proposals`` proposals each."""
        draws = self.problem.random.uniform((proposals, _BLOCK, self.moves.numbers)).flatten(0, 1)
        self._used, self._each = 0, proposals
        self._plan = self._many().plan(draws, shares)

    def propose(self) -> Tensor:
        """Return the next proposals, ``(N * proposals, C, H, W)``."""
        assert self._plan is not None
        self._used += 1
        images = self.images if self._each == 1 else self.images.repeat_interleave(self._each, 0)
        return self._many().propose(images, self._plan, self._used - 1)

    def take(self, images: Tensor, loss: Tensor, logits: Tensor) -> None:
        """Accept images of larger loss; solved rows stay unchanged."""
        better = ((loss > self.loss) | self.loss.isnan()) & ~self.solved
        self.images = torch.where(better[:, None, None, None], images, self.images)
        self.loss = torch.where(better, loss, self.loss)
        self.logits = torch.where(better[:, None], logits, self.logits)
        self.solved = self.problem.succeeds(self.logits)

    def begin(self, images: Tensor, loss: Tensor, logits: Tensor) -> None:
        """Set the iterates, whatever their loss is."""
        self.images, self.loss, self.logits = images, loss, logits
        self.solved = self.problem.succeeds(logits)

    def select(self, left: Tensor, problem: Problem) -> _Walk:
        """Return the walk of the rows at these indices, whose problem is ``problem``."""
        other = _Walk(problem, self.moves.select(left))
        other.solved, other._used, other._each = self.solved[left], self._used, self._each
        other.images, other.loss, other.logits = self.images[left], self.loss[left], self.logits[left]
        if self._plan is not None:
            other._plan = self._plan.select(_repeated(left, self._each))
        return other

    def _many(self) -> Moves:
        """Return the moves with every row repeated once per proposal."""
        if self._each == 1:
            return self.moves
        if self._of_many is None:
            self._of_many = self.moves.select(torch.arange(len(self.loss), device=self.loss.device).repeat_interleave(self._each))
        return self._of_many


def _repeated(rows: Tensor, each: int) -> Tensor:
    """Return the indices of the rows when each is repeated ``each`` times."""
    return rows if each == 1 else (rows[:, None] * each + torch.arange(each, device=rows.device)).flatten()
