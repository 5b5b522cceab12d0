"""Fetch: a download beside the engine thread, which stays free for the image on the canvas."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from engine.models.torchvision import Published

_EVERY_MS = 100


@dataclass(eq=False)
class _Box:
    """What the thread leaves for the window."""

    cancel: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int | None = None
    over: bool = False
    error: str = ""


class Fetch(QObject):
    """One download at a time, into torch's own cache."""

    progressed = Signal()
    """Read ``received`` and ``total``."""
    ended = Signal(str)
    """Nothing, or the sentence that says why there is no file."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._box: _Box | None = None
        self.cancelled = False
        """Whether the last one was ended by hand."""
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.cancel)

    @property
    def running(self) -> bool:
        """Whether a download is under way."""
        return self._box is not None

    @property
    def received(self) -> int:
        """Bytes."""
        return 0 if self._box is None else self._box.done

    @property
    def total(self) -> int | None:
        """Bytes in all, where the server says."""
        return None if self._box is None else self._box.total

    def start(self, about: Published) -> None:
        """Fetch published weights."""
        self.cancel()
        self._box = box = _Box()
        threading.Thread(target=_download, args=(about, box), name="fetch", daemon=True).start()
        self._timer.start()

    @Slot()
    def cancel(self) -> None:
        """End it; nothing is left behind."""
        if self._box is not None:
            self._box.cancel.set()

    @Slot()
    def _look(self) -> None:
        box = self._box
        if box is None:
            self._timer.stop()
        elif box.over:
            self._timer.stop()
            self._box, self.cancelled = None, box.cancel.is_set()
            self.ended.emit(box.error)
        else:
            self.progressed.emit()


def _download(about: Published, box: _Box) -> None:
    """In the thread."""
    from engine import GibbonError
    from engine.models.download import download

    def progress(done: int, total: int | None) -> None:
        box.done, box.total = done, total

    try:
        download(about.url, about.path, sha256_prefix=about.hash_prefix, progress=progress, cancel=box.cancel.is_set)
    except GibbonError as error:
        box.error = str(error)
    except Exception as error:  # the window must hear of every end
        box.error = f"The download failed with {type(error).__name__}: {error}."
    box.over = True
