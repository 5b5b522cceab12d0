"""Heading: what stands above an image: its name with its colour, its prediction and, of a compared run, its size."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.canvas.pictures import Caption, Picture
from gui.theme import muted_colour, number_font
from gui.widgets import ElidedLabel

_DOT = " · "
_SIDE = 4
"""Pixels at the left and right of the texts."""


class CaptionLine(QWidget):
    """A class's name and its probability, the latter in another weight.

    A name that is too long keeps its end, “(50 km/h)” say, since many classes differ in that alone. Where the end has no room beside the
    probability, the probability is left out: the class never is.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption, self._at_right = Caption(), True
        self.setFont(number_font(self.font()))
        self._strong = QFont(self.font())
        self._strong.setWeight(QFont.Weight.DemiBold)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(QFontMetrics(self._strong).horizontalAdvance("> 99.9 %"))

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

    def set_at_right(self, at_right: bool) -> None:
        """Write at the right edge, or else at the left."""
        self._at_right = at_right
        self.update()

    @property
    def whole_width(self) -> int:
        """The width of the whole text."""
        return self.sizeHint().width()

    def parts(self) -> tuple[str, str]:
        """Return label and number as they fit into the width; no number is cut."""
        label, share = self._caption
        metrics = QFontMetrics(self.font())
        needed = min(metrics.horizontalAdvance(label), metrics.horizontalAdvance(f"…{_end_of(label)}"))
        if self._width_of_number(share) + needed > self.width():
            share = ""
        room = self.width() - self._width_of_number(share)
        return _shortened(label, metrics, room), share

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
        x = self.width() - sum(metrics.horizontalAdvance(text) for text, _, metrics, _ in pieces) if self._at_right else 0
        with QPainter(self) as painter:
            for text, font, metrics, colour in pieces:
                width = metrics.horizontalAdvance(text)
                painter.setFont(font)
                painter.setPen(colour)
                painter.drawText(QRect(x, 0, width + 2, self.height()), int(Qt.AlignmentFlag.AlignVCenter), text)
                x += width


def _end_of(label: str) -> str:
    """Return the end of a class's name that tells it from others: what is in brackets there, or else its last word."""
    bracket = label.rfind("(")
    return label[bracket:] if bracket > 0 and label.endswith(")") else label.rpartition(" ")[2]


def _shortened(label: str, metrics: QFontMetrics, room: int) -> str:
    """Return a class's name as it fits into ``room`` pixels: whole, or without its middle; at the worst the beginning of its end."""
    if metrics.horizontalAdvance(label) <= room:
        return label
    end = _end_of(label)
    left = room - metrics.horizontalAdvance(end)
    if left < metrics.horizontalAdvance("…"):
        return metrics.elidedText(end, Qt.TextElideMode.ElideRight, room)
    return (metrics.elidedText(label[: -len(end)].rstrip(), Qt.TextElideMode.ElideRight, left - 1) or "…") + end


