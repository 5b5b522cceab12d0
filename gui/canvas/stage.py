"""Stage: the pane that shows two images in one place: by a divider, in turn, or as their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent

from gui.canvas.difference import Difference, coloured, limit_of, limit_text
from gui.canvas.pane import Pane, surround
from gui.canvas.pictures import Picture, ViewName

if TYPE_CHECKING:
    import numpy as np

BLINK_MS = 600
"""The time for which each image is shown: less than two changes a second, which are no risk to anyone."""
MINUS = "\u2212"
UNCHANGED = "Both images are the same, so that there is no difference to show. Run an attack, or draw a sticker."
SAME_RUNS = "Both runs gave the same image, so that there is no difference to show."
OTHER_SIZES = "The images of the two runs have different sizes, so that there is no difference to show."


class Stage(Pane):
    """Shows one of the single-image views of two pictures."""

    gain: int | None = None
    """The difference's gain; None for the one at which the largest difference has the last colour."""
    divider = 0.5
    """The place of the wipe's divider, as a share of the width."""
    second_up = True
    """Whether the second picture is the one that can be seen, of the two that take turns."""
    taking_turns = True
    """Whether the two images take turns by themselves in the blink view."""
    _mode: ViewName = "wipe"
    _held = False
    _difference: Difference | None = None
    _painted: tuple[Difference, int | None, np.ndarray, str] | None = None

    def __init__(self, pictures: tuple[Picture, Picture], hint: str) -> None:
        super().__init__(pictures, hint)
        self._pictures, self._invitation = pictures, hint
        self._timer = QTimer(self)
        self._timer.setInterval(BLINK_MS)
        self._timer.timeout.connect(self._swap)

    # ------------------------------------------------------------------ what is shown

    def show_pictures(self, pictures: tuple[Picture, Picture], mode: ViewName, held: bool) -> None:
        """Show two pictures in a view, or the clean image while B is held."""
        self._pictures, self._mode, self._held = pictures, mode, held
        self.refresh()
        self._follow_turns()

    def set_difference(self, difference: Difference | None) -> None:
        """Set the difference of the two pictures; None while it is being computed."""
        self._difference = difference
        self.refresh()

    def set_gain(self, gain: int | None) -> None:
        """Set the difference's gain."""
        self.gain = gain
        self.refresh()

    def set_divider(self, share: float) -> None:
        """Move the wipe's divider."""
        self.divider = min(max(share, 0.0), 1.0)
        self._show_divider()

    @property
    def filled(self) -> bool:
        return self._pictures[0].pixels is not None

    @property
    def wiping(self) -> bool:
        """Whether the divider is shown."""
        return self._mode == "wipe" and not self._held and self._pictures[0].pixels is not None

    def picture_at(self, x: int) -> int:
        """Return the number of the picture that is seen at a column of the viewport."""
        if self.wiping:
            return int(self.placement.to_image(x, 0)[0] >= self.divider * self.size_[1])
        return int(not (self._mode == "blink" and not self.second_up))

    def refresh(self) -> None:
        """Show the pictures again."""
        self.set_image(self._shown(), self._size_of_first())
        self._show_hint()
        self._show_divider()
        turns = self._mode == "blink" and not self._held
        for place, (heading, picture) in enumerate(zip(self.headings, self._pictures, strict=True)):
            heading.show_picture(picture)
            heading.set_off(turns and place != int(self.second_up))

    def _show_hint(self) -> None:
        """Invite to open an image, or say why there is no difference; one that is being computed needs no hint."""
        sentence = self._invitation if self._pictures[0].pixels is None else self.no_difference
        self.hint.setText(sentence)
        self.hint.setVisible(bool(sentence))

    @property
    def no_difference(self) -> str:
        """The reason for which the difference view shows nothing, as a sentence; empty if there is something to see, or soon will be."""
        first, second = self._pictures
        if self._mode != "difference" or self._held or first.pixels is None:
            return ""
        if second.pixels is not None and second.pixels.shape != first.pixels.shape:
            return OTHER_SIZES
        if self._difference is None or self._difference.largest > 0:
            return ""
        return UNCHANGED if first.run is None else SAME_RUNS

    def _size_of_first(self) -> tuple[int, int] | None:
        first = self._pictures[0].pixels
        return None if first is None else (first.shape[0], first.shape[1])

    def _shown(self) -> np.ndarray | None:
        """Return the image below the divider, or the only one."""
        first, second = self._pictures
        difference = self._difference
        limits: tuple[str, ...] = ()
        shown = second.pixels
        if self._held:
            shown = second.clean
        elif self._mode == "blink" and not self.second_up:
            shown = first.pixels
        elif self._mode == "difference":
            shown = None
            if difference is not None and difference.largest > 0 and difference.steps.shape == self._size_of_first():
                shown, text = self._colours(difference)
                limits = (f"{MINUS}{text}", "0", f"+{text}")
        self.view.scale_bar.show_limits(limits)
        return shown

    def _colours(self, difference: Difference) -> tuple[np.ndarray, str]:
        """Return a difference's colours and the end of its scale. They are kept, since other changes ask for them again."""
        if self._painted is None or self._painted[0] is not difference or self._painted[1] != self.gain:
            limit = limit_of(difference, self.gain)
            self._painted = (difference, self.gain, coloured(difference, limit), limit_text(limit))
        return self._painted[2], self._painted[3]

    def _show_divider(self) -> None:
        height, width = self.size_
        self.view.show_over(self._pictures[0].pixels if self.wiping else None, self.size_, self.divider)
        self.view.divider.put(self.divider * width if self.wiping else None, height)
        self._veil()

    def _veil(self) -> None:
        """Dim only what shows the second picture."""
        second = not self._held and (self._mode != "blink" or self.second_up)
        left = self.divider * self.size_[1] if self._mode == "wipe" else 0.0
        self.view.veil.cover(self.size_ if self._veiled and second else (0, 0), surround(self.palette()), left)

    # ------------------------------------------------------------------ taking turns

    def set_taking_turns(self, on: bool) -> None:
        """Let the images take turns, or stop at the one that can be seen."""
        self.taking_turns = on
        self._follow_turns()

    def swap(self) -> None:
        """Show the other image, and stop there."""
        self.set_taking_turns(False)
        self._swap()

    @Slot()
    def _swap(self) -> None:
        self.second_up = not self.second_up
        self.refresh()

    def _follow_turns(self) -> None:
        on = self._mode == "blink" and self.taking_turns and not self._held and self.isVisible()
        if on and not self._timer.isActive():
            self._timer.start()
        elif not on:
            self._timer.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow_turns()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
