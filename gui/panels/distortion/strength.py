"""StrengthEdit: a slider over the strengths of a distortion, and the number itself. The slider is even in the strengths that are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from gui.forms.number_edit import NumberEdit

if TYPE_CHECKING:
    from engine.evaluate.distortion import Distortion

FINE = 40
"""Positions of the slider from one strength that is tried to the next."""
_TIP = "How strong the distortion is. The pictures, the bars and the answer follow."


def knots(kind: Distortion) -> tuple[float, ...]:
    """Return the strengths that are tried, after the one that changes nothing if there is one."""
    return kind.strengths if kind.nothing is None else (kind.nothing, *kind.strengths)


def strength_at(kind: Distortion, place: int) -> float:
    """Return the strength at a position of the slider, by three digits; between two strengths that are tried it is interpolated."""
    known = knots(kind)
    first = min(place // FINE, len(known) - 2)
    share = (place - first * FINE) / FINE
    value = known[first] + share * (known[first + 1] - known[first])
    return float(round(value)) if kind.whole else float(f"{value:.3g}")


def place_of(kind: Distortion, strength: float) -> int:
    """Return the position of the slider that is nearest to a strength."""
    return min(range((len(knots(kind)) - 1) * FINE + 1), key=lambda place: abs(strength_at(kind, place) - strength))


class StrengthEdit(QWidget):
    """The slider and the number. The number may leave the slider's range, as far as the distortion makes sense."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind: Distortion | None = None
        self.strength = 0.0
        self.problem = ""
        """The reason why the number is refused; empty if it is not."""
        self.slider = _Slider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Strength")
        self.slider.setToolTip(_TIP)
        self.number: NumberEdit | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.slider, 1)
        self.slider.valueChanged.connect(self._on_slider)

    def set_kind(self, kind: Distortion) -> None:
        """Take another distortion, at its middle strength."""
        self.kind = kind
        self._make_number(kind)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, (len(knots(kind)) - 1) * FINE)
            self.slider.setPageStep(FINE)
        self.set_strength(kind.strengths[len(kind.strengths) // 2])

    def set_strength(self, strength: float) -> None:
        """Set the strength."""
        assert self.number is not None
        self._take(strength)
        with QSignalBlocker(self.number):
            self.number.setValue(strength)
        self.changed.emit()

    def _make_number(self, kind: Distortion) -> None:
        from engine.parameters import Parameter

        before, middle = self.number, kind.strengths[len(kind.strengths) // 2]
        field = Parameter("strength", "number", middle, "", "strength", doc=_TIP, low=kind.low, high=kind.high)
        self.number = NumberEdit(field, self)
        self.number.setAccessibleName("Strength as a number")
        self.number.setButtonSymbols(NumberEdit.ButtonSymbols.NoButtons)
        self.number.setFixedWidth(self.number.fontMetrics().horizontalAdvance("0.0000") + 16)
        self.number.sigChanged.connect(self._on_number)
        self._row.addWidget(self.number)
        if before is not None:
            self._row.removeWidget(before)
            before.hide()
            before.deleteLater()

    def _take(self, strength: float) -> None:
        assert self.kind is not None
        self.strength, self.problem = strength, ""
        if not self.slider.isSliderDown():
            with QSignalBlocker(self.slider):
                self.slider.setValue(place_of(self.kind, strength))

    @Slot(int)
    def _on_slider(self, place: int) -> None:
        if self.kind is not None:
            self.set_strength(strength_at(self.kind, place))

    @Slot()
    def _on_number(self) -> None:
        from engine.errors import GibbonError
        from engine.evaluate.distortion.kinds import check_strength

        assert self.number is not None
        assert self.kind is not None
        value = self.number.value()
        try:
            if not isinstance(value, (int, float)):
                raise GibbonError(f"“{value}” is no number. Write it as 0.1, 1/8 or 10 %.")
            check_strength(self.kind, value)
        except GibbonError as error:
            self.problem = str(error)
        else:
            self._take(float(value))
        self.changed.emit()


class _Slider(QSlider):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the panel scrolls
