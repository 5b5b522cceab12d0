"""The space of boxes in given colours: where they lie, how large they are, and at which angle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from engine.attacks.sticker_search.painting import Rgb, with_boxes, with_frames
from engine.attacks.sticker_search.region import Region
from engine.attacks.sticker_search.space import Space
from engine.devices import precise
from engine.errors import GibbonError
from engine.stickers.sticker import Colour, Sticker


@dataclass(frozen=True, eq=False)
class Boxes(Space):
    """S boxes, one after the other; genes of each: place across, place down, width, height, and the angle if they may turn.

    A place is the share of the way that the box can go within the region's box, so every gene gives a box inside. Sizes are whole pixels
    from ``low`` to ``high``; together the boxes have at most ``most`` pixels, for which all shrink alike. On regions of another form boxes
    move to the nearest place where they fit.
    """

    region: Region
    colours: Sequence[Rgb]
    low: int
    high: int
    turn: float
    """Largest angle in degrees; 0: upright."""
    most: int
    """Limit of the sum of their areas, in pixels."""

    def __post_init__(self) -> None:
        self.region.require(self.low, self.low)
        if len(self.colours) * self.low**2 > self.most:
            raise GibbonError(
                f"{len(self.colours)} stickers of {self.low} × {self.low} pixels cover more than the {self.most} pixels that are allowed. "
                "Allow a larger area, or fewer or smaller stickers."
            )

    @property
    def genes(self) -> int:
        """Four or five for each box."""
        return (4 if self.turn == 0 else 5) * len(self.colours)

    def placed(self, genes: Tensor) -> Tensor:
        """Return frames ``(n, P, S, 5)``: left, top, width, height and angle of each box."""
        genes = genes.view(*genes.shape[:2], len(self.colours), -1)
        bounds = self.region.bounds[:, None, None]
        room = bounds[..., 2:] - bounds[..., :2]
        sizes = self._within_area(_whole(genes[..., 2:4], self.low, room.clamp(max=self.high)))
        if self.turn == 0:
            left_top = bounds[..., :2] + _whole(genes[..., :2], 0, room - sizes)
            boxes = torch.cat([left_top, sizes], -1)
            fitted = self.region.fitted(boxes.flatten(1, 2)).view_as(boxes)
            return torch.cat([fitted, torch.zeros_like(fitted[..., :1])], -1)
        return self._turned(genes, sizes, bounds, room)

    def painted(self, images: Tensor, placed: Tensor) -> Tensor:
        """Paint the boxes, the last on top."""
        return with_boxes(images, placed[..., :4], self.colours) if self.turn == 0 else with_frames(images, placed, self.colours)

    @property
    def exact(self) -> bool:
        """Whether the boxes are all upright."""
        return self.turn == 0

    def stickers(self, placed: Tensor) -> tuple[Sticker, ...]:
        """Return a sticker for each box ``(S, 5)``."""
        return tuple(
            Sticker(number, x, y, width, height, Colour(colour), angle=angle)
            for number, ((x, y, width, height, angle), colour) in enumerate(zip(placed.tolist(), self.colours, strict=True), 1)
        )

    def select(self, rows: Tensor) -> Self:
        """Return the space of the images at ``rows``."""
        return replace(self, region=self.region.select(rows))

    def _within_area(self, sizes: Tensor) -> Tensor:
        """Shrink the boxes of candidates ``(n, P, S, 2)`` that cover too much, all by the same factor."""
        for _ in range(2):  # once more, since a side of ``low`` pixels shrinks no further
            area = sizes.prod(-1).sum(-1)[..., None, None]
            factor = (self.most / area).clamp(max=1).sqrt()
            sizes = torch.where(area > self.most, (sizes * factor).long().clamp(min=self.low), sizes)
        too_large = (sizes.prod(-1).sum(-1) > self.most)[..., None, None]
        return torch.where(too_large, self.low, sizes)

    def _turned(self, genes: Tensor, sizes: Tensor, bounds: Tensor, room: Tensor) -> Tensor:
        """Place the boxes of whole pixels around rotated ones; those with no room to turn stay upright."""
        angles = _whole(genes[..., 4:5], 0, torch.tensor(round(2 * self.turn), device=genes.device)) - round(self.turn)
        radians = angles.to(precise(angles.device)) * (math.pi / 180)
        cos, sin, sides = radians.cos().abs(), radians.sin().abs(), sizes.to(radians)
        outer = (cos * sides + sin * sides.flip(-1) - 1e-9).ceil().long()
        outer = torch.where((outer > room).any(-1, keepdim=True) | (angles == 0), sizes, outer)
        left_top = bounds[..., :2] + _whole(genes[..., :2], 0, room - outer)
        boxes = torch.cat([left_top, outer], -1)
        fitted = self.region.fitted(boxes.flatten(1, 2)).view_as(boxes)
        kept = (fitted[..., 2:] == outer).all(-1, keepdim=True)  # one that lost pixels lies upright in what is left
        angles = torch.where(kept & (outer != sizes).any(-1, keepdim=True), angles, 0).to(radians)
        corner = torch.where(kept, fitted[..., :2] + (outer - sizes) / 2, fitted[..., :2])
        return torch.cat([corner, torch.where(kept, sizes, torch.minimum(sizes, fitted[..., 2:])), angles], -1)


def _whole(genes: Tensor, low: int, high: Tensor) -> Tensor:
    """Return genes in [0, 1] as whole numbers from ``low`` to ``high``, each as likely as the others."""
    span = high - low + 1
    return low + (genes * span).long().minimum(span - 1)
