"""The moves of the Square attack: where the next image is tried, for linf and l2. All rows at once, each at a place of its own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Self, final

import torch
from torch import Tensor

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

    @classmethod
    def of(cls, problem: Problem, eps: float) -> Self:
        """The moves for a problem."""
        images, mask = problem.images, problem.mask
        n, _, height, width = images.shape
        if mask is None:
            area = torch.full((n,), height * width, device=images.device)
            return cls(images, eps, None, None, area, torch.zeros_like(area), (height * width,))
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
    def propose(self, images: Tensor, draws: Tensor, share: float) -> Tensor:
        """``images`` with one square changed that covers about ``share`` of what may change, from draws ``(N, numbers)``."""

    @property
    def _corner_numbers(self) -> int:
        return 2 if self.places is None else 3

    def _sides(self, share: float) -> tuple[int, ...]:
        """The sides of squares with that share of ``areas``, at least one pixel and at most the image."""
        return tuple(min(max(round(math.sqrt(share * area)), 1), *self.clean.shape[2:]) for area in self.areas)

    def _of_rows(self, sides: tuple[int, ...]) -> Tensor:
        """``(N,)``: every row's own of ``sides``."""
        device = self.clean.device
        return torch.full_like(self.kind, sides[0]) if len(sides) == 1 else torch.tensor(sides, device=device)[self.kind]

    def _corners(self, draws: Tensor, sides: Tensor) -> tuple[Tensor, Tensor]:
        """Top and left ``(N,)`` of squares anywhere in the image; with a mask, of squares around one of its pixels."""
        height, width = self.clean.shape[2:]
        if self.places is None:
            return _whole(draws[:, 0], height - sides + 1), _whole(draws[:, 1], width - sides + 1)
        pixel = self.places.gather(1, _whole(draws[:, 0], self.area)[:, None])[:, 0]
        top, left = pixel // width - _whole(draws[:, 1], sides), pixel % width - _whole(draws[:, 2], sides)
        return top.clamp_min(0).minimum(height - sides), left.clamp_min(0).minimum(width - sides)

    def _offsets(self, top: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        """Every pixel's row and column counted from the corner, ``(N, H)`` and ``(N, W)``."""
        height, width = self.clean.shape[2:]
        device = top.device
        return torch.arange(height, device=device) - top[:, None], torch.arange(width, device=device) - left[:, None]


def _whole(draws: Tensor, count: Tensor) -> Tensor:
    """Uniform integers in [0, count) of uniform draws."""
    return (draws * count).long().minimum(count - 1)


def _within(offsets: tuple[Tensor, Tensor], sides: Tensor) -> Tensor:
    """``(N, 1, H, W)`` bool: the squares."""
    down, along = ((o >= 0) & (o < sides[:, None]) for o in offsets)
    return down[:, None, :, None] & along[:, None, None, :]


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

    def propose(self, images: Tensor, draws: Tensor, share: float) -> Tensor:
        """The paper draws signs again until something changes. Of signs that change nothing all others are as likely, so one draw does."""
        channels, low, high = self.clean.shape[1], *self._ends
        sides = self._of_rows(self._sides(share))
        square = _within(self._offsets(*self._corners(draws, sides)), sides)
        signs = draws[:, -channels - 1 : -1] < 0.5
        first = torch.where(square, torch.where(signs[:, :, None, None], high, low), images)
        idle = (first == images).flatten(1).all(1, keepdim=True)
        if channels > 1:
            bits = min(channels, 16)
            pattern = 1 + (draws[:, -1:] * (2**bits - 1)).long().clamp_max(2**bits - 2)
            idle = idle & ((pattern >> torch.arange(channels, device=draws.device).clamp_max(bits - 1)) & 1 == 1)
        return torch.where(square, torch.where((signs ^ idle)[:, :, None, None], high, low), images)

    @cached_property
    def _ends(self) -> tuple[Tensor, Tensor]:
        reach = self.eps if self.mask is None else self.eps * self.mask
        return (self.clean - reach).clamp_min(0), (self.clean + reach).clamp_max(1)


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

    def propose(self, images: Tensor, draws: Tensor, share: float) -> Tensor:
        """The first square takes what the ball leaves free and what the second, which is emptied, gives up."""
        channels, corner = self.clean.shape[1], self._corner_numbers
        known = self._odd_sides(share)
        sides = self._of_rows(known)
        offsets = self._offsets(*self._corners(draws, sides))
        into = _within(offsets, sides)
        out = _within(self._offsets(*self._corners(draws[:, corner:], sides)), sides)
        signs = 1.0 - 2.0 * (draws[:, 2 * corner : -1] < 0.5).to(images)
        delta = self._delta(images)
        bump = self._bump(offsets, known, draws[:, -1]) * signs[:, :, None, None]
        if self.mask is not None:
            bump = bump * (self.mask > 0)
        fresh = bump + _by_channel(delta * into)
        free = (self.eps**2 - delta.flatten(1).square().sum(1)).clamp_min(0)[:, None] / channels
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

    def _bump(self, offsets: tuple[Tensor, Tensor], known: tuple[int, ...], draws: Tensor) -> Tensor:
        """``(N, 1, H, W)``: the pattern of each row's side at its place, lying one way or the other, 0 elsewhere."""
        table = _patterns(known, self.clean.dtype, self.clean.device)
        down, along = ((o + 1).clamp(0, table.shape[1] - 1) for o in offsets)
        pattern: Tensor = table[(2 * self.kind + (draws < 0.5))[:, None, None], down[:, :, None], along[:, None, :]]
        return pattern[:, None]

    def _tiling(self) -> tuple[int, int, int]:
        """Tiles down, tiles along, and their side."""
        height, width = self.clean.shape[2:]
        side = max(1, min(height, width) // 5)
        return height // side, width // side, side


def _by_channel(delta: Tensor) -> Tensor:
    """Every channel over its Euclidean length."""
    return delta / delta.flatten(2).norm(dim=2).clamp_min(TINY)[:, :, None, None]


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
