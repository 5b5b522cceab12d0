"""What loads when: first the window's frame is painted; then come its panels, while the engine thread imports torch and opens a sample."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from engine import Classifier
    from gui.main_window import MainWindow
    from gui.opening import Opened
    from gui.session import Session

MODEL = "signs"
SAMPLE = "Stop"


@dataclass(frozen=True, eq=False)
class Loaded:
    """What the engine thread brought."""

    seconds: float
    """That importing torch took."""
    classifier: Classifier | None = None
    opened: Opened | None = None
    label: int | None = None
    problem: str = ""
    """Why model or image are missing; the engine is there all the same."""


def load() -> Loaded:
    """Import torch and the engine, open the shipped model and the stop sign. Called in the engine thread."""
    began = time.perf_counter()
    import torch  # noqa: F401

    seconds = time.perf_counter() - began
    import engine

    try:
        classifier = engine.models.load(MODEL)
    except engine.GibbonError as error:
        return Loaded(seconds, problem=str(error))
    try:
        return Loaded(seconds, classifier, *_stop_sign(classifier))
    except engine.GibbonError as error:
        return Loaded(seconds, classifier, problem=str(error))


def _stop_sign(classifier: Classifier) -> tuple[Opened | None, int | None]:
    import engine
    from gui.opening import cropped

    mine = [sample for sample in engine.images.samples() if sample.model == MODEL]
    if not mine:
        return None, None
    best = next((sample for sample in mine if sample.label_name == SAMPLE), mine[0])
    label = classifier.labels.index(best.label_name) if best.label_name in classifier.labels else best.label
    return cropped(best.open(), classifier), label


class StartUp(QObject):
    """Begins to load when the window has been painted."""

    filled = Signal()
    """Canvas and panels stand; the engine is loading."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self._begin)  # when all of this paint is on the screen
        return False

    @Slot()
    def _begin(self) -> None:
        trace("first paint")
        self._window.import_panels()
        self._session.lane.start()
        self._session.ask("start-up", load, self._arrive, busy="Loading the engine…")
        self._window.fill()  # while torch is being imported
        self.filled.emit()
        trace("panels")

    def _arrive(self, loaded: Loaded) -> None:
        session = self._session
        session.ready = True
        session.engineReady.emit()
        if loaded.classifier is not None and loaded.opened is not None:
            session.photograph = loaded.opened.photograph
            session.set_classifier(loaded.classifier, loaded.opened.clean, loaded.opened.info, loaded.label)
            session.photographChanged.emit()
        elif loaded.classifier is not None:
            session.set_classifier(loaded.classifier)
        if loaded.problem:
            session.log("error", loaded.problem)
        trace(f"ready, torch's import took {loaded.seconds:.2f} s of it")


# ---------------------------------------------------------------------- measuring

_IMPORTED = time.monotonic()


def trace(what: str) -> None:
    """With GIBBON_TRACE_STARTUP=1: seconds since the process began, on stderr."""
    if os.environ.get("GIBBON_TRACE_STARTUP"):
        print(f"gibbon: {what} at {since_start():.3f} s", file=sys.stderr, flush=True)


def since_start() -> float:
    """Seconds since the process began; where the system does not say, since this module was imported."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic() - _IMPORTED
