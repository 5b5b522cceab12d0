"""ZoomText: the zoom of the canvas in percent, at a fixed width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel

from gui.theme import number_font

if TYPE_CHECKING:
    from gui.canvas.view import ImageCanvas


class ZoomText(QLabel):
    """Shows how many screen pixels an image pixel has, in percent."""

    def __init__(self, canvas: ImageCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        self.setFont(number_font(self.font()))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName("Zoom")
        self.setToolTip("Screen pixels for each image pixel. Ctrl+1 to Ctrl+4 show whole multiples, Ctrl+0 fits the image.")
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("16,000 %") + 4)
        canvas.zoomChanged.connect(self._on_zoom)
        self._on_zoom()

    @Slot()
    def _on_zoom(self) -> None:
        there = self._canvas.image_size is not None
        self.setText(f"{100 * self._canvas.viewpoint.scale:,.0f} %" if there else "")
