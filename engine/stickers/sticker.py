"""Stickers as frozen values: a bounding box, a shape within it, and content.

Coordinates are image pixels: pixel (row r, column c) covers the square [c, c + 1] x [r, r + 1], so a sticker at x = 13, width = 6 covers
the columns 13 to 18. Edges may lie between pixels; numbers that are whole are kept as ints. The order of a tuple of stickers is their
z-order: the last is on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.stickers import checks
from engine.stickers.frames import Box, outer_box
from engine.stickers.shapes import RECTANGLE, SHAPES, Shape
from engine.text.parsing import named

WIDEST_BLUR = 1000
"""Limit of a shadow's blurred edge, in pixels."""


@dataclass(frozen=True)
class Colour:
    """Content that is a single colour everywhere."""

    rgb: tuple[float, float, float] = (1.0, 0.85, 0.0)
    """Red, green and blue in [0, 1]; a grey model takes the mean."""

    def __post_init__(self) -> None:
        if not isinstance(self.rgb, tuple | list) or len(self.rgb) != 3 or not all(map(checks.is_share, self.rgb)):
            raise GibbonError(f"{self.rgb!r} is no colour. Give red, green and blue from 0 to 1.")
        object.__setattr__(self, "rgb", tuple(map(float, self.rgb)))


@dataclass(frozen=True, eq=False)
class Pixels:
    """Content from a picture, stretched over the sticker."""

    image: Tensor
    """The picture, ``(C, h, w)`` in [0, 1] on the CPU."""
    name: str = "image"

    def __post_init__(self) -> None:
        checks.picture(self.image, "picture of a sticker", bounded=True)


@dataclass(frozen=True, eq=False)
class Optimised:
    """Content that an attack optimises. The sticker's area belongs to the mask of a sticker attack."""

    image: Tensor | None = None
    """The content, ``(C, h, w)`` in [0, 1] on the CPU; None before the first run: middle grey."""
    frame: tuple[float, float, float, float, float] | None = None
    """The sticker that the content was optimised on: x and y, measured from the content's corner, width, height and angle. None: the
    content is stretched over the box, as that of upright stickers on whole pixels is.
    """

    def __post_init__(self) -> None:
        if self.image is not None:
            checks.picture(self.image, "content of a sticker")
        if self.frame is not None:
            if len(self.frame) != 5:
                raise GibbonError(f"{self.frame!r} is no frame of a sticker's content. Give x, y, width, height and angle.")
            checks.point(*self.frame)
            object.__setattr__(self, "frame", tuple(map(float, self.frame)))


@dataclass(frozen=True)
class Shadow:
    """Content that darkens what lies below: ``L* <- kappa L*`` in CIE LAB, with a soft edge, after Zhong et al. 2022, arXiv 2203.03818."""

    kappa: float = 0.43
    """Factor on the lightness, from 0 (black) to 1 (no shadow)."""
    blur: float = 3.0
    """Twice the width of the soft edge in pixels, see `engine.stickers.shadow.with_penumbra`. Up to 1 the edge is sharp."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kappa", checks.share(self.kappa, "The factor of a shadow on the lightness"))
        blur = float(checks.length(self.blur, "blurred edge"))
        if not 0 <= blur <= WIDEST_BLUR:
            raise GibbonError(f"The edge of a shadow is blurred over {blur:g} pixels. Give 0 to {WIDEST_BLUR}.")
        object.__setattr__(self, "blur", blur)


Content = Colour | Pixels | Optimised | Shadow


@dataclass(frozen=True)
class Sticker:
    """A region on the canvas with content: a bounding box, and a shape within it.

    Raises
    ------
    GibbonError
        A value is refused; the sentence names it.
    """

    id: int
    """Number that is unique within a canvas and stays through every edit."""
    x: float
    """Left edge in pixels, before the rotation."""
    y: float
    """Top edge in pixels, before the rotation."""
    width: float
    height: float
    content: Content = Colour()
    opacity: float = 1.0
    """Opacity: 0 shows nothing, 1 covers the image."""
    name: str = ""
    shape: Shape = RECTANGLE
    """The part of the bounding box ``x, y, width, height`` that is covered."""
    angle: float = 0
    """Rotation about the middle of the box in degrees, clockwise, from -180 (exclusive) to 180."""
    locked: bool = False
    """Whether the mouse leaves the sticker where it is. What is seen does not depend on it."""
    visible: bool = True
    """Whether the sticker is on the image. A hidden one is neither painted nor attacked."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", checks.whole(self.id, "id"))
        for what in ("x", "y", "width", "height"):
            object.__setattr__(self, what, checks.length(getattr(self, what), what))
        if self.width < 1 or self.height < 1:
            raise GibbonError(
                f"A sticker of {self.width:g} × {self.height:g} pixels covers nothing. Make it at least one pixel wide and high."
            )
        if not isinstance(self.content, Colour | Pixels | Optimised | Shadow):
            raise GibbonError(f"{self.content!r} is no content of a sticker. Give a Colour, Pixels, Optimised or Shadow.")
        object.__setattr__(self, "opacity", checks.share(self.opacity, "The sticker's opacity"))
        if not isinstance(self.name, str):
            raise GibbonError(f"The sticker's name is {self.name!r}. Give a text.")
        if not isinstance(self.shape, Shape):
            kinds = [kind.__name__ for kind in SHAPES.values()]
            raise GibbonError(f"{self.shape!r} is no shape of a sticker. Give a {', '.join(kinds[:-1])} or {kinds[-1]}.")
        angle = checks.length(self.angle, "angle") % 360
        object.__setattr__(self, "angle", angle - 360 if angle > 180 else angle)
        for what in ("locked", "visible"):
            if not isinstance(getattr(self, what), bool):
                raise GibbonError(f"A sticker's field “{what}” is {named(getattr(self, what))}. Give True or False.")

    @property
    def right(self) -> float:
        """The edge after the last column of the box before its rotation, in pixels."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The edge after the last row of the box before its rotation, in pixels."""
        return self.y + self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box in pixels, which a rotation leaves in place."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def frame(self) -> Tensor:
        """The box and its angle, ``(5,)`` float64, see `engine.stickers.frames`."""
        return torch.tensor([self.x, self.y, self.width, self.height, self.angle], dtype=torch.float64)

    @cached_property
    def outer(self) -> Box:
        """The smallest box of whole pixels that holds the rotated box: left, top, right, bottom. Kept, since each frame asks for it."""
        return outer_box(self.x, self.y, self.width, self.height, self.angle)

    @property
    def on_pixels(self) -> bool:
        """Whether the box is upright and its edges lie between pixels of the image."""
        return self.angle == 0 and all(isinstance(value, int) for value in (self.x, self.y, self.width, self.height))

    @property
    def title(self) -> str:
        """The name, or a description where no name was given."""
        return self.name or f"Sticker {self.id}"


def check_stickers(stickers: Sequence[Sticker]) -> None:
    """Refuse an argument that is no sequence of stickers.

    Raises
    ------
    GibbonError
        The argument is no such sequence.
    """
    if not isinstance(stickers, Sequence) or isinstance(stickers, str):
        raise GibbonError(f"{named(stickers)} is no sequence of stickers. Give a tuple of them.")
    for sticker in stickers:
        check_sticker(sticker)


def check_sticker(sticker: Sticker) -> None:
    """Refuse an argument that is no sticker.

    Raises
    ------
    GibbonError
        The argument is none.
    """
    if not isinstance(sticker, Sticker):
        raise GibbonError(f"{named(sticker)} is no sticker. Give a Sticker.")
