"""The part of the canvas that a patch takes from the mask: its size, its shape and its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engine.errors import GibbonError


@dataclass(frozen=True, eq=False)
class Region:
    """The bounding box of a mask."""

    rows: slice
    columns: slice
    coverage: Tensor
    """The mask inside the box, ``(1, h, w)``."""
    size: tuple[int, int]
    """Height and width of the canvas."""

    @classmethod
    def of(cls, mask: Tensor) -> Self:
        """Return the region of a mask ``(N or 1, 1, H, W)``. Waits for the device.

        Raises
        ------
        GibbonError
            The mask differs between images, or is empty.
        """
        if not bool((mask == mask[:1]).all()):
            raise GibbonError("A patch for many images is one for all, so it takes one mask for all. Give a single mask.")
        places = (mask[0, 0] > 0).nonzero()
        if not len(places):
            raise GibbonError("The mask is empty, so there is no patch. Draw a sticker whose content is to be optimised.")
        (top, left), (bottom, right) = places.amin(0).tolist(), (places.amax(0) + 1).tolist()
        rows, columns = slice(top, bottom), slice(left, right)
        return cls(rows, columns, mask[0, :, rows, columns], (mask.shape[2], mask.shape[3]))

    def cut(self, images: Tensor) -> Tensor:
        """Return the part of ``images`` ``(N, C, H, W)`` inside the box, ``(N, C, h, w)``."""
        return images[:, :, self.rows, self.columns]

    def on_canvas(self, content: Tensor) -> Tensor:
        """Return the content ``(1, C, h, w)`` at its place on a grey canvas, ``(1, C, H, W)``."""
        (height, width), (rows, columns) = self.size, (self.rows, self.columns)
        edges = (columns.start, width - columns.stop, rows.start, height - rows.stop)
        return torch.nn.functional.pad(content, edges, value=0.5)

    def centres(self, count: int) -> Tensor:
        """Return the box's centre in pixels from the middle of the canvas, x and y, ``(count, 2)``."""
        (height, width), like = self.size, self.coverage
        x, y = (self.columns.start + self.columns.stop - width) / 2, (self.rows.start + self.rows.stop - height) / 2
        return torch.stack([like.new_full((count,), x), like.new_full((count,), y)], 1)

    def anywhere(self, scale: Tensor, uniform: Tensor) -> Tensor:
        """Return centres ``(R, 2)`` at which the scaled, upright box is inside the canvas, for uniform numbers ``(R, 2)``.

        Along an axis where the box is too large it stays in the middle.
        """
        height, width = self.size
        across = (width - scale * self.coverage.shape[2]).clamp_min(0) * (uniform[:, 0] - 0.5)
        down = (height - scale * self.coverage.shape[1]).clamp_min(0) * (uniform[:, 1] - 0.5)
        return torch.stack([across, down], 1)
