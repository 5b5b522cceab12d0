"""Moves of the Square attack: the next proposal in linf and l2, for all rows at once, each at its own place."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Self, final

import torch
from torch import Tensor

from engine.attacks.toolkit.box import Box
from engine.balls import TINY, normalised
from engine.operation import Problem


@dataclass(frozen=True, eq=False)
class Moves(ABC):
    """Changes of an image within its ball. Draws are uniform in [0, 1) and come from outside: a move is a pure function of them."""

    clean: Tensor
    """The clean images, ``(N, C, H, W)``."""
    eps: float
    mask: Tensor | None
    """The mask, ``(N, 1, H, W)``."""
    places: Tensor | None
    """Indices of the pixels inside each row's mask, then of the others, ``(N, H * W)``. None: no mask."""
    area: Tensor
    """Number of pixels that may change, ``(N,)``."""
    kind: Tensor
    """Index of the row's ``area`` among ``areas``, ``(N,)``."""
    areas: tuple[int, ...]
    """All areas that occur, on the host, so that nothing waits for the device."""
    to_the_edge: bool = True
    """Whether squares reach the last row and column of an image without a mask."""

    @classmethod
    def of(cls, problem: Problem, eps: float, to_the_edge: bool = True) -> Self:
        """Make the moves for a problem, whose mask limits the squares if there is one."""
        images, mask = problem.images, problem.mask
        n, _, height, width = images.shape
        if mask is None:
            area = torch.full((n,), height * width, device=images.device)
            return cls(images, eps, None, None, area, torch.zeros_like(area), (height * width,), to_the_edge)
        mask = mask.expand(n, -1, -1, -1)
        inside = mask.flatten(1) > 0
        places = inside.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
        area = inside.sum(1)
        found = area.tolist()
        areas = sorted(set(found))
        kind = torch.tensor([areas.index(value) for value in found], device=images.device)
        return cls(images, eps, mask, places, area, kind, tuple(areas))

    def select(self, rows: Tensor) -> Self:
        """Return the moves of some rows."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        chosen: dict[str, Any] = {name: value[rows] for name, value in values.items() if isinstance(value, Tensor)}
        return replace(self, **chosen)

    @property
    @abstractmethod
    def numbers(self) -> int:
        """Number of draws for one move."""

    @property
    @abstractmethod
    def first_numbers(self) -> int:
        """Number of draws for the start."""

    @abstractmethod
    def begin(self, draws: Tensor) -> Tensor:
        """Return the start of the search, ``(N, C, H, W)``, from draws ``(N, first_numbers)``."""

    @abstractmethod
    def plan(self, draws: Tensor, shares: Sequence[float]) -> Plan:
        """Plan B moves at once, independent of the images, from draws ``(N, B, numbers)`` and a share of the area for each."""

    @abstractmethod
    def propose(self, images: Tensor, plan: Plan, move: int) -> Tensor:
        """Return ``images`` with one square changed, by that move of the plan."""

    @property
    def _corner_numbers(self) -> int:
        return 2 if self.places is None else 3

    def _sides(self, share: float) -> tuple[int, ...]:
        """Return the sides of squares with that share of ``areas``, at least one pixel and at most the image."""
        return tuple(min(max(round(math.sqrt(share * area)), 1), *self.clean.shape[2:]) for area in self.areas)

    def _of_rows(self, sides: Sequence[tuple[int, ...]]) -> Tensor:
        """Return every row's sides for B moves, ``(N, B)``."""
        return torch.tensor(sides, device=self.clean.device).T[self.kind]

    def _offsets(self, draws: Tensor, sides: Tensor) -> tuple[Tensor, Tensor]:
        """Return every pixel's row and column relative to the square's corner, ``(N, B, H)`` and ``(N, B, W)``.

        Squares are anywhere in the image, or anywhere except its last row and column; with a mask, around one of its pixels.
        """
        height, width = self.clean.shape[2:]
        if self.places is None:
            more = 1 if self.to_the_edge else 0
            down, along = (height - sides + more).clamp_min(1), (width - sides + more).clamp_min(1)
            top, left = _whole(draws[..., 0], down), _whole(draws[..., 1], along)
        else:
            pixel = self.places.gather(1, _whole(draws[..., 0], self.area[:, None]))
            top, left = pixel // width - _whole(draws[..., 1], sides), pixel % width - _whole(draws[..., 2], sides)
            top, left = top.clamp_min(0).minimum(height - sides), left.clamp_min(0).minimum(width - sides)
        device = top.device
        return torch.arange(height, device=device) - top[..., None], torch.arange(width, device=device) - left[..., None]


