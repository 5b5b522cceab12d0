"""Two panes under one viewpoint: images, captions, readout, zoom and pan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui import theme
from gui.canvas.mouse import WHEEL_STEP
from gui.canvas.pane import Pane
from gui.canvas.placement import Viewpoint, fitted
from gui.canvas.readout import ValueLine, pixel_text

if TYPE_CHECKING:
    import numpy as np

    from gui.canvas.tools import Pointer

OPEN_HINT = "Open an image with Ctrl+O,\ndrop a file here, or choose a sample."
ATTACK_HINT = "The adversarial image appears here."


class LinkedPanes(QWidget):
    """Clean and adversarial image side by side: the canvas's base class, without tools."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size: tuple[int, int] | None = None
        self._viewpoint = Viewpoint(0.0, 0.0, 1.0)
        self._fitted = True
        self._hover: tuple[Pane, Pointer] | None = None
        self._pinned: tuple[int, int] | None = None
        self.clean_pane = Pane("Clean", theme.CLEAN, OPEN_HINT)
        self.adversarial_pane = Pane("Adversarial", theme.ADVERSARIAL, ATTACK_HINT)
        self.readout = ValueLine()
        row = QHBoxLayout()
        row.setSpacing(8)
        for pane in self.panes:
            row.addWidget(pane, 1)
            pane.view.resized.connect(self._on_resize)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 4)
        column.setSpacing(4)
        column.addLayout(row, 1)
        column.addWidget(self.readout)

    @property
    def panes(self) -> tuple[Pane, Pane]:
        """The clean and the adversarial pane."""
        return self.clean_pane, self.adversarial_pane

    @property
    def image_size(self) -> tuple[int, int] | None:
        """The height and width of the images; None while there are none."""
        return self._size

    def set_images(self, clean: np.ndarray | None, adversarial: np.ndarray | None) -> None:
        """Show two ``(H, W, 3)`` uint8 images of one size; None leaves a pane empty."""
        shown = clean if clean is not None else adversarial
        size = None if shown is None else (shown.shape[0], shown.shape[1])
        self.clean_pane.set_image(clean)
        self.adversarial_pane.set_image(adversarial)
        if size != self._size:
            self._size = size
            self._pinned = None
            self.fit()
        self._update_readout()

    def set_captions(self, clean: str, adversarial: str) -> None:
        """Set the captions beside the titles, such as predictions."""
        self.clean_pane.heading.caption.set_text(clean)
        self.adversarial_pane.heading.caption.set_text(adversarial)

    # ------------------------------------------------------------------ zoom and pan

    @property
    def viewpoint(self) -> Viewpoint:
        """The viewpoint of both panes."""
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
        room = [pane.viewport.size() for pane in self.panes]
        return fitted(width, height, min(size.width() for size in room), min(size.height() for size in room))

    def _move_to(self, viewpoint: Viewpoint) -> None:
        height, width = self._size or (1, 1)
        self._viewpoint = viewpoint.kept(width, height)
        for pane in self.panes:
            pane.set_viewpoint(self._viewpoint)

    def _on_resize(self) -> None:
        if self._fitted:
            self.fit()
        else:
            self._move_to(self._viewpoint)

    # ------------------------------------------------------------------ readout

    def pin(self, at: tuple[int, int] | None) -> None:
        """Mark a pixel (column, row) in both panes, and read it out while the mouse is elsewhere; None removes the mark."""
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

    def _update_readout(self) -> None:
        """Read out the pixel under the mouse, and mark it in the other pane."""
        at = None
        text, short = "", ""
        if self._hover is not None:
            at = self._hover[1].cell
            text, short = pixel_text(*at, self.clean_pane.pixels, self.adversarial_pane.pixels)
        elif self._pinned is not None:
            text, short = pixel_text(*self._pinned, self.clean_pane.pixels, self.adversarial_pane.pixels)
        self.readout.set_text(text, short)
        for pane in self.panes:
            other = self._hover is not None and pane is not self._hover[0] and pane.pixels is not None and not self._busy
            pane.view.mark.mark(at if other and text else self._pinned)
