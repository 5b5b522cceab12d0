"""PictureStrip: the pictures of the selected runs beside each other, each with its run's number and outcome."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.panels.runs.cards import fitted, nearest
from gui.session.run_facts import RunFacts
from gui.theme import GRID, number_font

_SIDE = 11 * GRID
_LEAST = 8 * GRID
"""The width of a column below which the last pictures are left out."""


class PictureStrip(QWidget):
    """Pictures in columns of equal width. Those that have no room are counted at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs: tuple[RunFacts, ...] = ()
        self.setFont(number_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_SIDE + self.fontMetrics().lineSpacing() + 6)

    def set_runs(self, runs: Sequence[RunFacts]) -> None:
        """Show the pictures of runs; those without a picture are left out."""
        self.runs = tuple(run for run in runs if run.picture is not None)
        self.setVisible(bool(self.runs))
        self.setAccessibleName(", ".join(f"{run.title}: {run.outcome}" for run in self.runs))
        self.setToolTip("\n".join(f"{run.title}: {run.outcome}" for run in self.runs))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(2 * _SIDE, self.height())

    @property
    def columns(self) -> int:
        """The number of pictures that have room."""
        return max(1, min(len(self.runs), self.width() // _LEAST))

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            metrics, wide = self.fontMetrics(), self.width() // max(1, self.columns)
            for place, run in enumerate(self.runs[: self.columns]):
                picture = nearest(run.picture, min(_SIDE, wide - 4), self.devicePixelRatioF())
                painter.drawPixmap(place * wide, 0, picture)
                left_out = len(self.runs) - self.columns if place == self.columns - 1 else 0
                more = f" +{left_out}" if left_out else ""
                forms = (f"#{run.number} {run.outcome.rpartition('→ ')[2]}{more}", f"#{run.number}{more}")
                words = fitted(forms, metrics, wide - 4)
                painter.drawText(QRect(place * wide, _SIDE, wide - 4, metrics.lineSpacing() + 4), Qt.AlignmentFlag.AlignVCenter, words)
