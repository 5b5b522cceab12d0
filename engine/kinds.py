"""Kinds of files that the window opens: an image, a study, the record of an attack or of a training, a network's weights, ready patches.

A kind is found by the content of the file.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from engine.errors import GibbonError
from engine.files import IMAGE_SUFFIXES, is_study, ordinary_file

Kind = Literal["image", "study", "record", "training", "weights", "patch"]
_START = 4096
"""The bytes at the beginning of a file that tell its kind."""
_MOST_PATCH_BYTES = 16 << 20
"""Size of a file of tensors beyond which it is taken for a network's weights without a look at them."""
_OPENED = "Gibbon opens images, studies (.gibbon), records (.json), networks' weights (.safetensors, .pt, .pth) and patches (.pt, .npy)."
_SUFFIXES: dict[str, Kind] = {
    ".gibbon": "study",
    ".json": "record",
    ".pth": "weights",
    ".pt": "weights",
    ".safetensors": "weights",
    ".npy": "patch",
    ".gz": "patch",
}
"""Suffixes of files whose content fits no kind, and which are no images: opening them as this kind says what is wrong with them."""


def kind_of(path: Path) -> Kind:
    """Return the kind of a file: by its content, else by its suffix, else an image, whose opening says what else it is."""
    start = _start_of(path)
    if start and is_study(path):
        return "study"
    if start and _is_record(path, start):
        return "record"
    if start and b'"gibbon-training"' in start and path.suffix.lower() == ".json":
        return "training"
    if start and _is_weights(path, start):
        return "patch" if _is_patches(path) else "weights"
    named = _SUFFIXES.get(path.suffix.lower())
    return "image" if named is None or _is_image(path) else named


def check(path: Path) -> None:
    """Read a file as the window would, as far as that needs no window and loads no network.

    Raises
    ------
    GibbonError
        The window could not open it: the sentence says why.
    """
    ordinary_file(path, "an image, a study, a record or a network's weights")
    kind = kind_of(path)
    if kind == "study":
        from engine.study import read

        read(path)
    elif kind == "record":
        from engine.record import Record

        Record.read(path)
    elif kind == "training":
        from engine.record import TrainingRecord

        TrainingRecord.read(path)
    elif kind == "weights" and not _is_weights(path, _start_of(path)):
        raise GibbonError(f"“{path.name}” holds no network's weights, whatever its name says. {_OPENED}")
    elif kind == "patch":
        from engine.stickers.ready import load_patches

        load_patches(path)
    elif kind == "image":
        from engine.images import open_image

        try:
            open_image(path)
        except GibbonError as error:
            raise GibbonError(f"{error}" if path.suffix.lower() in IMAGE_SUFFIXES else f"{error} {_OPENED}") from None


def _start_of(path: Path) -> bytes:
    """Return the first bytes of a file; none where it cannot be read, since whoever opens it says why."""
    try:
        with path.open("rb") as stream:
            return stream.read(_START) if path.is_file() else b""
    except OSError:
        return b""


def _is_image(path: Path) -> bool:
    from engine.images import open_image

    try:
        open_image(path)
    except GibbonError:
        return False
    return True


def _is_record(path: Path, start: bytes) -> bool:
    """Return whether a file is a record, or a figure that carries one; an adversarial image with a record is an image."""
    from engine.record import carried, carries, is_figure

    if not carries(path):
        return b'"gibbon-record"' in start
    try:
        content = carried(path)
    except GibbonError:
        return True  # a figure whose sidecar is missing: opening it says so
    return content is not None and content.get("format") == "gibbon-record" and is_figure(content)


def _is_weights(path: Path, start: bytes) -> bool:
    """Return whether a file holds a network's weights: safetensors, torch's zip of a pickle, or an old pickle."""
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**32:
        return True
    if start.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith("/data.pkl") for name in archive.namelist())
        except (OSError, zipfile.BadZipFile):
            return path.suffix.lower() in (".pth", ".pt")
    return start.startswith(b"\x80\x02") and path.suffix.lower() in (".pth", ".pt", ".bin", ".pkl")


def _is_patches(path: Path) -> bool:
    """Return whether a file of tensors holds patches, which a network's weights by their names do not."""
    from engine.stickers.ready import load_patches

    if path.suffix.lower() == ".safetensors" or path.stat().st_size > _MOST_PATCH_BYTES:
        return False
    try:
        load_patches(path)
    except GibbonError:
        return False
    return True
