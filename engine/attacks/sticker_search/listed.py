"""Every place and size of a single sticker, listed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from engine.attacks.sticker_search.boxes import Boxes
from engine.attacks.sticker_search.space import Space
from engine.attacks.toolkit.scattering import scattered
from engine.errors import GibbonError
from engine.stickers.sticker import Sticker


@dataclass(frozen=True, eq=False)
class ListedBoxes(Space):
    """The boxes of one colour that fit into the region, one after the other; the gene of a candidate is its index in the list."""

    boxes: Boxes
    listed: Tensor
    """Left, top, width and height of every box, ``(R, M, 4)``; R is 1 where all images share a region, and short lists begin again."""

    @classmethod
    def of(cls, boxes: Boxes, stride: int, limit: int) -> Self:
        """List the boxes of all sizes at every ``stride``-th place.

        Raises
        ------
        GibbonError
            There are more than ``limit``.
        """
        region = boxes.region
        lists = [torch.cat(list(_of_region(boxes, image, stride))) for image in range(len(region.bounds))]
        most = max(len(each) for each in lists)
        if most > limit:
            raise GibbonError(
                f"There are {most:,} places and sizes of the sticker, but {limit:,} queries. "
                "Allow more queries, fewer sizes or a larger stride."
            )
        padded = [each[torch.arange(most, device=each.device) % len(each)] for each in lists]
        return cls(boxes, torch.stack(padded))

    @property
    def genes(self) -> int:
        """One gene: the index in the list."""
        return 1

    @property
    def exact(self) -> bool:
        """True, since the boxes are upright."""
        return True

    def order(self, images: int) -> Tensor:
        """Return the indices in an order scattered over the list, ``(images, M)``, as numbers."""
        return scattered(self.listed.shape[1]).to(self.listed.device).expand(images, -1)

    def placed(self, genes: Tensor) -> Tensor:
        """Return frames ``(n, P, 1, 5)`` for indices ``(n, P, 1)``."""
        index = genes[..., 0]
        listed = self.listed.expand(len(index), -1, -1)
        found = listed.gather(1, index[..., None].expand(-1, -1, 4))
        return torch.cat([found, torch.zeros_like(found[..., :1])], -1)[:, :, None]

    def painted(self, images: Tensor, placed: Tensor) -> Tensor:
        """Paint the one box of each candidate."""
        return self.boxes.painted(images, placed)

    def stickers(self, placed: Tensor) -> tuple[Sticker, ...]:
        """Return the one sticker of a candidate."""
        return self.boxes.stickers(placed)

    def select(self, rows: Tensor) -> Self:
        """Return the space of the images at ``rows``."""
        listed = self.listed if len(self.listed) == 1 else self.listed[rows]
        return replace(self, boxes=self.boxes.select(rows), listed=listed)


def _of_region(boxes: Boxes, image: int, stride: int) -> list[Tensor]:
    found = []
    for height in range(boxes.low, boxes.high + 1):
        for width in range(boxes.low, boxes.high + 1):
            if width * height > boxes.most:
                continue
            corners = boxes.region.corners(image, width, height)
            corners = corners[((corners - boxes.region.bounds[image, :2]) % stride == 0).all(1)]
            found.append(torch.cat([corners, corners.new_tensor([width, height]).expand(len(corners), 2)], 1))
    return found
