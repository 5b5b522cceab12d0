"""The pages of the Results dock, one class per kind of artifact. Each is filled when its tab becomes visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.channels import strongest_channel
from engine.text.formatting import short, with_minus
from gui import theme
from gui.panels.results.content import Item, artifact_curve, loss_curve
from gui.plots.colour_maps import DIVERGING, diverging
from gui.plots.curves import Curves
from gui.plots.heat_map import HeatMap, Pixel
from gui.plots.pixel_maps import PixelMap, PixelMaps, Scale
from gui.theme import GRID
from gui.widgets.text import Sentence
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.session import Session


class View(QWidget):
    """The base class of the pages."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        """Show an artifact of a run."""
        raise NotImplementedError


def page(view: View, *rows: QWidget | QHBoxLayout) -> None:
    """Lay out a page: sentences at their own height, all other rows as high as possible."""
    layout = QVBoxLayout(view)
    layout.setContentsMargins(GRID, 4, GRID, 4)
    layout.setSpacing(4)
    for row in rows:
        if isinstance(row, QWidget):
            layout.addWidget(row, 0 if isinstance(row, Sentence) else 1)
        else:
            layout.addLayout(row)


class CurveView(View):
    """The page of the loss or of a curve."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.curves = Curves(self)
        self._over_eps = False
        self._of_loss = False
        session.eps.moved.connect(self._on_eps)
        session.moments.changed.connect(self._on_moment)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.curves)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        assert entry is not None
        loss = self._of_loss = item.kind == "loss"
        self.curves.set_lines(*(loss_curve(entry) if loss else artifact_curve(entry, item.artifact)))
        self.curves.setAccessibleName(item.title)
        flip = entry.result.flip()
        self.curves.set_mark(float(flip) if loss and flip is not None else None)
        eps = getattr(entry.result.operation, "eps", None)
        self._over_eps = not loss and item.artifact.x_axis.unit == "eps"
        self.curves.set_marker(eps if self._over_eps else None)
        self._on_moment()

    @Slot()
    def _on_moment(self) -> None:
        """Mark the iteration that the canvas shows."""
        if self._of_loss:
            self.curves.set_marker(self.session.moments.index)

    @Slot(float)
    def _on_eps(self, eps: float) -> None:
        if self._over_eps:
            self.curves.set_marker(eps)


class MapView(View):
    """The page of a heat map; the pixel that is chosen in it is marked on the canvas."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.map, self.readout = HeatMap(self), Sentence(2, muted=True)
        self._partial = False
        self._spans: tuple[Any, Any] = (None, None)
        """The quantities along the columns and the rows; (None, None) where these are those of the image."""
        self.readout.setAccessibleName("Value under the mouse")
        self.map.hovered.connect(self._on_hovered)
        self.map.picked.connect(self._on_picked)
        page(self, self.map, self.readout)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        self.map.set_values(item.artifact.values[0].numpy(), item.title, item.artifact.signed)
        self.map.setAccessibleName(item.title)
        self._partial = not bool(np.isfinite(self.map.values).all())
        self._spans = item.artifact.across, item.artifact.down
        self.readout.take_room_for(self._invitation)
        self._read(self.map.chosen)

    @property
    def _invitation(self) -> str:
        grey = "Grey pixels were not tried. " if self._partial else ""
        where = "Point at a place to read it." if any(self._spans) else "Point at a pixel to read it; click to mark it on the canvas."
        return f"{grey}{where}"

    @Slot(object)
    def _on_hovered(self, pixel: Pixel | None) -> None:
        self._read(pixel or self.map.chosen)

    @Slot(object)
    def _on_picked(self, pixel: Pixel | None) -> None:
        if not any(self._spans):  # a place over two quantities is no pixel of the image
            self.session.pixelChosen.emit(pixel)
        self._read(pixel)

    def _read(self, pixel: Pixel | None) -> None:
        if pixel is None:
            self.readout.set_text(self._invitation)
            return
        value = self.map.value(pixel)
        self.readout.set_text(f"{self._place(pixel)}: {with_minus(short(value)) if np.isfinite(value) else 'not tried'}")

    def _place(self, pixel: Pixel) -> str:
        """Return a place of the map in words: its pixel, or its two quantities."""
        if not any(self._spans):
            return f"x {pixel[0]}, y {pixel[1]}"
        read = [
            f"{span.label} {with_minus(short(span.values[at]))}" for span, at in zip(self._spans, pixel, strict=True) if span is not None
        ]
        return ", ".join(read)


class PictureView(View):
    """The page of an image."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.maps = PixelMaps(self, turns=True)
        page(self, self.maps)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        from engine.images import array_levels

        values = array_levels(item.artifact.image.numpy().clip(0, 1)).transpose(1, 2, 0)
        pixels = np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:2], 3)))
        self.maps.set_maps([PixelMap(item.title, pixels)], Scale())
        self.maps.setAccessibleName(item.title)


class TableView(View):
    """The page of a table, which can be copied."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.table = ValueTable(self)
        self.copy_button = QPushButton(theme.icon("mdi6.content-copy"), "Copy as CSV", self)
        self.copy_button.setToolTip("Put the table on the clipboard, with every digit (Ctrl+C in the table)")
        self.copy_button.clicked.connect(self._on_copy)
        self.count = Sentence(muted=True)
        foot = QHBoxLayout()
        foot.addWidget(self.count, 1)
        foot.addWidget(self.copy_button)
        page(self, self.table, foot)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        rows = item.artifact.rows
        self.table.set_table(item.artifact.columns, rows, item.artifact.units)
        self.table.setAccessibleName(item.title)
        self.count.set_text(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")

    @Slot()
    def _on_copy(self) -> None:
        self.table.copy()
        self.session.notice.emit("The table is on the clipboard, as CSV.")


def signed_map(values: Any, title: str, levels: bool) -> tuple[PixelMap, Scale]:
    """Return the map of a perturbation ``(C, H, W)``: per pixel the channel with the largest change; ``levels``: limits in grey levels."""
    strongest = strongest_channel(values)
    most = float(np.abs(strongest).max()) or 1.0
    limit = f"{most * 255:.3g}/255" if levels else short(most)
    return PixelMap(title, np.ascontiguousarray(diverging(strongest, most)), values=strongest), Scale(
        DIVERGING, (f"−{limit}", "0", f"+{limit}")
    )
