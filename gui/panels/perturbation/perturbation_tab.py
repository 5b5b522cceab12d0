"""PerturbationTab: the perturbation of the image, in a view of its channels, on a scale that fits it or that a gain sets."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.channels import at_the_end, beyond, channel_names, limit_of, maps_of, view_of
from engine.perturbation_view import GAINS, VIEWS, PerturbationView, View
from engine.text.formatting import format_share
from gui.plots.colour_maps import GREY, around_grey, diverging, diverging_table
from gui.plots.pixel_maps import CaptionedMaps, PixelMap, PixelMaps, Scale
from gui.session.scene import Frame, Scene
from gui.theme import GRID, is_dark
from gui.widgets.text import Sentence

_TIPS = {
    "strongest": "Per pixel the channel that changed most: blue is less, red is more",
    "mean": "The mean over the channels: blue is darker, red is brighter",
    "channels": "Red, green and blue apart: blue is less, red is more",
    "colour": "Every channel of the perturbation by itself, around middle grey",
}
_AUTO_TIP = "The scale ends at the largest change, so that nothing is off the scale"
_NOTHING = "Nothing was added yet: run an attack, or draw a sticker."
_MANY = 0.5
"""Share of values at an end of the scale from which the line below mentions it."""


class PerturbationTab(QWidget):
    """A view of the perturbation: the choice of channels, the gain, the maps, and the largest change."""

    chosen = Signal(object)
    """The user has chosen another `PerturbationView`."""
    changed = Signal()
    """The colours have changed with the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.maps = PixelMaps()
        self.mode, self.gain = QComboBox(), QComboBox()
        self.facts = Sentence(2, muted=True)
        self._look = PerturbationView()
        self._limit = 0.0
        """The end of the automatic scale."""
        self._of: tuple[object, object] = (None, None)
        """The classifier and the image that the automatic scale is of."""
        self._build()

    def _build(self) -> None:
        for view, text in VIEWS.items():
            self._add(self.mode, text, view, _TIPS[view])
        self._add(self.gain, "Auto", None, _AUTO_TIP)
        for gain in GAINS:
            self._add(self.gain, f"×{gain}", gain, f"The scale ends at ±{255 / gain:.3g}/255")
        self.mode.setToolTip("How the channels of the perturbation are shown.")
        self.mode.setAccessibleName("Channels")
        self.gain.setToolTip(
            "By how much the perturbation is amplified; Auto: as the largest change asks. ×10 spreads the colours over ±25.5/255."
        )
        self.gain.setAccessibleName("Gain")
        for box in (self.mode, self.gain):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.setMinimumWidth(9 * GRID)  # narrower than its contents, where the dock is
            box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            box.activated.connect(self._on_activated)
        self.maps.setAccessibleName("Perturbation")
        self.maps.setToolTip("Adversarial minus clean")
        row = QHBoxLayout()
        row.addWidget(self.mode, 1)
        row.addWidget(self.gain)
        self._captioned = CaptionedMaps(self.maps, self.facts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addLayout(row)
        layout.addWidget(self._captioned, 1)

    @staticmethod
    def _add(box: QComboBox, text: str, data: object, tip: str) -> None:
        box.addItem(text, data)
        box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    # ------------------------------------------------------------------ the view

    def show_look(self, look: PerturbationView) -> None:
        """Show the chosen channels and gain in the boxes; a gain that is none of the offered ones becomes one more."""
        self._look = look
        with QSignalBlocker(self.mode), QSignalBlocker(self.gain):
            self.mode.setCurrentIndex(max(0, self.mode.findData(look.channels)))
            if look.gain is not None and self.gain.findData(look.gain) < 0:
                self._add(self.gain, f"×{look.gain:g}", look.gain, f"The scale ends at ±{255 / look.gain:.3g}/255")
            self.gain.setCurrentIndex(max(0, self.gain.findData(look.gain)))

    @Slot()
    def _on_activated(self) -> None:
        self.chosen.emit(PerturbationView(self.mode.currentData(), self.gain.currentData()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.changed.emit()

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
        view = view_of(len(values), self._look.channels)
        limit = self._end_of_scale(frame.scene, values, running=frame.step is not None)
        dark, end = is_dark(self.palette()), f"{255 * limit:.3g}/255"
        table = GREY if view == "colour" else diverging_table(dark)
        self.maps.set_maps(_pixel_maps(values, view, limit, dark), Scale(table, (f"−{end}", "0", f"+{end}")))
        self.facts.set_text(_facts(values, view, limit) if seen.norms["linf"] > 0 else _NOTHING)
        self._captioned.fit()

    def _end_of_scale(self, scene: Scene, values: np.ndarray, *, running: bool) -> float:
        """Return the end of the scale. While iterates are shown an automatic one only grows, so that the colours can be compared."""
        limit = limit_of(values, self._look.channels, self._look.gain)
        if self._look.gain is None:
            of = (scene.classifier, scene.clean)
            same = all(one is other for one, other in zip(of, self._of, strict=True))
            self._limit, self._of = (max(limit, self._limit) if running and same else limit), of
            return self._limit
        return limit


def _pixel_maps(values: np.ndarray, view: View, limit: float, dark: bool) -> list[PixelMap]:
    """Return the maps of ``values`` ``(C, H, W)`` on the scale from -limit to limit. Only several maps have headings."""
    if view == "colour":
        across = values.transpose(1, 2, 0)
        return [PixelMap("", np.ascontiguousarray(around_grey(across, limit)), values=across)]
    maps = maps_of(values, view)
    names = [name.capitalize() for name in channel_names(len(values))] if view == "channels" else [""]
    coloured = (np.ascontiguousarray(diverging(one, limit, dark)) for one in maps)
    return [PixelMap(name, pixels, values=one) for name, pixels, one in zip(names, coloured, maps, strict=True)]


def _facts(values: np.ndarray, view: View, limit: float) -> str:
    """Return the largest changes, and the share of values that the colours do not tell apart, where there are many."""
    maps = maps_of(values, view)
    text = f"Largest change {in_levels(float(values.min()), '−')}, {in_levels(float(values.max()), '+')}"
    if (over := beyond(maps, limit)) > 0:
        return f"{text}; {format_share(over)} off the scale"
    most = at_the_end(maps, limit)
    return f"{text}; {format_share(most)} at an end of the scale" if most > _MANY else text


def in_levels(value: float, sign: str) -> str:
    """Return the largest change in one direction as grey levels with ``sign``; 0 has no sign."""
    size = max(0.0, -value if sign == "−" else value) * 255
    return f"{sign}{size:.3g}/255" if size > 0 else "0"
