"""A progress bar that is painted with the rest of its window."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar


class ProgressBar(QProgressBar):
    """A `QProgressBar` whose new value is painted with the next frame.

    Qt's own bar repaints itself within `setValue`, and with it every other part of the window that waits to be painted: while an attack
    reports its steps, the window would be painted twice for each.
    """

    def setValue(self, value: int) -> None:
        self.setUpdatesEnabled(False)
        super().setValue(value)
        self.setUpdatesEnabled(True)
