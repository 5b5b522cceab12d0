"""StudyKeeper: the study that the window works on, and how another one takes its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from gui.session.studies import places
from gui.session.studies.restoring import Restored, empty, restored, under
from gui.session.studies.saved_study import SavedStudy
from gui.session.studies.snapshot import Saved, Snapshot
from gui.session.studies.stand_ins import StandIns
from gui.session.studies.welcome import after_crash, runs_in_words

if TYPE_CHECKING:
    from engine import Classifier
    from engine.file_lock import FileLock, Holder
    from gui.session.studies.host import Host

PATIENCE_S = 5.0
"""Seconds that another study waits for the last step of a cancelled run."""
_WAIT_MS = 50


def read(path: Path) -> Restored:
    """Read a study. Called in an engine thread."""
    from engine.study import read as read_study

    return restored(read_study(path))


class StudyKeeper(SavedStudy):
    """The file of the present study, and everything that leads to another one and back."""

    workspaceRestored = Signal(str)
    """The name of the arrangement of panels of a study that was opened."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(session, parent)
        self.stand_ins = StandIns(session, self)

    # ------------------------------------------------------------------ another study

    def open(self, path: Path, *, copy: bool = False) -> None:
        """Open a study instead of the present one, which is saved first; a run in progress is ended, and its best so far kept.

        A study that another window holds is opened as a copy, and so is any with ``copy``. If it cannot be read, nothing changes.
        """
        path = path.expanduser().absolute()
        if path == self.path:
            self._session.notice.emit(f"“{path.name}” is open already.")
            return
        self._when(lambda: not self._saver.writes(path), lambda: self._read(path, copy=copy))  # it may just have been left

    def _read(self, path: Path, *, copy: bool) -> None:
        lock, holder = (None, None) if copy else self.locks.acquire(path)

        def then(found: Restored) -> None:
            self._when_idle(lambda: self._replace(found, path, lock, holder, copy=copy))

        def failed(_sentence: str) -> None:
            self.locks.give_back(lock)

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
        if lock is not None and lock.taken_over:
            self._session.notice.emit(after_crash(path, f"“{path.stem}”", runs_in_words(len(found.runs))))
        elif holder is None:
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
        session.matrix.restore(found.matrix)
        session.history.restore(found.runs)
        session.change(**found.fields)
        session.history.follow(session.state)
        session.undo_stack.clear()
        self._saved = Saved(self.snapshot())
        if found.workspace:
            self.workspaceRestored.emit(found.workspace)
        self.changed.emit()

    def _leave(self) -> None:
        """Save the present study, and give its file back once that has been written."""
        lock, self._lock = self._lock, None

        def then(_snapshot: Snapshot, _path: Path) -> None:
            self.locks.give_back(lock)

        def failed(snapshot: Snapshot, path: Path, sentence: str) -> None:
            self.locks.give_back(lock)
            self._on_save_failed(snapshot, path, sentence)

        if self._folder is not None and self.is_unsaved:
            self._saver.save(self.snapshot(), self.file or self._own_file(), then, failed)
        else:
            self.locks.give_back(lock)
        self.path = self._file = self._saved = None
        self.copy_of = ""
        self._complained = False

    def _when_idle(self, act: Callable[[], None]) -> None:
        """Act when no attack and no save is in progress: a run is ended, and the study that it belongs to gets its best so far.

        A save has the time that it takes, for its end concerns the study that it was made of.
        """
        runs, deadline = self._session.runs, time.monotonic() + PATIENCE_S
        if runs.running:
            runs.cancel()

        def is_idle() -> bool:
            running = (runs.running or runs.abandoned) and time.monotonic() < deadline
            return not running and not self._saver.busy

        self._when(is_idle, act)

    def _when(self, condition: Callable[[], bool], act: Callable[[], None]) -> None:
        """Act once a condition holds, at once if it holds now; never after the end of the window."""
        if self._closed:
            return
        if condition():
            act()
        else:
            QTimer.singleShot(_WAIT_MS, self, lambda: self._when(condition, act))
