"""The tables that the study keeps: of an attack on many images, and of models and attacks. Their docks show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults
    from engine.evaluate.tables import TableResults


class KeptTable(QObject):
    """The newest results of one kind. The session owns the only instance of each."""

    changed = Signal()
    """There are other results."""
    replaced = Signal()
    """Another study was opened: what is in progress belongs to the one before."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.results: Any = None
        """The newest results; None before the first."""

    def show(self, results: Any) -> None:
        """Show other results, or none."""
        self.results = results
        self.changed.emit()

    def restore(self, results: Any) -> None:
        """Replace the results by those of a study."""
        self.replaced.emit()
        self.show(results)


class BatchTable(KeptTable):
    """The rows of the newest attack on many images."""

    results: ImageResults | None


class MatrixTable(KeptTable):
    """The cells of the newest table of models and attacks."""

    results: TableResults | None
