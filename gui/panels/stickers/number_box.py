"""NumberBox: a number with its unit, whole or with one decimal, or nothing while there is nothing to set."""

from __future__ import annotations

import re

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox

from engine.text.formatting import with_minus

_NUMBER = re.compile(r"-?\d+(\.\d?)?")
_BEGUN = re.compile(r"-?\d*(\.\d?)?")


class NumberBox(QDoubleSpinBox):
    """A number with a minus sign as on the axes. Its decimal is shown only where there is one."""

    def __init__(self, unit: str, low: float, high: float) -> None:
        super().__init__()
        self._unit, self._blank = unit, False
        self.setDecimals(1)
        self.setRange(low, high)
        self.setSuffix(unit)

    def set_blank(self, blank: bool) -> None:
        """Show nothing, or the number."""
        if blank != self._blank:
            self._blank = blank
            self.setSuffix("" if blank else self._unit)
            self.lineEdit().setText("" if blank else f"{self.textFromValue(self.value())}{self._unit}")

    def textFromValue(self, value: float) -> str:
        return "" if self._blank else with_minus(f"{round(value, 1):g}" if abs(value) < 1e5 else f"{value:.0f}")

    def valueFromText(self, text: str) -> float:
        typed = self._typed(text)
        return float(typed) if _NUMBER.fullmatch(typed) else self.value()

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Accept numbers with either minus sign and either decimal sign; a text that is none yet may become one."""
        typed, states = self._typed(text), QValidator.State
        if not _BEGUN.fullmatch(typed):
            return states.Invalid, text, place
        within = _NUMBER.fullmatch(typed) and self.minimum() <= float(typed) <= self.maximum()
        return states.Acceptable if within else states.Intermediate, text, place

    def _typed(self, text: str) -> str:
        return text.removesuffix(self._unit).strip().replace("−", "-").replace(",", ".")
