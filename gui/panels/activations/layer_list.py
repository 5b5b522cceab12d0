"""LayerList: small histograms of every layer; only the visible rows are painted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from engine.text.formatting import counted, short, with_minus
from gui.plots.histograms import paint_histogram, raster
from gui.theme import ADVERSARIAL, line_colour, muted_colour, number_font, readable, text_colour

if TYPE_CHECKING:
    from engine.explain import LayerActivity

_BARS = 28
_MARGIN = 6


class LayerList(QAbstractScrollArea):
    """A list of layers, from which a click or the arrow keys choose one."""

    chosen = Signal(str)
    """A layer was chosen: the site's name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers: tuple[LayerActivity, ...] = ()
        self.bounds: Mapping[str, float] = {}
        self.selected = ""
        self.painted: range = range(0)
        """The rows that the last paint covered."""
        self.setFont(number_font(self.font()))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Layers")
        self._line = self.fontMetrics().height()

    @property
    def row_height(self) -> int:
        """The height of a row: a line of text and a histogram."""
        return self._line + _BARS + 9

    def sizeHint(self) -> QSize:
        return QSize(280, 4 * self.row_height)

    def set_layers(self, layers: Sequence[LayerActivity], bounds: Mapping[str, float], selected: str) -> None:
        """Show layers with their bounds; ``selected`` is the name of the chosen site."""
        changed = len(layers) != len(self.layers)
        self.layers, self.bounds, self.selected = tuple(layers), bounds, selected
        if changed:
            self._range()
        self.viewport().update()

    def select(self, site: str) -> None:
        """Mark a layer and scroll to it."""
        self.selected = site
        row = next((i for i, layer in enumerate(self.layers) if layer.site.name == site), 0)
        bar, top = self.verticalScrollBar(), row * self.row_height
        bar.setValue(min(max(bar.value(), top + self.row_height - self.viewport().height()), top))
        self.viewport().update()

    def row_at(self, y: int) -> int:
        """Return the row at a height of the viewport; it may be beyond the last layer."""
        return (y + self.verticalScrollBar().value()) // self.row_height

    # ------------------------------------------------------------------ from the user

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(round(event.position().y()))
        if event.button() == Qt.MouseButton.LeftButton and 0 <= row < len(self.layers):
            self._choose(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: -len(self.layers), Qt.Key.Key_End: len(self.layers)}
        if event.key() in steps and self.layers:
            here = next((i for i, layer in enumerate(self.layers) if layer.site.name == self.selected), 0)
            self._choose(min(max(here + steps[Qt.Key(event.key())], 0), len(self.layers) - 1))
        else:
            super().keyPressEvent(event)

    def _choose(self, row: int) -> None:
        self.select(self.layers[row].site.name)
        self.setAccessibleDescription(layer_text(self.layers[row]))
        self.chosen.emit(self.selected)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos().y())
            QToolTip.showText(event.globalPos(), layer_text(self.layers[row]) if 0 <= row < len(self.layers) else "", self)
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._range()

    def _range(self) -> None:
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, len(self.layers) * self.row_height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self.row_height)

    # ------------------------------------------------------------------ paint

    def paintEvent(self, _event: QPaintEvent) -> None:
        height = self.viewport().height()
        self.painted = range(max(0, self.row_at(0)), min(len(self.layers), self.row_at(height) + 1))
        if not self.painted:
            return
        with QPainter(self.viewport()) as painter:  # ends the painter even after an error: one that outlives its event crashes
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        ratio = self.devicePixelRatioF()
        seen = [self.layers[row] for row in self.painted]
        clean = np.stack([layer.clean.numpy() for layer in seen])
        adversarial = np.stack([layer.adversarial.numpy() for layer in seen])
        width = max(1, self.viewport().width() - 2 * _MARGIN)
        pixels = raster(clean, adversarial, max(1, round(width * ratio)), max(1, round(_BARS * ratio)), self.palette())
        inks = _Inks(self)
        for place, row in enumerate(self.painted):
            top = row * self.row_height - self.verticalScrollBar().value()
            self._paint_row(painter, self.layers[row], QRect(_MARGIN, top, width, self.row_height), inks)
            paint_histogram(painter, pixels[place], QPoint(_MARGIN, top + self._line + 4), ratio)

    def _paint_row(self, painter: QPainter, layer: LayerActivity, rect: QRect, inks: _Inks) -> None:
        if layer.site.name == self.selected:
            painter.fillRect(rect.adjusted(-_MARGIN, 0, _MARGIN, 0), inks.shade)
            painter.fillRect(QRect(0, rect.top(), 3, rect.height()), inks.accent)
        line = QRect(rect.left(), rect.top() + 2, rect.width(), self._line)
        left = self._paint_numbers(painter, layer, line, inks)
        painter.setPen(inks.text)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, shortened_name(layer.site.name, inks.metrics, left - line.left() - 8))
        base = rect.top() + self._line + 4 + _BARS
        painter.setPen(inks.line)
        painter.drawLine(rect.left(), base, rect.right(), base)
        bound = self.bounds.get(layer.site.name)
        if bound is not None:
            low, high = float(layer.edges[0]), float(layer.edges[-1])
            x = rect.left() + round(min(1.0, (bound - low) / (high - low)) * (rect.width() - 2))
            painter.fillRect(QRect(x, base - _BARS, 2, _BARS), inks.text)

    def _paint_numbers(self, painter: QPainter, layer: LayerActivity, line: QRect, inks: _Inks) -> int:
        """Paint the layer's numbers at the right of the line, and return where they begin."""
        spikes = "1 spike" if layer.spikes == 1 else f"{layer.spikes} spikes"
        most = f"{with_minus(short(layer.clean_max))} → {with_minus(short(layer.adversarial_max))}"
        painter.setPen(inks.adversarial if layer.spikes else inks.muted)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, spikes)
        line = line.adjusted(0, 0, -inks.metrics.horizontalAdvance(spikes) - 8, 0)
        painter.setPen(inks.muted)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, most)
        return line.left() + line.width() - inks.metrics.horizontalAdvance(most)


