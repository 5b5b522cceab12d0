"""Writing of images as 8-bit PNG files."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from engine.errors import GibbonError
from engine.files import replacing
from engine.images.grid import levels
from engine.text.parsing import named


def write_png(path: str | Path, image: Tensor, text: Mapping[str, str] | None = None) -> Path:
    """Write ``image`` as an 8-bit PNG, atomically.

    Parameters
    ----------
    path
        The target; ``.png`` is added where it has no suffix.
    image
        ``(C, H, W)`` in [0, 1] with 1 or 3 channels, rounded to k/255.
    text
        Keywords and texts for the file's metadata.

    Raises
    ------
    GibbonError
        Shape or range is wrong, the suffix belongs to another format, a text cannot be held, or the file cannot be written.
    """
    from PIL import Image, PngImagePlugin

    path, texts = _png(path), _texts(text or {})
    if not isinstance(image, Tensor):
        raise GibbonError(f"{named(image)} is no image that can be saved. Give a tensor (C, H, W).")
    if image.dim() != 3 or image.shape[0] not in (1, 3) or image.numel() == 0:
        raise GibbonError(f"The image has shape {tuple(image.shape)}, but (1, H, W) or (3, H, W) is needed to save it.")
    if not image.is_floating_point():
        raise GibbonError(f"The image holds {image.dtype}, but values in [0, 1] are needed to save it. Divide levels by 255.")
    values = levels(image.detach()).cpu()
    if not (float(values.min()) >= 0 and float(values.max()) <= 255):  # the negation also refuses NaN
        raise GibbonError(f"The image reaches from {float(image.min()):.3g} to {float(image.max()):.3g}, but [0, 1] is needed to save it.")
    pixels = values.byte().permute(1, 2, 0).numpy()
    info = PngImagePlugin.PngInfo()
    for keyword, value in texts.items():
        info.add_itxt(keyword, value)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if len(image) == 1 else pixels)).save(buffer, "PNG", pnginfo=info)
    with replacing(path) as staged:
        staged.write_bytes(buffer.getvalue())
    return path


def _png(given: str | Path) -> Path:
    if not isinstance(given, str | os.PathLike) or not Path(given).name or "\0" in str(given):
        raise GibbonError(f"{given!r} names no file. Give the path of a PNG.")
    path = Path(given).expanduser()
    if path.is_dir():
        raise GibbonError(f"“{path}” is a folder. Give the name of a file in it.")
    if path.exists() and not path.is_file():
        raise GibbonError(f"“{path}” is no ordinary file. Give the name of another one.")
    if not path.suffix:
        return path.with_suffix(".png")
    if path.suffix.lower() != ".png":
        raise GibbonError(f"An adversarial image is saved as PNG only: {path.suffix} may change its pixels. Name it {path.stem}.png.")
    return path


def _texts(given: Mapping[str, str]) -> Mapping[str, str]:
    """Check keywords (1 to 79 Latin letters) and texts (Unicode) against the limits of the format."""
    if not isinstance(given, Mapping):
        raise GibbonError(f"The texts of a PNG are {named(given)}. Give a mapping of keywords to texts.")
    for keyword, value in given.items():
        if not isinstance(keyword, str) or not 1 <= len(keyword) <= 79 or not (keyword.isascii() and keyword.isprintable()):
            raise GibbonError(f"{named(keyword)} is no keyword of a PNG. Give 1 to 79 letters of ASCII.")
        if not isinstance(value, str) or not _is_unicode(value):
            raise GibbonError(
                f"The text “{keyword}” of a PNG is {named(value) if not isinstance(value, str) else 'no Unicode'}. Give a text."
            )
    return given


def _is_unicode(text: str) -> bool:
    """Return whether the text has no half of a surrogate pair, which no file can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