@dataclass(frozen=True, eq=False)
class Plan:
    """B moves of every row, independent of the images. The leading axes are ``(N, B)`` throughout."""

    into: tuple[Tensor, Tensor]
    """Rows ``(N, B, H)`` and columns ``(N, B, W)`` of the square, bool."""
    signs: Tensor
    """Signs of the channels, ``(N, B, C)``: bool in linf, +1 and -1 in l2."""
    other: Tensor
    """In linf the signs ``(N, B, C)`` bool to flip where nothing would change; in l2 the index of the pattern, ``(N, B)``."""
    out: tuple[Tensor, Tensor] | None = None
    """The second square, in l2 only."""
    cells: tuple[Tensor, Tensor] | None = None
    """Row and column of the pattern at each pixel, ``(N, B, H)`` and ``(N, B, W)``, in l2 only."""
    patterns: Tensor | None = None
    """All patterns in frames of zeros, in l2 only."""

    def select(self, rows: Tensor) -> Plan:
        """Return the plan of some rows."""

        def chosen(pair: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor] | None:
            return None if pair is None else (pair[0][rows], pair[1][rows])

        into = (self.into[0][rows], self.into[1][rows])
        return Plan(into, self.signs[rows], self.other[rows], chosen(self.out), chosen(self.cells), self.patterns)


def _whole(draws: Tensor, count: Tensor) -> Tensor:
    """Convert uniform draws to uniform integers in [0, count)."""
    return (draws * count).long().minimum(count - 1)


def _inside(offsets: tuple[Tensor, Tensor], sides: Tensor) -> tuple[Tensor, Tensor]:
    """Return which rows and which columns belong to the squares."""
    down, along = ((o >= 0) & (o < sides[..., None]) for o in offsets)
    return down, along


def _square(sides: tuple[Tensor, Tensor], move: int) -> Tensor:
    """Return one move's squares, ``(N, 1, H, W)`` bool."""
    return sides[0][:, move, None, :, None] & sides[1][:, move, None, None, :]


@final
class LinfMoves(Moves):
    """Moves in linf: in a square, every channel goes to the upper or lower end of the ball, by one sign."""

    @property
    def numbers(self) -> int:
        """Number of draws: a corner, a sign per channel, and one for the second choice of signs."""
        return self._corner_numbers + self.clean.shape[1] + 1

    @property
    def first_numbers(self) -> int:
        """Number of draws for the start: a sign per channel and column."""
        return self.clean.shape[1] * self.clean.shape[3]

    def begin(self, draws: Tensor) -> Tensor:
        """Return the start, vertical stripes at the ends of the ball."""
        low, high = self._ends
        return torch.where(draws.view(len(draws), self.clean.shape[1], 1, -1) < 0.5, high, low)

    def plan(self, draws: Tensor, shares: Sequence[float]) -> Plan:
        """Plan corners, signs, and signs to flip.

        The paper draws signs again until something changes. All other signs are then equally likely, so one more draw suffices.
        """
        channels = self.clean.shape[1]
        sides = self._of_rows([self._sides(share) for share in shares])
        bits = min(channels, 16)
        pattern = 1 + (draws[..., -1:] * (2**bits - 1)).long().clamp_max(2**bits - 2)
        other = (pattern >> torch.arange(channels, device=draws.device).clamp_max(bits - 1)) & 1 == 1
        return Plan(_inside(self._offsets(draws, sides), sides), draws[..., -channels - 1 : -1] < 0.5, other)

    def propose(self, images: Tensor, plan: Plan, move: int) -> Tensor:
        """Return the images with the square at the ends of the ball."""
        low, high = self._ends
        square, signs = _square(plan.into, move), plan.signs[:, move]
        first = torch.where(square, torch.where(signs[:, :, None, None], high, low), images)
        idle = (first == images).flatten(1).all(1, keepdim=True)
        signs = signs ^ (plan.other[:, move] & idle)
        return torch.where(square, torch.where(signs[:, :, None, None], high, low), images)

    @cached_property
    def _ends(self) -> Box:
        return Box.around(self.clean, self.mask, self.eps)


