"""Views of pictures: the pair or compared runs, beside each other, in one place, or as a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gui.canvas.linked import ATTACK_HINT, LinkedPanes
from gui.canvas.pane import Pane
from gui.canvas.pictures import VIEWS, Caption, Picture, ViewName, pair

if TYPE_CHECKING:
    import numpy as np

    from gui.canvas.difference import Difference

HELD = "Clean image, while B is held"


class PictureViews(LinkedPanes):
    """Shows the pair, or in its place the compared pictures, in the chosen view."""

    viewChanged = Signal()
    """Another view was chosen, or other pictures are shown in it."""
    comparisonLeft = Signal()
    """The user wants to see the pair again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = pair(None, None)
        self._captions = (Caption(), Caption())
        self._compared: tuple[Picture, ...] = ()
        self._further: list[Pane] = []
        """The panes of a grid, from its third picture on."""
        self._view: ViewName = "side"
        self._held = False
        self._grid = True
        self._line, self._stale = "", False
        self._lines_at: tuple[tuple[int, bool, int], int] = ((0, False, 0), 1)
        """Where the headings were fitted last, and their lines there."""

    # ------------------------------------------------------------------ pictures

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures that are shown."""
        return self._compared or self._pair

    @property
    def comparing(self) -> bool:
        """Whether compared pictures are shown in place of the pair, so that nothing can be drawn."""
        return bool(self._compared)

    def set_images(self, clean: np.ndarray | None, adversarial: np.ndarray | None) -> None:
        """Show two ``(H, W, 3)`` uint8 images of one size as the pair; None leaves a pane empty."""
        self._pair = pair(clean, adversarial, self._captions)
        if not self._compared:
            self._show()

    def set_captions(self, clean: Caption, adversarial: Caption) -> None:
        """Set the captions of the pair, such as predictions."""
        self._captions = (clean, adversarial)
        self._pair = pair(self._pair[0].pixels, self._pair[1].pixels, self._captions)
        if not self._compared:
            self._show_headings()

    def set_compared(self, pictures: Sequence[Picture]) -> None:
        """Show two or more pictures in place of the pair; none of them shows the pair again."""
        if pictures or self._compared:
            self._compared = tuple(pictures)
            self._show()
            self.viewChanged.emit()

    def exchange_compared(self, pictures: Sequence[Picture]) -> None:
        """Show other contents of the pictures that are compared, each of the size that it has."""
        self._compared = tuple(pictures)
        self._show_pixels()
        self._show_headings()
        self._update_readout()

    def _show(self) -> None:
        """Show the pictures in the view."""
        pictures = self.pictures
        shown = next((picture.pixels for picture in pictures if picture.pixels is not None), None)
        size = None if shown is None else (shown.shape[0], shown.shape[1])
        resized, self._size = size != self._size, size
        self._show_panes(self._panes_of(len(pictures)))
        self._show_pixels()
        self._show_headings()
        if resized:
            self._pinned = None
            self._rearrange()
            self.fit()
        self._update_readout()

    def _panes_of(self, count: int) -> tuple[Pane, ...]:
        """Return the panes for a number of pictures in the present view."""
        if count == 2 and self._view != "side":
            return (self.stage,)
        while len(self._further) < count - 2:
            pane = Pane((Picture("", "transparent"),), ATTACK_HINT)
            self._further.append(pane)
            self._adopt(pane)
        return (self.clean_pane, self.adversarial_pane, *self._further[: count - 2])

    def _show_pixels(self) -> None:
        pictures = self.pictures
        if self.stage in self._panes:
            first, second = pictures
            self.stage.show_pictures((first, second), self._view, self._held)
        else:
            for pane, picture in zip(self._panes, pictures, strict=True):
                held = self._held and picture.clean is not None
                pane.set_image(picture.clean if held else picture.pixels, self._size)
        self._show_line()

    def _show_headings(self) -> None:
        panes = (self.stage,) if self.stage in self._panes else self._panes
        headings = [heading for pane in panes for heading in pane.headings]
        for heading, picture in zip(headings, self.pictures, strict=True):
            heading.show_picture(picture)
        self._fit_headings()
        for pane in panes:
            pane.describe()

    def _fit_headings(self) -> None:
        """Give all headings as many lines as the one that needs the most, so that the images stay at one height."""
        headings = [heading for pane in self._panes for heading in pane.headings]
        wide = min(pane.width() // len(pane.headings) for pane in self._panes)
        lines = max(heading.lines_for(wide) for heading in headings)
        at = (wide, self.comparing, len(headings))
        if at == self._lines_at[0]:  # the classes of an attack's iterates must not move the images up and down
            lines = max(lines, self._lines_at[1])
        self._lines_at = (at, lines)
        for heading in headings:
            heading.set_lines(lines)

    def _on_resize(self) -> None:
        self._fit_headings()
        super()._on_resize()

    def _read_out(self) -> list[tuple[str, np.ndarray | None]]:
        if self._compared:
            return [(f"{picture.letter} #{picture.run}".strip(), picture.pixels) for picture in self._compared]
        return [(picture.name.lower(), picture.pixels) for picture in self._pair]

    # ------------------------------------------------------------------ views

    @property
    def view(self) -> ViewName:
        """The view of two pictures."""
        return self._view

    def set_view(self, view: ViewName) -> None:
        """Choose the view of two pictures."""
        if view not in VIEWS:
            raise ValueError(f"There is no view {view!r}; there are {', '.join(VIEWS)}.")
        if view != self._view:
            self._view = view
            self._show()
            if self._fitted:
                self.fit()
            else:
                self._move_to(self._viewpoint)
            self.viewChanged.emit()

    def set_difference(self, difference: Difference | None) -> None:
        """Set the difference of the two pictures, which the difference view shows."""
        self.stage.set_difference(difference)

    @property
    def held(self) -> bool:
        """Whether the clean image is shown in place of every other."""
        return self._held

    def hold_clean(self, held: bool) -> None:
        """Show the clean image in place of every other, or no longer."""
        if held != self._held:
            self._held = held
            self._show_pixels()
            self._show_headings()

    def move_divider(self, dx: float) -> None:
        """Move the wipe's divider by image pixels."""
        if self._size is not None:
            self.stage.set_divider(self.stage.divider + dx / self._size[1])

    def set_grid(self, on: bool) -> None:
        """Show the grid between large pixels, or never."""
        self._grid = on
        for pane in (self.clean_pane, self.adversarial_pane, self.stage, *self._further):
            pane.view.grid.set_wanted(on)

    # ------------------------------------------------------------------ what is wrong with the adversarial image

    def set_state_line(self, line: str, *, stale: bool) -> None:
        """Show a line over the adversarial image, and dim it if it is out of date; an empty line removes both."""
        self._line, self._stale = line, stale and bool(line)
        self._show_line()

    def _show_line(self) -> None:
        line, stale = ("", False) if self._compared else (self._line, self._stale)
        for pane in (self.adversarial_pane, self.stage):
            pane.set_line(HELD if self._held else line)
            pane.set_veiled(stale and not self._held)
        for pane in (self.clean_pane, *self._further):
            pane.set_line(HELD if self._held and self._compared else "")

    def _adopt(self, pane: Pane) -> None:
        super()._adopt(pane)
        pane.view.grid.set_wanted(getattr(self, "_grid", True))
