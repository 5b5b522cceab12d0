"""Stickers in files: their entries as JSON, a PNG that shows them and carries the entries, and any picture as a sticker or a mask."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import GibbonError
from engine.files import ordinary_file, replacing
from engine.images.decoding import decode_with_alpha
from engine.record.carrying import text_in_png
from engine.record.sticker_text import stickers_as_text, stickers_from_text
from engine.stickers import Brushed, Content, Pixels, Sticker, coverage, on_whole_pixels, paint
from engine.stickers.checks import drawable
from engine.stickers.shapes import RECTANGLE

SUFFIXES = (".png", ".json")
_KEY = "gibbon-stickers"
_LIMIT = 256 * 2**20
_SIDE = 512
"""The longest side of a picture on a sticker, in pixels; larger ones are averaged."""


@dataclass(frozen=True)
class ReadStickers:
    """Stickers of a file, and a sentence on how a picture of another size was placed; empty if there is nothing to say."""

    stickers: tuple[Sticker, ...]
    note: str = ""


def write_stickers(stickers: Sequence[Sticker], path: Path | str) -> Path:
    """Write stickers to a file: ``.json`` holds their entries, ``.png`` shows them on a clear ground and holds the entries inside.

    Raises
    ------
    GibbonError
        There are none, the suffix is another one, or the file cannot be written.
    """
    path = Path(path)
    if not stickers:
        raise GibbonError("There are no stickers to be saved. Select at least one.")
    if path.suffix.lower() not in SUFFIXES:
        raise GibbonError(f"Stickers are saved as .png or .json, not as “{path.suffix}”. Name the file {path.stem}.png.")
    text = stickers_as_text(stickers)
    data = f"{text}\n".encode() if path.suffix.lower() == ".json" else _picture_of(stickers, text)
    with replacing(path) as staged:
        staged.write_bytes(data)
    return path


def read_stickers(path: Path | str, height: int, width: int, *, mask: Content | None = None) -> ReadStickers:
    """Read the stickers of a file that `write_stickers` wrote, or make one of any picture.

    The picture's colours are the content, and its alpha is the shape. One of the image's own size keeps its place; one that is larger is
    fitted into the image with its aspect kept, and a smaller one lies in the middle.

    Parameters
    ----------
    path
        The file.
    height, width
        The size of the image that the stickers are for.
    mask
        The content to be used in place of the picture's colours. An opaque picture is then read as a mask: white is covered, black not.

    Raises
    ------
    GibbonError
        The file cannot be read, is neither stickers nor a picture, or covers nothing.
    """
    path = ordinary_file(path, "a picture, or stickers that were saved", limit=_LIMIT)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
    text = text_in_png(data, _KEY)
    if path.suffix.lower() == ".json":
        text = data.decode("utf-8", "replace")
    if text is None:
        return _of_picture(data, path.name, (height, width), mask)
    stickers = stickers_from_text(text, f"“{path.name}”")
    return ReadStickers(stickers if mask is None else tuple(replace(sticker, content=mask) for sticker in stickers))


# ---------------------------------------------------------------------- a picture as a sticker


def _of_picture(data: bytes, name: str, size: tuple[int, int], mask: Content | None) -> ReadStickers:
    levels, has_alpha = decode_with_alpha(data, name)
    values = torch.from_numpy(levels.copy()).float().permute(2, 0, 1) / 255
    colours, alpha = values[:3], values[3]
    if mask is not None and not has_alpha:
        alpha = colours.mean(0)
    rows, columns = alpha.any(1).nonzero()[:, 0], alpha.any(0).nonzero()[:, 0]
    if len(rows) == 0:
        what = "fully transparent" if has_alpha else "black everywhere"
        raise GibbonError(f"“{name}” is {what}, so that it covers nothing. Choose another picture.")
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    colours, alpha = colours[:, top:bottom, left:right], alpha[top:bottom, left:right]
    factor, x, y, note = _placed(name, tuple(levels.shape[:2]), size)
    box = x + left * factor, y + top * factor, max(1.0, (right - left) * factor), max(1.0, (bottom - top) * factor)
    colours, alpha = _reduced(colours, alpha)
    shape = RECTANGLE if bool((alpha == 1).all()) else Brushed.of(alpha)
    content = mask or Pixels(colours, name)
    return ReadStickers((on_whole_pixels(Sticker(1, *box, content, shape=shape)),), note)


def _placed(name: str, own: tuple[int, int], image: tuple[int, int]) -> tuple[float, float, float, str]:
    """Return the scale of a picture on the image, the place of its corner, and what is said about it; sizes are (height, width)."""
    if own == image:
        return 1.0, 0.0, 0.0, ""
    factor = min(1.0, image[0] / own[0], image[1] / own[1])
    x, y = (image[1] - own[1] * factor) / 2, (image[0] - own[0] * factor) / 2
    how = "fitted into it with its aspect kept" if factor < 1 else "put into the middle at its own size"
    sizes = f"{own[1]:,} × {own[0]:,} pixels, and the image {image[1]:,} × {image[0]:,}"
    return factor, x, y, f"“{name}” has {sizes}, so it was {how}."


def _reduced(colours: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return colours and alpha with at most `_SIDE` pixels a side; colours of clear pixels do not leak into others."""
    factor = _SIDE / max(alpha.shape)
    if factor >= 1:
        return colours.contiguous(), alpha.contiguous()
    size = [max(1, round(side * factor)) for side in alpha.shape]
    joined = torch.cat([colours * alpha, alpha[None]])[None]
    small = F.interpolate(joined, size, mode="bilinear", align_corners=False, antialias=True)[0].clamp(0, 1)
    return (small[:3] / small[3].clamp_min(1e-6)).clamp(0, 1), small[3]


# ---------------------------------------------------------------------- stickers as a picture


def _picture_of(stickers: Sequence[Sticker], text: str) -> bytes:
    """Return the PNG of stickers on a clear ground, with their entries as a text inside."""
    from PIL import Image, PngImagePlugin

    outer = [sticker.outer for sticker in stickers]
    left, top = min(box[0] for box in outer), min(box[1] for box in outer)
    width, height = max(box[2] for box in outer) - left, max(box[3] for box in outer) - top
    drawable(height, width)
    laid = [replace(sticker, x=sticker.x - left, y=sticker.y - top, visible=True) for sticker in stickers]
    painted, clear = paint(torch.zeros(3, height, width), laid), torch.ones(1, height, width)
    for sticker in laid:
        clear = clear * (1 - coverage(sticker, height, width))
    alpha = 1 - clear
    colours = torch.where(alpha > 0, painted / alpha.clamp_min(1e-6), painted).clamp(0, 1)
    levels = (torch.cat([colours, alpha]) * 255).round().byte().permute(1, 2, 0).numpy()
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_itxt(_KEY, text)
    Image.fromarray(np.ascontiguousarray(levels), "RGBA").save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()
