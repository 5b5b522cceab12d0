"""BatchTable: the table of the newest attack on many images, which the study keeps and the Images dock shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults


class BatchTable(QObject):
    """The rows so far. The session owns the only instance."""

    changed = Signal()
    """There are other rows."""
    replaced = Signal()
    """Another study was opened: a batch in progress belongs to the one before."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.results: ImageResults | None = None
        """The newest rows; None before the first batch."""

    def show(self, results: ImageResults | None) -> None:
        """Show other rows, or none."""
        self.results = results
        self.changed.emit()

    def restore(self, results: ImageResults | None) -> None:
        """Replace the table by that of a study."""
        self.replaced.emit()
        self.show(results)
