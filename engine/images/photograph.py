"""Photographs: opened images at their own size, which are cropped and resized for a classifier."""

from __future__ import annotations

import hashlib
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.files import ordinary_file
from engine.images.decoding import MEGAPIXELS, decode
from engine.images.levels import Pixels, eight_bit, scale_of
from engine.text.parsing import named

if TYPE_CHECKING:
    from engine.classifier import Classifier

_FILE_LIMIT = 1 << 30


class Crop(NamedTuple):
    """A rectangle in pixels of the photograph."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Photograph:
    """An opened image: 8-bit pixels, upright, grey or RGB."""

    pixels: Pixels
    """The pixels, ``(H, W)`` or ``(H, W, 3)``, uint8."""
    name: str
    sha256: str
    """Hash of the file, or of the pixels where there was no file."""
    path: Path | None = None
    notes: tuple[str, ...] = ()
    """Conversions on the way here: "alpha laid over white", "16 bit reduced to 8"..."""

    def __post_init__(self) -> None:
        pixels = self.pixels
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or not pixels.size or pixels.ndim not in (2, 3):
            raise GibbonError(f"“{self.name}” holds {named(pixels)}, not 8-bit pixels. Write engine.images.from_array(values, name).")
        if pixels.ndim == 3 and pixels.shape[2] != 3:
            raise GibbonError(f"“{self.name}” has pixels {pixels.shape}, but (H, W) or (H, W, 3) is needed. Use from_array(values, name).")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photograph in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    @property
    def grey(self) -> bool:
        """Whether the photograph has one channel."""
        return self.pixels.ndim == 2

    def default_crop(self, classifier: Classifier) -> Crop:
        """Return the largest centred rectangle with the aspect of the classifier's input."""
        (width, height), (_, rows, columns) = self.size, shape_taken_by(classifier)
        scale = min(width / columns, height / rows)
        across, down = (max(1, min(limit, round(n * scale))) for n, limit in ((columns, width), (rows, height)))
        return Crop((width - across) // 2, (height - down) // 2, across, down)

    def crop_to(self, classifier: Classifier, crop: tuple[int, int, int, int] | None = None) -> Tensor:
        """Crop the photograph, and resize it to the classifier's input.

        The filter is Pillow's bilinear one, whose support grows with the reduction (antialiased), as in the published evaluation of
        torchvision's weights. The values are k/255, so a PNG of this size holds exactly this image.

        Parameters
        ----------
        classifier
            The classifier whose ``input_shape`` gives size and channels. Colour becomes grey by 0.299 R + 0.587 G + 0.114 B; grey
            becomes RGB by repetition.
        crop
            ``(left, top, width, height)`` in pixels of the photograph; stretched where its aspect is another. None: ``default_crop``.

        Returns
        -------
        Tensor
            ``(C, H, W)`` float32 in [0, 1], on the CPU.

        Raises
        ------
        GibbonError
            The rectangle is empty or leaves the photograph, or the classifier takes neither 1 nor 3 channels.
        """
        from PIL import Image

        channels, height, width = shape_taken_by(classifier)
        if channels not in (1, 3):
            raise GibbonError(
                f"“{classifier.name}” takes {channels} channels, but a photograph has 1 or 3. Give it a tensor instead of a file."
            )
        left, top, across, down = self._checked(crop) if crop is not None else self.default_crop(classifier)
        part = Image.fromarray(np.ascontiguousarray(self.pixels[top : top + down, left : left + across]))
        if part.size != (width, height):
            # From a sixfold reduction on, whole pixels are averaged first: three times as fast while a crop is dragged over 12 megapixels.
            part = part.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
        values = torch.from_numpy(np.array(part.convert("L" if channels == 1 else "RGB")))
        return (values[None] if channels == 1 else values.permute(2, 0, 1)).contiguous().float() / 255

    def _checked(self, crop: tuple[int, int, int, int]) -> Crop:
        if not isinstance(crop, Sequence) or len(crop) != 4 or not all(_is_finite(value) for value in crop):
            raise GibbonError(f"{named(crop)} is no crop. Give (left, top, width, height) in pixels of the photograph.")
        rectangle, (width, height) = Crop(*(int(v) for v in crop)), self.size
        left, top, across, down = rectangle
        if across < 1 or down < 1:
            raise GibbonError(f"The crop of {across} × {down} pixels is empty. Draw a larger rectangle.")
        if left < 0 or top < 0 or left + across > width or top + down > height:
            raise GibbonError(
                f"The crop (left {left}, top {top}, {across} × {down}) leaves the photograph of {width} × {height} pixels. Move it inside."
            )
        return rectangle


def shape_taken_by(classifier: Classifier) -> tuple[int, int, int]:
    """Return the shape ``(C, H, W)`` that ``classifier`` takes.

    Raises
    ------
    GibbonError
        It is no classifier.
    """
    shape = getattr(classifier, "input_shape", None)
    if not isinstance(shape, tuple):
        raise GibbonError(f"{named(classifier)} is no classifier. Wrap the network: engine.Classifier(module, labels, input_shape).")
    return shape


def _is_finite(value: object) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value)


