"""The moves of the Square attack: where the next image is tried, for linf and l2. All rows at once, each at a place of its own."""

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
    """How an image is changed within its ball. Draws are uniform in [0, 1), made elsewhere: a move is a pure function of them."""

    clean: Tensor
    """``(N, C, H, W)``."""
    eps: float
    mask: Tensor | None
    """``(N, 1, H, W)``."""
    places: Tensor | None
    """``(N, H * W)``: numbers of the pixels inside each row's mask, then of the others. None: no mask."""
    area: Tensor
    """``(N,)``: how many pixels may change."""
    kind: Tensor
    """``(N,)``: the place of ``area`` among ``areas``."""
    areas: tuple[int, ...]
    """All areas there are, so that nobody has to ask the device."""
    to_the_edge: bool = True
    """Whether squares reach the last row and column of an image without a mask."""

    @classmethod
    def of(cls, problem: Problem, eps: float, to_the_edge: bool = True) -> Self:
        """The moves for a problem; its mask is what decides where squares lie if there is one."""
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
        """The moves of some rows."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        chosen: dict[str, Any] = {name: value[rows] for name, value in values.items() if isinstance(value, Tensor)}
        return replace(self, **chosen)

    @property
    @abstractmethod
    def numbers(self) -> int:
        """How many draws one move takes."""

    @property
    @abstractmethod
    def first_numbers(self) -> int:
        """How many draws the start takes."""

    @abstractmethod
    def begin(self, draws: Tensor) -> Tensor:
        """Where the search starts, ``(N, C, H, W)``, from draws ``(N, first_numbers)``."""

    @abstractmethod
    def plan(self, draws: Tensor, shares: Sequence[float]) -> Plan:
        """What does not depend on the images, for B moves at once, from draws ``(N, B, numbers)`` and a share of the area for each."""

    @abstractmethod
    def propose(self, images: Tensor, plan: Plan, move: int) -> Tensor:
        """``images`` with one square changed, by that move of the plan."""

    @property
    def _corner_numbers(self) -> int:
        return 2 if self.places is None else 3

    def _sides(self, share: float) -> tuple[int, ...]:
        """The sides of squares with that share of ``areas``, at least one pixel and at most the image."""
        return tuple(min(max(round(math.sqrt(share * area)), 1), *self.clean.shape[2:]) for area in self.areas)

    def _of_rows(self, sides: Sequence[tuple[int, ...]]) -> Tensor:
        """``(N, B)``: every row's own of the sides of B moves."""
        return torch.tensor(sides, device=self.clean.device).T[self.kind]

    def _offsets(self, draws: Tensor, sides: Tensor) -> tuple[Tensor, Tensor]:
        """Every pixel's row and column counted from the corner of the square, ``(N, B, H)`` and ``(N, B, W)``.

        The squares lie anywhere in the image, or anywhere but in its last row and column; with a mask, around one of its pixels.
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
    """B moves of every row, but for the images that they are made on. Leading dimensions ``(N, B)`` throughout."""

    into: tuple[Tensor, Tensor]
    """Rows ``(N, B, H)`` and columns ``(N, B, W)`` of the square, bool."""
    signs: Tensor
    """``(N, B, C)``: bool in linf, +1 and -1 in l2."""
    other: Tensor
    """linf: ``(N, B, C)`` bool, the signs to turn where nothing would change. l2: ``(N, B)``, number of the pattern."""
    out: tuple[Tensor, Tensor] | None = None
    """l2: the second square."""
    cells: tuple[Tensor, Tensor] | None = None
    """l2: which row and column of the pattern, ``(N, B, H)`` and ``(N, B, W)``."""
    patterns: Tensor | None = None
    """l2: all patterns, in frames of zeros."""

    def select(self, rows: Tensor) -> Plan:
        """The plan of some rows."""

        def chosen(pair: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor] | None:
            return None if pair is None else (pair[0][rows], pair[1][rows])

        into = (self.into[0][rows], self.into[1][rows])
        return Plan(into, self.signs[rows], self.other[rows], chosen(self.out), chosen(self.cells), self.patterns)


def _whole(draws: Tensor, count: Tensor) -> Tensor:
    """Uniform integers in [0, count) of uniform draws."""
    return (draws * count).long().minimum(count - 1)


def _inside(offsets: tuple[Tensor, Tensor], sides: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows and which columns belong to the squares."""
    down, along = ((o >= 0) & (o < sides[..., None]) for o in offsets)
    return down, along


def _square(sides: tuple[Tensor, Tensor], move: int) -> Tensor:
    """``(N, 1, H, W)`` bool: one move's squares."""
    return sides[0][:, move, None, :, None] & sides[1][:, move, None, None, :]


