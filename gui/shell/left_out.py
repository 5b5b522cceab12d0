"""The box that lists what the lectures name and Gibbon leaves out."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.text.left_out import LEFT_OUT
from gui import theme

TITLE = "What the lectures name and Gibbon leaves out"


def left_out(parent: QWidget) -> QMessageBox:
    """Show the box: each subject with the reason."""
    box = theme.rich(QMessageBox(parent))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Left out")
    box.setText(f"<b>{TITLE}</b>")
    box.setInformativeText("".join(f"<p><b>{html.escape(each.subject)}.</b> {html.escape(each.why)}</p>" for each in LEFT_OUT))
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.open()
    return box
