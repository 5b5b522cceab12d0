"""Garbage collection in the main thread only.

Python collects cycles in whatever thread happens to allocate. In the engine thread that would destroy widgets, which belong to the main
thread, and crash; so it is switched off and done here, when the window is idle.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL_MS = 500


class Garbage(QObject):
    """Collects garbage from a timer, by Python's own thresholds, from `settle` on.

    While the engine is being imported, each collection would go through all that was imported so far: 0.2 s of the start.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._collect)

    @Slot()
    def _collect(self) -> None:
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return

    @Slot()
    def settle(self) -> None:
        """Begin to collect. All objects that exist now, such as modules and the window, are exempt, so that collections are short."""
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Restore Python's own garbage collection."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
