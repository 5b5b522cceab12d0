"""Shapes of stickers, one file each. ``SHAPES`` maps a kind to its class; a new shape is listed here by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from engine.errors import GibbonError
from engine.stickers.shapes.base import Loop, Shape
from engine.stickers.shapes.brushed import Brushed
from engine.stickers.shapes.ellipse import Ellipse
from engine.stickers.shapes.polygon import Polygon
from engine.stickers.shapes.rectangle import RECTANGLE, Rectangle

SHAPES: Mapping[str, type[Shape]] = MappingProxyType({shape.kind: shape for shape in (Rectangle, Ellipse, Polygon, Brushed)})
"""The class of shape for each kind."""

__all__ = ["RECTANGLE", "SHAPES", "Brushed", "Ellipse", "Loop", "Polygon", "Rectangle", "Shape", "parameters_of_shape", "shape_of"]


def shape_of(kind: str, parameters: Mapping[str, Any]) -> Shape:
    """Make the shape that a record names.

    Raises
    ------
    GibbonError
        The kind is unknown, or has other parameters.
    """
    if kind not in SHAPES:
        raise GibbonError(f"There is no sticker shape “{kind}” here. There is: {', '.join(SHAPES)}.")
    try:
        return SHAPES[kind](**parameters)
    except (TypeError, ValueError):
        raise GibbonError(f"The sticker shape “{kind}” does not take {', '.join(parameters)}. Use the record as it was written.") from None


def parameters_of_shape(shape: Shape) -> dict[str, Any]:
    """Return the fields of a shape for a record: numbers, texts, and lists of them."""
    return {name: _plain(value) for name, value in asdict(shape).items()}


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
