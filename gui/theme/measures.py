"""The unit of spacings, pens of one width at any zoom, and a font whose digits do not jump."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPen

GRID = 8
"""The unit of spacings, in pixels."""
TEXT_BESIDE_ICON = Qt.ToolButtonStyle.ToolButtonTextBesideIcon


def pen(colour: QColor | str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen whose width is in screen pixels at any zoom."""
    made = QPen(QColor(colour), width, style)
    made.setCosmetic(True)
    return made


def number_font(font: QFont) -> QFont:
    """Return ``font`` with digits of equal width, so that nothing jumps when a value changes."""
    made = QFont(font)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made
