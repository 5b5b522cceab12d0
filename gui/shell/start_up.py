"""Start-up: the empty window is painted first; then its panels are built, while the engine thread imports torch and opens a sample."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

from gui.session.swap_model import ClassifierWithImage, show_classifier, with_image
from gui.shell.actions.file import open_path

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.shell.main_window import MainWindow

MODEL = "signs"


@dataclass(frozen=True, eq=False)
class StartUpResult:
    """The result of loading the engine."""

    seconds: float
    """The seconds that importing torch took."""
    arrived: ClassifierWithImage | None = None
    """The shipped model with its first sample image, the stop sign."""
    problem: str = ""
    """The sentence that says why model and sample are missing; the engine is loaded in any case."""


def load_engine() -> StartUpResult:
    """Import torch and the engine, open the shipped model and a sample. Called in the engine thread."""
    began = time.perf_counter()
    import torch

    seconds = time.perf_counter() - began
    torch.backends.cudnn.deterministic = True  # as in a replay, so that a run of the window replays to the same bits
    import engine
    import engine.attacks  # the docks need these first: importing them here does not block the window
    import engine.data
    import engine.stickers
    from engine.errors import in_words

    try:
        return StartUpResult(seconds, with_image(engine.models.load(MODEL), None, None, None))
    except Exception as error:  # for example a GPU that torch cannot use: the docks must work in any case
        cure = "Load a model in the Model dock; another device may do."
        return StartUpResult(seconds, problem=in_words(error, f"Loading the model “{MODEL}”", cure))


class StartUp(QObject):
    """Builds the panels and loads the engine after the window's first paint."""

    filled = Signal()
    """Canvas and panels are built; the engine is still loading."""

    def __init__(self, session: Session, window: MainWindow, image: Path | None = None) -> None:
        super().__init__(window)
        self._session, self._window, self._image = session, window, image
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
        self._session.ask("start-up", load_engine, self._arrive, what="Loading the engine", busy="Loading the engine…")
        self._window.fill()  # while torch is being imported
        self.filled.emit()
        trace("panels")

    def _arrive(self, loaded: StartUpResult) -> None:
        session = self._session
        session.change(ready=True)
        if loaded.arrived is not None:
            show_classifier(session, loaded.arrived)
        if loaded.problem:
            session.log("error", loaded.problem)
        if self._image is not None:
            open_path(self._window, self._image)
        trace(f"ready, torch's import took {loaded.seconds:.2f} s of it")


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
