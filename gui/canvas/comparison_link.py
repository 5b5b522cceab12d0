"""ComparisonLink: shows the runs that are compared on the canvas, in place of the image and its attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.canvas.difference import signed_difference
from gui.canvas.pictures import Caption, Picture, share_text
from gui.session.history import AttackRun
from gui.session.scene import to_pixels

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas
    from gui.session.session import Session

COLOURS = ("#E69F00", "#56B4E9", "#F0E442", "#7F7F7F")
"""The colours of the compared runs, from Okabe and Ito's set: none of those of the clean and the adversarial image."""


def name_of(run: AttackRun) -> str:
    """Return a run's number, its attack and its eps, such as ``#3 PGD 8/255``."""
    from engine.text.formatting import format_number

    eps = getattr(run.planned, "eps", None)
    return f"{run.title} {format_number(eps)}" if isinstance(eps, float) else run.title


def picture_of(run: AttackRun, colour: str) -> Picture:
    """Return a run's adversarial image, its prediction and its clean image. Called in the engine thread."""
    best = int(run.result.prediction[0])
    share = float(run.result.logits[0].softmax(0)[best])
    caption = Caption(run.result.classifier.labels[best], share_text(share))
    return Picture(name_of(run), colour, to_pixels(run.result.adversarial[0]), caption, run.number, to_pixels(run.scene.clean))


class ComparisonLink(QObject):
    """Follows the runs that are compared. While it is not active, the canvas shows the pair."""

    chosen = Signal()
    """The user has chosen two or more runs to compare."""

    def __init__(self, session: Session, canvas: ImageCanvas) -> None:
        super().__init__(canvas)
        self._session, self._canvas = session, canvas
        self._active = True
        self._shown: tuple[AttackRun, ...] = ()
        session.history.changed.connect(self.follow)
        session.comparedChanged.connect(self._on_compared)
        canvas.viewChanged.connect(self._ask_difference)

    def set_active(self, active: bool) -> None:
        """Set whether compared runs are shown."""
        self._active = active
        self.follow()

    @Slot()
    def leave(self) -> None:
        """Compare no runs any more."""
        self._session.change(compared=())

    @Slot()
    def _on_compared(self) -> None:
        self.follow()
        if len(self._session.compared) > 1:
            self.chosen.emit()

    @Slot()
    def follow(self) -> None:
        """Show the compared runs, if there are two or more that have not been removed."""
        found = (self._session.history.find(number) for number in self._session.compared)
        runs = tuple(run for run in found if isinstance(run, AttackRun))
        runs = runs if self._active and len(runs) > 1 else ()
        if [run.number for run in runs] == [run.number for run in self._shown]:
            return
        self._shown = runs
        if not runs:
            self._canvas.set_compared(())
            return
        self._session.ask("compared", lambda: pictures_of(runs), lambda pictures: self._show(runs, pictures), what="Comparing the runs")

    def _show(self, runs: Sequence[AttackRun], pictures: Sequence[Picture]) -> None:
        if runs is self._shown:
            self._canvas.set_compared(pictures)

    @Slot()
    def _ask_difference(self) -> None:
        """Ask the lane for the difference of two compared runs, if the view shows it and they are of one size."""
        if self._canvas.view != "difference" or not self._canvas.comparing or len(self._shown) != 2:
            return
        first, second = (run.result.adversarial[0] for run in self._shown)
        self._canvas.set_difference(None)
        if first.shape[1:] != second.shape[1:]:
            return  # the canvas says so
        self._session.ask(
            "difference",
            lambda: signed_difference(first, second),
            self._canvas.set_difference,
            what="Computing the difference of the two images",
        )


def pictures_of(runs: Sequence[AttackRun]) -> list[Picture]:
    """Return the pictures of runs, each with a colour. Called in the engine thread."""
    return [picture_of(run, COLOURS[place % len(COLOURS)]) for place, run in enumerate(runs)]
