"""Heading: what stands above an image: its name with its colour, and its prediction."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui.canvas.pictures import Caption, Picture
from gui.theme import muted_colour, number_font
from gui.widgets import ElidedLabel

_DOT = " · "


class CaptionLine(QWidget):
    """A class's name and its probability, the latter in another weight. The name is shortened from its end, the number never."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = Caption()
        self.setFont(number_font(self.font()))
        self._strong = QFont(self.font())
        self._strong.setWeight(QFont.Weight.DemiBold)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(QFontMetrics(self._strong).horizontalAdvance("99.9+ %"))

    @property
    def text(self) -> str:
        """The whole text."""
        return self._caption.text

    def set_caption(self, caption: Caption) -> None:
        """Show a caption."""
        if caption != self._caption:
            self._caption = caption
            self.setAccessibleName(caption.text)
            self._follow_width()
            self.update()

    def parts(self) -> tuple[str, str]:
        """Return label and number as they fit into the width: the label gives way first, and no number is cut."""
        label, share = self._caption
        if QFontMetrics(self._strong).horizontalAdvance(share) > self.width():
            share = ""
        room = self.width() - self._width_of_number(share)
        shown = QFontMetrics(self.font()).elidedText(label, Qt.TextElideMode.ElideRight, room) if room > 0 else ""
        return ("" if shown == "…" and share else shown), share

    @property
    def shown(self) -> str:
        """The text as it is painted."""
        return Caption(*self.parts()).text

    def _width_of_number(self, share: str) -> int:
        dot = QFontMetrics(self.font()).horizontalAdvance(_DOT) if self._caption.label else 0
        return dot + QFontMetrics(self._strong).horizontalAdvance(share) if share else 0

    def _follow_width(self) -> None:
        self.setToolTip(self.text if self.shown != self.text else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._follow_width()

    def sizeHint(self) -> QSize:
        plain = QFontMetrics(self.font())
        return QSize(plain.horizontalAdvance(self._caption.label) + self._width_of_number(self._caption.share), plain.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        label, share = self.parts()
        plain, strong = QFontMetrics(self.font()), QFontMetrics(self._strong)
        ink = self.palette().color(self.foregroundRole())
        pieces = [(label, self.font(), plain, ink)] if label else []
        if label and share:
            pieces.append((_DOT, self.font(), plain, muted_colour(self.palette())))
        if share:
            pieces.append((share, self._strong, strong, ink))
        x = self.width() - sum(metrics.horizontalAdvance(text) for text, _, metrics, _ in pieces)
        with QPainter(self) as painter:
            for text, font, metrics, colour in pieces:
                width = metrics.horizontalAdvance(text)
                painter.setFont(font)
                painter.setPen(colour)
                painter.drawText(QRect(x, 0, width + 2, self.height()), int(Qt.AlignmentFlag.AlignVCenter), text)
                x += width


class _Name(ElidedLabel):
    """A name that is shortened to its first word, such as the number of a run, before that is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)  # the caption's number keeps its room
        font = self.font()
        font.setBold(True)
        self.setFont(font)

    @property
    def whole(self) -> str:
        """The whole name."""
        return self._whole

    def set_name(self, name: str) -> None:
        """Show a name."""
        if name != self._whole:
            self._whole = name
            self.updateGeometry()
            self._shorten()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 2, super().sizeHint().height())

    def _shorten(self) -> None:
        fits = self.fontMetrics().horizontalAdvance(self._whole) <= self.width()
        self.setText(self._whole if fits else self._whole.partition(" ")[0])
        self.set_tip("" if fits else self._whole)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._shorten()
        super().resizeEvent(event)


class Heading(QWidget):
    """A picture's name with its colour, its caption, and a rule of the colour below them."""

    doubleClicked = Signal()

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._swatch, self._rule = QFrame(), QFrame()
        self._swatch.setFixedSize(12, 12)
        self._rule.setFixedHeight(2)
        self._name = _Name()
        self.caption = CaptionLine()
        self._colour, self._off = "", False
        row = QHBoxLayout()
        row.setContentsMargins(4, 4, 4, 4)
        row.setSpacing(4)
        row.addWidget(self._swatch)
        row.addWidget(self._name)
        row.addWidget(self.caption, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._rule)
        self.show_picture(picture)

    @property
    def name(self) -> str:
        """The picture's name."""
        return self._name.whole

    def show_picture(self, picture: Picture) -> None:
        """Show name, colour and caption of a picture."""
        self._name.set_name(picture.name)
        self._set_colour(picture.colour, self._off)
        self.caption.set_caption(picture.caption)

    def set_off(self, off: bool) -> None:
        """Show whether the picture is the one that cannot be seen at the moment, of two that take turns."""
        self._set_colour(self._colour, off)
        self._name.setEnabled(not off)
        self.caption.setEnabled(not off)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.doubleClicked.emit()

    def _set_colour(self, colour: str, off: bool) -> None:
        if (colour, off) != (self._colour, self._off):
            self._colour, self._off = colour, off
            self._swatch.setStyleSheet(f"background: {colour}; border-radius: 2px;")
            self._rule.setStyleSheet(f"background: {'transparent' if off else colour};")
