"""What stickers are given, refused in a sentence where it is something else."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from engine.errors import GibbonError
from engine.images.decoding import MEGAPIXELS
from engine.text.parsing import named

_FARTHEST = 1 << 31
_SLACK = 1e-4
"""How far outside [0, 1] rounding may have carried a value."""


def whole(value: object, what: str) -> int:
    """Give ``value`` as an int; NumPy's whole numbers are ones, too.

    Raises
    ------
    GibbonError
        It is no whole number, or lies beyond every image.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise GibbonError(f"The sticker's {what} is {named(value)}, but stickers lie on whole pixels. Give a whole number.")
    if abs(int(value)) > _FARTHEST:
        raise GibbonError(f"The sticker's {what} is {named(value)}, which lies beyond every image. Give a smaller number.")
    return int(value)


def share(value: object, what: str) -> float:
    """Give ``value`` as a number from 0 to 1.

    Raises
    ------
    GibbonError
        It is something else.
    """
    if not is_share(value):
        raise GibbonError(f"{what} is {named(value)}. Give a number from 0 to 1.")
    return float(value)  # type: ignore[arg-type]


def is_share(value: object) -> bool:
    """Whether it is a number from 0 to 1; NumPy's are ones, too."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 <= float(value) <= 1


def side(value: object, what: str) -> int:
    """Give ``value`` as the whole number of pixels, channels or rows that it is, at least one.

    Raises
    ------
    GibbonError
        It is something else.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise GibbonError(f"The {what} is {named(value)}. Give a whole number, at least 1.")
    return int(value)


def sides(value: object, what: str) -> tuple[int, int]:
    """Give ``value`` as a height and a width in pixels.

    Raises
    ------
    GibbonError
        It is something else.
    """
    if not isinstance(value, Sequence) or len(value) != 2:
        raise GibbonError(f"The size {what} is {named(value)}. Give (height, width) in pixels.")
    return side(value[0], f"height {what}"), side(value[1], f"width {what}")


def point(*values: object) -> None:
    """Refuse coordinates that are no finite numbers.

    Raises
    ------
    GibbonError
        One of ``values`` is not.
    """
    for value in values:
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise GibbonError(f"{named(value)} is no place on an image. Give x and y in pixels.")


def picture(image: Any, what: str, *, bounded: bool = False) -> Tensor:
    """Give ``image`` as the tensor ``(C, H, W)`` of floats that it is; ``bounded``: in [0, 1].

    Raises
    ------
    GibbonError
        It is something else; the sentence names the cause and the cure.
    """
    if not isinstance(image, Tensor):
        raise GibbonError(f"The {what} is {named(image)}, but a tensor (C, H, W) is needed. Write torch.as_tensor(image).")
    if image.dim() != 3 or image.numel() == 0:
        raise GibbonError(f"The {what} has shape {tuple(image.shape)}, but (C, H, W) is needed.")
    if not image.is_floating_point():
        raise GibbonError(f"The {what} holds {image.dtype}, but floats in [0, 1] are needed. Divide 8-bit levels by 255.")
    if bounded:
        low, high = (float(value) for value in image.detach().aminmax())
        if not (low >= -_SLACK and high <= 1 + _SLACK):  # a NaN fails this, too
            raise GibbonError(f"The {what} reaches from {low:.3g} to {high:.3g}, but [0, 1] is needed. Divide 8-bit levels by 255.")
    return image


def drawable(height: int, width: int) -> None:
    """Refuse content that is too large to be drawn.

    Raises
    ------
    GibbonError
        It has more than `MEGAPIXELS`, as a photograph may.
    """
    if height * width > MEGAPIXELS * 1_000_000:
        raise GibbonError(
            f"A sticker of {width:,} x {height:,} pixels is too large: the limit is {MEGAPIXELS} megapixels. Make it smaller."
        )
