"""Pane: one of the two panes, with a heading, the image and its overlays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.canvas.items import GridItem, HandlesItem, MarkItem, OutlinesItem, OverlayItem
from gui.canvas.placement import Placement, Viewpoint, to_whole
from gui.canvas.readout import ValueLine

if TYPE_CHECKING:
    from engine.stickers import Sticker


def surround(palette: QPalette) -> QColor:
    """Return the neutral grey around an image, for a light or a dark palette."""
    return QColor(58, 58, 58) if theme.is_dark(palette) else QColor(190, 190, 190)


class Heading(QWidget):
    """The heading of a pane: a title with its colour, and a caption."""

    def __init__(self, title: str, colour: str) -> None:
        super().__init__()
        swatch = QFrame()
        swatch.setFixedSize(12, 12)
        swatch.setStyleSheet(f"background: {colour}; border-radius: 2px;")
        name = QLabel(title)
        font = name.font()
        font.setBold(True)
        name.setFont(font)
        self.caption = ValueLine(Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 4, 4)
        row.setSpacing(8)
        row.addWidget(swatch)
        row.addWidget(name)
        row.addWidget(self.caption, 1)


class ImageView(pg.GraphicsView):
    """A view of the image. The canvas handles its mouse and its keys."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__(background=None)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.viewport().setMouseTracking(True)
        # The canvas as a whole accepts dropped files.
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.box = pg.ViewBox(lockAspect=True, enableMouse=False, enableMenu=False, invertY=True, defaultPadding=0)
        self.box.disableAutoRange()
        self.setCentralItem(self.box)
        self.image = pg.ImageItem(axisOrder="row-major", autoLevels=False)
        self.box.addItem(self.image, ignoreBounds=True)
        self.grid, self.outlines, self.handles, self.mark = GridItem(), OutlinesItem(), HandlesItem(), MarkItem()
        for item in self.overlays:
            self.scene().addItem(item)

    @property
    def overlays(self) -> tuple[OverlayItem, ...]:
        """All overlays of the image."""
        return self.grid, self.outlines, self.handles, self.mark

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event is not None:  # pyqtgraph calls this without an event in its constructor
            self.resized.emit()

    def sizeHint(self) -> QSize:
        return QSize(420, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 120)


class Pane(QWidget):
    """An image with its heading, its overlays and a hint while it is empty."""

    def __init__(self, title: str, colour: str, hint: str) -> None:
        super().__init__()
        self.pixels: np.ndarray | None = None
        self.placement = Placement(0, 0, 1.0)
        self.heading = Heading(title, colour)
        rule = QFrame()
        rule.setFixedHeight(2)
        rule.setStyleSheet(f"background: {colour};")
        self.view = ImageView()
        self.view.setAccessibleName(f"{title} image")
        self._hint = QLabel(hint, self.view)
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.view.resized.connect(self._place_hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(rule)
        column.addWidget(self.view, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._follow_palette()

    @property
    def viewport(self) -> QWidget:
        """The widget that gets the mouse events."""
        viewport: QWidget = self.view.viewport()
        return viewport

    def set_image(self, pixels: np.ndarray | None) -> None:
        """Show an image ``(H, W, 3)`` uint8; None shows the hint."""
        self.pixels = None if pixels is None else np.ascontiguousarray(pixels)
        self._hint.setVisible(pixels is None)
        if self.pixels is None:
            self.view.image.clear()
            self.view.grid.set_size(0, 0)
        else:
            self.view.image.setImage(self.pixels, autoLevels=False)
            self.view.grid.set_size(self.pixels.shape[1], self.pixels.shape[0])

    def set_stickers(self, stickers: tuple[Sticker, ...], selected: int | None, *, handles: bool) -> None:
        """Show the outlines of stickers and, with ``handles``, the handles of the selected one."""
        self.view.outlines.show_stickers(stickers, selected)
        chosen = next((sticker for sticker in stickers if sticker.id == selected), None)
        self.view.handles.show_sticker(chosen if handles else None)

    def set_viewpoint(self, viewpoint: Viewpoint) -> None:
        """Set zoom and pan."""
        width, height = self.viewport.width(), self.viewport.height()
        if not width or not height:
            return
        self.placement = Placement.of(viewpoint, width, height)
        left, top = self.placement.to_image(0, 0)
        scale = self.placement.scale
        self.view.box.setRange(QRectF(left, top, width / scale, height / scale), padding=0)
        for item in self.view.overlays:
            item.place(self.placement, width, height)

    def position(self, x: float, y: float) -> QPoint:
        """Return the position of an image point in the viewport."""
        left, top = self.placement.to_screen(x, y)
        return QPoint(to_whole(left), to_whole(top))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._follow_palette()
        super().changeEvent(event)

    def _follow_palette(self) -> None:
        grey = surround(self.palette())
        self.view.setBackground(grey)
        ink = "#1a1a1a" if grey.lightness() > 128 else "#e0e0e0"
        self._hint.setStyleSheet(f"color: {ink}; background: transparent;")

    def _place_hint(self) -> None:
        self._hint.setGeometry(self.view.rect().adjusted(24, 24, -24, -24))
