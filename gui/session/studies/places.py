"""The folder in which sessions save themselves, and the names of their files."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths

MOST_SESSIONS = 10
"""Files of earlier sessions that are kept; the oldest are removed first."""
_PREFIX = "session-"


def sessions_folder() -> Path:
    """Return the folder of the user's data in which sessions save themselves."""
    base = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(base) / "gibbon" / "sessions"


def new_session_file(folder: Path) -> Path:
    """Return a name for the file of a new session."""
    stem = f"{_PREFIX}{datetime.now():%Y-%m-%d-%H%M%S}-{os.getpid()}"
    names = (stem, *(f"{stem}-{number}" for number in range(1, 1000)))
    return next(path for name in names if not (path := folder / f"{name}.gibbon").exists())


def session_files(folder: Path) -> list[Path]:
    """Return the files of earlier sessions, the newest first."""
    found = [path for path in folder.glob(f"{_PREFIX}*.gibbon") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def is_session_file(path: Path, folder: Path) -> bool:
    """Return whether a file is one that a session made by itself."""
    return path.parent == folder and path.name.startswith(_PREFIX)


def session_title(path: Path) -> str:
    """Return a session's file in words, such as “Session of 30 November, 10:31”."""
    when = datetime.fromtimestamp(path.stat().st_mtime)
    return f"Session of {when.day} {when:%B, %H:%M}"


def clear_old(folder: Path, *, but: Path) -> None:
    """Remove the files of all but the newest sessions, and never one that another window holds."""
    from engine.file_lock import FileLock

    for path in session_files(folder)[MOST_SESSIONS:]:
        lock = FileLock(path)
        if path != but and lock.acquire() is None:
            path.unlink(missing_ok=True)
            lock.release()
