"""LabelCombo: a combo box of class labels with search."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QSizePolicy, QWidget

from gui import theme


class LabelCombo(QComboBox):
    """A combo box of labels after one entry for None. Typing reduces the list to the labels that contain the text.

    ``chosen`` is emitted when the user chooses, never by ``set_value`` or ``set_labels``.
    """

    chosen = Signal(object)
    """The user has chosen a class: its number, or None."""
    mistyped = Signal(str)
    """The user has typed text that names no class, or several; empty when that is corrected."""

    def __init__(self, none_text: str, parent: QWidget | None = None, *, name: str = "", tip: str = "") -> None:
        super().__init__(parent)
        self._none = none_text
        self._line = QLineEdit(self)
        self.setLineEdit(self._line)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMaxVisibleItems(16)
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self._tip = tip
        self._completer = completer = QCompleter(self.model(), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setMaxVisibleItems(16)
        completer.activated.connect(self._on_completed)
        self.setCompleter(completer)
        self._line.setAccessibleName(name)
        self._line.editingFinished.connect(self._take_text)
        self._line.installEventFilter(self)
        self.activated.connect(self._on_activated)
        self._value: int | None = None
        self.unknown = ""
        """The text in the field if it names no label; the value then is still the former one."""
        self.set_labels(())

    # ------------------------------------------------------------------ from the program

    @property
    def value(self) -> int | None:
        """The number of the chosen class; None for the first entry."""
        return self._value

    def set_labels(self, labels: Sequence[str], none_text: str | None = None) -> None:
        """Replace the labels; the value becomes None. Labels that occur twice get their number, since a text is looked up by its name."""
        from engine.class_names import told_apart

        labels = told_apart(labels)
        self._none = self._none if none_text is None else none_text
        self.blockSignals(True)
        self.clear()
        self.addItems([self._none, *labels])
        self.blockSignals(False)
        self._value = None
        self._show()

    def set_none_text(self, text: str) -> None:
        """Set the text of the entry for None."""
        if text != self._none:
            self._none = text
            self.setItemText(0, text)
            if self._value is None:
                self._show()

    def set_value(self, value: int | None) -> None:
        """Show a label by its number, without a signal."""
        value = value if value is None or 0 <= value < self.count() - 1 else None
        stale = not self.unknown and self._line.text() != self.itemText(0 if value is None else value + 1)
        if value != self._value or stale:
            self._value = value
            self._show()

    def _show(self) -> None:
        self.blockSignals(True)
        index = 0 if self._value is None else self._value + 1
        self.setCurrentIndex(index)
        self.setEditText(self.itemText(index))
        self._line.setCursorPosition(0)
        self.blockSignals(False)
        self._mark("")
        self.setToolTip("\n".join(part for part in (self.currentText(), self._tip) if part))

    # ------------------------------------------------------------------ from the user

    @Slot(int)
    def _on_activated(self, index: int) -> None:
        self._choose(index)

    @Slot(str)
    def _on_completed(self, text: str) -> None:
        self._choose(self.findText(text, Qt.MatchFlag.MatchExactly))

    @Slot()
    def _take_text(self) -> None:
        """Choose the typed label, or the only one that contains the text, on Enter or on leaving; mark any other text as mistyped."""
        popup = self._completer.popup()
        if popup is not None and popup.isVisible() and popup.currentIndex().isValid():
            return  # the completer emits the choice itself
        text = self._line.text().strip()
        if text == self.itemText(0 if self._value is None else self._value + 1):
            return
        index = self.findText(text, Qt.MatchFlag.MatchFixedString)
        if index < 0 and text:
            among = [i for i in range(self.count()) if text.casefold() in self.itemText(i).casefold()]
            index = among[0] if len(among) == 1 else -1
        if index < 0 and text:
            self._mark(text)
        else:
            self._choose(index)

    def _mark(self, text: str) -> None:
        if text == self.unknown:
            return
        self.unknown = text
        self._line.setStyleSheet(f"color: {theme.readable(theme.MISTAKE, self.palette()).name()}" if text else "")
        if text:
            self.setToolTip(f"No single class is called “{text}”. Choose one from the list.")
        self.mistyped.emit(text)

    def _choose(self, index: int) -> None:
        if index < 0:
            self._show()
            return
        value = None if index == 0 else index - 1
        if self.unknown:
            self._show()
        changed = value != self._value
        self.set_value(value)
        if changed:
            self.chosen.emit(value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and watched is self._line and not self._line.hasSelectedText():
            self._line.selectAll()  # so that typing replaces the text and searches at once
        return super().eventFilter(watched, event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the panel scrolls; the wheel must not change the label
