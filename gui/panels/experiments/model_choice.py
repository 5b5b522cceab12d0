"""ModelChoice: the model that an experiment runs on: its own, one of the session's, or weights from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from gui.widgets.checkpoints import choose_checkpoint, load_checkpoint
from gui.widgets.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from engine import Classifier
    from engine.reproduce import Experiment
    from gui.session.session import Session

_FILE = "file"
"""The entry that opens a file."""


class ModelChoice(ElidedCombo):
    """The chooser. It is filled for one kind of experiment at a time."""

    changed = Signal()
    """Another model was chosen."""
    failed = Signal(str)
    """Weights could not be loaded: the sentence that says why."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._kind: type[Experiment] | None = None
        self.setAccessibleName("Model of the experiment")
        self.setToolTip("The model that the experiment runs on. The numbers compare only for its own.")
        self.activated.connect(self._on_activated)
        session.loaded.changed.connect(self._fill)

    @property
    def chosen(self) -> Classifier | None:
        """The model that was chosen in place of the experiment's own; None: its own."""
        chosen = self.currentData()
        return None if chosen is None or chosen == _FILE else cast("Classifier", chosen)

    def show_models(self, kind: type[Experiment]) -> None:
        """List the models that an experiment can run on; the chosen one stays chosen where it can."""
        self._kind = kind
        self._fill()

    @Slot()
    def _fill(self) -> None:
        if self._kind is None:
            return
        own, before = self._kind.model, self.chosen
        with QSignalBlocker(self):
            self.clear()
            self.addItem(f"{own}, its own" if own else "a network of its own", None)
            for loaded in self._session.loaded.models if own else ():
                self.addItem(loaded.name, loaded)
                self.setItemData(self.count() - 1, f"{loaded.name}, {loaded.fingerprint}", Qt.ItemDataRole.ToolTipRole)
            if own:
                self.insertSeparator(self.count())
                self.addItem("Weights file…", _FILE)
            self._choose(before)
        self.setEnabled(bool(own))

    def _choose(self, classifier: Classifier | None) -> None:
        """Choose a listed model, else the experiment's own."""
        places = (place for place in range(self.count()) if classifier is not None and self.itemData(place) is classifier)
        self.setCurrentIndex(next(places, 0))

    @Slot()
    def _on_activated(self) -> None:
        if self.currentData() == _FILE:
            self.setCurrentIndex(0)
            path = choose_checkpoint(self)
            if path is not None:
                self.open_weights(path)
        self.changed.emit()

    def open_weights(self, path: Path) -> None:
        """Load weights from a file, and choose them unless another experiment was chosen meanwhile."""
        session, kind = self._session, self._kind
        device = None if session.classifier is None else str(session.classifier.device)

        def load(source: str, **options: Any) -> None:
            def make() -> Classifier:
                import engine

                return engine.models.load(source, device=device, **options)

            session.ask("weights file", make, then, what="Loading the weights", failed=self.failed.emit, busy="Loading the weights…")

        def then(classifier: Classifier) -> None:
            session.loaded.add(classifier)
            if self._kind is kind:
                self._choose(classifier)
                self.changed.emit()

        load_checkpoint(session, path, self, load)
