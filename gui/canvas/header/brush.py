"""BrushOptions: the radius of the brush, shown while a tool that has one is in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from gui.canvas.tool_panes import LARGEST_RADIUS
from gui.canvas.tools import TOOLS

if TYPE_CHECKING:
    from gui.canvas.view import ImageCanvas


class BrushOptions(QWidget):
    """A box for the radius; nothing for a tool without one. The canvas holds the radius."""

    def __init__(self, canvas: ImageCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        self.radius = QSpinBox()
        self.radius.setRange(0, LARGEST_RADIUS)  # the canvas refuses 0, and says why
        self.radius.setSuffix(" px")
        self.radius.setKeyboardTracking(False)
        self.radius.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.radius.setAccessibleName("Radius of the brush")
        self.radius.setToolTip("Radius of the brush in pixels of the image; 1 is a single pixel ([ and ], or Ctrl and the wheel).")
        self.radius.setMinimumWidth(self.radius.sizeHint().width())
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.addWidget(self.radius)
        self.radius.valueChanged.connect(self._on_value)
        canvas.radiusChanged.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show the radius of the canvas's brush if its tool has one."""
        self.setVisible(TOOLS[self._canvas.tool].brushes and not self._canvas.comparing)
        with QSignalBlocker(self.radius):
            self.radius.setValue(self._canvas.radius)

    @Slot(int)
    def _on_value(self, value: int) -> None:
        self._canvas.set_radius(value)
        self.follow()  # a refused number is replaced by the radius that holds
