"""PopupKeys: the shortcuts of a window, which work on while a popup is open over it. Qt gives every key to the popup alone."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_CONTEXTS = (Qt.ShortcutContext.WindowShortcut, Qt.ShortcutContext.ApplicationShortcut)
_NONE, _EXACT = QKeySequence.SequenceMatch.NoMatch, QKeySequence.SequenceMatch.ExactMatch


class PopupKeys(QObject):
    """Finds the command of the window below a popup for the keys that are typed in the popup, closes the popup, and carries it out.

    As in the window itself, a text field comes first with the keys that edit it, such as Ctrl+V. Plain letters stay with the popup, where
    they search a list. A shortcut of several keys, such as Ctrl+K, N, is remembered until its last one.
    """

    def __init__(self, popup: QWidget) -> None:
        super().__init__(popup)
        self._popup = popup
        self._typed: tuple[QKeyCombination, ...] = ()
        self._watched: QWidget | None = None

    def override(self, event: QEvent) -> None:
        """Note a key that no widget of the popup claims (an event of type ``ShortcutOverride``): its press may belong to a shortcut."""
        if isinstance(event, QKeyEvent) and not self._typed and _may_begin(event) and self._match((event.keyCombination(),))[0] != _NONE:
            self.forget()
            self._watched = self._popup.focusWidget() or self._popup
            self._watched.installEventFilter(self)

    def forget(self) -> None:
        """Forget the keys that began a shortcut, since the popup was closed."""
        self._typed = ()
        if self._watched is not None:
            self._watched.removeEventFilter(self)
            self._watched = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the presses of a shortcut's keys before the widget that has the keyboard does."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent) or _is_modifier(event.key()):
            return super().eventFilter(watched, event)
        keys = (*self._typed, event.keyCombination())
        match, action = self._match(keys)
        if match == _NONE or action is not None:
            self.forget()
        else:
            self._typed = keys
        if action is not None:
            self._popup.close()
            QTimer.singleShot(0, action, action.trigger)  # the command may open another popup or a dialog
        return match != _NONE

    def _match(self, keys: tuple[QKeyCombination, ...]) -> tuple[QKeySequence.SequenceMatch, QAction | None]:
        """Return how well keys match the shortcuts of the window, and the command that they complete."""
        typed, best = QKeySequence(*keys), _NONE
        for action in self._commands():
            for shortcut in action.shortcuts():
                match = typed.matches(shortcut)
                if match == _EXACT:
                    return match, action
                best = best if match == _NONE else match
        return best, None

    def _commands(self) -> Iterator[QAction]:
        parent = self._popup.parentWidget()
        while parent is not None:
            window = parent.window()
            yield from (action for action in window.actions() if action.shortcutContext() in _CONTEXTS and action.isEnabled())
            parent = window.parentWidget()


def _is_modifier(key: int) -> bool:
    return key in (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


def _may_begin(event: QKeyEvent) -> bool:
    """Return whether a key can begin a shortcut here: a function key, or one with Ctrl, Alt or Meta."""
    return bool(event.modifiers() & _MODIFIERS) or Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
