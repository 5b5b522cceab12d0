"""One sticker at many places: a box of one colour, or a shadow, upright or rotated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from engine.attacks.sticker_search.painting import with_boxes, with_frames
from engine.attacks.sticker_search.space import Space
from engine.images.lightness import darkened
from engine.operation import Problem
from engine.stickers.shadow import reach, with_penumbra
from engine.stickers.shapes import RECTANGLE
from engine.stickers.sticker import Colour, Shadow, Sticker


@dataclass(frozen=True, eq=False)
class Slid(Space):
    """A sticker with given content; its places are given as frames, so it has no genes."""

    content: Colour | Shadow
    dark: Tensor | None
    """The images darkened everywhere, ``(n, C, H, W)``, for a shadow."""

    @classmethod
    def of(cls, problem: Problem, content: Colour | Shadow) -> Self:
        """Return the sticker over the images of a problem."""
        return cls(content, darkened(problem.images, content.kappa) if isinstance(content, Shadow) else None)

    @property
    def genes(self) -> int:
        """No genes, since the places are listed."""
        return 0

    def placed(self, genes: Tensor) -> Tensor:
        """Return the places as they are given."""
        return genes

    def painted(self, images: Tensor, placed: Tensor) -> Tensor:
        """Paint the sticker in frames ``(n, P, 1, 5)``."""
        if isinstance(self.content, Shadow):
            assert self.dark is not None
            more, (height, width) = reach(self.content.blur), images.shape[2:]
            shift = placed.new_tensor([more, more, 0, 0, 0])
            covered = RECTANGLE.coverage_at(placed[:, :, 0] + shift, height + 2 * more, width + 2 * more)
            soft = with_penumbra(covered, self.content.blur)[..., more : more + height, more : more + width]
            below = images[:, None]
            return below + soft.float().to(images)[:, :, None] * (self.dark[:, None] - below)
        upright = not bool(placed[..., 4].any()) and not bool((placed % 1).any())
        if upright:
            return with_boxes(images, placed[..., :4].long(), [self.content.rgb])
        return with_frames(images, placed, [self.content.rgb])

    def stickers(self, placed: Tensor) -> tuple[Sticker, ...]:
        """Return the one sticker of a candidate ``(1, 5)``."""
        x, y, width, height, angle = placed[0].tolist()
        return (Sticker(1, x, y, width, height, self.content, angle=angle),)

    def select(self, rows: Tensor) -> Self:
        """Return the sticker over the images at ``rows``."""
        return replace(self, dark=None if self.dark is None else self.dark[rows])
