"""Panes under one viewpoint: their arrangement, zoom and pan, and the readout of the pixel under the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.canvas.arrangement import columns_for
from gui.canvas.mouse import WHEEL_STEP
from gui.canvas.pane import Pane
from gui.canvas.pictures import pair
from gui.canvas.placement import Viewpoint, fitted
from gui.canvas.readout import Readout, pixel_text
from gui.canvas.stage import Stage

if TYPE_CHECKING:
    import numpy as np

    from gui.canvas.tools import Pointer

OPEN_HINT = "Open an image with Ctrl+O,\ndrop a file here, or choose a sample."
ATTACK_HINT = "The adversarial image appears here."
GAP = 4


class LinkedPanes(QWidget):
    """Panes that zoom and pan together: the canvas's base class, without tools. `_show_panes` says which of them are shown."""

    zoomChanged = Signal()
    headingDoubleClicked = Signal()
    """The user wants the canvas alone, or no longer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size: tuple[int, int] | None = None
        """Height and width of the first picture: the canvas's image pixels."""
        self._viewpoint = Viewpoint(0.0, 0.0, 1.0)
        self._fitted = True
        self._hover: tuple[Pane, Pointer] | None = None
        self._pinned: tuple[int, int] | None = None
        clean, adversarial = pair(None, None)
        self.clean_pane = Pane((clean,), OPEN_HINT)
        self.adversarial_pane = Pane((adversarial,), ATTACK_HINT)
        self.stage = Stage((clean, adversarial), OPEN_HINT)
        self._panes: tuple[Pane, ...] = ()
        self._place = QGridLayout(self)
        self._place.setContentsMargins(GAP, 0, GAP, GAP)
        self._place.setSpacing(GAP)
        for pane in (self.clean_pane, self.adversarial_pane, self.stage):
            self._adopt(pane)
        self.readout = Readout(self)
        self._show_panes((self.clean_pane, self.adversarial_pane))

    def _adopt(self, pane: Pane) -> None:
        """Take in a new pane, hidden."""
        pane.setParent(self)
        pane.hide()
        pane.view.resized.connect(self._on_resize)
        for heading in pane.headings:
            heading.doubleClicked.connect(self.headingDoubleClicked)

    # ------------------------------------------------------------------ arrangement

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The panes that are shown."""
        return self._panes

    @property
    def image_size(self) -> tuple[int, int] | None:
        """The height and width of the images; None while there are none."""
        return self._size

    def _show_panes(self, panes: tuple[Pane, ...]) -> None:
        """Show these panes and no others."""
        if panes != self._panes:
            self._hover = None
            for pane in self._panes:
                self._place.removeWidget(pane)
                if pane not in panes:
                    pane.hide()
            self._panes = panes
            self._arrange()
            for pane in panes:
                pane.show()

    def _arrange(self) -> None:
        """Put the panes into the rows and columns in which the images are largest."""
        height, width = self._size or (1, 1)
        columns = columns_for(len(self._panes), width / height, self.width(), self.height(), self._columns)
        places = [divmod(index, columns) for index in range(len(self._panes))]
        for pane, (row, column) in zip(self._panes, places, strict=True):
            self._place.addWidget(pane, row, column)
        for index in range(max(self._place.rowCount(), self._place.columnCount())):
            self._place.setRowStretch(index, int(index <= places[-1][0]))
            self._place.setColumnStretch(index, int(index < columns))
        self._columns = columns

    _columns = 0

    def _rearrange(self) -> None:
        height, width = self._size or (1, 1)
        if columns_for(len(self._panes), width / height, self.width(), self.height(), self._columns) != self._columns:
            for pane in self._panes:
                self._place.removeWidget(pane)
            self._arrange()

    # ------------------------------------------------------------------ zoom and pan

    @property
    def viewpoint(self) -> Viewpoint:
        """The viewpoint of all panes."""
        return self._viewpoint

    def fit(self) -> None:
        """Show the whole image, also after later changes of the window's size."""
        if self._size is not None:
            self._fitted = True
            self._move_to(self._fit_viewpoint())

    def zoom_by(self, factor: float, about: tuple[float, float] | None = None) -> None:
        """Zoom about an image point, or about the middle of the panes for None."""
        if self._size is not None:
            self._fitted = False
            x, y = about or (self._viewpoint.x, self._viewpoint.y)
            smallest = min(1.0, self._fit_viewpoint().scale) / 2
            self._move_to(self._viewpoint.zoomed(factor, x, y, smallest))

    def zoom_to(self, scale: float) -> None:
        """Set the zoom, in screen pixels per image pixel, about the middle."""
        self.zoom_by(scale / self._viewpoint.scale)

    def zoom_in(self) -> None:
        """Zoom in about the middle."""
        self.zoom_by(WHEEL_STEP)

    def zoom_out(self) -> None:
        """Zoom out about the middle."""
        self.zoom_by(1 / WHEEL_STEP)

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the viewpoint by image pixels."""
        self._fitted = False
        self._move_to(self._viewpoint.shifted(dx, dy))

    def _fit_viewpoint(self) -> Viewpoint:
        height, width = self._size or (1, 1)
        room = [pane.viewport.size() for pane in self._panes]
        return fitted(width, height, min(size.width() for size in room), min(size.height() for size in room))

    def _move_to(self, viewpoint: Viewpoint) -> None:
        height, width = self._size or (1, 1)
        zoomed = viewpoint.scale != self._viewpoint.scale
        self._viewpoint = viewpoint.kept(width, height)
        for pane in self._panes:
            pane.set_viewpoint(self._viewpoint)
        if zoomed:
            self.zoomChanged.emit()

    def _on_resize(self) -> None:
        self._rearrange()
        self.readout.follow()
        if self._fitted:
            self.fit()
        else:
            self._move_to(self._viewpoint)

    # ------------------------------------------------------------------ readout

    def pin(self, at: tuple[int, int] | None) -> None:
        """Mark a pixel (column, row) in all panes, and read it out while the mouse is elsewhere; None removes the mark."""
        self._pinned = at
        self._update_readout()

    def _hover_at(self, pane: Pane, pointer: Pointer) -> None:
        self._hover = (pane, pointer)
        self._update_readout()

    def _hover_ends(self) -> None:
        self._hover = None
        self._update_readout()

    @property
    def _busy(self) -> bool:
        """Whether the mouse is dragging."""
        return False

    def _read_out(self) -> list[tuple[str, np.ndarray | None]]:
        """Return the images that are read out, by name."""
        raise NotImplementedError

    def _update_readout(self) -> None:
        """Read out the pixel under the mouse, and mark it in the other panes."""
        at = self._pinned if self._hover is None else self._hover[1].cell
        text, short = ("", "") if at is None or self._size is None else pixel_text(*at, self._size, self._read_out())
        self.readout.set_text(text, short)
        if self._hover is not None:
            pane, pointer = self._hover
            self.readout.avoid(pane.view.mapTo(self, pane.position(pointer.x, pointer.y)))
        for pane in self._panes:
            other = self._hover is not None and pane is not self._hover[0] and pane.pixels is not None and not self._busy
            pane.view.mark.mark(at if other and text else self._pinned)
