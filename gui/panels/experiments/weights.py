"""ExperimentWeights: looks for the weights that an experiment needs, and downloads them where the user agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from gui.panels.experiments import work
from gui.session.fetch import Fetch
from gui.widgets.model_dialogs import ask_download

if TYPE_CHECKING:
    from engine.models.torchvision import Published
    from engine.reproduce import Experiment
    from gui.session.session import Session


class ExperimentWeights(QObject):
    """Looks for one experiment's weights at a time, and fetches one file at a time."""

    found = Signal(str)
    """The weights of the experiment of this slug were looked for: they are here if ``missing`` is None."""
    failed = Signal(str)
    """They could not be looked for: the sentence."""
    progressed = Signal(str, object)
    """A download in words, and the share that is done; None while that is unknown."""
    fetched = Signal(str)
    """A download has ended: empty, or the sentence that says why it failed."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._dialogs = session, parent
        self.missing: Published | None = None
        """The weights that the chosen experiment needs and that are not on this machine."""
        self.looking = ""
        """The slug of the experiment whose weights are looked for; empty for none."""
        self.fetch = Fetch(self)
        self.fetch.progressed.connect(self._on_progress)
        self.fetch.ended.connect(self._on_ended)

    @property
    def busy(self) -> bool:
        """Whether weights are looked for or downloaded."""
        return self.fetch.running or bool(self.looking)

    def look(self, slug: str, kind: type[Experiment]) -> None:
        """Look for the weights of an experiment. Only now, since it imports torchvision."""
        self.looking, what = slug, "Looking for the weights"

        def then(about: Published | None) -> None:
            if self.looking == slug:  # else it was cancelled
                self.looking, self.missing = "", about
                self.found.emit(slug)

        self._session.ask("weights", lambda: work.weights_missing(kind), then, what=what, failed=self._on_failed, busy=f"{what}…")

    def forget(self) -> None:
        """Leave what was found, since another experiment or model is chosen."""
        self.missing = None

    def cancel(self) -> None:
        """End the search and the download."""
        self.looking = ""
        self.fetch.cancel()

    @Slot()
    def offer(self) -> None:
        """Ask for consent to the download of the missing weights."""
        about = self.missing
        if about is not None and not self.fetch.running:
            ask_download(self._dialogs, about, lambda: self._start(about))

    def _start(self, about: Published) -> None:
        self.fetch.start(about)
        self.progressed.emit("connecting…", None)

    def _on_failed(self, sentence: str) -> None:
        self.looking = ""
        self.failed.emit(sentence)

    @Slot()
    def _on_progress(self) -> None:
        done, total = self.fetch.received, self.fetch.total
        of = f" of {total / 1e6:.1f}" if total else ""
        self.progressed.emit(f"downloading the weights: {done / 1e6:.1f}{of} MB", done / total if total else None)

    @Slot(str)
    def _on_ended(self, error: str) -> None:
        if not error:
            self.missing = None
        self.fetched.emit(error)
