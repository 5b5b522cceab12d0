"""Decoding of an image file's bytes to 8-bit pixels, with a note on every conversion."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.errors import GibbonError
from engine.images.levels import Pixels, eight_bit
from engine.images.signatures import recognised

if TYPE_CHECKING:
    from PIL.Image import Image

MEGAPIXELS = 100
"""Megapixels of the largest photograph that is decoded: 300 MB as RGB. The header is checked before any pixel is read."""
# The formats of cameras, browsers and scanners. Pillow knows more, but EPS, for one, would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "QOI")
_FRAMES = {"TIFF": "pages", "MPO": "pictures", "ICO": "sizes"}
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_PNG = b"\x89PNG\r\n\x1a\n"
_SPREAD = {"L;2": 85, "L;4": 17}
"""Factors by which Pillow multiplies the levels of a PNG of few bits; it leaves the level in the tRNS chunk unscaled."""
_CURE = "Choose another file, or save it again as PNG."


def decode(data: bytes, name: str) -> tuple[Pixels, tuple[str, ...]]:
    """Decode a file's bytes to upright pixels ``(H, W)`` or ``(H, W, 3)``, with notes on every conversion.

    Raises
    ------
    GibbonError
        The bytes are empty, no image, cut short, damaged, or more than `MEGAPIXELS`.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise GibbonError(f"“{name}” is empty (0 bytes). {_CURE}")
    try:
        return _opened(data, name)
    except GibbonError:
        raise
    except UnidentifiedImageError:
        what, cure = recognised(data)
        found = f"it is {what}" if what else "its format is unknown"
        raise GibbonError(f"“{name}” is not an image that can be read: {found}. {cure}") from None
    except Image.DecompressionBombError as error:
        raise _too_large(name, _pixels_in(str(error))) from None
    except MemoryError:
        raise GibbonError(f"There is not enough memory to open “{name}”. Scale it down first.") from None
    except Exception as error:  # decoders raise any kind of error on damaged bytes
        bare = without_texts(data)
        if bare != data:  # Pillow refuses a PNG whose texts or colour profile unpack to more than a megabyte
            with contextlib.suppress(Exception):
                pixels, notes = _opened(bare, name)
                return pixels, ("texts and colour profile not read", *notes)
        raise GibbonError(f"“{name}” is damaged or cut short ({_reason(error)}). {_CURE}") from None


def decode_with_alpha(data: bytes, name: str) -> tuple[npt.NDArray[np.uint8], bool]:
    """Decode a file's bytes to upright pixels ``(H, W, 4)`` with their alpha, and return whether the file has alpha at all.

    Raises
    ------
    GibbonError
        The same cases as for `decode`.
    """
    from PIL import ImageOps

    pixels, _ = decode(data, name)  # it says what is wrong with a file
    with contextlib.suppress(Exception), _reading(without_texts(data)) as image:
        image.seek(0)
        deep, spread = _depth(image)
        image.load()
        _match_transparency(image, deep, spread)
        if image.has_transparency_data and not image.mode.startswith(("I", "F")):
            return np.asarray(ImageOps.exif_transpose(image).convert("RGBA")), True
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    return np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], 2), False


def upright_size(data: bytes, name: str) -> tuple[int, int]:
    """Read width and height of the image that `decode` would return, from the header alone.

    Raises
    ------
    GibbonError
        The same cases as for `decode`, where the header already shows them.
    """
    from PIL import Image

    try:
        with _reading(data) as image:
            _check_size(image.size, name)
            turned = _orientation(image, []) in _SIDEWAYS
            return (image.height, image.width) if turned else image.size
    except GibbonError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(name, _pixels_in(str(error))) from None
    except Exception:  # decoding explains whatever is wrong
        pixels, _ = decode(data, name)
        return pixels.shape[1], pixels.shape[0]


def without_texts(data: bytes) -> bytes:
    """Remove the texts and the colour profile of a PNG, on which no pixel depends; other files are returned unchanged."""
    if not data.startswith(_PNG):
        return data
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            kept.append(data[at : at + 12 + length])
        at += 12 + length
    return b"".join(kept)


def _opened(data: bytes, name: str) -> tuple[Pixels, tuple[str, ...]]:
    with _reading(data) as image:
        _check_size(image.size, name)
        return _convert(image, name)


