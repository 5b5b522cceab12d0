"""Pieces: stickers as they are printed, upright and at their true size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engine.errors import GibbonError
from engine.printing.paper import DOT_MM
from engine.stickers import Colour, Optimised, Pixels, Shadow, Sticker, content_of
from engine.stickers.content import in_channels
from engine.stickers.frames import to_image
from engine.stickers.shapes import Loop, Shape
from engine.text.formatting import format_share, short

Array = NDArray[np.float32]
_FINE, _LONGEST = 24, 1600
"""Samples for each pixel of content at an angle, and the most of them along a side of a sticker."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A sticker as it is on paper: upright and in mm."""

    title: str
    width: float
    """Width of the bounding box in mm."""
    height: float
    pixels: Array
    """The content, ``(h, w, 3)`` in [0, 1], stretched over the bounding box."""
    shape: Shape
    """The part of the bounding box that is cut out."""
    where: str = ""
    """A sentence that says where it belongs on the object."""

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The outlines in mm from the upper left corner of the box. Holes run against their parts: the nonzero rule leaves them empty."""
        return tuple(tuple((u * self.width, v * self.height) for u, v in loop) for loop in self.shape.outlines())


def pieces_of(
    stickers: Sequence[Sticker], pixel_mm: float, channels: int, *, smooth: bool = False
) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    """Return the pieces of stickers in their order, and sentences on what is printed otherwise than it is shown, or not at all.

    Parameters
    ----------
    stickers
        The stickers with their content. Each is printed whole, also where it leaves the image or lies below another.
    pixel_mm
        Width and height of one pixel of the image, in mm.
    channels
        Channels of the image, 1 or 3.
    smooth
        Whether the pixels of content that does not lie along the sticker's own sides run into each other.

    Raises
    ------
    GibbonError
        There is no sticker that has a content of its own, or one would be thinner than a printer's dot.
    """
    remarks: list[str] = []
    pieces = []
    for sticker in stickers:
        if isinstance(sticker.content, Shadow):
            remarks.append(f"“{sticker.title}” is a shadow, which has no colours to print, and is left out.")
            continue
        remarks += _remarks(sticker)
        pieces.append(_piece(sticker, pixel_mm, channels, smooth))
    if not pieces:
        why = " ".join(remarks) or "There is no sticker."
        raise GibbonError(f"Nothing can be printed. {why} Draw one with a colour, a picture or an optimised content.")
    return tuple(pieces), tuple(remarks)


def _piece(sticker: Sticker, pixel_mm: float, channels: int, smooth: bool) -> Piece:
    width, height = sticker.width * pixel_mm, sticker.height * pixel_mm
    if min(width, height) < DOT_MM:
        raise GibbonError(
            f"“{sticker.title}” would be {width:.2g} × {height:.2g} mm, thinner than a printer's dot ({DOT_MM:.3f} mm). Make it larger."
        )
    return Piece(sticker.title, width, height, _pixels(sticker, channels, smooth), sticker.shape, _where(sticker, pixel_mm))


def _pixels(sticker: Sticker, channels: int, smooth: bool) -> Array:
    own = _own_pixels(sticker, channels, smooth)
    shown: NDArray[Any] = own.detach().cpu().float().numpy()
    return np.ascontiguousarray(np.broadcast_to(shown, (3, *shown.shape[1:])).transpose(1, 2, 0))


def _own_pixels(sticker: Sticker, channels: int, smooth: bool) -> Tensor:
    content = sticker.content
    if isinstance(content, Colour):
        return content_of(sticker, channels)[:, :1, :1]
    if isinstance(content, Pixels) and content.image.shape[1] >= sticker.height and content.image.shape[2] >= sticker.width:
        return in_channels(content.image, channels)  # a picture has more detail than the image of the classifier
    if isinstance(content, Optimised) and content.image is not None and content.frame is not None:
        return _turned_back(in_channels(content.image, channels), content.frame, sticker, smooth)
    return content_of(sticker, channels)


def _turned_back(image: Tensor, frame: tuple[float, ...], sticker: Sticker, smooth: bool) -> Tensor:
    """Return content that was optimised on the image's pixels as the upright sticker shows it: these pixels are squares at an angle."""
    fine = max(1, min(_FINE, int(_LONGEST / max(sticker.width, sticker.height))))
    rows, columns = math.ceil(fine * sticker.height), math.ceil(fine * sticker.width)
    v, u = ((torch.arange(side, dtype=torch.float64) + 0.5) / side for side in (rows, columns))
    unit = torch.stack([u[None, :].expand(rows, columns), v[:, None].expand(rows, columns)], -1).reshape(1, -1, 2)
    places = to_image(torch.tensor([frame], dtype=torch.float64), unit).reshape(1, rows, columns, 2)
    grid = 2 * places / torch.tensor([image.shape[2], image.shape[1]], dtype=torch.float64) - 1
    mode = "bilinear" if smooth else "nearest"
    return functional.grid_sample(image[None].double(), grid, mode=mode, padding_mode="border", align_corners=False)[0].float()


def _where(sticker: Sticker, pixel_mm: float) -> str:
    x, y = (short(value * pixel_mm) for value in sticker.centre)
    turned = f", turned {abs(sticker.angle):g}° {'clockwise' if sticker.angle > 0 else 'anticlockwise'}" if sticker.angle else ""
    return f"Its middle is {x} mm from the left and {y} mm from the top of the image{turned}."


def _remarks(sticker: Sticker) -> list[str]:
    found = []
    if sticker.opacity < 1:
        found.append(f"“{sticker.title}” covers {format_share(sticker.opacity)} in the image, and is printed opaque.")
    if isinstance(sticker.content, Optimised) and sticker.content.image is None:
        found.append(f"“{sticker.title}” has no content yet, and is printed grey.")
    return found
