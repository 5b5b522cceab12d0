"""ImageView: the part of a pane that holds the image, in pyqtgraph's view box, and its overlays."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.canvas.items import GridItem, MarkItem, OverlayItem
from gui.canvas.stage_items import DividerItem, ScaleItem, VeilItem
from gui.canvas.sticker_items import BrushItem, HandlesItem, OutlinesItem, SketchItem


class ClippedImage(pg.ImageItem):
    """An image of which only the columns left of a position are painted."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major", autoLevels=False)
        self._share = 1.0

    def clip(self, share: float) -> None:
        """Paint only this share of the width, from the left."""
        if share != self._share:
            self._share = share
            self.update()

    def paint(self, painter: QPainter, *arguments: object) -> None:
        if self.image is None:
            return
        height, width = self.image.shape[:2]
        painter.save()
        painter.setClipRect(QRectF(0, 0, width * self._share, height))
        super().paint(painter, *arguments)
        painter.restore()


class ImageView(pg.GraphicsView):
    """A view of an image, or of a second one over it. The canvas handles its mouse and its keys."""

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
        self.image, self.over = pg.ImageItem(axisOrder="row-major", autoLevels=False), ClippedImage()
        for item in (self.image, self.over):
            self.box.addItem(item, ignoreBounds=True)
        self.over.hide()
        self.veil, self.divider, self.scale_bar = VeilItem(), DividerItem(), ScaleItem()
        self.grid, self.outlines, self.handles, self.mark = GridItem(), OutlinesItem(), HandlesItem(), MarkItem()
        self.sketch, self.brush = SketchItem(), BrushItem()
        for overlay in self.overlays:
            self.scene().addItem(overlay)

    @property
    def overlays(self) -> tuple[OverlayItem, ...]:
        """All overlays of the image."""
        drawn = self.outlines, self.handles, self.sketch, self.brush
        return self.veil, self.grid, *drawn, self.mark, self.divider, self.scale_bar

    def show_pixels(self, pixels: np.ndarray | None, size: tuple[int, int]) -> None:
        """Show an image ``(H, W, 3 or 4)`` uint8, stretched to a height and width in the canvas's image pixels."""
        _put(self.image, pixels, size)

    def show_over(self, pixels: np.ndarray | None, size: tuple[int, int], share: float = 1.0) -> None:
        """Show the left ``share`` of a second image over the first; None hides it."""
        self.over.setVisible(pixels is not None)
        if pixels is not None:
            _put(self.over, pixels, size)
            self.over.clip(share)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event is not None:  # pyqtgraph calls this without an event in its constructor
            self.resized.emit()

    def viewport_widget(self) -> QWidget:
        """Return the widget that gets the mouse events."""
        viewport: QWidget = self.viewport()
        return viewport

    def sizeHint(self) -> QSize:
        return QSize(420, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 80)


def _put(item: pg.ImageItem, pixels: np.ndarray | None, size: tuple[int, int]) -> None:
    if pixels is None:
        item.clear()
        return
    if pixels is not item.image:
        item.setImage(pixels, autoLevels=False)
    stretched = pixels.shape[:2] != size
    if stretched:
        item.setRect(QRectF(0, 0, size[1], size[0]))
    elif not item.transform().isIdentity():
        item.resetTransform()
