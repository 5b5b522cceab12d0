"""Icons of one set, in a colour of the palette."""

from __future__ import annotations

from PySide6.QtGui import QIcon, QPalette
from PySide6.QtWidgets import QWidget

from gui import theme


def icon(name: str, _of: QWidget, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """``mdi6.play`` in that colour of the palette, which it follows by itself."""
    return theme.icon(name, role)
