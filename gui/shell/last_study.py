"""The last study: whether a start opens it again, and the sentence that says what came back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gui.session.studies.places import is_session_file, sessions_folder
from gui.session.studies.welcome import after_crash

if TYPE_CHECKING:
    from engine.file_lock import FileLock
    from gui.session.studies.locks import StudyLocks
    from gui.settings import Settings

LAST = "studies/last"
"""The key of the setting with the file of the last session."""
_RESTORE = "studies/restore"


def starts_with_last(settings: Settings) -> bool:
    """Return whether a start opens the last study again, which the user may switch off."""
    return settings.text(_RESTORE, "yes") != "no"


def set_starts_with_last(settings: Settings, wanted: bool) -> None:
    """Set whether a start opens the last study again."""
    settings.keep_text(_RESTORE, "yes" if wanted else "no")
    settings.store.sync()


@dataclass(frozen=True, eq=False)
class LastStudy:
    """The study of the last session, as a start finds it."""

    path: Path | None = None
    """The file to open; None: a new study begins."""
    lock: FileLock | None = None
    note: str = ""
    """Why it is not opened, in a sentence; empty where there is none."""
    crashed: bool = False
    """Whether the last session did not end in order: its lock was left behind."""

    def back(self, runs: str) -> str:
        """Return what came back, in a sentence; ``runs`` are the runs in words, if there are any."""
        assert self.path is not None
        what = _words(self.path)
        if self.crashed:
            return after_crash(self.path, what, runs)
        kept = f", with {runs}" if runs else ""
        return f"{what} is back{kept}. “New study” begins anew."


def find_last(settings: Settings, locks: StudyLocks, *, wanted: bool) -> LastStudy:
    """Return the last study, locked for this window; one that is not ``wanted``, gone or held by another window is named only."""
    kept = settings.text(LAST)
    if not kept:
        return LastStudy()
    path = Path(kept)
    if not path.is_file():
        return LastStudy(note=f"{_words(path)} is not where it was, {path.parent}, so this is a new study.")
    if not wanted:
        menu = "Open earlier session" if is_session_file(path, sessions_folder()) else "Open recent"
        return LastStudy(note=f"This is a new study. {_words(path)} is under “{menu}”.")
    lock, holder = locks.acquire(path)
    if holder is not None:
        return LastStudy(note=f"{_words(path)} is open in {holder.words}, so this is a new study.")
    return LastStudy(path, lock, crashed=lock is not None and lock.taken_over)


def _words(path: Path) -> str:
    return "The last session" if is_session_file(path, sessions_folder()) else f"The last study, “{path.stem}”,"
