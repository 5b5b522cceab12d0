"""The settings of a run in a few words: image, crop, stickers, bounds, region. For comparisons and facts. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gui.session.sticker_content import same_look

if TYPE_CHECKING:
    from engine import Classifier
    from engine.stickers import Sticker
    from gui.session.state import Region

REGIONS: Mapping[Region, str] = {"image": "whole image", "stickers": "stickers only"}


def model_words(classifier: Classifier | None, beside: Classifier | None = None) -> str:
    """Return a classifier's name; with its fingerprint where the name alone would not tell it from ``beside``."""
    if classifier is None:
        return "none"
    alike = beside is not None and beside.name == classifier.name
    return f"{classifier.name} ({classifier.fingerprint})" if alike else classifier.name


def image_words(image: Mapping[str, Any]) -> str:
    """Return an image's name."""
    return str(image.get("name") or "unnamed")


def crop_words(image: Mapping[str, Any]) -> str:
    """Return the crop of a photograph, such as ``375 × 375 at x 62, y 0``; empty if the image was not cropped."""
    crop = image.get("crop")
    if not crop:
        return ""
    left, top, width, height = crop
    return f"{width} × {height} at x {left}, y {top}"


def place_words(sticker: Sticker) -> str:
    """Return the place of a sticker's upper left corner, such as ``x −3, y 12``."""
    from engine.text.formatting import pixel_words

    return f"x {pixel_words(sticker.x)}, y {pixel_words(sticker.y)}"


def size_words(sticker: Sticker) -> str:
    """Return the size of a sticker in pixels and its rotation, such as ``6 × 8`` or ``6 × 8, 15°``."""
    from engine.text.formatting import pixel_words

    turned = f", {pixel_words(sticker.angle)}°" if sticker.angle else ""
    return f"{pixel_words(sticker.width)} × {pixel_words(sticker.height)}{turned}"


def sticker_words(sticker: Sticker) -> str:
    """Return the place of a sticker and the kind of its content."""
    from engine.record.stickers import kind_of
    from engine.stickers import Pixels

    content = sticker.content
    kind = content.name or "image" if isinstance(content, Pixels) else kind_of(content)
    return f"{kind}, {size_words(sticker)} at {place_words(sticker)}"


def stickers_words(stickers: Sequence[Sticker], beside: Sequence[Sticker]) -> str:
    """Return what tells stickers from those ``beside`` them: their number, or the first one that differs."""
    from engine.text.formatting import counted

    if len(stickers) != len(beside):
        return counted(len(stickers), "sticker") if stickers else "none"
    pairs = zip(stickers, beside, strict=True)
    number, (here, there) = next((n, pair) for n, pair in enumerate(pairs, 1) if not same_look(pair[:1], pair[1:]))
    words, others = sticker_words(here), sticker_words(there)
    return f"sticker {number}: {words if words != others else f'{words}, {_finer(here)}'}"


def _finer(sticker: Sticker) -> str:
    from engine.stickers import Colour, Shadow

    content, shade = sticker.content, ""
    if isinstance(content, Colour):
        shade = "#{:02x}{:02x}{:02x}".format(*(round(255 * value) for value in content.rgb))
    if isinstance(content, Shadow):
        shade = f"lightness × {content.kappa:.3g}, edge {content.blur:.3g} px"
    hidden = "" if sticker.visible else "hidden"
    return ", ".join(filter(None, (sticker.shape.kind, f"opacity {sticker.opacity:.3g}", shade, hidden)))


def bounds_words(bounds: Mapping[str, float]) -> str:
    """Return upper limits of activations, such as ``relu1 up to 2``."""
    return ", ".join(f"{site} up to {limit:.3g}" for site, limit in bounds.items()) or "none"
