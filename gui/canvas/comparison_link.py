"""ComparisonLink: shows the runs that are compared on the canvas, in place of the image and its attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui import theme
from gui.canvas.difference import signed_difference
from gui.canvas.pictures import Caption, Picture, share_text
from gui.session.comparison import letter_at
from gui.session.history import AttackRun
from gui.session.run_facts import main_size, shorter_titles
from gui.session.scene import to_pixels

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas
    from gui.session.session import Session


def picture_of(run: AttackRun, place: int) -> Picture:
    """Return a run's adversarial image with its letter, prediction, norm and clean image. Called in the engine thread."""
    best = int(run.result.prediction[0])
    share = float(run.result.logits[0].softmax(0)[best])
    return Picture(
        name=run.title,
        shorter=shorter_titles(run),
        colour=theme.compared_colour(place).name(),
        pixels=to_pixels(run.result.adversarial[0]),
        caption=Caption(run.result.classifier.labels[best], share_text(share)),
        run=run.number,
        clean=to_pixels(run.scene.clean),
        letter=letter_at(place),
        size=main_size(run),
    )


class ComparisonLink(QObject):
    """Follows the runs that are compared. While it is not active, the canvas shows the pair."""

    chosen = Signal()
    """The user has chosen two or more runs to compare."""

    def __init__(self, session: Session, canvas: ImageCanvas) -> None:
        super().__init__(canvas)
        self._session, self._canvas = session, canvas
        self._shown: tuple[AttackRun, ...] = ()
        session.comparison.changed.connect(self.follow)
        session.comparedChanged.connect(self._on_compared)
        canvas.viewChanged.connect(self._ask_difference)

    @Slot()
    def leave(self) -> None:
        """Compare no runs any more."""
        self._session.change(compared=())

    @Slot()
    def _on_compared(self) -> None:
        if len(self._session.compared) > 1:
            self.chosen.emit()

    @Slot()
    def follow(self) -> None:
        """Show the compared runs, if the canvas is to."""
        comparison = self._session.comparison
        runs = comparison.runs if comparison.on_canvas else ()
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
    """Return the pictures of runs, each with its letter and colour. Called in the engine thread."""
    return [picture_of(run, place) for place, run in enumerate(runs)]
