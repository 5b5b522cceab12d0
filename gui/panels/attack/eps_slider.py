"""EpsSlider: moves the eps of the finished FGSM run on the canvas. The direction is kept, so each value costs one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from gui import theme
from gui.session.eps_mover import movable
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.session import Session

SETTLE_MS = 500
"""Milliseconds after the last key press at which the run with the present eps is kept."""
_PARTS = 4
"""The slider's positions per grey level."""
_COUNT = 200


def places(eps: float, norm: str) -> tuple[int, float]:
    """Return the number of positions of a slider from 0 to twice ``eps``, and the eps of one: a quarter of a grey level if that fits."""
    fine = 2 * eps * 255 * _PARTS
    if norm == "linf" and abs(fine - round(fine)) < 1e-6 and 8 <= round(fine) <= 1024:
        return round(fine), 1 / (255 * _PARTS)
    return _COUNT, 2 * eps / _COUNT


class EpsSlider(QWidget):
    """The slider, hidden unless the run on the canvas is a movable one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entry: AttackRun | None = None
        self._aside: AttackRun | None = None
        """The run whose slider was hidden because another attack was chosen."""
        self._unit, self._norm = 1.0, ""
        self.slider = _Slider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("eps of the finished run")
        self.slider.setToolTip(
            "Moves the finished FGSM run on the canvas to another eps: its direction is kept, so no gradient is needed. "
            "Let go, and it is kept as a run of its own."
        )
        self.value = QLabel(self)
        self.value.setFont(theme.number_font(self.font()))
        self.value.setFixedWidth(self.value.fontMetrics().horizontalAdvance("100.00/255"))
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.caption = QLabel(self)
        self.caption.setBuddy(self.slider)
        self.caption.setToolTip(self.slider.toolTip())
        self.remark = ElidedLabel(parent=self)
        self.remark.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.remark.set_tip("The form above sets up the next run; the slider belongs to the run on the canvas.")
        row = QHBoxLayout()
        row.setSpacing(theme.GRID)
        row.addWidget(self.caption)
        row.addWidget(self.slider, 1)
        row.addWidget(self.value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.remark)
        self._previewing = False
        """Whether the canvas may show an eps that is not kept as a run."""
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLE_MS)
        self._settled.timeout.connect(self._keep)
        self.slider.valueChanged.connect(self._on_moved)
        self.slider.sliderReleased.connect(self._keep)
        session.history.changed.connect(self.refresh)
        session.runs.changed.connect(self.refresh)
        session.planChanged.connect(self._show_value)
        self.hide()

    @property
    def eps(self) -> float:
        """The eps at the slider's position."""
        return self.slider.value() * self._unit

    @property
    def _in_levels(self) -> bool:
        return self._norm == "linf" and abs(self._unit * 255 * _PARTS - 1) < 1e-9

    # ------------------------------------------------------------------ following the session

    @Slot()
    def refresh(self) -> None:
        """Show the eps of the run on the canvas, if it can be moved."""
        session = self._session
        entry = None if session.runs.running else session.history.shown
        if entry is self._aside:
            entry = None
        if entry is self._entry:
            return
        if entry is None or not movable(entry):
            self._entry = None
            self._settled.stop()
            self.hide()
            if self._previewing:  # no run has the eps that the canvas shows
                self._previewing = False
                session.refresh()
            return
        eps, norm = entry.result.operation.eps, entry.result.operation.norm  # type: ignore[attr-defined]
        moved = self._entry is not None and entry.result.artifacts is self._entry.result.artifacts
        self._entry = entry
        with QSignalBlocker(self.slider):
            if not moved:
                count, self._unit = places(eps, norm)
                self._norm = norm
                self.slider.setRange(0, count)
                self.slider.setPageStep(max(1, count // 16))
            if not self.slider.isSliderDown():
                self.slider.setValue(round(eps / self._unit))
        self._show_value()
        self.show()

    def set_attack(self, slug: str) -> None:
        """Hide the slider of a run of another attack, until that run or its attack is chosen again."""
        shown = self._session.history.shown
        self._aside = shown if shown is not None and shown.result.operation.slug != slug else None
        self.refresh()

    # ------------------------------------------------------------------ from the user

    @Slot(int)
    def _on_moved(self, _place: int) -> None:
        self._show_value()
        if self._entry is not None:
            self._previewing = True
            self._session.eps.move(self._entry, self.eps)
        if not self.slider.isSliderDown():
            self._settled.start()

    @Slot()
    def _keep(self) -> None:
        self._settled.stop()
        entry = self._entry
        if entry is None or self.slider.isSliderDown():
            return
        self._previewing = False
        self._session.eps.keep(entry, self.eps)
        if self.slider.value() == 0:
            with QSignalBlocker(self.slider):
                self.slider.setValue(round(entry.result.operation.eps / self._unit))  # type: ignore[attr-defined]
            self._show_value()

    @Slot()
    def _show_value(self) -> None:
        """Show the slider's eps, of which run it is, and the form's eps if that is another one."""
        entry = self._entry
        if entry is None:
            return
        self.caption.setText(f"eps of #{entry.number}")
        self.value.setText(self._written(self.eps))
        attack, _ = self._session.plan.built
        planned = getattr(attack, "eps", None) if attack is not None and attack.slug == entry.operation.slug else None
        differs = planned is not None and abs(planned - self.eps) > 1e-9
        self.remark.setText(f"the next run's eps is {self._written(planned)}" if planned is not None and differs else "")
        self.remark.setVisible(differs)

    def _written(self, eps: float) -> str:
        return f"{eps * 255:g}/255" if self._in_levels else f"{eps:.3g}"


class _Slider(QSlider):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the panel scrolls
