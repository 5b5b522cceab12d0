"""Photographs of a study: their pixels as PNG inside, or, of large ones, path and hash of the file beside it."""

from __future__ import annotations

import io
import weakref
from pathlib import Path

import numpy as np

from engine.images import Photograph, open_image
from engine.images.decoding import decode
from engine.record.finding import find
from engine.study.entries import PhotographEntry

EMBEDDED_BYTES = 48 * 2**20
"""Bytes of pixels up to which a photograph is embedded: 16 megapixels in colour."""
_encoded: weakref.WeakKeyDictionary[Photograph, bytes] = weakref.WeakKeyDictionary()


def member_of(entry: PhotographEntry) -> str:
    """Return the name of the member with an embedded photograph's pixels."""
    return f"images/{entry.sha256}.png"


def entry_of(photograph: Photograph) -> PhotographEntry:
    """Make the entry of a photograph. One without a file is embedded at any size, since it would be lost otherwise."""
    path = photograph.path
    return PhotographEntry(
        sha256=photograph.sha256,
        name=photograph.name,
        path=None if path is None else path.expanduser().resolve().as_posix(),
        notes=photograph.notes,
        embedded=path is None or photograph.pixels.nbytes <= EMBEDDED_BYTES,
    )


def encoded(photograph: Photograph) -> bytes:
    """Return the pixels as PNG, which is encoded once."""
    if photograph not in _encoded:
        from PIL import Image

        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(photograph.pixels)).save(buffer, "PNG", compress_level=1)
        _encoded[photograph] = buffer.getvalue()
    return _encoded[photograph]


def photograph_of(entry: PhotographEntry, data: bytes | None, folder: Path) -> Photograph:
    """Make the photograph of an entry, from the PNG of its pixels or from its file.

    Raises
    ------
    GibbonError
        The PNG is damaged, or the file is gone or another one.
    """
    path = None if entry.path is None else Path(entry.path)
    if data is not None:
        pixels, _ = decode(data, entry.name)
        return Photograph(pixels, entry.name, entry.sha256, path, entry.notes)
    found = open_image(find(entry.path, entry.sha256, folder, None, "image"))
    return Photograph(found.pixels, entry.name, entry.sha256, found.path, entry.notes)
