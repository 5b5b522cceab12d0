"""LoadedModels: the classifiers that were loaded in this session, to test the transfer of a result to all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine import Classifier


class LoadedModels(QObject):
    """The loaded classifiers, each fingerprint once. The session owns the only instance."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.models: tuple[Classifier, ...] = ()
        """The classifiers in the order in which they were loaded."""

    def add(self, classifier: Classifier) -> None:
        """Add a classifier. One with the same fingerprint, such as on another device, replaces the earlier one in its place."""
        known = [model.fingerprint for model in self.models]
        if classifier.fingerprint in known:
            place = known.index(classifier.fingerprint)
            self.models = (*self.models[:place], classifier, *self.models[place + 1 :])
        else:
            self.models = (*self.models, classifier)
        self.changed.emit()

    def remove(self, classifier: Classifier) -> None:
        """Remove a classifier."""
        self.models = tuple(model for model in self.models if model is not classifier)
        self.changed.emit()
