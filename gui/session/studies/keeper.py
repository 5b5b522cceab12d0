"""StudyKeeper: the study that the window works on. It saves itself, gives way to another one, and is saved when the window closes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.session.studies import places
from gui.session.studies.restoring import Restored, empty, restored, under
from gui.session.studies.saver import Saver, write
from gui.session.studies.snapshot import Saved, Snapshot, take
from gui.session.studies.stand_ins import StandIns

if TYPE_CHECKING:
    from engine import Classifier
    from engine.file_lock import FileLock, Holder
    from engine.study.values import CarriedRun
    from gui.session.history import AttackRun
    from gui.session.studies.host import Host

EVERY_MS = 60_000
"""Milliseconds between two looks at whether there is anything to save."""
PATIENCE_S = 5.0
"""Seconds that another study waits for the last step of a cancelled run."""
_WAIT_MS = 50


def read(path: Path) -> Restored:
    """Read a study. Called in an engine thread."""
    from engine.study import read as read_study

    return restored(read_study(path))


def locked(path: Path) -> tuple[FileLock | None, Holder | None]:
    """Lock a file; return the lock, or who holds it. Imports no torch."""
    from engine.file_lock import FileLock

    lock = FileLock(path)
    holder = lock.acquire()
    return (lock, None) if holder is None else (None, holder)


class StudyKeeper(QObject):
    """The file of the present study, and everything that leads there and back.

    A session that was not saved on demand has a file in the user's data folder; a study that was has its own. Both are written every
    minute, if anything has changed, and when the window closes.
    """

    changed = Signal()
    """Another study is open, or it has another file."""
    saved = Signal(object)
    """The study was saved: the path of its file."""
    workspaceRestored = Signal(str)
    """The name of the arrangement of panels of a study that was opened."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.stand_ins = StandIns(session, self)
        self.path: Path | None = None
        """The file that the user gave the study; None for a session that was not saved on demand."""
        self.workspace: Callable[[], str] = lambda: ""
        """Returns the name of the window's arrangement of panels."""
        self.copy_of = ""
        """The name of the study that the present one is a copy of; empty for any other, and for a copy that was given a name."""
        self._folder: Path | None = None
        self._file: Path | None = None
        """The session's own file; None until it is first written."""
        self._lock: FileLock | None = None
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
        """Save the study on demand, in a file of the user's; return False if none was given and it has none."""
        target = path or self.path
        if target is None:
            return False
        target = target.expanduser().absolute()
        target = target if target.suffix else target.with_suffix(".gibbon")
        lock = self._lock
        if target != self.path:
            lock, holder = locked(target)
            if holder is not None:
                self._session.log("error", f"“{target.name}” is open in {holder.words}. Save under another name, or close it there.")
                return True
        snapshot = replace(self.snapshot(), copy_of="")  # it has a name of its own from now on

        def then(snapshot: Snapshot, path: Path) -> None:
            self._release(lock)
            self._on_saved_as(snapshot, path)

        def failed(snapshot: Snapshot, path: Path, sentence: str) -> None:
            if lock is not None and lock is not self._lock:  # the study keeps its file, and the lock of that
                lock.release()
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
            self._release(locked(path)[0])
        self._lock.refresh() if self._lock is not None else None
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

    # ------------------------------------------------------------------ another study

    def open(self, path: Path, *, copy: bool = False) -> None:
        """Open a study instead of the present one, which is saved first; a run in progress is ended, and its best so far kept.

        A study that another window holds is opened as a copy, and so is any with ``copy``. If it cannot be read, nothing changes.
        """
        path = path.expanduser().absolute()
        if path == self.path:
            self._session.notice.emit(f"“{path.name}” is open already.")
            return
        lock, holder = (None, None) if copy else locked(path)

        def then(found: Restored) -> None:
            self._when_idle(lambda: self._replace(found, path, lock, holder, copy=copy))

        def failed(_sentence: str) -> None:
            if lock is not None:
                lock.release()

        what, busy = f"Opening {path.name}", f"Opening {path.name}…"
        self._session.ask("study", lambda: read(path), then, what=what, failed=failed, busy=busy, background=True)

    def new(self) -> None:
        """Begin a new study with the present model and image; the present study is saved first."""
        self._when_idle(self._begin_anew)

    def _begin_anew(self) -> None:
        name = self.name
        self._leave()
        left = f" “{name}” is under “Open recent”." if name else " The session before is under “Open earlier session”."
        self._put(empty(self._session.state))
        self._session.notice.emit(f"A new study.{left if name or self.recent_sessions or self._saver.busy else ''}")

    def _replace(self, found: Restored, path: Path, lock: FileLock | None, holder: Holder | None, *, copy: bool) -> None:
        self._leave()
        self.enter(found, path, lock, holder, copy=copy)
        if holder is None:
            self._session.notice.emit(f"{path.stem} was opened.")

    def enter(
        self,
        found: Restored,
        path: Path,
        lock: FileLock | None,
        holder: Holder | None = None,
        *,
        copy: bool = False,
        tried: Classifier | None = None,
        classifier: Classifier | None = None,
    ) -> None:
        """Put a study that was read into the session. It keeps its file, unless it is a copy.

        ``tried`` is a stand-in whose model the caller has loaded, or tried to; ``classifier`` is that model.
        """
        mine = self._folder is not None and places.is_session_file(path, self._folder)
        is_copy = copy or holder is not None
        self._release(lock)
        self.path = None if is_copy or mine else path
        self._file = path if mine and not is_copy else None
        self.copy_of = self._copied_name(path, found, mine=mine) if is_copy else found.copy_of if self.path is None else ""
        self.stand_ins.forget(path.parent, tried)
        for model in (*self._session.loaded.models, *([] if classifier is None else [classifier])):
            found = under(found, model)
        self._put(found)
        if is_copy:
            self._saved = None
        if holder is not None:
            sentence = f"“{path.name}” is open in {holder.words}, so this is a copy. “Save study as…” gives it a name of its own."
            self._session.log("warning", sentence)
        for remark in found.remarks:
            self._session.log("info", remark)

    @staticmethod
    def _copied_name(path: Path, found: Restored, *, mine: bool) -> str:
        """Return what a copy is a copy of: the name of the study, or, of a session that saves itself, what it says itself."""
        return found.copy_of or (places.session_title(path) if mine else path.stem)

    def _put(self, found: Restored) -> None:
        """Replace runs and state. This is no undo step, and none is left."""
        session = self._session
        self._carried = found.carried
        session.batch.restore(found.batch)
        session.history.restore(found.runs)
        session.change(**found.fields)
        session.history.follow(session.state)
        session.undo_stack.clear()
        self._saved = Saved(self.snapshot())
        if found.workspace:
            self.workspaceRestored.emit(found.workspace)
        self.changed.emit()

    def _leave(self) -> None:
        """Save the present study, and give its file back."""
        if self._folder is not None and self.is_unsaved:
            self._saver.save(self.snapshot(), self.file or self._own_file(), lambda _snapshot, _path: None, self._on_save_failed)
        self._release(None)
        self.path = self._file = self._saved = None
        self.copy_of = ""
        self._complained = False

    def _when_idle(self, act: Callable[[], None]) -> None:
        """Act when no attack is in progress: a run is ended, and the study that it belongs to gets its best so far."""
        runs, deadline = self._session.runs, time.monotonic() + PATIENCE_S
        if runs.running:
            runs.cancel()

        def look() -> None:
            if (runs.running or runs.abandoned) and time.monotonic() < deadline:
                QTimer.singleShot(_WAIT_MS, self, look)
            else:
                act()

        look()

    # ------------------------------------------------------------------ locks

    def _release(self, then: FileLock | None) -> None:
        """Replace the lock that is held."""
        if self._lock is not None and self._lock is not then:
            self._lock.release()
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
        self._release(None)

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
