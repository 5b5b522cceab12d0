"""Writing files so that a reader finds the old one or the new one, never half of one; and knowing a file again by its hash."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import GibbonError

_SUFFIXES = """
    .png .apng .jpg .jpeg .jpe .jfif .mpo .webp .gif .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm .tga .ico .jp2 .j2k .jpx .jpc .avif .qoi
"""
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
"""The files that are taken for images by dialogs and by data sets. `engine.images.decoding` reads them all."""


def file_digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes.

    Raises
    ------
    GibbonError
        It cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check the path.") from None


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """A temporary name beside ``path`` to write to; it takes the place of ``path`` when the block ends well, and vanishes when not.

    Raises
    ------
    GibbonError
        The folder is missing, or the file cannot be written.
    """
    path = Path(path)
    staged = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield staged
        os.replace(staged, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise GibbonError(f"“{path}” cannot be written: no space is left there. Make room, or choose another folder.") from error
        raise GibbonError(f"“{path}” cannot be written: {error.strerror or error}. Choose another folder or make room.") from error
    finally:
        with suppress(OSError):  # it was moved, or never came to be
            staged.unlink()