def open_image(path: str | Path) -> Photograph:
    """Open an image file at its own size: upright, alpha over white, first frame, 8 bit; the notes list conversions.

    Raises
    ------
    GibbonError
        The file is missing, a folder, empty, no image, damaged, cut short, or larger than 100 megapixels.
    """
    try:
        path = Path(path).expanduser()
    except (TypeError, RuntimeError):
        raise GibbonError(f"{path!r} names no file. Give the path of an image.") from None
    data = bytes_of(path)
    pixels, notes = decode(data, path.name)
    return Photograph(pixels, path.name, hashlib.sha256(data).hexdigest(), path, notes)


def bytes_of(path: Path) -> bytes:
    """Return the bytes of an image file.

    Raises
    ------
    GibbonError
        The file is missing, a folder, no ordinary file, larger than a gigabyte, or cannot be read.
    """
    ordinary_file(path, "an image", limit=_FILE_LIMIT)
    try:
        return path.read_bytes()
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None


def from_array(array: npt.NDArray[Any], name: str) -> Photograph:
    """Make a photograph from values in memory, pasted from the clipboard or computed.

    Parameters
    ----------
    array
        ``(H, W)``, ``(H, W, 1)``, ``(H, W, 3)`` or ``(H, W, 4)``: uint8, uint16, bool, wider integers in 0 to 255 or 0 to 65535, or floats
        in [0, 1] or [0, 255]. A fourth channel is alpha and is laid over white.
    name
        The name that windows and records show.

    Raises
    ------
    GibbonError
        The array has another shape or is empty, or its values are NaN, negative, beyond every scale, or not numbers.
    """
    if not isinstance(name, str):
        raise GibbonError(f"{name!r} is no name of an image. Give a text.")
    array = _values(array, name)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or array.size == 0:
        raise GibbonError(f"“{name}” has shape {array.shape}, but (H, W), (H, W, 3) or (H, W, 4) is needed.")
    if array.shape[0] * array.shape[1] > MEGAPIXELS * 1_000_000:
        raise GibbonError(
            f"“{name}” has {array.shape[1]:,} × {array.shape[0]:,} pixels; the limit is {MEGAPIXELS} megapixels. Scale it down first."
        )
    if array.ndim == 3 and array.shape[2] == 4:
        values, notes = _laid_over_white(array, name)
    else:
        values, note = eight_bit(array, name, stretch=False)
        notes = [note] if note else []
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    values = np.ascontiguousarray(values)
    digest = hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()
    return Photograph(values, name, digest, None, tuple(notes))


def _laid_over_white(rgba: npt.NDArray[Any], name: str) -> tuple[Pixels, list[str]]:
    """Lay an image over white, with colour and alpha each on its own scale: floats of 0 to 255 often come with an alpha of 0 to 1."""
    (colour, note), (alpha, _) = (eight_bit(part, name, stretch=False) for part in (rgba[:, :, :3], rgba[:, :, 3:]))
    if rgba.dtype not in (np.uint8, np.bool_):  # on these two everything has one scale
        _check_alpha(rgba, name)
    notes = [note] if note else []
    if alpha.min() < 255:
        notes.append("alpha laid over white")
    return _over_white(np.concatenate([colour, alpha], 2)), notes


def _values(array: Any, name: str) -> npt.NDArray[Any]:
    """Return ``array`` as a NumPy array in main memory."""
    if isinstance(array, Tensor):
        array = array.detach().cpu()
        array = array.float() if array.dtype == torch.bfloat16 else array
    try:
        return np.asarray(array)
    except (ValueError, TypeError, RuntimeError) as error:
        why = "its rows differ in length" if isinstance(error, ValueError) else "it is of another kind"
        raise GibbonError(f"“{name}” is no array of pixels: {why}. Give (H, W), (H, W, 3) or (H, W, 4).") from None


def _check_alpha(rgba: npt.NDArray[Any], name: str) -> None:
    """Refuse an alpha whose scale is not that of the colours, but for floats of 0 to 255 with an alpha of 0 to 1."""
    colours, alpha = (scale_of(part) for part in (rgba[:, :, :3], rgba[:, :, 3:]))
    most = int(rgba[:, :, 3].max())
    if rgba.dtype.kind != "f" and most == 1:
        alpha = 1  # opaque on a scale of 0 to 1, or all but invisible on one of 0 to 255
    if colours != alpha and not (rgba.dtype.kind == "f" and (colours, alpha) == (255, 1)):
        raise GibbonError(
            f"“{name}” has colours of 0 to {colours} and an alpha of 0 to {alpha}, so what is opaque cannot be told. "
            "Give both on one scale."
        )


def _over_white(rgba: Pixels) -> Pixels:
    colour, alpha = rgba[:, :, :3].astype(np.uint32), rgba[:, :, 3:].astype(np.uint32)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def read(path: str | Path, classifier: Classifier, crop: tuple[int, int, int, int] | None = None) -> Tensor:
    """Read an image file as input of a classifier: ``open_image(path).crop_to(classifier, crop)``.

    Returns
    -------
    Tensor
        ``(C, H, W)`` float32 in [0, 1] at the classifier's working size.
    """
    return open_image(path).crop_to(classifier, crop)
