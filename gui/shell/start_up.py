"""Start-up: the empty window is painted first; then its panels are built, while the engine thread imports torch and opens a sample."""

from __future__ import annotations

import importlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

from gui.session.studies.keeper import read
from gui.session.studies.welcome import after_crash, runs_in_words
from gui.session.swap_model import ClassifierWithImage, show_classifier, with_image
from gui.shell.actions.file import open_path
from gui.shell.last_study import LastStudy, find_last, starts_with_last
from gui.shell.torch_libraries import load_libraries

if TYPE_CHECKING:
    from engine import Classifier
    from engine.file_lock import FileLock, Holder
    from gui.session.session import Session
    from gui.session.studies.restoring import Restored
    from gui.shell.main_window import MainWindow

MODEL = "signs"


@dataclass(frozen=True)
class Opening:
    """The file or session that a start opens."""

    file: Path | None = None
    """An image or a study; None for the last session, or the first sample."""
    copy: bool = False
    """Whether a study is opened as a copy."""
    restore: bool = False
    """Whether the last session is opened where no file was given."""


_NOTHING = Opening()


@dataclass(frozen=True, eq=False)
class StudyAtStart:
    """A study that was read at the start, and its model."""

    path: Path
    restored: Restored
    classifier: Classifier | None = None
    """The model of its canvas; None if it could not be loaded."""
    problem: str = ""
    """Why not, in a sentence."""


@dataclass(frozen=True, eq=False)
class StartUpResult:
    """The result of loading the engine."""

    seconds: float
    """The seconds that importing torch took."""
    study: StudyAtStart | None = None
    """The study that was read, in place of model and image."""
    arrived: ClassifierWithImage | None = None
    """The shipped model with its first sample image, the stop sign."""
    problem: str = ""
    """The sentence that says why model and sample are missing; the engine is loaded in any case."""


def load_engine(study: Path | None = None) -> StartUpResult:
    """Import torch and the engine; open a study, or the shipped model and a sample. Called in the engine thread."""
    began = time.perf_counter()
    load_libraries()
    import torch

    seconds = time.perf_counter() - began
    torch.backends.cudnn.deterministic = True  # as in a replay, so that a run of the window replays to the same bits
    import engine
    import engine.attacks  # the docks need these first: importing them here does not block the window
    import engine.data
    import engine.explain
    import engine.stickers
    from engine.errors import in_words

    problems: list[str] = []
    if study is not None:
        try:
            found = _read_study(study)
            if found.restored.fields["classifier"] is not None:
                return StartUpResult(seconds, found)
        except Exception as error:
            problems.append(in_words(error, f"Opening {study.name}", "Choose another study."))
    try:
        return StartUpResult(seconds, None, with_image(engine.models.load(MODEL), None, None, None), " ".join(problems))
    except Exception as error:  # for example a GPU that torch cannot use: the docks must work in any case
        problems.append(in_words(error, f"Loading the model “{MODEL}”", "Load a model in the Model dock; another device may do."))
        return StartUpResult(seconds, problem=" ".join(problems))


def _import_rest() -> None:
    """Import what the window will need soon and the first frame does not. Called in the engine thread."""
    importlib.import_module("engine.study")


def _read_study(path: Path) -> StudyAtStart:
    from engine.artifacts import Model
    from engine.errors import GibbonError
    from engine.study import is_recorded, load, trained

    found = read(path)
    stand_in = found.fields["classifier"]
    if not is_recorded(stand_in):
        return StudyAtStart(path, found)
    try:
        artifacts = (artifact for run in found.runs for artifact in run.result.artifacts.values())
        networks = [artifact for artifact in artifacts if isinstance(artifact, Model)]
        return StudyAtStart(path, found, trained(stand_in, networks) or load(stand_in, path.parent))
    except GibbonError as error:
        return StudyAtStart(path, found, problem=str(error))


class StartUp(QObject):
    """Builds the panels and loads the engine after the window's first paint."""

    filled = Signal()
    """Canvas and panels are built; the engine is still loading."""

    def __init__(self, session: Session, window: MainWindow, opening: Opening = _NOTHING) -> None:
        super().__init__(window)
        self._session, self._window, self._opening = session, window, opening
        self._asked: Path | None = None
        """The study that is to be opened."""
        self._lock: FileLock | None = None
        self._holder: Holder | None = None
        self._last = LastStudy()
        """The last study, where no file was asked for."""
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self._begin)  # after this paint has reached the screen
        return False

    @Slot()
    def _begin(self) -> None:
        trace("first paint")
        self._window.import_panels()
        for lane in (self._session.lane, self._session.background):
            lane.start()
        study = self._asked = self._study()
        self._session.ask("start-up", lambda: load_engine(study), self._arrive, what="Loading the engine", busy="Loading the engine…")
        self._window.fill()  # while torch is being imported
        self.filled.emit()
        trace("panels")

    def _study(self) -> Path | None:
        """Return the study to be opened, locked if no other window has it: the one asked for, else that of the last session."""
        from engine.files import is_study

        asked = self._opening.file
        if asked is not None:
            if not is_study(asked):
                return None
            self._lock, self._holder = (None, None) if self._opening.copy else self._session.studies.locks.acquire(asked)
            return asked
        settings = self._window.settings
        self._last = find_last(settings, self._session.studies.locks, wanted=self._opening.restore and starts_with_last(settings))
        self._lock = self._last.lock
        return self._last.path

    def _arrive(self, loaded: StartUpResult) -> None:
        session, study = self._session, loaded.study
        session.change(ready=True)
        if loaded.arrived is not None:
            show_classifier(session, loaded.arrived)
        session.ask("imports", _import_rest, lambda _: None, what="Loading the engine")
        if loaded.problem:
            session.log("error", loaded.problem)
        if study is not None:
            self._enter(study)
        else:
            session.studies.locks.give_back(self._lock)
            if self._last.note:
                session.notice.emit(self._last.note)
            if self._opening.file is not None and self._opening.file != self._asked:
                open_path(self._window, self._opening.file)
        trace(f"ready, torch's import took {loaded.seconds:.2f} s of it")

    def _enter(self, study: StudyAtStart) -> None:
        """Put a study into the session, and replace the stand-in by its model."""
        session, keeper = self._session, self._session.studies
        tried = study.restored.fields["classifier"]
        keeper.enter(
            study.restored, study.path, self._lock, self._holder, copy=self._opening.copy, tried=tried, classifier=study.classifier
        )
        if study.problem:
            keeper.stand_ins.tell(study.problem)
        runs = runs_in_words(len(session.history.entries))
        if self._opening.file is None:
            session.notice.emit(self._last.back(runs))
        elif self._lock is not None and self._lock.taken_over:
            session.notice.emit(after_crash(study.path, f"“{study.path.stem}”", runs))


# ---------------------------------------------------------------------- measuring

_IMPORTED = time.monotonic()


def trace(what: str) -> None:
    """Print the seconds since the process began to stderr, if GIBBON_TRACE_STARTUP=1 is set."""
    if os.environ.get("GIBBON_TRACE_STARTUP"):
        print(f"gibbon: {what} at {since_start():.3f} s", file=sys.stderr, flush=True)


def since_start() -> float:
    """Return the seconds since the process began or, on systems that do not report that, since this module was imported."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic() - _IMPORTED
