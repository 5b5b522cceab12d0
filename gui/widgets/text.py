"""Texts that change with every frame. They are painted at a fixed height, so that no layout is computed and nothing jumps."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.theme import muted_colour, number_font, readable


class Sentence(QWidget):
    """A sentence of at most ``lines`` lines; if it is shortened, the tool tip holds the whole sentence.

    It has the height of all its lines, or with ``snug`` of those that its text needs. Where texts change under the mouse,
    `take_room_for` names the one that the height is for.
    """

    def __init__(
        self, lines: int = 1, *, bold: bool = False, muted: bool = False, snug: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.text, self._shown, self._most, self._muted = "", "", lines, muted
        self._lines, self._snug = lines, snug
        self._roomy: str | None = None
        """The text that the height is for; None for the text that is shown."""
        self._colour: str | None = None
        self._tip = ""
        font = number_font(self.font())
        font.setBold(bold)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 4)

    def set_text(self, text: str, colour: str | None = None) -> None:
        """Show ``text``, in ``colour`` made readable on the palette."""
        if (text, colour) != (self.text, self._colour):
            self.text, self._colour = text, colour
            self.setAccessibleName(text)
            self._fit()
            self.update()

    def set_tip(self, tip: str) -> None:
        """Give it a tool tip that says more than the sentence, and takes its place there even where the sentence is shortened."""
        self._tip = tip
        self.setToolTip(tip)

    def take_room_for(self, text: str) -> None:
        """Be as high as another text needs, at most ``lines`` lines, whatever is shown."""
        self._roomy, self._snug = text, True
        self._fit()

    def _fit_height(self) -> None:
        if not self._snug:
            return
        text, spacing = self.text if self._roomy is None else self._roomy, self.fontMetrics().lineSpacing()
        fits = self.fontMetrics().horizontalAdvance(text) <= self.width()
        needed = 1 if fits else max(2, round(self._height(text) / spacing))
        self._lines = min(self._most, needed)
        self.setFixedHeight(self._lines * spacing + 4)

    def _fit(self) -> None:
        """Choose the height, and the text that is painted: the whole sentence, or as many words as fit."""
        self._fit_height()
        words, room = self.text.split(" "), self._lines * self.fontMetrics().lineSpacing() + 2
        self._shown = self.text
        if self.fontMetrics().horizontalAdvance(self.text) < 0.7 * self._lines * self.width():
            return  # it fits, wherever the lines break
        while self._lines > 1 and len(words) > 1 and self._height(self._shown) > room:
            words.pop()
            self._shown = " ".join(words) + "…"

    def _height(self, text: str) -> int:
        return self.fontMetrics().boundingRect(QRect(0, 0, self.width(), 10_000), Qt.TextFlag.TextWordWrap, text).height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # ends the painter even after an error: one that outlives its event crashes
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        palette = self.palette()
        plain = muted_colour(palette) if self._muted else palette.windowText().color()
        painter.setPen(readable(self._colour, palette) if self._colour else plain)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        if self._lines == 1:
            text = self.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(self.rect(), flags, text)
        else:
            painter.drawText(self.rect(), flags | Qt.TextFlag.TextWordWrap, self._shown)

    @property
    def cut(self) -> bool:
        """Whether the sentence is shortened."""
        if self._lines == 1:
            return self.fontMetrics().horizontalAdvance(self.text) > self.width()
        return self._shown != self.text

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            own = self._tip or ("" if self.cut else self.toolTip())
            QToolTip.showText(event.globalPos(), own or self.text, self)
            return True
        return super().event(event)


_GAP = 6
"""Pixels between two columns of numbers."""


@dataclass(frozen=True)
class NumberTile:
    """A number with its name, and a remark below it."""

    name: str
    value: str
    remark: str = ""
    tip: str = ""


class NumberTiles(QWidget):
    """Number tiles side by side, in columns of equal width, so that nothing jumps when a value changes its width.

    Where equal columns are too narrow for a value, each column gets the share of the width that its texts need; what still does not fit is
    shortened with an ellipsis, and the tool tip holds it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figures: tuple[NumberTile, ...] = ()
        self.setFont(number_font(self.font()))
        self._small = QFont(self.font())
        self._small.setPointSizeF(max(6.5, self.font().pointSizeF() * 0.85))
        self._line = self.fontMetrics().lineSpacing()
        self._small_line = QFontMetrics(self._small).lineSpacing()
        self.setFixedHeight(self._line + 2 * self._small_line + 4)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_tiles(self, figures: Sequence[NumberTile]) -> None:
        """Show the tiles."""
        if tuple(figures) != self.figures:
            self.figures = tuple(figures)
            self.setAccessibleName(", ".join(f"{f.name} {f.value} {f.remark}".strip() for f in figures))
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # ends the painter even after an error: one that outlives its event crashes
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        muted, plain = muted_colour(self.palette()), self.palette().windowText().color()
        edges = self.edges()
        for (left, right), figure in zip(itertools.pairwise(edges), self.figures, strict=True):
            for top, high, font, colour, text in (
                (0, self._small_line, self._small, muted, figure.name),
                (self._small_line + self._line, self._small_line, self._small, muted, figure.remark),
                (self._small_line, self._line, self.font(), plain, figure.value),
            ):
                painter.setFont(font)
                painter.setPen(colour)
                shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, right - left - _GAP)
                painter.drawText(left, top, right - left - _GAP, high, Qt.AlignmentFlag.AlignLeft, shown)

    def edges(self) -> list[int]:
        """Return the left edges of the columns, and the right edge of the last."""
        count = max(1, len(self.figures))
        needed = [self._needed(figure) for figure in self.figures] or [1]
        if max(needed) <= self.width() / count or not sum(needed):
            return [round(self.width() * column / count) for column in range(count + 1)]
        spare = max(0.0, self.width() - sum(needed)) / count
        shrink = min(1.0, self.width() / sum(needed))
        return [round(edge) for edge in itertools.accumulate((shrink * width + spare for width in needed), initial=0.0)]

    def _needed(self, figure: NumberTile) -> int:
        """Return the width that name and value need; a remark may be shortened."""
        name, value = QFontMetrics(self._small).horizontalAdvance(figure.name), self.fontMetrics().horizontalAdvance(figure.value)
        return max(name, value) + _GAP

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self.figures:
            column = bisect.bisect_right(self.edges(), event.pos().x()) - 1
            figure = self.figures[min(len(self.figures) - 1, max(0, column))]
            QToolTip.showText(event.globalPos(), figure.tip or f"{figure.name}: {figure.value} {figure.remark}".strip(), self)
            return True
        return super().event(event)
