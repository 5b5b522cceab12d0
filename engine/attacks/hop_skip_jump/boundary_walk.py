"""Walk along the decision boundary by labels alone: the iterate of every row, and the moves towards the clean image."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.box import Box
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.rounding import MOST_TRIES, Rounded, Rounding
from engine.balls import BALLS, TINY, Norm, normalised
from engine.batching import questions_per_step
from engine.errors import NoStart
from engine.operation import AttackStep, Problem
from engine.ranking import reached

_TRIES = 128
"""Noise images that are tried in the search for a start."""
_CANDIDATES = 16
"""Adversarial noise images that are followed to the boundary, of which the nearest becomes the start."""
_ROUGH = 5
"""Halvings on the way of a noise image to the boundary."""
_GRAINS = (1, 2, 4, 7)
"""Sides of the noise's cells in pixels; models predict different classes for fine and coarse noise."""
_LEAPS = 20
"""Halvings of a step before the row keeps its iterate."""
_NOT_ADVERSARIAL = "Some of the given start images are not adversarial for this model, so noise was tried instead of them."
_BLOCK = 32
"""Number of directions drawn at a time. It depends on no batch size, so that rows draw alike in any batch."""

Ticks = Generator[None, None, None]


@dataclass(frozen=True, eq=False, kw_only=True)
class WalkStep(AttackStep):
    """The iterates of all rows, with the history of the walk."""

    course: tuple[tuple[int, Tensor], ...]
    """History of the moves: forward rows so far, and the median distance, infinite while fewer than half the rows have a start."""


