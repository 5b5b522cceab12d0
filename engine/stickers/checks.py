"""Checks of a sticker's values; each refusal is a sentence."""

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
"""Tolerance outside [0, 1] for rounding errors."""


def whole(value: object, what: str) -> int:
    """Return ``value`` as an int; NumPy's whole numbers are accepted, too.

    Raises
    ------
    GibbonError
        The value is no whole number, or exceeds every image.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise GibbonError(f"The sticker's {what} is {named(value)}. Give a whole number.")
    if abs(int(value)) > _FARTHEST:
        raise GibbonError(f"The sticker's {what} is {named(value)}, which lies beyond every image. Give a smaller number.")
    return int(value)


def length(value: object, what: str) -> float:
    """Return ``value`` as a number of pixels or degrees, an int where it is whole; NumPy's numbers are accepted, too.

    Raises
    ------
    GibbonError
        The value is no finite number, or exceeds every image.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not math.isfinite(value):
        raise GibbonError(f"The sticker's {what} is {named(value)}. Give a number.")
    if abs(float(value)) > _FARTHEST:
        raise GibbonError(f"The sticker's {what} is {named(value)}, which lies beyond every image. Give a smaller number.")
    number = float(value)
    return int(number) if number.is_integer() else number


def share(value: object, what: str) -> float:
    """Return ``value`` as a float, after checking that it is from 0 to 1.

    Raises
    ------
    GibbonError
        The value is no such number.
    """
    if not is_share(value):
        raise GibbonError(f"{what} is {named(value)}. Give a number from 0 to 1.")
    return float(value)  # type: ignore[arg-type]


def is_share(value: object) -> bool:
    """Return whether the value is a number from 0 to 1; NumPy's numbers are accepted, too."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 <= float(value) <= 1


def side(value: object, what: str) -> int:
    """Return ``value`` as a number of pixels, channels or rows, at least one.

    Raises
    ------
    GibbonError
        The value is no such number.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise GibbonError(f"The {what} is {named(value)}. Give a whole number, at least 1.")
    return int(value)


def sides(value: object, what: str) -> tuple[int, int]:
    """Return ``value`` as a height and a width in pixels.

    Raises
    ------
    GibbonError
        The value is no such pair.
    """
    if not isinstance(value, Sequence) or len(value) != 2:
        raise GibbonError(f"The size {what} is {named(value)}. Give (height, width) in pixels.")
    return side(value[0], f"height {what}"), side(value[1], f"width {what}")


def point(*values: object) -> None:
    """Refuse coordinates that are no finite numbers.

    Raises
    ------
    GibbonError
        One of ``values`` is no finite number.
    """
    for value in values:
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise GibbonError(f"{named(value)} is no place on an image. Give x and y in pixels.")


def picture(image: Any, what: str, *, bounded: bool = False) -> Tensor:
    """Return ``image`` as a float tensor ``(C, H, W)``; ``bounded`` also requires values in [0, 1].

    Raises
    ------
    GibbonError
        The value is no such image; the sentence names the cause and the remedy.
    """
    if not isinstance(image, Tensor):
        raise GibbonError(f"The {what} is {named(image)}, but a tensor (C, H, W) is needed. Write torch.as_tensor(image).")
    if image.dim() != 3 or image.numel() == 0:
        raise GibbonError(f"The {what} has shape {tuple(image.shape)}, but (C, H, W) is needed.")
    if not image.is_floating_point():
        raise GibbonError(f"The {what} holds {image.dtype}, but floats in [0, 1] are needed. Divide 8-bit levels by 255.")
    if bounded:
        low, high = (float(value) for value in image.detach().aminmax())
        if not (low >= -_SLACK and high <= 1 + _SLACK):  # the negation also refuses NaN
            raise GibbonError(f"The {what} reaches from {low:.3g} to {high:.3g}, but [0, 1] is needed. Divide 8-bit levels by 255.")
    return image


def drawable(height: int, width: int) -> None:
    """Refuse content that is too large to be drawn.

    Raises
    ------
    GibbonError
        It has more than `MEGAPIXELS`, the limit of photographs.
    """
    if height * width > MEGAPIXELS * 1_000_000:
        raise GibbonError(
            f"A sticker of {width:,} × {height:,} pixels is too large: the limit is {MEGAPIXELS} megapixels. Make it smaller."
        )
