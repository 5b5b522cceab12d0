"""From the bytes of an image file to 8-bit pixels, with a note on everything that was done on the way."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import GibbonError
from engine.images.levels import Pixels, eight_bit

if TYPE_CHECKING:
    from PIL.Image import Image

MEGAPIXELS = 100
"""The largest photograph that is decoded: 300 MB as RGB. Read from the header, before any pixel is."""
# What cameras, browsers and scanners write. Not everything that Pillow knows: EPS would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "QOI")
_FRAMES = {"TIFF": "pages", "MPO": "pictures", "ICO": "sizes"}
_ORIENTATION = 0x0112
_CURE = "Choose another file, or save it again as PNG."


def decode(data: bytes, name: str) -> tuple[Pixels, tuple[str, ...]]:
    """The pixels ``(H, W)`` or ``(H, W, 3)`` of a file's bytes, upright, and the notes.

    Raises
    ------
    GibbonError
        The bytes are empty, no image, cut short, damaged, or more than `MEGAPIXELS`.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise GibbonError(f"“{name}” is empty (0 bytes). {_CURE}")
    Image.init()
    try:
        with Image.open(io.BytesIO(data), formats=[name for name in _FORMATS if name in Image.OPEN]) as image:
            _check_size(image.size, name)
            return _convert(image, name)
    except GibbonError:
        raise
    except UnidentifiedImageError:
        raise GibbonError(f"“{name}” is not an image that can be read: {_looks_like(data)}. {_CURE}") from None
    except Image.DecompressionBombError as error:
        raise _too_large(name, _pixels_in(str(error))) from None
    except MemoryError:
        raise GibbonError(f"There is not enough memory to open “{name}”. Scale it down first.") from None
    except Exception as error:  # a decoder given damaged bytes raises whatever it likes
        raise GibbonError(f"“{name}” is damaged or cut short ({_reason(error)}). {_CURE}") from None


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MEGAPIXELS * 1_000_000:
        raise _too_large(name, width * height, f"{width:,} x {height:,} pixels, ")


def _too_large(name: str, pixels: int, size: str = "") -> GibbonError:
    found = f"{size}{pixels / 1e6:,.0f} megapixels" if pixels else f"far more than {MEGAPIXELS} megapixels"
    return GibbonError(f"“{name}” is too large ({found}); the limit is {MEGAPIXELS} megapixels. Crop it or scale it down first.")


def _pixels_in(message: str) -> int:
    # Pillow refuses the largest ones while it reads the header and says only how many pixels there are.
    found = re.search(r"\((\d+) pixels\)", message)
    return int(found[1]) if found else 0


def _convert(image: Image, name: str) -> tuple[Pixels, tuple[str, ...]]:
    from PIL import ImageOps

    notes: list[str] = []
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        image.seek(0)
        notes.append(f"first of {frames} {_FRAMES.get(image.format or '', 'frames')}")
    # Both before decoding, which drops the raw mode ("RGB;16B") and turns a TIFF on its own.
    deep = ";16" in repr(getattr(image, "tile", "")) and not image.mode.startswith("I")
    turned = _orientation(image, notes) not in (0, 1)
    image.load()
    if turned:
        image = ImageOps.exif_transpose(image)
        notes.append("turned by its EXIF orientation")
    if deep:
        notes.append("16 bit reduced to 8")
    values, note = eight_bit(np.asarray(_plain(image, notes)), name)
    return values, (*notes, note) if note else tuple(notes)


def _orientation(image: Image, notes: list[str]) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # the EXIF parser, too, raises anything; the picture itself may be whole
        notes.append("damaged EXIF data ignored")
        return 1


def _plain(image: Image, notes: list[str]) -> Image:
    """``image`` in a mode that is grey, RGB, or single numbers."""
    from PIL import Image

    if image.mode in ("P", "PA"):
        notes.append("palette expanded")
    if image.has_transparency_data:
        notes.append("alpha laid over white")
        grey = image.mode in ("LA", "La", "L", "1")
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L" if grey else "RGB")
    if image.mode in ("L", "RGB", "F", "1", "I") or image.mode.startswith("I;16"):
        return image
    if image.mode == "CMYK":
        notes.append("CMYK converted to RGB")
    elif image.mode not in ("P", "PA"):
        notes.append(f"{image.mode} converted to RGB")
    return image.convert("RGB")


def _looks_like(data: bytes) -> str:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return "it is a vector drawing (SVG)"
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "it is a web page (HTML)"
    if head.startswith((b"%pdf", b"%!ps")):
        return "it is a document (PDF or PostScript)"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "it is a TIFF of a kind that is not supported (colour as floats, say)"
    if b"\0" not in data[:2048]:
        try:
            data[:2048].decode()
        except UnicodeDecodeError as error:
            # A character cut in two by the slice is still text.
            if error.start < 2044:
                return "its format is unknown"
        return "it is text"
    return "its format is unknown"


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
