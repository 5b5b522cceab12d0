"""The page of a sticker landscape: the map over the image, with an opacity. A click puts the sticker there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider

from engine.text.formatting import format_probability
from gui.panels.results.content import Item
from gui.panels.results.views import View, page
from gui.plots.heat_map import HeatMap, Pixel
from gui.session.found_stickers import put_at, sticker_at
from gui.session.scene import to_pixels
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.session import Session

_OPACITY = 70
_INVITATION = "Point at a place to read it; click to put the sticker there. Without colour: not tried."


class LandscapeView(View):
    """Every click is an undo step; the clicks after the first move the sticker."""

    placing = Signal(object)
    """A sticker is about to be put at a place of the landscape of a run, which is carried."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._run: AttackRun | None = None
        self._put: int | None = None
        """The id of the sticker that this landscape has put on the canvas."""
        self.map, self.readout = HeatMap(self), Sentence(2, muted=True)
        self.readout.setAccessibleName("Value under the mouse")
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(_OPACITY)
        self.opacity.setMaximumWidth(160)
        self.opacity.setAccessibleName("Opacity of the map")
        self.opacity.setToolTip("How much the map covers the image below it")
        caption = QLabel("Opacity", self)
        caption.setBuddy(self.opacity)
        self.map.setToolTip("Click a place to put the sticker there; arrow keys go on from there")
        self.map.hovered.connect(self._on_hovered)
        self.map.picked.connect(self._on_picked)
        self.opacity.valueChanged.connect(self._on_opacity)
        row = QHBoxLayout()
        row.addWidget(self.readout, 1)
        row.addWidget(caption)
        row.addWidget(self.opacity)
        page(self, self.map, row)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        assert entry is not None
        if entry is not self._run:
            self._run, self._put = entry, None
            self.map.chosen = None
        self.map.set_values(item.artifact.values[0].numpy(), item.title, item.artifact.signed)
        self.map.setAccessibleName(item.title)
        self._on_opacity()
        self._read(self.map.chosen)

    @Slot()
    def _on_opacity(self) -> None:
        if self._run is not None:
            self.map.set_ground(to_pixels(self._run.result.clean[0]), self.opacity.value() / 100)

    @Slot(object)
    def _on_hovered(self, pixel: Pixel | None) -> None:
        self._read(pixel or self.map.chosen)

    @Slot(object)
    def _on_picked(self, pixel: Pixel | None) -> None:
        self._read(pixel)
        found = None if pixel is None or self._run is None or self.session.runs.running else sticker_at(self._run, pixel)
        if found is not None and self._run is not None:
            self.placing.emit(self._run)
            self._put = put_at(self.session, self._run, found[0], self._put)

    def _read(self, pixel: Pixel | None) -> None:
        found = None if pixel is None or self._run is None else sticker_at(self._run, pixel)
        if found is None or pixel is None:
            self.readout.set_text(_INVITATION)
            return
        sticker, probability = found
        turned = f", turned by {sticker.angle:g}°" if sticker.angle else ""
        size = f"{sticker.width:g} × {sticker.height:g}{turned}"
        self.readout.set_text(
            f"x {pixel[0]}, y {pixel[1]}: success {format_probability(probability)} with {size} at {sticker.x:g}, {sticker.y:g}"
        )
