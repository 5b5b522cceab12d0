"""FigurePreview: the composed figure, fitted to the room or at its actual size, with what is to be said about it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.export.figure_source import Picture
from gui.widgets import ElidedLabel

_LEAST, _MOST = 60.0, 320.0
"""Credible dots per inch of a screen; others come from drivers that do not know its size."""


class FigurePreview(QWidget):
    """Shows a `Picture`. It asks for another one when its room or its scale changes."""

    changed = Signal()
    """The picture is needed in another size."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = QLabel("Composing the figure…")  # matplotlib's list of fonts, made once, takes seconds
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName("Preview of the figure")
        self.picture.setWordWrap(True)
        self.area = QScrollArea()
        self.area.setWidget(self.picture)
        self.area.setWidgetResizable(True)
        self.area.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.scale = QComboBox()
        self.scale.addItem("Fit", False)
        self.scale.addItem("Actual size", True)
        self.scale.setAccessibleName("Size of the preview")
        self.scale.setToolTip("Fit: the whole figure. Actual size: as large as on paper, as far as the screen knows its own size.")
        self.scale.currentIndexChanged.connect(self.changed)
        self.size_label = ElidedLabel("")
        self.remark = QLabel()
        self.remark.setWordWrap(True)
        self.remark.hide()
        foot = QHBoxLayout()
        foot.addWidget(self.scale)
        foot.addWidget(self.size_label, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(ElidedLabel(title))
        layout.addWidget(self.area, 1)
        layout.addWidget(self.remark)
        layout.addLayout(foot)

    @property
    def room(self) -> QSize:
        """The room for the picture, in pixels of the screen."""
        size = self.area.viewport().size() - QSize(2 * theme.GRID, 2 * theme.GRID)
        return QSize(max(300, size.width()), max(200, size.height())) * self.devicePixelRatioF()

    @property
    def actual_dpi(self) -> float | None:
        """The screen's pixels per inch where the actual size is chosen; None where the figure is fitted."""
        if not self.scale.currentData():
            return None
        dpi = self.screen().physicalDotsPerInch() if self.screen() is not None else 96.0
        return (dpi if _LEAST <= dpi <= _MOST else 96.0) * self.devicePixelRatioF()

    def show_picture(self, picture: Picture) -> None:
        """Show a composed figure."""
        pixmap = QPixmap()
        pixmap.loadFromData(picture.png)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.picture.setPixmap(pixmap)
        self.size_label.setText(f"Printed at {picture.width_mm:.0f} × {picture.height_mm:.0f} mm")
        self.remark.setText(picture.boxes)
        self.remark.setVisible(bool(picture.boxes))

    @Slot(str)
    def show_sentence(self, sentence: str) -> None:
        """Show a sentence in place of the picture, and nothing old beside it."""
        self.picture.clear()
        self.picture.setText(sentence)
        self.size_label.setText("")
        self.remark.hide()