@contextlib.contextmanager
def _reading(data: bytes) -> Iterator[Image]:
    """Open the image in ``data`` by the supported formats, without Pillow's warning about large ones, which have a limit here."""
    from PIL import Image

    Image.init()
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # for good: catch_warnings would race with the other lane's
    with Image.open(io.BytesIO(data), formats=[name for name in _FORMATS if name in Image.OPEN]) as image:
        yield image


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MEGAPIXELS * 1_000_000:
        raise _too_large(name, width * height, f"{width:,} × {height:,} pixels, ")


def _too_large(name: str, pixels: int, size: str = "") -> GibbonError:
    found = f"{size}{pixels / 1e6:,.0f} megapixels" if pixels else f"far more than {MEGAPIXELS} megapixels"
    return GibbonError(f"“{name}” is too large ({found}); the limit is {MEGAPIXELS} megapixels. Crop it or scale it down first.")


def _pixels_in(message: str) -> int:
    # Pillow refuses the largest ones while it reads the header, and reports only their number of pixels.
    found = re.search(r"\((\d+) pixels\)", message)
    return int(found[1]) if found else 0


def _convert(image: Image, name: str) -> tuple[Pixels, tuple[str, ...]]:
    from PIL import ImageOps

    notes: list[str] = []
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        image.seek(0)
        notes.append(f"first of {frames} {_FRAMES.get(image.format or '', 'frames')}")
    # All of this must precede decoding, which drops the raw mode ("RGB;16B") and rotates a TIFF on its own.
    deep, spread = _depth(image)
    turned = _orientation(image, notes) not in (0, 1)
    image.load()
    _match_transparency(image, deep, spread)
    if turned:
        image = ImageOps.exif_transpose(image)
        notes.append("turned by its EXIF orientation")
    if deep:
        notes.append("16 bit reduced to 8")
    values, note = eight_bit(np.asarray(_plain(image, notes)), name, white=_white(image))
    return values, (*notes, note) if note else tuple(notes)


def _depth(image: Image) -> tuple[bool, int]:
    """Return, before an image is loaded, whether 16 bits become 8, and the factor of the levels of few bits."""
    raw = repr(getattr(image, "tile", ""))
    deep = ";16" in raw and not image.mode.startswith("I")
    return deep, next((factor for mode, factor in _SPREAD.items() if f"'{mode}'" in raw), 255 if image.mode == "1" else 1)


def _white(image: Image) -> int | None:
    """Return the level of white where the format fixes it: Pillow scales a Netpbm file of more than 8 bits to 0 to 65535, in 32 bits."""
    return 65535 if image.format == "PPM" and image.mode == "I" else None


def _match_transparency(image: Image, deep: bool, spread: int) -> None:
    """Scale the level that a PNG names as transparent as Pillow scaled the pixels."""
    clear = image.info.get("transparency")
    if image.format != "PNG" or image.mode not in ("1", "L", "RGB"):
        return
    if isinstance(clear, int):
        image.info["transparency"] = clear * spread
    elif isinstance(clear, tuple) and deep:
        image.info["transparency"] = tuple(level >> 8 for level in clear)


def _orientation(image: Image, notes: list[str]) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # the EXIF parser, too, may raise anything, while the pixels are fine
        notes.append("damaged EXIF data ignored")
        return 1


def _plain(image: Image, notes: list[str]) -> Image:
    """Convert ``image`` to a mode of grey, RGB, or single numbers."""
    from PIL import Image

    if image.mode in ("P", "PA"):
        notes.append("palette expanded")
    if image.mode == "F" or image.mode == "I" or image.mode.startswith("I;16"):  # convert() would clip them at 255
        return _opaque(image, notes)
    if image.mode in ("La", "RGBa"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.has_transparency_data:
        notes.append("alpha laid over white")
        grey = image.mode in ("LA", "L", "1")
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L" if grey else "RGB")
    if image.mode in ("L", "RGB", "1"):
        return image
    if image.mode == "LAB":
        notes.append("LAB converted to RGB")
        return _from_lab(image)
    if image.mode == "CMYK":
        notes.append("CMYK converted to RGB")
    elif image.mode not in ("P", "PA"):
        notes.append(f"{image.mode} converted to RGB")
    return image.convert("RGB")


def _opaque(image: Image, notes: list[str]) -> Image:
    """Replace the one level that a file of more than 8 bits may name as transparent by white."""
    from PIL import Image

    clear = image.info.get("transparency")
    if isinstance(clear, int):
        values = np.asarray(image)
        if (values == clear).any():
            notes.append("alpha laid over white")
            return Image.fromarray(np.where(values == clear, np.array(65535, values.dtype), values))
    return image


def _from_lab(image: Image) -> Image:
    from PIL import ImageCms

    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turned = ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "LAB", "RGB"))
    assert turned is not None
    return turned


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
