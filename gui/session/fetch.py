"""Fetch: a download in a thread of its own, so that the engine thread stays free for the image on the canvas."""

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
    """The values that the download's thread shares with the window."""

    cancel: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int | None = None
    over: bool = False
    error: str = ""


class Fetch(QObject):
    """Downloads published weights into torch's own cache, one at a time."""

    began = Signal()
    """A download has begun: ``name`` is its title."""
    progressed = Signal()
    """``received`` or ``total`` may have changed."""
    ended = Signal(str)
    """The download has ended: empty, or the sentence that says why it failed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._box: _Box | None = None
        self.name = ""
        """The title of the newest download."""
        self.cancelled = False
        """Whether the user cancelled the newest download."""
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._poll)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.cancel)

    @property
    def running(self) -> bool:
        """Whether a download is in progress."""
        return self._box is not None

    @property
    def received(self) -> int:
        """The bytes that have arrived."""
        return 0 if self._box is None else self._box.done

    @property
    def total(self) -> int | None:
        """The size of the file in bytes; None if the server does not report it."""
        return None if self._box is None else self._box.total

    def start(self, about: Published) -> None:
        """Start the download of published weights."""
        self.cancel()
        self._box = box = _Box()
        threading.Thread(target=_download, args=(about, box), name="fetch", daemon=True).start()
        self._timer.start()
        self.name = about.name
        self.began.emit()

    @Slot()
    def cancel(self) -> None:
        """Cancel the download; no partial file is kept."""
        if self._box is not None:
            self._box.cancel.set()

    @Slot()
    def _poll(self) -> None:
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
    """Download a file in the thread, and share progress and errors through ``box``."""
    from engine import GibbonError
    from engine.download import download

    def progress(done: int, total: int | None) -> None:
        box.done, box.total = done, total

    try:
        download(about.url, about.path, sha256_prefix=about.hash_prefix, progress=progress, cancel=box.cancel.is_set)
    except GibbonError as error:
        box.error = str(error)
    except Exception as error:  # the window must learn of every end
        box.error = f"The download failed with {type(error).__name__}: {error}."
    box.over = True
