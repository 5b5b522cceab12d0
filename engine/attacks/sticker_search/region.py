"""The region on which stickers may lie: the pixels of the mask, and boxes that fit into them."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.devices import precise
from engine.errors import GibbonError
from engine.operation import Problem


class Region:
    """The pixels of each image that stickers may cover.

    Parameters
    ----------
    allowed
        ``(R, H, W)`` bool; R is 1 where all images share one region.
    """

    def __init__(self, allowed: Tensor) -> None:
        self.allowed = allowed
        rows, columns = allowed.any(2).int(), allowed.any(1).int()
        height, width = allowed.shape[1:]
        edges = (columns.argmax(1), rows.argmax(1), width - columns.flip(1).argmax(1), height - rows.flip(1).argmax(1))
        self.bounds = torch.stack(edges, 1)
        """The smallest box around each region: left, top, right and bottom, ``(R, 4)``."""
        area = (self.bounds[:, 2] - self.bounds[:, 0]) * (self.bounds[:, 3] - self.bounds[:, 1])
        self._solid = bool((allowed.sum((1, 2)) == area).all())
        self._corners: dict[tuple[int, int, int], Tensor] = {}

    @classmethod
    def of(cls, problem: Problem) -> Region:
        """Return the region of a problem: where its mask is above 0, or everything."""
        mask = problem.mask
        return cls(torch.ones_like(problem.images[:1, 0], dtype=torch.bool) if mask is None else mask[:, 0] > 0)

    def select(self, rows: Tensor) -> Region:
        """Return the region of the images at ``rows``."""
        return self if len(self.allowed) == 1 else Region(self.allowed[rows])

    def require(self, width: int, height: int) -> None:
        """Refuse a region into which no box of this size fits.

        Raises
        ------
        GibbonError
            It is too small; the sentence says so.
        """
        for image in range(len(self.allowed)):
            if not len(self.corners(image, width, height)):
                left, top, right, bottom = self.bounds[image].tolist()
                raise GibbonError(
                    f"The smallest sticker, {width} × {height} pixels, does not fit into the region, whose box is {right - left} × "
                    f"{bottom - top} pixels. Draw a larger region, or allow smaller stickers."
                )

    def corners(self, image: int, width: int, height: int) -> Tensor:
        """Return the left and top edge of every place where a box of this size fits, ``(V, 2)``, row by row."""
        key = (image, width, height)
        if key not in self._corners:
            high, wide = self.allowed.shape[1:]
            if width > wide or height > high:
                found = torch.zeros(0, 2, dtype=torch.long, device=self.allowed.device)
            else:
                sums = torch.nn.functional.pad(self.allowed[image].int().cumsum(0).cumsum(1), (1, 0, 1, 0))
                within = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
                found = (within == width * height).nonzero().flip(1)
            self._corners[key] = found
        return self._corners[key]

    def fitted(self, boxes: Tensor) -> Tensor:
        """Move boxes to the nearest place where they fit; those that fit nowhere lose pixels of their longer side.

        Parameters
        ----------
        boxes
            ``(n, M, 4)`` int64: left, top, width and height, within ``bounds``.

        Returns
        -------
        Tensor
            Boxes of the same shape.
        """
        if self._solid:
            return boxes
        fitted = boxes.clone()
        for image in range(len(boxes)):
            for width, height in {(w, h) for w, h in boxes[image, :, 2:].tolist()}:
                chosen = ((boxes[image, :, 2] == width) & (boxes[image, :, 3] == height)).nonzero()[:, 0]
                fitted[image, chosen] = self._nearest(image if len(self.allowed) > 1 else 0, boxes[image, chosen])
        return fitted

    def _nearest(self, image: int, boxes: Tensor) -> Tensor:
        """Return boxes ``(m, 4)`` of one size at the nearest places where they fit."""
        width, height = (int(side) for side in boxes[0, 2:])
        while not len(self.corners(image, width, height)):
            width, height = (width - 1, height) if width > height else (width, height - 1)
        places = self.corners(image, width, height)
        nearest = torch.cdist(boxes[:, :2].to(precise(boxes.device)), places.to(precise(boxes.device))).argmin(1)
        return torch.cat([places[nearest], torch.tensor([width, height], dtype=boxes.dtype, device=boxes.device).expand(len(boxes), 2)], 1)