@final
class L2Moves(Moves):
    """Moves in l2: budget goes from one square into another, in the form of a bump and a dent."""

    @property
    def numbers(self) -> int:
        """Number of draws: two corners, a sign per channel, and the orientation of the pattern."""
        return 2 * self._corner_numbers + self.clean.shape[1] + 1

    @property
    def first_numbers(self) -> int:
        """Number of draws for the start: a sign per channel and tile, and the orientation of each."""
        down, along, _ = self._tiling()
        return (self.clean.shape[1] + 1) * down * along

    def begin(self, draws: Tensor) -> Tensor:
        """Return the start: tiles, five along the shorter side, each a bump and a dent."""
        n, channels, height, width = self.clean.shape
        down, along, side = self._tiling()
        draws = draws.view(n, channels + 1, down, along)
        signs = 1.0 - 2.0 * (draws[:, :channels] < 0.5).to(self.clean)
        patterns = _patterns((side,), self.clean.dtype, self.clean.device)[(draws[:, -1] < 0.5).long(), 1 : side + 1, 1 : side + 1]
        tiles = signs[..., None, None] * patterns[:, None]  # axes: (N, C, down, along, side, side)
        delta = torch.zeros_like(self.clean)
        top, left = (height - down * side) // 2, (width - along * side) // 2
        laid = tiles.permute(0, 1, 2, 4, 3, 5).reshape(n, channels, down * side, along * side)
        delta[:, :, top : top + down * side, left : left + along * side] = laid
        return self._image(delta if self.mask is None else delta * (self.mask > 0))

    def plan(self, draws: Tensor, shares: Sequence[float]) -> Plan:
        """Plan two corners, signs, and the pattern with its cell for every pixel."""
        corner = self._corner_numbers
        known = [self._odd_sides(share) for share in shares]
        sides = self._of_rows(known)
        patterns, numbers = _all_patterns(known, self.clean)
        offsets = self._offsets(draws, sides)
        down, along = ((o + 1).clamp_min(0).minimum(sides[..., None] + 1) for o in offsets)
        return Plan(
            into=_inside(offsets, sides),
            signs=1.0 - 2.0 * (draws[..., 2 * corner : -1] < 0.5).to(self.clean),
            other=2 * self._of_rows(numbers) + (draws[..., -1] < 0.5),
            out=_inside(self._offsets(draws[..., corner:], sides), sides),
            cells=(down, along),
            patterns=patterns,
        )

    def propose(self, images: Tensor, plan: Plan, move: int) -> Tensor:
        """Return the images with the unused budget and that of the second square, which is emptied, in the first square."""
        assert plan.out is not None
        assert plan.cells is not None
        assert plan.patterns is not None
        down, along = plan.cells[0][:, move, :, None], plan.cells[1][:, move, None, :]
        into, out = _square(plan.into, move), _square(plan.out, move)
        delta = self._delta(images)
        bump = plan.patterns[plan.other[:, move, None, None], down, along][:, None] * plan.signs[:, move, :, None, None]
        if self.mask is not None:
            bump = bump * (self.mask > 0)
        fresh = bump + _by_channel(delta * into)
        free = (self.eps**2 - delta.flatten(1).square().sum(1)).clamp_min(0)[:, None] / images.shape[1]
        budget = (free + (delta * (into | out)).flatten(2).square().sum(2)).sqrt()
        fresh = _by_channel(fresh) * budget[:, :, None, None]
        return self._image(torch.where(into, fresh, torch.where(out, 0.0, delta)))

    def _delta(self, images: Tensor) -> Tensor:
        delta = images - self.clean
        return delta if self.mask is None else torch.where(self.mask > 0, delta / self.mask.clamp_min(TINY), 0.0)

    def _image(self, delta: Tensor) -> Tensor:
        delta = self.eps * normalised(delta)
        return (self.clean + (delta if self.mask is None else self.mask * delta)).clamp(0, 1)

    def _odd_sides(self, share: float) -> tuple[int, ...]:
        """Return the sides of `_sides`, made odd and at least three pixels where the image is large enough."""
        largest = (min(self.clean.shape[2:]) - 1) // 2 * 2 + 1
        return tuple(min(max(side, 3) // 2 * 2 + 1, largest) for side in self._sides(share))

    def _tiling(self) -> tuple[int, int, int]:
        """Return the number of tiles down and along, and their side."""
        height, width = self.clean.shape[2:]
        side = max(1, min(height, width) // 5)
        return height // side, width // side, side


def _by_channel(delta: Tensor) -> Tensor:
    """Divide every channel by its Euclidean length."""
    lengths: Tensor = torch.linalg.vector_norm(delta, dim=(2, 3), keepdim=True)
    return delta / lengths.clamp_min(TINY)


def _all_patterns(known: Sequence[tuple[int, ...]], like: Tensor) -> tuple[Tensor, list[tuple[int, ...]]]:
    """Return the patterns of all sides that occur, and for every side the index of its pattern."""
    different = sorted({side for sides in known for side in sides})
    return _patterns(tuple(different), like.dtype, like.device), [tuple(different.index(side) for side in sides) for sides in known]


@lru_cache(maxsize=256)
def _patterns(sides: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return every side's pattern and its transpose, in a frame of zeros at least one wide: ``(2 * len(sides), S + 2, S + 2)``."""
    table = torch.zeros(2 * len(sides), max(sides) + 2, max(sides) + 2, dtype=torch.float64)
    for number, side in enumerate(sides):
        upper, lower = _rectangle(side // 2, side), _rectangle(side - side // 2, side)
        pattern = torch.cat([upper, -lower])
        pattern /= pattern.norm()
        table[2 * number, 1 : side + 1, 1 : side + 1] = pattern
        table[2 * number + 1, 1 : side + 1, 1 : side + 1] = pattern.T
    return table.to(device, dtype)


def _rectangle(height: int, width: int) -> Tensor:
    """Return ``sum_k 1 / (k + 1)^2`` over rectangles that grow from the middle: a bump of length 1."""
    bump = torch.zeros(height, width, dtype=torch.float64)
    if height == 0:
        return bump
    top, left = height // 2, width // 2
    for ring in range(max(top, left) + 1):
        bump[max(top - ring, 0) : top + ring + 1, max(left - ring, 0) : left + ring + 1] += 1 / (ring + 1) ** 2
    return bump / math.sqrt(float(bump.square().sum()))
