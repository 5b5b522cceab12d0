"""Section: a part of a panel with a title, which can be folded."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Section(QWidget):
    """A header with an arrow, and a body. Further widgets can be added at the right of ``header``."""

    toggled = Signal(bool)

    def __init__(self, title: str, parent: QWidget | None = None, *, opened: bool = True, tip: str = "") -> None:
        super().__init__(parent)
        self.button = QToolButton(self)
        self.button.setText(title)
        self.button.setCheckable(True)
        self.button.setChecked(opened)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.button.setStyleSheet("QToolButton { border: none; text-align: left; font-weight: 600; padding: 2px 0; }")
        self.button.setToolTip(tip or f"Show or hide: {title}")
        self.button.setAccessibleName(title)
        self.button.toggled.connect(self._on_toggled)
        self.header = QHBoxLayout()
        self.header.setContentsMargins(0, 0, 0, 0)
        self.header.setSpacing(4)
        self.header.addWidget(self.button, 1)
        self.body = QWidget(self)
        self.layout_ = QVBoxLayout(self.body)
        self.layout_.setContentsMargins(0, 0, 0, 4)
        self.layout_.setSpacing(6)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(self.header)
        outer.addWidget(self.body)
        self._on_toggled(opened)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Add a widget to the body."""
        self.layout_.addWidget(widget, stretch)

    def set_title(self, title: str) -> None:
        """Replace the title."""
        self.button.setText(title)

    @property
    def opened(self) -> bool:
        """Whether the body is visible."""
        return self.button.isChecked()

    @Slot(bool)
    def _on_toggled(self, opened: bool) -> None:
        self.body.setVisible(opened)
        self.button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.toggled.emit(opened)
