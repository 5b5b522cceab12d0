"""Chip: a button of the spine with two lines of text, a thumbnail and a popup."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QStyle, QStyleOptionToolButton, QToolButton, QWidget

from gui import theme
from gui.shell.spine.line import Line, fitted
from gui.widgets.popup import Popup

_PAD, _ARROW = 6, 14
_SIDE = 30
_NARROW = 14 * theme.GRID
"""The width below which a chip leaves out its thumbnail."""


class Chip(QToolButton):
    """A flat button of two lines: the first in bold, the second quiet or in a colour. A click opens its popup.

    Its text never changes its width, since the spine gives every chip a fixed share of the window.
    """

    opening = Signal()
    """The popup is about to open: fill it."""

    def __init__(self, name: str, tip: str, keys: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tip = f"{tip} ({keys})" if keys else tip
        self.first, self.second = Line(), Line()
        self._colour: str | None = None
        self._picture = QPixmap()
        self.popup: Popup | None = None
        self.setAutoRaise(True)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFont(theme.number_font(self.font()))
        self.clicked.connect(self.open)
        self._tell()

    # ------------------------------------------------------------------ to the screen

    def show_lines(self, first: Line, second: Line, colour: str | None = None, tip: str = "") -> None:
        """Show two lines, the second in ``colour`` made readable; ``tip`` is added to the tool tip."""
        if (first, second, colour) != (self.first, self.second, self._colour):
            self.first, self.second, self._colour = first, second, colour
            self.update()
        self._tell(tip)

    def show_picture(self, picture: QPixmap) -> None:
        """Show a thumbnail before the text."""
        self._picture = picture
        self.update()

    def _tell(self, tip: str = "") -> None:
        texts = [line.whole for line in (self.first, self.second) if line.whole]
        self.setAccessibleDescription(", ".join(texts))
        self.setToolTip("\n".join(filter(None, [*texts, tip, self._tip])))

    @property
    def texts(self) -> tuple[str, str]:
        """The two lines as they are painted at the present width."""
        lines = []
        for line, font in zip((self.first, self.second), self._fonts(), strict=True):
            metrics = QFontMetrics(font)
            name, behind = fitted(line, self._text_rect().width(), metrics.horizontalAdvance, partial(_elided, metrics))
            lines.append(f"{name}{behind}")
        return lines[0], lines[1]

    def _fonts(self) -> tuple[QFont, QFont]:
        bold, small = QFont(self.font()), QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        small.setPointSizeF(max(6.5, 0.88 * small.pointSizeF()))
        return bold, small

    def _text_rect(self) -> QRect:
        left = _PAD + (_SIDE + _PAD if self._shows_picture else 0)
        return QRect(left, 0, max(0, self.width() - left - _ARROW - 3), self.height())

    @property
    def _shows_picture(self) -> bool:
        return not self._picture.isNull() and self.width() >= _NARROW

    def sizeHint(self) -> QSize:
        bold, small = (QFontMetrics(font) for font in self._fonts())
        return QSize(20 * theme.GRID, max(_SIDE + 4, bold.height() + small.height() + 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(6 * theme.GRID, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            option = QStyleOptionToolButton()
            self.initStyleOption(option)
            self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        group = self.palette().currentColorGroup()
        plain = self.palette().color(group, self.foregroundRole())
        quiet = theme.muted_colour(self.palette()) if self.isEnabled() else plain
        colours = (plain, theme.readable(self._colour, self.palette()) if self._colour and self.isEnabled() else quiet)
        if self._shows_picture:
            shown = self._picture.deviceIndependentSize().toSize()
            painter.drawPixmap(_PAD + (_SIDE - shown.width()) // 2, (self.height() - shown.height()) // 2, self._picture)
        self._paint_texts(painter, colours)
        option = QStyleOptionToolButton()
        option.initFrom(self)
        option.rect = QRect(self.width() - _ARROW, (self.height() - 8) // 2, 8, 8)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorArrowDown, option, painter, self)

    def _paint_texts(self, painter: QPainter, colours: tuple[QColor, QColor]) -> None:
        area, texts = self._text_rect(), self.texts
        heights = [QFontMetrics(font).height() for font in self._fonts()]
        lines = 2 if texts[1] else 1
        top = (self.height() - sum(heights[:lines])) // 2
        for text, font, colour, height in zip(texts, self._fonts(), colours, heights, strict=True):
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(QRect(area.left(), top, area.width(), height), Qt.AlignmentFlag.AlignVCenter, text)
            top += height

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self.update()

    # ------------------------------------------------------------------ the popup

    def set_popup(self, content: QWidget) -> Popup:
        """Give the chip a popup with this content."""
        self.popup = Popup(content, self)
        self.popup.closed.connect(self._on_closed)
        return self.popup

    @Slot()
    def open(self) -> None:
        """Open the popup below the chip."""
        self.opening.emit()
        if self.popup is not None and self.isEnabled():
            self.setDown(True)
            self.popup.open_below(self)

    @Slot()
    def _on_closed(self) -> None:
        self.setDown(False)


def _elided(metrics: QFontMetrics, text: str, room: int) -> str:
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
