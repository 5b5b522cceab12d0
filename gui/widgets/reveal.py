"""Bringing a control into sight: its tab to the front, its section unfolded, its scroll area scrolled."""

from __future__ import annotations

from PySide6.QtWidgets import QScrollArea, QTabWidget, QWidget

from gui.widgets.section import Section


def reveal(widget: QWidget) -> None:
    """Make a widget visible within its panel, from the outside to the inside."""
    chain: list[QWidget] = [widget]
    while (above := chain[-1].parentWidget()) is not None and not above.isWindow():
        chain.append(above)
    for place in range(len(chain) - 1, -1, -1):
        part = chain[place]
        if isinstance(part, QTabWidget):
            pages = [inner for inner in chain[:place] if part.indexOf(inner) >= 0]
            if pages:
                part.setCurrentWidget(pages[0])
        elif isinstance(part, Section) and not part.opened:
            part.button.setChecked(True)
    for part in chain:
        if isinstance(part, QScrollArea) and part.widget() is not None:
            part.ensureWidgetVisible(widget)
