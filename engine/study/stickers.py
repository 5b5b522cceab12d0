"""Stickers as entries of a study, and back. The pictures on them are tensors of the study, so that runs share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from engine.errors import GibbonError
from engine.record.stickers import ShadowEntry, ShapeEntry, shadow_of
from engine.stickers import Colour, Content, Optimised, Pixels, Rectangle, Shadow, Sticker
from engine.stickers.shapes import parameters_of_shape, shape_of
from engine.study.entries import StickerEntry, plain
from engine.study.tensors import Tensors


def entries_of(stickers: Sequence[Sticker], tensors: Tensors) -> tuple[StickerEntry, ...]:
    """Make the entries of stickers, with their pictures added to ``tensors``."""
    return tuple(_entry(sticker, tensors) for sticker in stickers)


class Stickers:
    """Makes stickers of entries. Equal entries give one sticker, so that stickers which were the same are the same again."""

    def __init__(self, find: Callable[[str], Tensor]) -> None:
        self._find = find
        self._made: dict[str, Sticker] = {}

    def of(self, entries: Sequence[StickerEntry]) -> tuple[Sticker, ...]:
        """Make the stickers of entries.

        Raises
        ------
        GibbonError
            A sticker has a shape that is not known here, a damaged picture, or the id of another one.
        """
        found = tuple(self._one(entry) for entry in entries)
        if len({sticker.id for sticker in found}) != len(found):
            raise GibbonError("two of its stickers have one id")
        return found

    def _one(self, entry: StickerEntry) -> Sticker:
        key = entry.model_dump_json()
        if key not in self._made:
            self._made[key] = _sticker(entry, self._find)
        return self._made[key]


def _entry(sticker: Sticker, tensors: Tensors) -> StickerEntry:
    content, shape = sticker.content, sticker.shape
    common = {"id": sticker.id, "x": sticker.x, "y": sticker.y, "width": sticker.width, "height": sticker.height, "angle": sticker.angle}
    rest = {
        "opacity": sticker.opacity,
        "name": sticker.name,
        "locked": sticker.locked,
        "visible": sticker.visible,
        "shape": None if isinstance(shape, Rectangle) else ShapeEntry(kind=shape.kind, parameters=plain(parameters_of_shape(shape))),
    }
    match content:
        case Colour():
            return StickerEntry(**common, **rest, content="colour", rgb=content.rgb)
        case Pixels():
            return StickerEntry(**common, **rest, content="pixels", image=tensors.add(content.image), image_name=content.name)
        case Optimised():
            return StickerEntry(**common, **rest, content="optimised", image=tensors.add_if(content.image), frame=content.frame)
        case Shadow():
            return StickerEntry(**common, **rest, content="shadow", shadow=ShadowEntry(kappa=content.kappa, blur=content.blur))


def _sticker(entry: StickerEntry, find: Callable[[str], Tensor]) -> Sticker:
    shape = Rectangle() if entry.shape is None else shape_of(entry.shape.kind, entry.shape.parameters)
    content = _content(entry, None if entry.image is None else find(entry.image))
    place = entry.id, entry.x, entry.y, entry.width, entry.height
    return Sticker(*place, content, entry.opacity, entry.name, shape, entry.angle, entry.locked, entry.visible)


def _content(entry: StickerEntry, image: Tensor | None) -> Content:
    match entry.content:
        case "colour":
            return Colour() if entry.rgb is None else Colour(entry.rgb)
        case "optimised":
            return Optimised(image, entry.frame)
        case "shadow":
            return shadow_of(entry.shadow)
        case "pixels":
            if image is None:
                raise GibbonError(f"its sticker {entry.id} has no picture")
            return Pixels(image, entry.image_name)
