"""Perturbation and saliency: what was added to the image, and where the classifier looks."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from engine.channels import strongest_channel
from gui.panels.frame_panel import FrameView
from gui.plots.colour_maps import DIVERGING, GREY, MAGMA, Colours, around_grey, diverging, sequential
from gui.plots.pixel_maps import PixelMap, PixelMaps, Scale
from gui.session.scene import Frame
from gui.session.session import Session
from gui.theme import ADVERSARIAL, CLEAN, GRID, number_font
from gui.widgets import EmptyState
from gui.widgets.text import Sentence

Mode = Literal["strongest", "mean", "channels", "grey"]
GAINS = (1, 2, 5, 10, 20, 50, 100)
_MODES: tuple[tuple[Mode, str, str], ...] = (
    ("strongest", "Strongest channel", "Per pixel the channel that changed most: blue is less, red is more"),
    ("mean", "Mean of channels", "The mean over the channels: blue is darker, red is brighter"),
    ("channels", "Each channel", "Red, green and blue apart: blue is less, red is more"),
    ("grey", "RGB around grey", "Every channel of the perturbation by itself, times the gain, around middle grey"),
)


class PerturbationPanel(FrameView):
    """Two tabs; the saliency maps are made only while theirs is seen."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.maps, self.saliency_maps = PixelMaps(), PixelMaps()
        self.mode, self.gain, self.gain_text = QComboBox(), QSlider(Qt.Orientation.Horizontal), QLabel()
        self.facts, self.saliency_facts = Sentence(muted=True), Sentence(2, muted=True)
        self.tabs = QTabWidget()
        self._limit = 0.0
        self._build()

    def _build(self) -> None:
        for mode, text, tip in _MODES:
            self.mode.addItem(text, mode)
            self.mode.setItemData(self.mode.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.mode.setToolTip("How the channels of the perturbation are shown.")
        self.mode.setAccessibleName("Channels")
        self.mode.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.mode.currentIndexChanged.connect(self.refresh)
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
        self.saliency_maps.setAccessibleName("Saliency")
        self.saliency_maps.setToolTip("The largest magnitude over the channels of the gradient of that class's logit. One scale for both.")
        row = QHBoxLayout()
        row.addWidget(self.mode)
        row.addWidget(self.gain, 1)
        row.addWidget(self.gain_text)
        self.tabs.addTab(_page(row, self.maps, self.facts), "Perturbation")
        self.tabs.addTab(_page(self.saliency_maps, self.saliency_facts), "Saliency")
        self.tabs.setDocumentMode(True)
        self.tabs.currentChanged.connect(self.refresh)
        self._pages = QStackedLayout(self)
        empty = "Load a model and open an image. After an attack, or with a sticker, here lies what was added to it."
        self._pages.addWidget(EmptyState(empty, "mdi6.gradient-horizontal", self))
        self._pages.addWidget(self.tabs)

    # ------------------------------------------------------------------ painting

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.session.change(saliency=False)

    @Slot()
    def refresh(self) -> None:
        if self.isVisible():
            self.session.change(saliency=self.tabs.currentIndex() == 1)
        super().refresh()

    def show_frame(self, frame: Frame | None) -> None:
        self._pages.setCurrentIndex(0 if frame is None else 1)
        if frame is None:
            self._limit = 0.0
        elif self.tabs.currentIndex() == 0:
            self._show_perturbation(frame)
        else:
            self._show_saliency(frame)

    def _show_perturbation(self, frame: Frame) -> None:
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
        text = f"Largest {_levels(float(values.min()), '−')}, {_levels(float(values.max()), '+')}"
        text = f"{text}; {100 * beyond:.1f} % off scale" if beyond else text
        self.facts.set_text(text if seen.norms["linf"] > 0 else "Nothing was added yet: run an attack, or draw a sticker.")

    def _show_saliency(self, frame: Frame) -> None:
        seen, labels = frame.observation, frame.scene.classifier.labels
        if "saliency" in seen.failures:
            self.saliency_maps.set_maps((), Scale(), seen.failures["saliency"])
            self.saliency_facts.set_text("")
            return
        explained = seen.explanations.get("saliency")
        if explained is None:
            if not self.saliency_maps.maps:
                self.saliency_maps.set_maps((), Scale(), "Computing…")
            return
        clean, adversarial = explained.clean.numpy(), explained.adversarial.numpy()
        self._limit = locked(self._limit, max(float(clean.max()), float(adversarial.max())))
        before, after = labels[seen.clean_prediction], labels[seen.adversarial_prediction]
        self.saliency_maps.set_maps(
            [
                PixelMap(f"Clean: {before}", sequential(clean, self._limit), CLEAN),
                PixelMap(f"Adversarial: {after}", sequential(adversarial, self._limit), ADVERSARIAL),
            ],
            Scale(MAGMA, ("0", f"{self._limit:.3g}")),
        )
        self.saliency_facts.set_text(explained.explanation.caption)

    @Slot()
    def _on_gain(self) -> None:
        self.gain_text.setText(f"×{GAINS[self.gain.value()]}")
        self.refresh()


def _page(*rows: QHBoxLayout | QWidget) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(GRID, GRID, GRID, GRID)
    for row in rows:
        if isinstance(row, QWidget):
            layout.addWidget(row, 1 if isinstance(row, PixelMaps) else 0)
        else:
            layout.addLayout(row)
    return page


def _perturbation_maps(values: np.ndarray, mode: Mode, limit: float) -> list[PixelMap]:
    """``values`` ``(C, H, W)`` on the scale from -limit to limit."""

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


def locked(limit: float, largest: float) -> float:
    """A scale's end that stays while it fits: it grows when exceeded and shrinks when three quarters of it are empty."""
    if 0.25 * limit <= largest <= limit and limit > 0:
        return limit
    from engine.explain.activations import round_up

    return round_up(largest)


def _levels(value: float, sign: str) -> str:
    """The largest change of one direction in grey levels; 0, without a sign, where there is none."""
    size = max(0.0, -value if sign == "−" else value) * 255
    return f"{sign}{size:.3g}/255" if size > 0 else "0"
