"""SliderEdit: a number with a slider beside it, for parameters that are moved while their effect is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from gui.forms.number_edit import NumberEdit

if TYPE_CHECKING:
    from engine.parameters import Parameter

_PLACES = 200
"""Positions of the slider at the most; a parameter with fewer whole numbers has one for each."""
_LOW_DEFAULT = 0.1
"""The share of the range below which a default asks for finer steps at the lower end."""
_CURVE = 3
"""The power by which the lower end has finer steps."""


def has_slider(field: Parameter) -> bool:
    """Return whether a parameter can have a slider: a number that is never empty, between two limits."""
    return field.kind in ("number", "integer") and not field.optional and field.low is not None and field.high is not None


class Scale:
    """The places of a slider and their values."""

    def __init__(self, field: Parameter) -> None:
        assert field.low is not None
        assert field.high is not None
        self._field, self._low, self._high = field, field.low, field.high
        self._power = _CURVE if (field.default - self._low) < _LOW_DEFAULT * (self._high - self._low) else 1
        whole = field.kind == "integer" and self._power == 1 and self._high - self._low <= _PLACES
        self.places = round(self._high - self._low) if whole else _PLACES

    def value(self, place: int) -> float:
        """Return the value at a place, with two digits; an end that is out of range gives the one beside it."""
        first, last = int(self._field.open_low), self.places - int(self._field.open_high)
        share: float = (min(max(place, first), last) / self.places) ** self._power
        value = self._low + share * (self._high - self._low)
        if self._field.odd:
            return 2 * (round(value) // 2) + 1 if round(value) < self._high else round(self._high)
        return round(value) if self._field.kind == "integer" else float(f"{value:.2g}")

    def place(self, value: float) -> int:
        """Return the place nearest to a value."""
        share = min(max((value - self._low) / (self._high - self._low), 0.0), 1.0)
        return round(self.places * float(share ** (1 / self._power)))


class SliderEdit(QWidget):
    """A `NumberEdit` behind a slider. The number may be any; the slider has round ones."""

    sigChanged = Signal()

    def __init__(self, field: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number, self.slider, self._scale = NumberEdit(field, self), _Slider(Qt.Orientation.Horizontal, self), Scale(field)
        self.slider.setRange(0, self._scale.places)
        self.slider.setPageStep(max(1, self._scale.places // 10))
        self.slider.setAccessibleName(f"{field.title}, slider")
        self.slider.setToolTip(field.tip)
        self.number.setAccessibleName(field.title)
        self.number.setButtonSymbols(NumberEdit.ButtonSymbols.NoButtons)  # the slider is there for that, and needs the room
        self.number.setFixedWidth(self.number.fontMetrics().horizontalAdvance("0.0000") + 16)
        self.setFocusProxy(self.number)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self._follow()
        self.number.sigChanged.connect(self._on_number)
        self.slider.valueChanged.connect(self._on_slider)

    def value(self) -> Any:
        return self.number.value()

    def setValue(self, value: Any) -> None:
        self.number.setValue(value)

    @Slot()
    def _on_number(self) -> None:
        self._follow()
        self.sigChanged.emit()

    @Slot(int)
    def _on_slider(self, place: int) -> None:
        self.number.setValue(self._scale.value(place))

    def _follow(self) -> None:
        value = self.number.value()
        if isinstance(value, (int, float)) and not self.slider.isSliderDown():
            with QSignalBlocker(self.slider):
                self.slider.setValue(self._scale.place(value))


class _Slider(QSlider):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the panel scrolls