class _Name(ElidedLabel):
    """A name that is shown in a shorter form, if it has one, before it is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self._forms: tuple[str, ...] = ("",)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)  # the caption's number keeps its room
        font = self.font()
        font.setBold(True)
        self.setFont(font)

    @property
    def whole(self) -> str:
        """The whole name."""
        return self._whole

    def set_name(self, name: str, shorter: tuple[str, ...] = ()) -> None:
        """Show a name, or the longest of its shorter forms that fits."""
        if (name, *shorter) != self._forms:
            self._whole, self._forms = name, (name, *shorter)
            self.updateGeometry()
            self._shorten()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 4, super().sizeHint().height())

    def _shorten(self) -> None:
        metrics, room = self.fontMetrics(), self.width() - 2  # fractions of pixels
        text = next((form for form in self._forms if metrics.horizontalAdvance(form) <= room), self._forms[-1])
        self.setText(text)
        self.set_tip("" if text == self._whole else self._whole)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._shorten()
        super().resizeEvent(event)


class Heading(QWidget):
    """A picture's letter and name with its colour, its caption and its size, and a rule of the colour below them.

    The pair has one line, or a second one for the class where the first is too short. A compared run has its name on the first; class and
    size share the second, or have a line each.
    """

    doubleClicked = Signal()

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._swatch, self._rule = QLabel(), QFrame()
        self._swatch.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._rule.setFixedHeight(2)
        self._name = _Name()
        self.caption, self.size_label = CaptionLine(), QLabel()
        self.size_label.setFont(self.caption.font())
        self._colour, self._letter, self._off, self.lines = "", "", False, 0
        self._grid = QGridLayout()
        self._grid.setContentsMargins(_SIDE, 4, _SIDE, 4)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._grid)
        column.addWidget(self._rule)
        self.show_picture(picture)
        self.set_lines(1)

    @property
    def name(self) -> str:
        """The picture's name."""
        return self._name.whole

    @property
    def texts(self) -> tuple[str, str, str]:
        """Name, caption and size as they are painted."""
        name = self._name.fontMetrics().elidedText(self._name.text(), Qt.TextElideMode.ElideRight, self._name.width())
        return name, self.caption.shown, self.size_label.text()

    def show_picture(self, picture: Picture) -> None:
        """Show letter, name, colour, caption and size of a picture."""
        self._name.set_name(picture.name, picture.shorter)
        self._set_swatch(picture.colour, picture.letter, self._off)
        self.caption.set_caption(picture.caption)
        self.size_label.setText(picture.size)
        self.size_label.setVisible(bool(picture.size))

    def lines_for(self, width: int) -> int:
        """Return how many lines the texts need in a width: one or two for the pair, two or three for a compared run."""
        if not self.size_label.text():
            beside = self._swatch.width() + self._name.sizeHint().width() + 2 * self._grid.horizontalSpacing()
            return 1 if beside + self.caption.whole_width <= width - 2 * _SIDE else 2
        return (
            2 if self.caption.whole_width + self._grid.horizontalSpacing() + self.size_label.sizeHint().width() <= width - 2 * _SIDE else 3
        )

    def set_lines(self, lines: int) -> None:
        """Write the texts on one, two or three lines."""
        if lines == self.lines:
            return
        self.lines = lines
        for widget in (self._swatch, self._name, self.caption, self.size_label):
            self._grid.removeWidget(widget)
        self._grid.addWidget(self._swatch, 0, 0)
        self.caption.set_at_right(lines == 1)
        if lines == 1:
            self._grid.addWidget(self._name, 0, 1)
            self._grid.addWidget(self.caption, 0, 2, 1, 2)
            return
        self._grid.addWidget(self._name, 0, 1, 1, 3)
        self._grid.addWidget(self.caption, 1, 0, 1, 3 if lines == 2 else 4)
        self._grid.addWidget(self.size_label, *((1, 3) if lines == 2 else (2, 0, 1, 4)))

    def set_off(self, off: bool) -> None:
        """Show whether the picture is the one that cannot be seen at the moment, of two that take turns."""
        self._set_swatch(self._colour, self._letter, off)
        self._name.setEnabled(not off)
        self.size_label.setEnabled(not off)
        self.caption.setEnabled(not off)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.doubleClicked.emit()

    def _set_swatch(self, colour: str, letter: str, off: bool) -> None:
        if (colour, letter, off) != (self._colour, self._letter, self._off):
            self._colour, self._letter, self._off = colour, letter, off
            self._swatch.setText(letter)
            high = self.fontMetrics().height() if letter else 12
            self._swatch.setFixedSize(max(high, self.fontMetrics().horizontalAdvance(letter) + 6) if letter else high, high)
            ink = theme.ink_on(QColor(colour)).name()
            self._swatch.setStyleSheet(f"background: {colour}; color: {ink}; font-weight: bold; border-radius: 2px;")
            self._rule.setStyleSheet(f"background: {'transparent' if off else colour};")