@final
class LinfMoves(Moves):
    """In a square, every channel goes to the upper or the lower end of the ball, by one sign."""

    @property
    def numbers(self) -> int:
        """A corner, a sign per channel, and one for the signs' second chance."""
        return self._corner_numbers + self.clean.shape[1] + 1

    @property
    def first_numbers(self) -> int:
        """A sign per channel and column."""
        return self.clean.shape[1] * self.clean.shape[3]

    def begin(self, draws: Tensor) -> Tensor:
        """Vertical stripes."""
        low, high = self._ends
        return torch.where(draws.view(len(draws), self.clean.shape[1], 1, -1) < 0.5, high, low)

    def plan(self, draws: Tensor, shares: Sequence[float]) -> Plan:
        """Corners, signs, and signs to turn.

        The paper draws signs again until something changes. All others are then as likely, so one more draw does.
        """
        channels = self.clean.shape[1]
        sides = self._of_rows([self._sides(share) for share in shares])
        bits = min(channels, 16)
        pattern = 1 + (draws[..., -1:] * (2**bits - 1)).long().clamp_max(2**bits - 2)
        other = (pattern >> torch.arange(channels, device=draws.device).clamp_max(bits - 1)) & 1 == 1
        return Plan(_inside(self._offsets(draws, sides), sides), draws[..., -channels - 1 : -1] < 0.5, other)

    def propose(self, images: Tensor, plan: Plan, move: int) -> Tensor:
        """The square at the ends of the ball."""
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
    """Budget is moved from one square into another, where it lies as a bump and a dent."""

    @property
    def numbers(self) -> int:
        """Two corners, a sign per channel, and which way the pattern lies."""
        return 2 * self._corner_numbers + self.clean.shape[1] + 1

    @property
    def first_numbers(self) -> int:
        """A sign per channel and tile, and which way each lies."""
        down, along, _ = self._tiling()
        return (self.clean.shape[1] + 1) * down * along

    def begin(self, draws: Tensor) -> Tensor:
        """Tiles, five to the shorter side, each a bump and a dent."""
        n, channels, height, width = self.clean.shape
        down, along, side = self._tiling()
        draws = draws.view(n, channels + 1, down, along)
        signs = 1.0 - 2.0 * (draws[:, :channels] < 0.5).to(self.clean)
        patterns = _patterns((side,), self.clean.dtype, self.clean.device)[(draws[:, -1] < 0.5).long(), 1 : side + 1, 1 : side + 1]
        tiles = signs[..., None, None] * patterns[:, None]  # (N, C, down, along, side, side)
        delta = torch.zeros_like(self.clean)
        top, left = (height - down * side) // 2, (width - along * side) // 2
        laid = tiles.permute(0, 1, 2, 4, 3, 5).reshape(n, channels, down * side, along * side)
        delta[:, :, top : top + down * side, left : left + along * side] = laid
        return self._image(delta if self.mask is None else delta * (self.mask > 0))

    def plan(self, draws: Tensor, shares: Sequence[float]) -> Plan:
        """Two corners, signs, and the pattern with its cell for every pixel."""
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
        """The first square takes what the ball leaves free and what the second, which is emptied, gives up."""
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
        """As `_sides`, odd and at least three pixels where the image has as many."""
        largest = (min(self.clean.shape[2:]) - 1) // 2 * 2 + 1
        return tuple(min(max(side, 3) // 2 * 2 + 1, largest) for side in self._sides(share))

    def _tiling(self) -> tuple[int, int, int]:
        """Tiles down, tiles along, and their side."""
        height, width = self.clean.shape[2:]
        side = max(1, min(height, width) // 5)
        return height // side, width // side, side


def _by_channel(delta: Tensor) -> Tensor:
    """Every channel over its Euclidean length."""
    lengths: Tensor = torch.linalg.vector_norm(delta, dim=(2, 3), keepdim=True)
    return delta / lengths.clamp_min(TINY)


def _all_patterns(known: Sequence[tuple[int, ...]], like: Tensor) -> tuple[Tensor, list[tuple[int, ...]]]:
    """The patterns of all the sides there are, and for every side the number of its pattern."""
    different = sorted({side for sides in known for side in sides})
    return _patterns(tuple(different), like.dtype, like.device), [tuple(different.index(side) for side in sides) for sides in known]


@lru_cache(maxsize=256)
def _patterns(sides: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """``(2 * len(sides), S + 2, S + 2)``: every side's pattern and its transpose, in a frame of zeros at least one wide."""
    table = torch.zeros(2 * len(sides), max(sides) + 2, max(sides) + 2, dtype=torch.float64)
    for number, side in enumerate(sides):
        upper, lower = _rectangle(side // 2, side), _rectangle(side - side // 2, side)
        pattern = torch.cat([upper, -lower])
        pattern /= pattern.norm()
        table[2 * number, 1 : side + 1, 1 : side + 1] = pattern
        table[2 * number + 1, 1 : side + 1, 1 : side + 1] = pattern.T
    return table.to(device, dtype)


def _rectangle(height: int, width: int) -> Tensor:
    """``sum_k 1 / (k + 1)^2`` over rectangles that grow from the middle: a bump of length 1."""
    bump = torch.zeros(height, width, dtype=torch.float64)
    if height == 0:
        return bump
    top, left = height // 2, width // 2
    for ring in range(max(top, left) + 1):
        bump[max(top - ring, 0) : top + ring + 1, max(left - ring, 0) : left + ring + 1] += 1 / (ring + 1) ** 2
    return bump / math.sqrt(float(bump.square().sum()))
