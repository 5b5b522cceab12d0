"""Atomic writing of files, so that a reader finds the old file or the new one, and hashes that identify files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import GibbonError

_SUFFIXES = """
    .png .apng .jpg .jpeg .jpe .jfif .mpo .webp .gif .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm .tga .ico .jp2 .j2k .jpx .jpc .avif .qoi
"""
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
"""Suffixes of the files that dialogs and data sets take for images. `engine.images.decoding` reads them all."""
STUDY_SUFFIX = ".gibbon"
"""Suffix of the files of studies, which `engine.study` writes and reads."""
_NAMED = 80
"""Letters of a path that a sentence holds, where it is too long for the system."""


def cache_folder() -> Path:
    """Return this platform's folder for what can be fetched or made again: data sets, and the networks that experiments train."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "gibbon"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/gibbon"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gibbon"


def ordinary_file(path: Path | str, what: str = "a file", *, limit: int | None = None) -> Path:
    """Return ``path`` if it is a regular file: a pipe or a device may never answer, or never end.

    Parameters
    ----------
    path
        Where it is said to be.
    what
        What is to be chosen instead, such as "an image".
    limit
        The most bytes that such a file may have. None: any number.

    Raises
    ------
    GibbonError
        There is no such file, it is a folder, no regular file, or too large, or its name cannot be one.
    """
    path = Path(path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise GibbonError(f"There is no file “{path}”. Check the path.") from None
    except (OSError, ValueError) as error:  # a name of 300 letters, or one with a zero byte
        why = error.strerror if isinstance(error, OSError) else "the name holds a zero byte"
        raise GibbonError(f"“{_cut(path)}” cannot be read: {why or error}. Check the path.") from None
    if stat.S_ISDIR(found.st_mode):
        raise GibbonError(f"“{path}” is a folder. Choose {what} in it.")
    if not stat.S_ISREG(found.st_mode):
        raise GibbonError(f"“{path}” is no ordinary file. Choose {what}.")
    if limit is not None and found.st_size > limit:
        raise GibbonError(f"“{path.name}” has {found.st_size / 1e6:,.0f} MB; the limit is {limit / 1e6:,.0f} MB. Choose another file.")
    return path


def check_folder_path(folder: Path, cure: str) -> None:
    """Refuse the path of a folder that is a file, or that lies below one. Nothing is made.

    Parameters
    ----------
    folder
        The folder, which may be missing.
    cure
        A sentence for the error that says what to do.

    Raises
    ------
    GibbonError
        A file stands at the path, or above it.
    """
    for each in (folder, *folder.parents):
        if os.path.exists(each) and not os.path.isdir(each):  # these two find no file where a name is too long
            raise GibbonError(f"“{each}” is a file, not a folder. {cure}")


def make_folder(folder: Path, cure: str) -> None:
    """Make a folder with those above it. ``cure`` is a sentence for the error that says what to do.

    Raises
    ------
    GibbonError
        A file stands at the path or above it, or the folder cannot be made.
    """
    check_folder_path(folder, cure)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "the name holds a zero byte"
        raise GibbonError(f"The folder “{_cut(folder)}” cannot be made: {why or error}. {cure}") from None


def _cut(path: Path) -> str:
    text = str(path).replace("\0", "")
    return text if len(text) <= _NAMED else f"{text[:_NAMED]}…"


def is_study(path: Path) -> bool:
    """Return whether a file is a study: a zip whose first member is a study's, or a file with a study's suffix. Imports no torch."""
    if path.suffix.lower() == STUDY_SUFFIX:
        return True
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError:
        return False
    return head.startswith(b"PK\x03\x04") and head[30:].startswith(b"study.json")


def file_digest(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes, as hex.

    Raises
    ------
    GibbonError
        The file cannot be read.
    """
    try:
        with ordinary_file(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check the path.") from None


def staged_path(path: Path) -> Path:
    """Return the temporary path beside ``path`` at which this process writes a file before it replaces ``path``."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def replacing(path: Path | str, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; the file written there replaces ``path`` when the block succeeds, and is removed otherwise.

    Parameters
    ----------
    path
        The file to be replaced, or made.
    durable
        Whether to wait until the disk holds the new file before and after it replaces the old one, so that a power cut leaves one of both.

    Raises
    ------
    GibbonError
        The folder is missing, or the file cannot be written.
    """
    path = Path(path)
    staged = staged_path(path)
    try:
        yield staged
        if durable:
            _wait_for_disk(staged)
        os.replace(staged, path)
        if durable and os.name == "posix":  # elsewhere a folder cannot be opened
            _wait_for_disk(path.parent)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.parent.exists():
            raise GibbonError(
                f"“{path.name}” cannot be written: there is no folder “{path.parent}”. Make it, or choose another one."
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise GibbonError(f"“{path}” cannot be written: no space is left there. Make room, or choose another folder.") from error
        raise GibbonError(f"“{path}” cannot be written: {error.strerror or error}. Choose another folder or make room.") from error
    finally:
        with suppress(OSError):  # the file was moved already, or never written
            staged.unlink()


def _wait_for_disk(path: Path) -> None:
    """Wait until the disk holds a file's content, or a folder's entries."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
