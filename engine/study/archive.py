"""The zip of a study: members are written in one pass, and read with limits on their names, number and sizes."""

from __future__ import annotations

import glob
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from engine.errors import GibbonError
from engine.file_lock import alive
from engine.files import STUDY_SUFFIX as SUFFIX
from engine.files import ordinary_file, replacing

MOST_MEMBERS = 100_000
MOST_BYTES = 4 * 2**30
"""Bytes of all members together, as the zip's directory states them."""
MOST_JSON = 64 * 2**20
_RATIO = 300
"""Largest ratio of a study's content to its file: JSON shrinks twentyfold at most, and tensors hardly at all."""
_SPARE = 16 * 2**20
"""Bytes of content that any file may have, whatever its ratio."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError, ValueError, LookupError, OverflowError)
"""The errors of a zip whose bytes are wrong. `NotImplementedError`, of an unknown compression, is a `RuntimeError`."""


def write_archive(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    """Write members as a zip, which replaces ``path`` when the disk holds it whole. JSON is deflated, the rest stored.

    Raises
    ------
    GibbonError
        The file cannot be written: the sentence says why.
    """
    _clear_left_behind(path)
    with replacing(path, durable=True) as staged, zipfile.ZipFile(staged, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            kind = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), data, kind, compresslevel=1)
    return path


def _clear_left_behind(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote ``path``."""
    with suppress(OSError):
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
            number = left.name.split(".")[-2]
            if number.isdigit() and not alive(int(number)):
                left.unlink(missing_ok=True)


class Archive:
    """The members of a study's file, read into memory once so that a writer may replace the file meanwhile.

    Raises
    ------
    GibbonError
        The file is missing, no zip, damaged, or exceeds a limit.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        ordinary_file(path, f"a study ({SUFFIX})", limit=MOST_BYTES)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
        if not data:
            raise GibbonError(f"“{self.name}” is empty (0 bytes), so it is no study. Choose another file.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            members = self._zip.infolist()
        except _DAMAGED:
            what = "is cut short or damaged" if data.startswith(b"PK") else "is no study of Gibbon's"
            raise GibbonError(f"“{self.name}” {what}. Choose another file, or an earlier copy.") from None
        self._check(members, len(data))
        self._members = {member.filename: member for member in members}

    @property
    def names(self) -> frozenset[str]:
        """The names of all members in the file."""
        return frozenset(self._members)

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, whose checksum is compared.

        Raises
        ------
        GibbonError
            There is no such member, or it is damaged.
        """
        if name not in self._members:
            raise GibbonError(f"its part {name} is missing")
        try:
            return self._zip.read(self._members[name])
        except MemoryError:
            raise GibbonError(f"its part {name} needs more memory than there is") from None
        except _DAMAGED:
            raise GibbonError(f"its part {name} is damaged") from None

    def read_json(self, name: str) -> bytes:
        """Return the bytes of a JSON member, which must not be larger than `MOST_JSON`."""
        if name in self._members and self._members[name].file_size > MOST_JSON:
            raise GibbonError(f"its part {name} unpacks to more than {MOST_JSON / 2**20:.0f} MiB")
        return self.read(name)

    def _check(self, members: list[zipfile.ZipInfo], size: int) -> None:
        """Refuse too many members, names that leave the folder or stand twice, and content out of proportion to the file."""
        if len(members) > MOST_MEMBERS:
            raise GibbonError(f"“{self.name}” has {len(members):,} parts; the limit is {MOST_MEMBERS:,}. It is no study of Gibbon's.")
        total = sum(member.file_size for member in members)
        if total > min(MOST_BYTES, _RATIO * size + _SPARE):
            raise GibbonError(
                f"“{self.name}” has {size / 1e6:,.1f} MB and would unpack to {total / 1e6:,.0f} MB, as no study does. It was not opened."
            )
        seen: set[str] = set()
        for member in members:
            if not _is_inside(member.filename):
                raise GibbonError(f"“{self.name}” holds a part named “{member.filename[:80]}”, which leaves its folder. It was not opened.")
            if member.filename in seen:
                raise GibbonError(f"“{self.name}” holds two parts named “{member.filename[:80]}”, so it was changed. It was not opened.")
            seen.add(member.filename)


def _is_inside(name: str) -> bool:
    """Return whether a member's name stays in the folder that it would be unpacked to."""
    place = PurePosixPath(name)
    return bool(name) and not place.is_absolute() and ".." not in place.parts and not set(name) & set('\\:\0"*?<>|')