class BoundaryWalk:
    """State of the walk. Its methods are the moves of the paper; each yields when a step is due, equally often for any batch."""

    _mask: Tensor
    """Limits of each pixel's change, ``(N, 1, H, W)``."""
    _box: Box
    """The box of the active rows."""

    def __init__(self, problem: Problem, norm: Norm, gamma: float, eight_bit: bool) -> None:
        self._whole, self._size, self._linf, self._gamma = problem, BALLS[norm](1.0).size, norm == "linf", gamma
        self._eight_bit = eight_bit
        self.shown = problem.images
        """Images of all rows, ``(N, C, H, W)``: the same object while nothing moves, so that it need not be judged again. With
        ``eight_bit`` the nearest adversarial images on the 8-bit grid so far.
        """
        shape = problem.images.shape[1:]
        values = math.prod(shape)
        self._pace = questions_per_step(problem.images)
        self._block = min(_BLOCK, self._pace)
        """Number of directions or noise images drawn at a time."""
        finest = 2 - int(math.log2(torch.finfo(problem.images.dtype).eps))
        self._halvings = min(finest, max(1, math.ceil(math.log2(values ** (2 if self._linf else 1.5) / gamma))))
        self._farthest = 1.0 if self._linf else math.sqrt(values)
        self._length = problem.images.new_full((len(problem.images),), torch.inf)
        """Distances of ``shown``, ``(N,)``; infinite where there is no start."""
        self._active = ActiveRows(problem)
        self._notes: tuple[str, ...] = ()
        self._course: tuple[tuple[int, Tensor], ...] = ()
        self.iteration = 0
        """Number of the present step in the paper's loop, counted from 1."""

    @property
    def _problem(self) -> Problem:
        return self._active.problem

    @property
    def rows(self) -> int:
        """Return the number of active rows."""
        return len(self._active)

    def total(self, evaluations: Iterable[int]) -> int:
        """Return the number of steps of a walk, given the number of directions in each step along the boundary."""
        to_the_boundary = self._ticks(self._halvings)
        along = sum(self._ticks(count, self._block) + self._ticks(_LEAPS) + to_the_boundary for count in evaluations)
        return self._ticks(_TRIES, self._block) + to_the_boundary + along + (self._ticks(MOST_TRIES) if self._eight_bit else 0)

    def _ticks(self, queries: int, at_once: int = 1) -> int:
        """Return the number of steps of a move with ``queries`` queries per image."""
        return sum(due for _, _, due in self._rounds(queries, at_once))

    def _rounds(self, queries: int, at_once: int = 1) -> Iterator[tuple[int, int, bool]]:
        """Yield the queries made, the queries to make now, and whether a step is due after them."""
        rounds, between = -(-queries // at_once), max(1, self._pace // at_once)
        for number in range(rounds):
            queried = number * at_once
            yield queried, min(at_once, queries - queried), (number + 1) % between == 0 or number == rounds - 1

    def step(self, index: int, total: int) -> WalkStep:
        """Return the iterates of all rows; the loss is minus the distance, or minus the largest number where there is no start."""
        length = self._length.clamp_max(self._farthest)
        readings = {"iteration": torch.tensor(self.iteration), "median distance": length.median()}
        return WalkStep(index, total, self.shown, -length, readings=readings, notes=self._notes, course=self._course)

    def begin(self) -> Ticks:
        """Search for a start: the given images, then noise. Rows without one stay clean, and so do those that need none.

        Raises
        ------
        NoStart
            No row has a start although all need one.
        """
        problem = self._whole
        self._stand()
        needed = ~self._adversarial(problem.images[:, None])[:, 0]
        self._length = torch.where(needed, self._length, 0.0)
        self._active.keep(needed.nonzero().flatten())
        self._stand()
        found = torch.zeros_like(self._problem.labels, dtype=torch.bool)
        if self._problem.start is not None and self.rows:
            self._at = self._box.clamp(self._problem.images + self._mask * (self._problem.start - self._problem.images))
            found = self._adversarial(self._at[:, None])[:, 0]
            if not bool(found.all()):
                self._notes += (_NOT_ADVERSARIAL,)
        for queried, number, due in self._rounds(_TRIES, self._block):
            if not bool(found.all()):
                found = self._try_noise(found, queried, number)
            if due and queried + number < _TRIES:
                yield
        if not bool(found.all()):
            without = NoStart(self._no_start())
            if len(found) == len(self._whole.images) and not bool(found.any()):
                raise NoStart(" ".join((*self._notes, str(without))))
            self._notes += (without.note,)
        at = self._at[found]
        self._active.keep(found.nonzero().flatten())
        self._stand()
        self._move(at)
        yield

    def to_the_boundary(self) -> Ticks:
        """Bisect the segment to the clean image: a blend of both in l2, a box around the clean image in linf."""
        far = self._distance(self._at)
        self._far = far
        high = far if self._linf else torch.ones_like(far)
        low = torch.zeros_like(high)
        for queried, _, due in self._rounds(self._halvings):
            middle = (low + high) / 2
            success = self._adversarial(self._towards_clean(middle)[:, None])[:, 0]
            high, low = torch.where(success, middle, high), torch.where(success, low, middle)
            if queried == self._halvings - 1:
                self._move(self._towards_clean(high))
            if due:
                yield

    def estimate(self, evaluations: int, first: bool) -> Generator[None, None, Tensor]:
        """Estimate the direction in which more of the neighbours are adversarial, of length 1; its sign in linf."""
        at, shape = self._at, self._at.shape[1:]
        delta = torch.full_like(self._far, 0.1) if first else self._gamma * self._far / self._values
        delta = delta.maximum(4 * torch.finfo(at.dtype).eps * self._values.sqrt())[:, None, None, None, None]
        plain, signed, count = torch.zeros_like(at), torch.zeros_like(at), torch.zeros_like(self._far)
        for _, number, due in self._rounds(evaluations, self._block):
            draw = self._problem.random
            drawn = 2 * draw.uniform((number, *shape)) - 1 if self._linf else draw.normal((number, *shape))
            drawn = drawn.to(at) * self._support
            lengths = torch.linalg.vector_norm(drawn, dim=(2, 3, 4), keepdim=True)
            tried = at[:, None] + delta * drawn / lengths.clamp_min(TINY)
            tried = self._box.clamp(tried.transpose(0, 1)).transpose(0, 1)
            drawn = (tried - at[:, None]) / delta
            phi = 2 * self._adversarial(tried).to(at) - 1
            plain = plain + drawn.sum(1)
            signed = signed + (phi[..., None, None, None] * drawn).sum(1)
            count = count + phi.sum(1)
            if due:
                yield
        mean = (count / evaluations)[:, None, None, None]
        direction = normalised(torch.where(mean.abs() == 1, signed, signed - mean * plain))
        return direction.sign() if self._linf else direction

    def leap(self, direction: Tensor, share: float) -> Ticks:
        """Step by ``share`` of the distance along ``direction``, halved until the image is adversarial."""
        length = share * self._distance(self._at)
        at, left = self._at, torch.arange(len(self._at), device=self._at.device)
        for queried, _, due in self._rounds(_LEAPS):
            if len(left):
                tried = self._at[left] + length[left][:, None, None, None] * direction[left]
                tried = self._box.select(left).clamp(tried)
                success = self._adversarial(tried[:, None], left)[:, 0]
                at = at.index_copy(0, left[success], tried[success])
                length, left = length / 2, left[~success]
            if queried == _LEAPS - 1:
                self._at = at  # not shown, since it is farther away than the boundary
            if due:
                yield

    def to_the_lattice(self) -> Ticks:
        """Step outward from the nearest image on the boundary, until a rounded one is adversarial; show the shortest of these."""
        tries = self._rounding.outward(self._best, torch.ones_like(self._active.rows, dtype=torch.bool))
        for _, _, due in self._rounds(MOST_TRIES):
            tried = next(tries, None)
            if tried is not None:
                self._show_rounded(tried)
            if due:
                yield

    # ------------------------------------------------------------------ helpers

    def _stand(self) -> None:
        """Set the iterates of the active rows to their clean images."""
        problem, clean = self._problem, self._problem.images
        self._at = clean
        mask = torch.ones_like(clean[:, :1]) if problem.mask is None else problem.mask.expand(len(clean), -1, -1, -1)
        self._mask, self._support = mask, (mask > 0)[:, None]
        self._box = FeasibleSet(problem).box
        self._rounding = Rounding(problem, self._judge)
        self._values = (mask > 0).flatten(1).sum(1).to(clean) * clean.shape[1]
        self._far = torch.ones_like(self._values)
        self._best, self._best_length = clean, torch.full_like(self._values, torch.inf)

    def _adversarial(self, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """Query images ``(N, B, C, H, W)`` and return whether they are adversarial, ``(N, B)`` bool. One query each."""
        n, each = images.shape[:2]
        return self._succeeds(self._query(images.flatten(0, 1)).view(n, each), rows)

    def _judge(self, images: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return labels of images ``(n, C, H, W)``, and whether they are adversarial, in the form that `Rounding` needs. One query each."""
        predicted = self._query(images)
        return predicted, self._succeeds(predicted[:, None], rows)[:, 0]

    def _query(self, images: Tensor) -> Tensor:
        """Query the labels ``(n,)`` of images ``(n, C, H, W)``."""
        if not len(images):
            return torch.zeros_like(self._problem.labels[:0])
        most = max(self._pace, len(self._whole.images))
        return torch.cat([self._problem.classifier.predict(part) for part in torch.split(images, most)])

    def _succeeds(self, predicted: Tensor, rows: Tensor | None) -> Tensor:
        """Return which labels ``(n, B)`` are a success of the attacker, ``(n, B)`` bool."""
        labels, targets = self._problem.labels[:, None], self._problem.targets
        targets = None if targets is None else targets[:, None]
        if rows is not None:
            labels, targets = labels[rows], None if targets is None else targets[rows]
        return reached(predicted, labels, targets) & (predicted >= 0)  # NaN gives a label below 0, which is no class

    def _try_noise(self, found: Tensor, queried: int, number: int) -> Tensor:
        """Return the nearest adversarial image among ``number`` noise images per row, for rows without a start."""
        rows = (~found).nonzero().flatten()
        clean = self._problem.images[rows]
        _, channels, height, width = clean.shape
        uniform = self._problem.random.select(rows.tolist()).uniform((number, channels, height, width)).to(clean)
        noise = torch.stack([_noise(uniform[:, k], queried + k) for k in range(number)], 1)
        tried = clean[:, None] + self._mask[rows][:, None] * (noise - clean[:, None])
        success = self._adversarial(tried, rows)
        new = success.any(1)
        if bool(new.any()):
            self._at = self._at.index_copy(0, rows[new], self._nearest(clean[new], tried[new], success[new], rows[new]))
        return found.index_fill(0, rows[new], True)

    def _nearest(self, clean: Tensor, tried: Tensor, success: Tensor, rows: Tensor) -> Tensor:
        """Select among each row's first adversarial images ``(N, B, C, H, W)`` the one that stays so longest on the way to clean."""
        order = success.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :_CANDIDATES]
        rank = torch.arange(len(rows), device=rows.device)[:, None]
        tried, clean = tried[rank, order], clean[:, None]
        low = torch.zeros_like(success[:, : order.shape[1]], dtype=tried.dtype)
        high = torch.ones_like(low)
        for _ in range(_ROUGH):
            middle = (low + high) / 2
            stays = self._adversarial(clean + middle[..., None, None, None] * (tried - clean), rows)
            high, low = torch.where(stays, middle, high), torch.where(stays, low, middle)
        nearer = clean + high[..., None, None, None] * (tried - clean)
        distance = self._size((nearer - clean).flatten(0, 1)).view_as(high)
        distance = torch.where(success.gather(1, order), distance, torch.inf)
        return tried[rank[:, 0], distance.argmin(1)]

    def _towards_clean(self, share: Tensor) -> Tensor:
        clean, wide = self._problem.images, share[:, None, None, None]
        if self._linf:
            return self._at.maximum(clean - wide).minimum(clean + wide)
        return torch.where(wide == 1, self._at, clean + wide * (self._at - clean))

    def _distance(self, images: Tensor) -> Tensor:
        return self._size(images - self._problem.images)

    def _move(self, images: Tensor) -> None:
        """Move the iterates, and show them, or what a file can hold of them."""
        self._at = images = self._box.clamp(images)
        length = self._distance(images)
        if not self._eight_bit:
            self._show(self._active.rows, images, length)
            return
        nearer = length < self._best_length
        self._best = torch.where(nearer[:, None, None, None], images, self._best)
        self._best_length = torch.where(nearer, length, self._best_length)
        left = torch.arange(len(images), device=images.device)
        for away in (False, True):
            tried = self._rounding.near(images[left], left, away=away)
            self._show_rounded(tried)
            left = left[~tried.survives]

    def _show_rounded(self, tried: Rounded) -> None:
        """Show the rows of ``tried`` that survive and are nearer than the images shown."""
        rows, length = self._active.rows[tried.rows], self._size(tried.images - self._problem.images[tried.rows])
        better = tried.survives & (length < self._length[rows])
        if bool(better.any()):
            self._show(rows[better], tried.images[better], length[better])

    def _show(self, rows: Tensor, images: Tensor, length: Tensor) -> None:
        self.shown = self.shown.index_copy(0, rows, images)
        self._length = self._length.index_copy(0, rows, length)
        self._course += ((self._whole.classifier.forwards, self._length.median()),)

    def _no_start(self) -> str:
        if self._whole.targets is not None:
            return (
                "No starting image is taken for the target: towards a target the walk begins at an image of that class. "
                "Drop a second image that the model takes for the target, or give start=."
            )
        return (
            f"The model gives {_TRIES} noise images the label of the image itself, so there is no adversarial image to start from. "
            "Drop a second image that the model takes for something else, or give start=."
        )


def _noise(uniform: Tensor, number: int) -> Tensor:
    """Return noise ``(N, C, H, W)`` in cells of one value per channel: fine and coarse in turn, then the same in black and white."""
    grain = _GRAINS[number % len(_GRAINS)]
    values = (uniform < 0.5).to(uniform) if number // len(_GRAINS) % 2 else uniform
    if grain == 1:
        return values
    height, width = values.shape[2:]
    cells = values[:, :, : -(-height // grain), : -(-width // grain)]
    return F.interpolate(cells, scale_factor=grain, mode="nearest")[:, :, :height, :width]
