"""What can be seen of a panel: its widgets by the names that they have for a screen reader, and the sentences on it."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QMenu, QWidget

from gui.widgets import EmptyState, Message

T = TypeVar("T", bound=QWidget)


def named(panel: QWidget, kind: type[T], name: str) -> T:
    """The one child of that kind whose accessible name, object name or text it is."""
    found = [child for child in panel.findChildren(kind) if name in (child.accessibleName(), child.objectName(), text_of(child))]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} are called {name}"
    return found[0]


def text_of(widget: QWidget) -> str:
    """What stands on it; empty where it bears no text."""
    text = getattr(widget, "text", None)
    return str(text()) if callable(text) else ""


def empty_text(panel: QWidget) -> str:
    """The sentence of an empty panel; empty where the panel shows something."""
    return " ".join(state.text for state in panel.findChildren(EmptyState) if state.isVisible())


def filled_menu(window: QWidget, title: str) -> QMenu:
    """The menu of that title, filled as it is when it opens."""
    (menu,) = (menu for menu in window.findChildren(QMenu) if menu.title() == title)
    menu.aboutToShow.emit()
    return menu


def messages(panel: QWidget) -> list[str]:
    """The sentences in their places that can be seen."""
    return [message.text for message in panel.findChildren(Message) if message.isVisible()]
