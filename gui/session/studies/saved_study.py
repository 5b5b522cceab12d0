"""SavedStudy: the file of the study that the window works on, its lock, and its saving: on demand, by itself, and at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.session.studies import places
from gui.session.studies.locks import StudyLocks
from gui.session.studies.saver import Saver, write
from gui.session.studies.snapshot import Saved, Snapshot, take

if TYPE_CHECKING:
    from engine.file_lock import FileLock
    from engine.study.values import CarriedRun
    from gui.session.history import AttackRun
    from gui.session.studies.host import Host

EVERY_MS = 60_000
"""Milliseconds between two looks at whether there is anything to save."""


class SavedStudy(QObject):
    """The present study as a file.

    A session that was not saved on demand has a file in the user's data folder; a study that was has its own. Both are written every
    minute, if anything has changed, and when the window closes.
    """

    changed = Signal()
    """Another study is open, or it has another file."""
    saved = Signal(object)
    """The study was saved: the path of its file."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.path: Path | None = None
        """The file that the user gave the study; None for a session that was not saved on demand."""
        self.workspace: Callable[[], str] = lambda: ""
        """Returns the name of the window's arrangement of panels."""
        self.copy_of = ""
        """The name of the study that the present one is a copy of; empty for any other, and for a copy that was given a name."""
        self._folder: Path | None = None
        self._file: Path | None = None
        """The session's own file; None until it is first written."""
        self.locks = StudyLocks()
        self._lock: FileLock | None = None
        """The lock of the present study."""
        self._saver = Saver(self)
        self._saver.leftOut.connect(lambda sentence: session.log("warning", sentence))
        self._saved: Saved | None = None
        self._carried: tuple[CarriedRun, ...] = ()
        self._complained = False
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.autosave)

    def begin(self, folder: Path) -> None:
        """Begin to save the session in a folder. Without this call nothing is ever saved by itself."""
        self._folder = folder
        self._saver.start()
        self._timer.start()

    # ------------------------------------------------------------------ questions

    @property
    def name(self) -> str:
        """The name of the study; empty for a session that was not saved on demand."""
        return "" if self.path is None else self.path.stem

    @property
    def title(self) -> str:
        """The study in words, for the window's title: its name, of which study it is a copy, or that it has no name yet."""
        if self.path is not None:
            return self.name
        return f"Copy of {self.copy_of}" if self.copy_of else "Untitled study"

    @property
    def file(self) -> Path | None:
        """The file that the study is written to: its own, or the session's. None if nothing was written."""
        return self.path or self._file

    @property
    def recent_sessions(self) -> list[Path]:
        """The files of earlier sessions that were not saved on demand, the newest first."""
        return [] if self._folder is None else [path for path in places.session_files(self._folder) if path != self._file]

    def snapshot(self) -> Snapshot:
        """Return what would be saved now."""
        return take(self._session, self.workspace(), self._carried, self.copy_of)

    @property
    def is_unsaved(self) -> bool:
        """Whether anything has changed since the study was saved. A session in which nothing was done has nothing to save."""
        session = self._session
        untouched = not session.history.every and not session.undo_stack.count() and session.batch.results is None
        untouched = untouched and session.matrix.results is None
        if self._saved is None and self.path is None and untouched:
            return False
        return session.state.ready and (self._saved is None or self._saved.differs(self.snapshot()))

    # ------------------------------------------------------------------ saving

    @Slot()
    def autosave(self) -> None:
        """Save the study if it has changed, and an attack in progress with its best so far.

        The first failure is logged, and the session's file in the data folder takes its place.
        """
        if self._lock is not None:
            self._lock.refresh()
        session = self._session
        if self._folder is None or self._saver.busy:
            return
        if session.runs.running:
            number, what = session.history.next_number, "Saving the run so far"
            session.ask("so far", lambda: session.runs.so_far(number), self._autosave_with, what=what, quiet=True)
        elif self.is_unsaved:
            self._autosave_with(None)

    def _autosave_with(self, so_far: AttackRun | None) -> None:
        """Save the study, with a run that is still in progress."""
        if not self._closed and (so_far is not None or self.is_unsaved):
            self._save(self.file or self._own_file(), self._on_autosave_failed, so_far=so_far)

    def save(self, path: Path | None = None) -> bool:
        """Save the study on demand, in a file of the user's; return False if none was given and it has none.

        True says that a file is known, not that it is written: that comes later, with ``saved`` or a message. A file that another window
        holds is not written, and a message says which window that is; the study keeps the file that it has.
        """
        target = path or self.path
        if target is None:
            return False
        target = target.expanduser().absolute()
        target = target if target.suffix else target.with_suffix(".gibbon")
        lock = self._lock
        if target != self.path:
            lock, holder = self.locks.acquire(target)
            if holder is not None:
                self._session.log("error", f"“{target.name}” is open in {holder.words}. Save under another name, or close it there.")
                return True
        snapshot = replace(self.snapshot(), copy_of="")  # it has a name of its own from now on

        def then(snapshot: Snapshot, path: Path) -> None:
            self._release(lock)
            self._on_saved_as(snapshot, path)

        def failed(snapshot: Snapshot, path: Path, sentence: str) -> None:
            if lock is not self._lock:  # the study keeps its file, and the lock of that
                self.locks.give_back(lock)
            self._on_save_failed(snapshot, path, sentence)

        self._saver.save(snapshot, target, then, failed)
        return True

    def _own_file(self) -> Path:
        assert self._folder is not None
        if self._file is None:
            self._file = places.new_session_file(self._folder)
        with suppress(OSError):  # saving says why the folder cannot be written
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._file

    def _save(
        self,
        path: Path,
        failed: Callable[[Snapshot, Path, str], None],
        *,
        so_far: AttackRun | None = None,
    ) -> None:
        snapshot = self.snapshot()
        if so_far is not None:
            snapshot = replace(snapshot, runs=(*snapshot.runs, so_far))
        self._saver.save(snapshot, path, self._on_saved, failed)

    def _on_saved(self, snapshot: Snapshot, path: Path) -> None:
        self._saved = Saved(snapshot)
        locks = self._lock is not None and self._lock.held and self._lock.path.parent == path.parent
        if path == self.file and not locks:  # a named study that could not be written at its place keeps the lock there
            self._release(self.locks.acquire(path)[0])
        if self._lock is not None:
            self._lock.refresh()
        if self._folder is not None:
            places.clear_old(self._folder, but=path)
        self.saved.emit(path)

    def _on_saved_as(self, snapshot: Snapshot, path: Path) -> None:
        """Go on with the file that the user gave: the session's own file has done its work."""
        own, self._file = self._file, None
        self.path = path
        self.copy_of = ""
        self._complained = False
        self._on_saved(snapshot, path)
        if own is not None:
            own.unlink(missing_ok=True)
        self._session.log("info", f"The study was saved as {path}.")
        self._session.notice.emit(f"The study was saved as {path.name}.")
        self.changed.emit()

    def _on_save_failed(self, _snapshot: Snapshot, _path: Path, sentence: str) -> None:
        self._session.log("error", sentence)

    def _on_autosave_failed(self, snapshot: Snapshot, path: Path, sentence: str) -> None:
        """Save in the data folder what could not be saved at its place; say so once."""
        assert self._folder is not None
        elsewhere = self._own_file()
        if path != elsewhere:
            self._complain(f"{sentence} Until then the work is saved in {elsewhere.parent}.")
            self._saver.save(snapshot, elsewhere, self._on_saved, self._on_autosave_failed)
        else:
            self._complain(f"The session does not save itself: {sentence} Save the study elsewhere with “Save study as…”.")

    def _complain(self, sentence: str) -> None:
        if not self._complained:
            self._complained = True
            self._session.log("warning", sentence)

    # ------------------------------------------------------------------ locks

    def _release(self, then: FileLock | None) -> None:
        """Replace the lock that is held."""
        if self._lock is not then:
            self.locks.give_back(self._lock)
        self._lock = then

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Save what has changed since, and end the thread. The session calls it when its lanes have ended."""
        if self._folder is None or self._closed:
            return
        self._closed = True
        self._timer.stop()
        if self._saver.close() and self.is_unsaved:
            self._save_at_once()
        self._lock = None
        self.locks.give_back_all()

    def _save_at_once(self) -> None:
        from engine.errors import GibbonError

        snapshot = self.snapshot()
        for path in dict.fromkeys((self.file or self._own_file(), self._own_file())):
            try:
                write(snapshot, path)
            except (GibbonError, OSError) as error:
                print(f"gibbon: {error}", file=sys.stderr, flush=True)  # the window, which would show it, is gone
            else:
                self.saved.emit(path)
                return
