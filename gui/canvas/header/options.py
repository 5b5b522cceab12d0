"""ViewOptions: what can be set in the chosen view: the gain of the difference, and whether the images of the blink take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from gui.theme import TEXT_BESIDE_ICON, icon

if TYPE_CHECKING:
    from gui.canvas.view import ImageCanvas

GAINS = (None, 1, 2, 4, 8, 16, 32, 64, 128)


class _Gains(QComboBox):
    """A list of gains. The wheel scrolls what is below the mouse, and changes no gain by accident."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ViewOptions(QWidget):
    """The options of the canvas's view; nothing for a view without any."""

    def __init__(self, canvas: ImageCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        self.gain = _Gains()
        self.gain.setAccessibleName("Gain of the difference")
        self.gain.setToolTip("Gain: how strongly the difference is coloured. Auto gives its largest value the last colour.")
        for gain in GAINS:
            self.gain.addItem("Auto" if gain is None else f"{gain}×", gain)
        self.gain.setMinimumWidth(self.gain.sizeHint().width())
        self.gain.activated.connect(self._on_gain)
        self.turns = _toggle("mdi6.timer-outline", "Let the two images take turns by themselves", "Take turns")
        self.turns.setCheckable(True)
        self.turns.setChecked(canvas.stage.taking_turns)
        self.turns.clicked.connect(self._on_turns)
        self.swap = _toggle("mdi6.rotate-3d-variant", "Show the other image, and stay there", "Other image")
        self.swap.clicked.connect(self._on_swap)
        self.leave = _toggle("mdi6.close", "Leave the comparison, and return to the image with its attack", "Leave comparison")
        self.leave.setText("Leave comparison")
        self.leave.setToolButtonStyle(TEXT_BESIDE_ICON)
        self.leave.clicked.connect(canvas.comparisonLeft)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(2)
        for widget in (self.gain, self.turns, self.swap, self.leave):
            row.addWidget(widget)

    def follow(self) -> None:
        """Show the options of the canvas's view."""
        view = self._canvas.view if len(self._canvas.pictures) == 2 else "side"
        self.gain.setVisible(view == "difference")
        for button in (self.turns, self.swap):
            button.setVisible(view == "blink")
        self.leave.setVisible(self._canvas.comparing)
        self._row.invalidate()
        self.updateGeometry()  # the bar asks for the width at once, before the event loop would tell it

    @Slot(int)
    def _on_gain(self, place: int) -> None:
        self._canvas.stage.set_gain(GAINS[place])

    @Slot()
    def _on_turns(self) -> None:
        self._canvas.stage.set_taking_turns(self.turns.isChecked())

    @Slot()
    def _on_swap(self) -> None:
        self._canvas.stage.swap()
        self.turns.setChecked(False)


def _toggle(picture: str, tip: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(picture))
    button.setIconSize(QSize(18, 18))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
