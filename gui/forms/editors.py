"""The editors of a form's rows. Each has ``sigChanged``, ``value`` and ``setValue``, which a ParameterTree requires."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QFileDialog, QLineEdit, QSizePolicy, QWidget

from gui import theme
from gui.widgets.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from engine.parameters import Parameter

_LEVEL = 1 / 255
_HEIGHT = 22


class NumberEdit(QAbstractSpinBox):
    """A number, written as 0.03, 8/255 or 5 %. Empty is None if the parameter allows it.

    Text that is not a number is passed on as text, so that the operation refuses it with a sentence.
    """

    sigChanged = Signal()

    def __init__(self, field: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field = field
        self._value: Any = field.default
        self._automatic: float | None = None
        self._problem = ""
        self.setFont(theme.number_font(self.font()))
        self.setAccelerated(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.lineEdit().textEdited.connect(self._on_edited)
        self.editingFinished.connect(self._tidy)
        self.set_automatic(None)
        self._tidy()

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:
        if value != self._value or type(value) is not type(self._value):
            self._value = value
            self._tidy()
            self.sigChanged.emit()

    def set_automatic(self, value: float | None) -> None:
        """Show the value that the operation uses for None, if it is known."""
        self._automatic = value
        text = self._field.none_text if value is None else f"auto: {_short(value)}"
        self.lineEdit().setPlaceholderText(text if self._field.optional else "")
        self._tell()

    def set_problem(self, problem: str) -> None:
        """Say in the tool tip why the value is refused."""
        self._problem = problem
        self._tell()

    def _tell(self) -> None:
        empty = self._field.none_text if self._automatic is None else f"automatic, now {_short(self._automatic)}: {self._field.none_text}"
        self.setToolTip("\n".join(filter(None, (self._problem, self._field.tip, f"Empty: {empty}." if self._field.optional else ""))))

    # ------------------------------------------------------------------ text

    @Slot(str)
    def _on_edited(self, text: str) -> None:
        self._value = self._parse(text)
        self.sigChanged.emit()

    @Slot()
    def _tidy(self) -> None:
        """Show the value in its usual format."""
        text = self._value if isinstance(self._value, str) else "" if self._value is None else self._format(self._value)
        if text != self.lineEdit().text():
            self.lineEdit().setText(text)

    def _parse(self, text: str) -> Any:
        from engine.errors import GibbonError

        if not text.strip() and self._field.optional:
            return None
        try:
            return self._field.read(text)
        except GibbonError:
            return text.strip()

    def _format(self, value: float) -> str:
        from engine.text.formatting import format_number
        from engine.text.parsing import parse_number

        if self._field.kind == "integer":
            return str(value)
        short = format_number(value)
        return short if math.isclose(parse_number(short), value, rel_tol=1e-12) else f"{value:.12g}"

    # ------------------------------------------------------------------ steps

    def stepBy(self, steps: int) -> None:
        value = self._base()
        unit = self._unit(value, steps)
        count = round(value / unit) + steps
        after = count / 255 if unit == _LEVEL else float(f"{count * unit:.10g}")
        self._value = self._kept(int(after) if self._field.kind == "integer" else after, value)
        self._tidy()
        self.sigChanged.emit()

    def _base(self) -> float:
        """Return the number from which a step starts."""
        if isinstance(self._value, (int, float)):
            return self._value
        if self._automatic is not None:
            return self._automatic
        return self._field.default if isinstance(self._field.default, (int, float)) else self._field.low or 0

    def _unit(self, value: float, steps: int) -> float:
        """Return the size of a step: 1/255 for a number written in grey levels, else one unit of the second digit."""
        if self._field.kind == "integer":
            return 1
        levels = value / _LEVEL
        if value > 0 and levels <= 32.5 and abs(levels - round(levels)) < 1e-6 and not (levels < 1.5 and steps < 0):
            return _LEVEL
        return float(10.0 ** (math.floor(math.log10(abs(value))) - 1)) if value else 0.01

    def _kept(self, after: float, before: float) -> float:
        low, high = self._field.low, self._field.high
        if low is not None and (after < low or (self._field.open_low and after <= low)):
            return before if self._field.open_low else type(after)(low)
        if high is not None and (after > high or (self._field.open_high and after >= high)):
            return before if self._field.open_high else type(after)(high)
        return after

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag.StepUpEnabled | QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return QAbstractSpinBox.StepEnabledFlag.StepNone if self.isReadOnly() else flags

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return QValidator.State.Acceptable, text, position  # the operation decides, with a sentence

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()  # the panel scrolls

    def sizeHint(self) -> QSize:
        metrics, hint = self.fontMetrics(), super().sizeHint()
        return QSize(metrics.horizontalAdvance("auto: 0.5/255") + 40, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("12345/255") + 32, super().minimumSizeHint().height())


def _short(value: float) -> str:
    """Return a short text of a number, for reading only."""
    from engine.text.formatting import format_number

    text = format_number(value)
    return text if "/" in text else f"{value:.3g}"


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


Editor = NumberEdit | ChoiceEdit | FlagEdit | TextEdit


def mark_wrong(editor: Editor, field: Parameter, problem: str) -> None:
    """Mark an editor whose value is refused, and say why in its tool tip; an empty ``problem`` takes the mark away."""
    if str(editor.property("problem") or "") == problem:
        return
    editor.setProperty("problem", problem)
    marked = editor.lineEdit() if isinstance(editor, QAbstractSpinBox) else editor
    colour = theme.readable(theme.MISTAKE, editor.palette()).name()
    marked.setStyleSheet(f"color: {colour}; text-decoration: underline;" if problem else "")
    editor.setAccessibleDescription(problem or field.doc)
    if isinstance(editor, NumberEdit):
        editor.set_problem(problem)
    else:
        editor.setToolTip("\n".join(filter(None, (problem, field.tip))))


def editor_for(field: Parameter) -> Editor:
    """Return the editor of a parameter, with its tool tip and accessible name."""
    makers: dict[str, Any] = {"number": NumberEdit, "integer": NumberEdit, "choice": ChoiceEdit, "flag": FlagEdit, "text": TextEdit}
    editor: Editor = makers[field.kind](field)
    if not editor.toolTip():
        editor.setToolTip(field.tip)
    editor.setAccessibleName(field.title)
    editor.setAccessibleDescription(field.doc)
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    editor.setFixedHeight(max(_HEIGHT, editor.fontMetrics().height() + 8))
    return editor
