"""The visible contents of a panel: its widgets by their accessible names, and its sentences."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QMenu, QWidget

from gui.widgets import EmptyState, Message

T = TypeVar("T", bound=QWidget)


def named(panel: QWidget, kind: type[T], name: str) -> T:
    """Return the only child of a kind with this accessible name, object name or text."""
    found = [child for child in panel.findChildren(kind) if name in (child.accessibleName(), child.objectName(), text_of(child))]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} are called {name}"
    return found[0]


def text_of(widget: QWidget) -> str:
    """Return the text of a widget; empty for a widget without text."""
    text = getattr(widget, "text", None)
    return str(text()) if callable(text) else text if isinstance(text, str) else ""


def empty_text(panel: QWidget) -> str:
    """Return the sentence of an empty panel; empty if the panel has content."""
    return " ".join(state.text for state in panel.findChildren(EmptyState) if state.isVisible())


def filled_menu(window: QWidget, title: str) -> QMenu:
    """Return the menu of a title, filled as when it opens."""
    (menu,) = (menu for menu in window.findChildren(QMenu) if menu.title() == title)
    menu.aboutToShow.emit()
    return menu


def messages(panel: QWidget) -> list[str]:
    """Return the visible messages of a panel."""
    return [message.text for message in panel.findChildren(Message) if message.isVisible()]
