"""PerturbationTab: the perturbation of the image, on a scale set by a gain."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from engine.channels import strongest_channel
from gui.plots.colour_maps import DIVERGING, GREY, Colours, around_grey, diverging
from gui.plots.pixel_maps import PixelMap, PixelMaps, Scale
from gui.session.scene import Frame
from gui.theme import GRID, number_font
from gui.widgets.text import Sentence

Mode = Literal["strongest", "mean", "channels", "grey"]
GAINS = (1, 2, 5, 10, 20, 50, 100)
_MODES: tuple[tuple[Mode, str, str], ...] = (
    ("strongest", "Strongest channel", "Per pixel the channel that changed most: blue is less, red is more"),
    ("mean", "Mean of channels", "The mean over the channels: blue is darker, red is brighter"),
    ("channels", "Each channel", "Red, green and blue apart: blue is less, red is more"),
    ("grey", "RGB around grey", "Every channel of the perturbation by itself, times the gain, around middle grey"),
)


class PerturbationTab(QWidget):
    """A view of the perturbation: the choice of channels, the gain, the maps, and the largest change."""

    changed = Signal()
    """The user has changed the channels or the gain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.maps = PixelMaps()
        self.mode, self.gain, self.gain_text = QComboBox(), QSlider(Qt.Orientation.Horizontal), QLabel()
        self.facts = Sentence(muted=True)
        self._build()

    def _build(self) -> None:
        for mode, text, tip in _MODES:
            self.mode.addItem(text, mode)
            self.mode.setItemData(self.mode.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.mode.setToolTip("How the channels of the perturbation are shown.")
        self.mode.setAccessibleName("Channels")
        self.mode.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.mode.setMinimumWidth(9 * GRID)  # narrower than its contents, where the dock is
        self.mode.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.gain.setMinimumWidth(5 * GRID)
        self.mode.currentIndexChanged.connect(self.changed)
        self.gain.setRange(0, len(GAINS) - 1)
        self.gain.setValue(GAINS.index(10))
        self.gain.setPageStep(1)
        self.gain.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.gain.setAccessibleName("Gain")
        self.gain.setToolTip("By how much the perturbation is amplified: ×10 spreads the colours over ±25.5/255.")
        self.gain.valueChanged.connect(self._on_gain)
        self.gain_text.setFont(number_font(self.gain_text.font()))
        self.gain_text.setFixedWidth(self.gain_text.fontMetrics().horizontalAdvance("×1000"))
        self.gain_text.setText("×10")
        self.maps.setAccessibleName("Perturbation")
        self.maps.setToolTip("Adversarial minus clean")
        row = QHBoxLayout()
        row.addWidget(self.mode)
        row.addWidget(self.gain, 1)
        row.addWidget(self.gain_text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addLayout(row)
        layout.addWidget(self.maps, 1)
        layout.addWidget(self.facts)

    # ------------------------------------------------------------------ painting

    def show_frame(self, frame: Frame) -> None:
        """Show a frame's perturbation."""
        seen = frame.observation
        if frame.scene.grown:
            self.maps.set_maps(
                (), Scale(), "This image was grown from noise. It is no change of the clean one, so there is no perturbation."
            )
            self.facts.set_text("")
            return
        values = seen.perturbation.numpy()
        colourless = len(values) == 1
        if self.mode.isEnabled() == colourless:
            self.mode.setEnabled(not colourless)
            self.mode.setToolTip("This model sees one channel." if colourless else "How the channels of the perturbation are shown.")
        mode: Mode = "mean" if colourless else self.mode.currentData()
        gain = GAINS[self.gain.value()]
        limit = 1 / gain
        low = f"{255 / gain:.3g}/255"
        self.maps.set_maps(
            _perturbation_maps(values, mode, limit), Scale(GREY if mode == "grey" else DIVERGING, (f"−{low}", "0", f"+{low}"))
        )
        beyond = float(np.mean(np.abs(values) > limit * (1 + 1e-6)))
        text = f"Largest {in_levels(float(values.min()), '−')}, {in_levels(float(values.max()), '+')}"
        text = f"{text}; {100 * beyond:.1f} % off scale" if beyond else text
        self.facts.set_text(text if seen.norms["linf"] > 0 else "Nothing was added yet: run an attack, or draw a sticker.")

    @Slot()
    def _on_gain(self) -> None:
        self.gain_text.setText(f"×{GAINS[self.gain.value()]}")
        self.changed.emit()


def _perturbation_maps(values: np.ndarray, mode: Mode, limit: float) -> list[PixelMap]:
    """Return the maps of ``values`` ``(C, H, W)`` on the scale from -limit to limit."""

    def packed(pixels: Colours) -> Colours:
        return np.ascontiguousarray(pixels)

    if mode == "channels":
        names = ("Red", "Green", "Blue") if len(values) == 3 else tuple(f"Channel {i + 1}" for i in range(len(values)))
        return [PixelMap(name, packed(diverging(one, limit))) for name, one in zip(names, values, strict=True)]
    if mode == "grey" and len(values) == 3:
        return [PixelMap("Red, green and blue around grey", packed(around_grey(values.transpose(1, 2, 0), limit)))]
    if mode == "strongest" and len(values) > 1:
        strongest = strongest_channel(values)
        return [PixelMap("Strongest channel of each pixel", packed(diverging(strongest, limit)))]
    return [PixelMap("Mean of channels" if len(values) > 1 else "Perturbation", packed(diverging(values.mean(0), limit)))]


def in_levels(value: float, sign: str) -> str:
    """Return the largest change in one direction as grey levels with ``sign``; 0 has no sign."""
    size = max(0.0, -value if sign == "−" else value) * 255
    return f"{sign}{size:.3g}/255" if size > 0 else "0"
