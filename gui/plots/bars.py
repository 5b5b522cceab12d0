"""ProbabilityBars: a row for each class, with both images' bars, and marks of the values under a bound and behind a defense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.text.formatting import format_probability as percent
from gui.plots.menu import PlotMenu, Table
from gui.theme import ADVERSARIAL, CLEAN, GRID, LABEL, TARGET, line_colour, number_font, readable
from gui.widgets.elided import wrapped

GAP = 3
FAINT = 0.005
"""The least probability of a bar that gets a mark of its bounded value."""


@dataclass(frozen=True)
class Row:
    """The probabilities of one class."""

    name: str
    clean: float
    adversarial: float
    bounded_clean: float | None = None
    """The clean image's probability under the bound; None without a bound."""
    bounded_adversarial: float | None = None
    is_label: bool = False
    is_target: bool = False
    defended_clean: float | None = None
    """The clean image's probability behind the defense; None without one."""
    defended_adversarial: float | None = None


class ProbabilityBars(QWidget):
    """The bars of all rows. Rows and numbers keep their places while values change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self.setFont(number_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        self._line = self.fontMetrics().height()
        self._number = self.fontMetrics().horizontalAdvance("> 99.9 %") + 2
        PlotMenu(self, self.numbers, "probabilities")

    @property
    def least_row(self) -> int:
        """The height of a row at the least: two lines and a gap."""
        return 2 * self._line + GAP

    @property
    def row_height(self) -> int:
        """The height of a row, which is more than the least if the widget is high enough."""
        return max(self.least_row, min(7 * self.least_row // 5, self.height() // max(1, len(self.rows))))

    def sizeHint(self) -> QSize:
        return QSize(280, max(1, len(self.rows)) * self.least_row)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, max(1, len(self.rows)) * self.least_row)

    def numbers(self) -> Table:
        """Return the classes with their probabilities."""
        changed = [f"{image} {how}" for how in ("with the bound", "behind the defense") for image in ("clean", "adversarial")]
        return ["class", "clean", "adversarial", *changed], [
            [
                *(row.name, row.clean, row.adversarial),
                *(row.bounded_clean, row.bounded_adversarial, row.defended_clean, row.defended_adversarial),
            ]
            for row in self.rows
        ]

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show rows, from top to bottom."""
        changed = len(rows) != len(self.rows)
        self.rows = tuple(rows)
        if changed:
            self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # the context manager ends the painter even after an error: one that outlives its event crashes
            self._paint(painter, event.rect())

    def _paint(self, painter: QPainter, shown: QRect) -> None:
        names = min(200, max(72, int(self.width() * 0.4)))
        left, right = names + GRID, self.width() - self._number - 4
        track = line_colour(self.palette())
        track.setAlpha(90)
        high = self.row_height
        half = (high - GAP) // 2
        for index, row in enumerate(self.rows):
            top = index * high
            if top <= shown.bottom() and top + high >= shown.top():
                self._paint_name(painter, row, QRect(0, top, names, 2 * half))
                pairs = (
                    (row.clean, row.bounded_clean, row.defended_clean, CLEAN),
                    (row.adversarial, row.bounded_adversarial, row.defended_adversarial, ADVERSARIAL),
                )
                for place, (p, bounded, defended, colour) in enumerate(pairs):
                    room = QRect(left, top + place * half, right - left, half)
                    self._paint_bar(painter, room, p, bounded, colour, track)
                    if defended is not None and max(p, defended) >= FAINT:
                        self._paint_frame(painter, _bar_in(room), defended)

    def _paint_name(self, painter: QPainter, row: Row, rect: QRect) -> None:
        marks = [colour for colour, wanted in ((LABEL, row.is_label), (TARGET, row.is_target)) if wanted]
        for place, colour in enumerate(marks):
            painter.fillRect(QRect(rect.left() + 5 * place, rect.top() + 2, 3, rect.height() - 4), QColor(colour))
        painter.setPen(readable(marks[-1], self.palette()) if marks else self.palette().windowText().color())
        inner = rect.adjusted(5 * len(marks) + (3 if marks else 0), 0, 0, 0)
        text = "\n".join(wrapped(row.name, self.fontMetrics(), inner.width(), 2))
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_bar(self, painter: QPainter, rect: QRect, p: float, bounded: float | None, colour: str, track: QColor) -> None:
        bar = _bar_in(rect)
        painter.fillRect(bar, track)
        painter.fillRect(QRectF(bar.left(), bar.top(), max(bar.width() * p, 1.0 if p > 0 else 0.0), bar.height()), QColor(colour))
        text = self.palette().windowText().color()
        if bounded is not None and max(p, bounded) >= FAINT:
            painter.fillRect(QRectF(bar.left() + (bar.width() - 3) * bounded, bar.top() - 1, 3, bar.height() + 2), text)
        painter.setPen(text)
        painter.drawText(
            QRect(rect.right() + 4, rect.top(), self._number, rect.height()),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            percent(p),
        )

    def _paint_frame(self, painter: QPainter, bar: QRectF, p: float) -> None:
        """Paint the mark of the probability behind the defense, which is hollow: it can stand on that of the bound."""
        painter.save()
        painter.setPen(QPen(self.palette().windowText().color(), 1.5))
        painter.setBrush(self.palette().base())
        painter.drawRect(QRectF(bar.left() + (bar.width() - 6) * p, bar.top() - 1, 6, bar.height() + 2))
        painter.restore()

    def describe(self, row: Row) -> str:
        """Return a row in words, for the tool tip."""
        lines = [row.name + (" (true label)" if row.is_label else "") + (" (target)" if row.is_target else "")]
        lines.append(f"clean {percent(row.clean)}, adversarial {percent(row.adversarial)}")
        if row.bounded_clean is not None and row.bounded_adversarial is not None:
            lines.append(f"under the bound: clean {percent(row.bounded_clean)}, adversarial {percent(row.bounded_adversarial)}")
        if row.defended_clean is not None and row.defended_adversarial is not None:
            lines.append(f"behind the defense: clean {percent(row.defended_clean)}, adversarial {percent(row.defended_adversarial)}")
        return "\n".join(lines)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = event.pos().y() // self.row_height
            QToolTip.showText(event.globalPos(), self.describe(self.rows[index]) if 0 <= index < len(self.rows) else "", self)
            return True
        return super().event(event)


def _bar_in(room: QRect) -> QRectF:
    return QRectF(room).adjusted(0, 2.5, 0, -1.5)
