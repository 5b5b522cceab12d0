"""Ready patches: read from a file that the user has, without running code, and put on an image as stickers.

Files that are understood: tensors of PyTorch (.pt, .pth), a pickle of tensors packed with gzip (.gz, as ImageNet-Patch has it: Pintor et
al. 2022, arXiv 2203.04412), NumPy's arrays (.npy), and pictures.
"""

from __future__ import annotations

import gzip
import io
import pickle
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.files import ordinary_file
from engine.images.grid import lattice
from engine.images.photograph import open_image
from engine.stickers import checks
from engine.stickers.sticker import Pixels, Sticker

_FILE_LIMIT, _UNPACKED_LIMIT = 64 << 20, 256 << 20
_MOST = 1000
"""Largest number of patches in a file."""
_ZIP, _NAMES_CODE = b"PK", ("GLOBAL", "TorchScript")
"""The first bytes of a file of `torch.save`, and words by which PyTorch says that one asks for code."""
_TENSORS, _ARRAYS, _PACKED = (".pt", ".pth"), (".npy",), (".gz",)


@dataclass(frozen=True, eq=False)
class ReadyPatch:
    """A patch that was read from a file, ready to be put on an image."""

    image: Tensor
    """The pixels, ``(C, h, w)`` in [0, 1], C 1 or 3."""
    target: int | None
    """Class that it was made for, by its number; None: the file names none."""
    name: str

    def sticker(self, id: int, height: int, width: int, side: int | None = None) -> Sticker:
        """Return it as a sticker in the middle of an image of ``height`` x ``width`` pixels.

        ``side`` is the length of its longer side in pixels; None: its own pixels.
        """
        own = self.image.shape[1], self.image.shape[2]
        factor = 1.0 if side is None else checks.side(side, "side of the sticker") / max(own)
        tall, wide = (max(1, round(factor * edge)) for edge in own)
        return Sticker(id, (width - wide) // 2, (height - tall) // 2, wide, tall, Pixels(self.image, self.name), name=self.name)


def load_patches(path: Path | str) -> tuple[ReadyPatch, ...]:
    """Read the patches of a file. No code of the file is run.

    Tensors and arrays are one patch ``(C, h, w)`` or several ``(P, C, h, w)``, in [0, 1] or as 8-bit levels; or a tuple ``(patches,
    targets, facts)``, or a mapping with these names. With ``patch_size`` among the facts the patch is the square of that side in the
    middle; otherwise what is black all around is cut off. A picture is one patch.

    Raises
    ------
    GibbonError
        The file is missing, too large, holds code or anything but patches; the sentence says which and what to do.
    """
    file = ordinary_file(path, "a file of patches", limit=_FILE_LIMIT)
    suffix = file.suffix.casefold()
    if suffix in _ARRAYS:
        found = _array(file)
    elif suffix in (*_TENSORS, *_PACKED):
        found = _tensors(file, _unpacked(file) if suffix in _PACKED else _bytes(file))
    else:
        photograph = open_image(file)
        pixels = torch.from_numpy(np.array(np.atleast_3d(photograph.pixels))).permute(2, 0, 1)
        return (ReadyPatch(pixels.float().contiguous() / 255, None, file.stem),)
    return _patches(file, found)


# ---------------------------------------------------------------------- reading


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise GibbonError(f"“{file}” cannot be read: {error.strerror or error}. Choose another file of patches.") from error


def _unpacked(file: Path) -> bytes:
    """Return what is packed in a file, unless that is too much."""
    try:
        with gzip.open(file) as packed:
            data = packed.read(_UNPACKED_LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise GibbonError(f"“{file}” is no complete gzip file: {error}. Download it again.") from error
    if len(data) > _UNPACKED_LIMIT:
        raise GibbonError(f"“{file}” unpacks to more than {_UNPACKED_LIMIT >> 20} MB, too much for patches. Choose another file.")
    return data


def _array(file: Path) -> Any:
    try:
        return torch.from_numpy(np.ascontiguousarray(np.load(io.BytesIO(_bytes(file)), allow_pickle=False)))
    except (ValueError, EOFError, OSError, TypeError) as error:
        if "allow_pickle" in str(error) or "pickled" in str(error).casefold():
            raise _refused(file) from error
        raise GibbonError(f"“{file}” is no array of NumPy with patches. Save them by numpy.save as numbers.") from error


def _tensors(file: Path, data: bytes) -> Any:
    """Return the tensors of a file of `torch.save`, or of a plain pickle; any call that neither needs is refused."""
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch raises errors of many classes
        if data.startswith(_ZIP):  # a plain pickle, which the reader below knows, is never a zip file
            if any(word in str(error) for word in _NAMES_CODE):
                raise _refused(file) from error
            raise GibbonError(f"“{file}” is damaged, or no file of torch.save. Choose another file of patches.") from error
    try:
        return _OnlyTensors(io.BytesIO(data)).load()
    except _HoldsCode as error:
        raise _refused(file) from error
    except Exception as error:  # a damaged pickle raises almost anything
        raise GibbonError(f"“{file}” holds no tensors, or is damaged. Choose a file of patches, or save them by torch.save.") from error


def _refused(file: Path) -> GibbonError:
    return GibbonError(
        f"“{file}” holds code, which would run on opening it, so it was not opened. Ask for the patches as plain tensors (.pt), an array "
        "(.npy) or pictures."
    )


def _encoded(text: str, encoding: str) -> bytes:
    """Return bytes as old pickles write them: as a text of their codes."""
    if encoding != "latin1":
        raise _HoldsCode(f"_codecs.encode to {encoding}")
    return text.encode("latin1")


class _HoldsCode(Exception):
    """The pickle asks for a function that tensors do not need."""


def _storage(data: bytes) -> Any:
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


class _OnlyTensors(pickle.Unpickler):
    """Reader of pickles that knows the functions of a pickled tensor, and no other."""

    _KNOWN: Mapping[tuple[str, str], Callable[..., Any]] = {
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch.storage", "_load_from_bytes"): _storage,
        ("collections", "OrderedDict"): OrderedDict,
        ("_codecs", "encode"): _encoded,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return a function by its name, if it is known."""
        if (module, name) not in self._KNOWN:
            raise _HoldsCode(f"{module}.{name}")
        return self._KNOWN[module, name]


# ---------------------------------------------------------------------- what was read


def _patches(file: Path, found: Any) -> tuple[ReadyPatch, ...]:
    pixels, targets, size = _parts(found)
    if not isinstance(pixels, Tensor) or pixels.dim() not in (3, 4) or pixels.numel() == 0:
        shown = tuple(pixels.shape) if isinstance(pixels, Tensor) else type(pixels).__name__
        raise GibbonError(f"“{file}” holds {shown}, but patches are a tensor (P, C, H, W) or (C, H, W). Save them in that form.")
    pixels = pixels.detach() if pixels.dim() == 4 else pixels.detach()[None]
    if pixels.shape[1] not in (1, 3) and pixels.shape[3] in (1, 3):
        pixels = pixels.permute(0, 3, 1, 2)
    if pixels.shape[1] not in (1, 3) or len(pixels) > _MOST:
        raise GibbonError(
            f"“{file}” holds {len(pixels)} patches of {pixels.shape[1]} channels. At most {_MOST}, grey or RGB, can be read; give fewer."
        )
    pixels = _in_range(file, pixels)
    classes = _classes(file, targets, len(pixels))
    made = []
    for number, (one, target) in enumerate(zip(pixels, classes, strict=True), 1):
        inner = _inner(one, size)
        checks.drawable(inner.shape[1], inner.shape[2])
        made.append(ReadyPatch(inner.contiguous(), target, file.name.split(".")[0] + (f" {number}" if len(pixels) > 1 else "")))
    return tuple(made)


def _parts(found: Any) -> tuple[Any, Any, int | None]:
    """Return patches, targets and the side of the square in the middle."""
    if isinstance(found, Mapping):
        facts = found.get("info", found)
        return found.get("patches", found.get("patch")), found.get("targets", found.get("target")), _side(facts)
    if isinstance(found, Sequence) and not isinstance(found, str | bytes) and 1 <= len(found) <= 3:
        return found[0], found[1] if len(found) > 1 else None, _side(found[2]) if len(found) > 2 else None
    return found, None, None


def _side(facts: Any) -> int | None:
    size = facts.get("patch_size") if isinstance(facts, Mapping) else None
    size = size[0] if isinstance(size, Sequence) and len(size) else size
    return int(size) if isinstance(size, int | float) and size >= 1 else None


def _in_range(file: Path, pixels: Tensor) -> Tensor:
    if pixels.dtype == torch.uint8:
        return pixels.float() / 255
    pixels = pixels.float()
    low, high = (float(end) for end in pixels.aminmax()) if bool(pixels.isfinite().all()) else (float("nan"), float("nan"))
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise GibbonError(f"“{file}” holds values from {low:.3g} to {high:.3g}, but patches are in [0, 1]. Undo their normalisation first.")
    return pixels.clamp(0, 1)


def _classes(file: Path, targets: Any, count: int) -> list[int | None]:
    if targets is None:
        return [None] * count
    numbers = torch.as_tensor(targets).flatten().tolist() if isinstance(targets, Tensor | int | Sequence) else []
    if len(numbers) != count or not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise GibbonError(f"“{file}” names {len(numbers)} target classes for {count} patches. Give a class number for each.")
    return list(numbers)


def _inner(image: Tensor, size: int | None) -> Tensor:
    """Return the square of side ``size`` in the middle; without a size what is left when black rows and columns around it are cut off."""
    _, height, width = image.shape
    if size is not None:
        top, left = max(0, (height - size) // 2), max(0, (width - size) // 2)
        return image[:, top : top + size, left : left + size]
    inked = lattice(image).amax(0) > 0
    rows, columns = inked.any(1).nonzero().flatten(), inked.any(0).nonzero().flatten()
    if not len(rows):
        return image
    return image[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
