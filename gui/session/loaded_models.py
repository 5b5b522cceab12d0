"""LoadedModels: the classifiers that were loaded in this session, for asking all of them what they say of one result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine import Classifier


class LoadedModels(QObject):
    """Lives in the session. Weights are shared with whoever else holds a classifier; a fingerprint is listed once."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.models: tuple[Classifier, ...] = ()
        """In the order in which they came."""

    def add(self, classifier: Classifier) -> None:
        """List a classifier; the same one again, moved to another device, takes its earlier place."""
        known = [model.fingerprint for model in self.models]
        if classifier.fingerprint in known:
            place = known.index(classifier.fingerprint)
            self.models = (*self.models[:place], classifier, *self.models[place + 1 :])
        else:
            self.models = (*self.models, classifier)
        self.changed.emit()

    def remove(self, classifier: Classifier) -> None:
        """Forget one."""
        self.models = tuple(model for model in self.models if model is not classifier)
        self.changed.emit()
