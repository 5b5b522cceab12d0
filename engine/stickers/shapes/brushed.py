"""Brushed: the cells that a brush has covered, or the alpha channel of a picture."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self, final

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import GibbonError
from engine.images.decoding import MEGAPIXELS
from engine.stickers.frames import to_unit
from engine.stickers.shapes.base import Loop, Shape
from engine.stickers.shapes.tracing import loops_around

_FULL = "eNr7DwABAAEA"
"""One cell of level 255."""


@final
@dataclass(frozen=True)
class Brushed(Shape):
    """A grid of cells over the box, each covered to a level from 0 to 255.

    On an upright box with one whole pixel for each cell, the coverage of a pixel is its cell's level over 255. Larger cells keep their
    edges, with the pixels there covered in part; smaller ones are averaged.

    Raises
    ------
    GibbonError
        The levels are damaged, too many, or all 0.
    """

    kind: ClassVar[str] = "brush"
    title: ClassVar[str] = "brushed"

    columns: int = 1
    """Number of cells across."""
    rows: int = 1
    """Number of cells down."""
    levels: str = _FULL
    """The levels, a byte each, row by row, compressed by zlib, as base64."""

    def __post_init__(self) -> None:
        for what, number in (("columns", self.columns), ("rows", self.rows)):
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise GibbonError(f"A brushed sticker has {number!r} {what}. Give a whole number, at least 1.")
        if self.columns * self.rows > MEGAPIXELS * 1_000_000:
            raise GibbonError(
                f"A brushed sticker of {self.columns:,} × {self.rows:,} cells is too large. The limit is {MEGAPIXELS} megapixels."
            )
        if not bool(self.values.any()):
            raise GibbonError("Nothing is covered by the brush. Paint at least one pixel.")

    @classmethod
    def of(cls, values: Tensor) -> Self:
        """Make the shape of values ``(rows, columns)`` in [0, 1], rounded to 8 bits.

        Raises
        ------
        GibbonError
            The values have another form, or are all 0.
        """
        if values.dim() != 2 or values.numel() == 0:
            raise GibbonError(f"The mask has shape {tuple(values.shape)}, but (rows, columns) is needed.")
        low, high = (float(value) for value in values.detach().float().aminmax())
        if not (low >= 0 and high <= 1):  # the negation also refuses NaN
            raise GibbonError(f"The mask reaches from {low:.3g} to {high:.3g}, but [0, 1] is needed.")
        stored = (values.detach().float() * 255).round().to(torch.uint8).cpu().contiguous()
        return cls(values.shape[1], values.shape[0], base64.b64encode(zlib.compress(stored.numpy().tobytes(), 9)).decode("ascii"))

    @cached_property
    def values(self) -> Tensor:
        """The levels over 255, ``(rows, columns)`` in [0, 1]."""
        size = self.columns * self.rows
        try:
            unpack = zlib.decompressobj()
            data = unpack.decompress(base64.b64decode(self.levels, validate=True), size + 1)
        except (binascii.Error, TypeError, ValueError, zlib.error):
            data = b""
        if len(data) != size:
            raise GibbonError(f"The levels of a brushed sticker of {self.columns} × {self.rows} cells are damaged. Paint it again.")
        return torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(self.rows, self.columns).float() / 255

    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether points lie in cells that are covered at all."""
        inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
        column = (u * self.columns).long().clamp(0, self.columns - 1)
        row = (v * self.rows).long().clamp(0, self.rows - 1)
        return inside & (self.values.to(u.device)[row, column] > 0)

    def outlines(self) -> tuple[Loop, ...]:
        """Return the edges of the covered cells: one loop around each part, and one around each hole."""
        return self._loops

    @cached_property
    def _loops(self) -> tuple[Loop, ...]:
        loops = loops_around(self.values > 0)
        return tuple(tuple((column / self.columns, row / self.rows) for column, row in loop) for loop in loops)

    def coverage_at(self, frames: Tensor, height: int, width: int) -> Tensor:
        """Return the mean level over each pixel, exactly where the box is upright and a cell at least as large as a pixel."""
        if frames.dim() == 1 and frames.device.type == "cpu" and not frames.requires_grad:
            x, y, across, down, angle = frames.tolist()
            if (across, down, angle) == (self.columns, self.rows, 0) and x == int(x) and y == int(y):
                return self._laid(int(x), int(y), height, width).to(frames)
        many = frames.reshape(-1, 5)
        sizes = torch.stack([many[:, 3].detach().ceil().clamp(1, self.rows), many[:, 2].detach().ceil().clamp(1, self.columns)], 1).long()
        covered = frames.new_zeros(len(many), height, width)
        for rows, columns in {tuple(size) for size in sizes.tolist()}:
            cells = (_means(self.rows, rows) @ self.values @ _means(self.columns, columns).T).to(frames)
            chosen = ((sizes[:, 0] == rows) & (sizes[:, 1] == columns)).nonzero()[:, 0]
            covered = covered.index_copy(0, chosen, _sampled(cells, many[chosen], height, width))
        return covered.reshape(*frames.shape[:-1], height, width)

    def _laid(self, x: int, y: int, height: int, width: int) -> Tensor:
        """Return the levels laid on the pixels of an image, one for each, exactly: interpolation would leave traces of neighbours."""
        covered = torch.zeros(height, width)
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + self.columns, width), min(y + self.rows, height)
        if left < right and top < bottom:
            covered[top:bottom, left:right] = self.values[top - y : bottom - y, left - x : right - x]
        return covered


def _sampled(cells: Tensor, frames: Tensor, height: int, width: int) -> Tensor:
    """Return the mean of cells ``(rows, columns)`` over each pixel, for frames ``(N, 5)`` with no less than a pixel a cell or so."""
    y, x = (torch.arange(side, dtype=frames.dtype, device=frames.device) + 0.5 for side in (height, width))
    u, v = to_unit(frames[:, None, None, :], x[None, None, :], y[None, :, None])
    across = _within_cells(u, cells.shape[1], frames[:, 2, None, None])
    down = _within_cells(v, cells.shape[0], frames[:, 3, None, None])
    many = cells[None, None].expand(len(frames), -1, -1, -1)
    grid = torch.stack([across, down], -1)
    return F.grid_sample(many, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[:, 0].clamp(0, 1)


def _means(cells: int, pixels: int) -> Tensor:
    """Return the matrix ``(pixels, cells)`` that averages cells over pixels, by the share of each cell that lies in a pixel."""
    if cells == pixels:
        return torch.eye(cells)
    starts, places = torch.arange(pixels)[:, None] * cells / pixels, torch.arange(cells)
    shared = torch.minimum(starts + cells / pixels, places + 1) - torch.maximum(starts, places)
    return shared.clamp(min=0) * pixels / cells


def _within_cells(place: Tensor, cells: int, length: Tensor) -> Tensor:
    """Return where to sample, in [-1, 1], so that bilinear interpolation gives the mean over a pixel.

    Between the middles of two cells the interpolation is steeper by the number of pixels a cell: from one level to the other within the
    one pixel that holds their edge.
    """
    at = place * cells - 0.5
    cell = at.detach().floor()
    share = ((at - cell - 0.5) * (length / cells).clamp(min=1) + 0.5).clamp(0, 1)
    return 2 * (cell + share + 0.5) / cells - 1
