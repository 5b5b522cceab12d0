"""The editors of a form's rows. Each has ``sigChanged``, ``value`` and ``setValue``, which a ParameterTree requires."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QSizePolicy, QWidget

from gui import theme
from gui.forms.number_edit import NumberEdit
from gui.forms.slider_edit import SliderEdit
from gui.widgets.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from engine.parameters import Parameter

_HEIGHT = 22


class ChoiceEdit(ElidedCombo):
    """A choice among a few values. One that is too long for the field is shortened; its list shows all of it."""

    sigChanged = Signal()

    def __init__(self, field: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(ElidedCombo.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self._values = ((None,) if field.optional else ()) + field.choices
        for value in self._values:
            self.addItem(field.shown(value))
        self.setCurrentIndex(self._values.index(field.default))
        self.currentIndexChanged.connect(self._on_changed)

    @Slot(int)
    def _on_changed(self, _index: int) -> None:
        self.sigChanged.emit()

    def value(self) -> Any:
        return self._values[self.currentIndex()]

    def setValue(self, value: Any) -> None:
        self.setCurrentIndex(self._values.index(value))


class FlagEdit(QCheckBox):
    """A check box for True and False."""

    sigChanged = Signal()

    def __init__(self, field: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setChecked(bool(field.default))
        self.toggled.connect(self._on_toggled)

    @Slot(bool)
    def _on_toggled(self, _checked: bool) -> None:
        self.sigChanged.emit()

    def value(self) -> bool:
        return self.isChecked()

    def setValue(self, value: Any) -> None:
        self.setChecked(bool(value))


class TextEdit(QLineEdit):
    """A text, with a file dialog for the path of a file. Empty is None if the parameter allows it.

    Of a path that is too long the end is shown, which holds the file's name, unless it is edited; the tool tip holds all of it.
    """

    sigChanged = Signal()

    def __init__(self, field: Parameter, parent: QWidget | None = None) -> None:
        super().__init__("" if field.default is None else str(field.default), parent)
        self._optional, self._is_file, self._tip = field.optional, field.is_file, field.tip
        if field.optional:
            self.setPlaceholderText(field.none_text)
        self._show_end()
        self.textEdited.connect(self._on_edited)
        if field.is_file:
            self.browse = self.addAction(theme.icon("mdi6.folder-open-outline"), QLineEdit.ActionPosition.TrailingPosition)
            self.browse.setToolTip("Choose a file")
            self.browse.triggered.connect(self._on_browse)

    @Slot()
    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a file", self.text())
        if path:
            self.setValue(path)

    def _show_end(self) -> None:
        """Show the end of a path, and all of it as the tool tip."""
        empty = f"Empty: {self.placeholderText()}." if self._optional else ""
        self.setToolTip("\n".join(filter(None, (self.text() if self._is_file else "", self._tip, empty))))
        if self._is_file and not self.hasFocus():
            self.setCursorPosition(len(self.text()))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show_end()

    @Slot(str)
    def _on_edited(self, _text: str) -> None:
        self.sigChanged.emit()

    def value(self) -> str | None:
        return None if self._optional and not self.text() else self.text()

    def setValue(self, value: Any) -> None:
        text = "" if value is None else str(value)
        if text != self.text():
            self.setText(text)
            self._show_end()
            self.sigChanged.emit()


Editor = NumberEdit | ChoiceEdit | FlagEdit | TextEdit | SliderEdit


def mark_wrong(editor: Editor, field: Parameter, problem: str) -> None:
    """Mark an editor whose value is refused, and say why in its tool tip; an empty ``problem`` takes the mark away."""
    if str(editor.property("problem") or "") == problem:
        return
    editor.setProperty("problem", problem)
    number = editor.number if isinstance(editor, SliderEdit) else editor
    marked = number.lineEdit() if isinstance(number, NumberEdit) else number
    colour = theme.readable(theme.MISTAKE, editor.palette()).name()
    marked.setStyleSheet(f"color: {colour}; text-decoration: underline;" if problem else "")
    editor.setAccessibleDescription(problem or field.doc)
    if isinstance(number, NumberEdit):
        number.set_problem(problem)
    else:
        editor.setToolTip("\n".join(filter(None, (problem, field.tip))))


def editor_for(field: Parameter, make: Callable[[Parameter], Editor] | None = None) -> Editor:
    """Return the editor of a parameter, with its tool tip and accessible name; ``make`` makes another one than its kind has."""
    makers: dict[str, Any] = {"number": NumberEdit, "integer": NumberEdit, "choice": ChoiceEdit, "flag": FlagEdit, "text": TextEdit}
    editor: Editor = (make or makers[field.kind])(field)
    if not editor.toolTip():
        editor.setToolTip(field.tip)
    editor.setAccessibleName(field.title)
    editor.setAccessibleDescription(field.doc)
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    editor.setFixedHeight(max(_HEIGHT, editor.fontMetrics().height() + 8))
    return editor
