"""The space of shadows within triangles, whose corners may lie beyond the image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from engine.attacks.sticker_search.space import Space
from engine.devices import precise
from engine.images.lightness import darkened
from engine.operation import Problem
from engine.stickers.geometry import around
from engine.stickers.raster import polygon_coverage
from engine.stickers.shadow import reach, with_penumbra
from engine.stickers.sticker import Shadow, Sticker


@dataclass(frozen=True, eq=False)
class Triangles(Space):
    """Shadows within three corners; genes: x and y of each, from ``beyond`` sides before the image to as many after it."""

    content: Shadow
    beyond: float
    dark: Tensor
    """The images darkened everywhere, ``(n, C, H, W)``: a candidate shows a part of it."""

    @classmethod
    def of(cls, problem: Problem, content: Shadow, beyond: float) -> Self:
        """Return the space for the images of a problem."""
        return cls(content, beyond, darkened(problem.images, content.kappa))

    @property
    def genes(self) -> int:
        """Six genes: two for each corner."""
        return 6

    def placed(self, genes: Tensor) -> Tensor:
        """Return corners in pixels, each ``(x, y)``, ``(n, P, 3, 2)``, in float64 on the CPU."""
        height, width = self.dark.shape[2:]
        corners = genes.to(precise(genes.device)).view(*genes.shape[:2], 3, 2)
        return (corners * (1 + 2 * self.beyond) - self.beyond) * torch.tensor([width, height], device=corners.device)

    def painted(self, images: Tensor, placed: Tensor) -> Tensor:
        """Darken the images within the triangles, less at their edges."""
        height, width = images.shape[2:]
        more = reach(self.content.blur)
        covered = polygon_coverage(placed + more, height + 2 * more, width + 2 * more)
        soft = with_penumbra(covered, self.content.blur)[..., more : more + height, more : more + width]
        below = images[:, None]
        return below + soft.float().to(images)[:, :, None] * (self.dark[:, None] - below)

    def stickers(self, placed: Tensor) -> tuple[Sticker, ...]:
        """Return the shadow as a sticker of the shape of a polygon."""
        first, second, third = ((float(x), float(y)) for x, y in placed.tolist())
        return (around(1, (first, second, third), content=self.content),)

    def select(self, rows: Tensor) -> Self:
        """Return the space of the images at ``rows``."""
        return replace(self, dark=self.dark[rows])
