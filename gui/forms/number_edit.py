"""NumberEdit: the editor of a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QSizePolicy, QWidget

from gui import theme

if TYPE_CHECKING:
    from engine.parameters import Parameter

_LEVEL = 1 / 255


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
        count = round(value / unit) + steps * (2 if self._field.odd else 1)
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