class _Inks:
    """The palette's colours, looked up once per paint."""

    def __init__(self, widget: QWidget) -> None:
        palette = widget.palette()
        self.text, self.muted, self.line = text_colour(palette), muted_colour(palette), line_colour(palette)
        self.adversarial = readable(ADVERSARIAL, palette)
        self.accent = palette.highlight().color()
        self.shade = palette.highlight().color()
        self.shade.setAlpha(40)
        self.metrics = widget.fontMetrics()


_CALLS_NOTHING = re.compile(r"[._](activation|relu|act)\d*$", re.IGNORECASE)


def shortened_name(name: str, metrics: QFontMetrics, room: int) -> str:
    """Shorten a site's name to a width in pixels: first the suffix that all rectifiers share is dropped, then parent by parent."""
    if metrics.horizontalAdvance(name) <= room:
        return name
    shown = parts = _CALLS_NOTHING.sub("", name)
    while metrics.horizontalAdvance(shown) > room and "." in parts:
        parts = parts.partition(".")[2]
        shown = f"…{parts}"
    return metrics.elidedText(shown, Qt.TextElideMode.ElideLeft, max(20, room + 1))


def layer_text(layer: LayerActivity) -> str:
    """Describe a layer in words."""
    shape = " × ".join(str(n) for n in layer.site.shape)
    return (
        f"{layer.site.name}: {layer.site.kind}, {shape}\n"
        f"largest activation: clean {with_minus(short(layer.clean_max))}, adversarial {with_minus(short(layer.adversarial_max))}\n"
        f"{counted(layer.spikes, 'unit')} above the clean image's maximum"
    )
