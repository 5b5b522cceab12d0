"""The light and the dark palette."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from gui.theme.colours import DARK, LIGHT, blend


def palette(dark: bool) -> QPalette:
    """Return the light or the dark palette, all of it derived from six colours."""
    c = {name: QColor(value) for name, value in (DARK if dark else LIGHT).items()}
    made = QPalette(c["button"], c["window"])
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    for text in (role.WindowText, role.Text, role.ButtonText, role.ToolTipText):
        made.setColor(text, c["text"])
        made.setColor(group.Disabled, text, blend(c["text"], c["window"], 0.6))
    made.setColor(role.Base, c["base"])
    made.setColor(role.AlternateBase, blend(c["base"], c["window"], 0.6))
    made.setColor(role.ToolTipBase, c["button"])
    made.setColor(role.PlaceholderText, blend(c["text"], c["base"], 0.5))
    made.setColor(role.Mid, c["line"])
    made.setColor(role.Highlight, c["accent"])
    made.setColor(role.Accent, c["accent"])
    made.setColor(role.HighlightedText, QColor("#101214") if dark else QColor("#FFFFFF"))
    made.setColor(group.Disabled, role.Highlight, blend(c["accent"], c["window"], 0.6))
    made.setColor(role.Link, blend(c["accent"], c["text"], 0.15))
    # The style sheet can only name roles, and Fusion does not use these three.
    made.setColor(role.Dark, blend(c["text"], c["window"], 0.35))
    made.setColor(role.Shadow, blend(c["text"], c["window"], 0.6))
    made.setColor(role.Midlight, blend(c["accent"], c["window"], 0.75))
    return made
