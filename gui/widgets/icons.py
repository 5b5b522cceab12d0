"""Icons of one set, in a colour of the palette."""

from __future__ import annotations

from PySide6.QtGui import QIcon, QPalette
from PySide6.QtWidgets import QWidget


def icon(name: str, of: QWidget, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """``mdi6.play`` in the colour that ``of`` writes with. Ask again when the palette changes."""
    import qtawesome  # takes a moment to import, so not before the window stands

    palette = of.palette()
    found: QIcon = qtawesome.icon(
        name, color=palette.color(role), color_disabled=palette.color(QPalette.ColorGroup.Disabled, role)
    )
    return found
