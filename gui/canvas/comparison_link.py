"""ComparisonLink: shows the runs that are compared on the canvas, in place of the image and its attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from engine.text.formatting import format_probability
from gui import theme
from gui.canvas.difference import signed_difference
from gui.canvas.pictures import Caption, Picture
from gui.session.comparison import letter_at
from gui.session.history import AttackRun
from gui.session.run_facts import main_size, shorter_titles
from gui.session.scene import to_pixels

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas
    from gui.session.scene import Frame
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
        caption=Caption(run.result.classifier.labels[best], format_probability(share)),
        run=run.number,
        clean=to_pixels(run.scene.clean),
        letter=letter_at(place),
        size=main_size(run),
    )


def picture_at(picture: Picture, run: AttackRun, frame: Frame) -> Picture:
    """Return the picture of a run at the iteration of a frame."""
    seen, at = frame.observation, f"iteration {frame.step:,}"
    best = seen.adversarial_prediction
    return replace(
        picture,
        name=f"#{run.number} {run.operation.title}, {at}",
        shorter=(f"#{run.number}, {at}", f"#{run.number}, {frame.step:,}"),
        pixels=frame.adversarial_pixels,
        caption=Caption(frame.scene.classifier.labels[best], format_probability(float(seen.adversarial[best]))),
        size=main_size(run, seen.norms),
    )


class ComparisonLink(QObject):
    """Follows the runs that are compared. While it is not active, the canvas shows the pair.

    Each run is shown with its result, but the one that the timeline moves through with the iteration under the hand.
    """

    chosen = Signal()
    """The user has chosen two or more runs to compare."""

    def __init__(self, session: Session, canvas: ImageCanvas) -> None:
        super().__init__(canvas)
        self._session, self._canvas = session, canvas
        self._shown: tuple[AttackRun, ...] = ()
        session.comparison.changed.connect(self.follow)
        self._results: tuple[Picture, ...] = ()
        """The pictures of the results; none until they have been made."""
        self._moved: int | None = None
        """The number of the run whose iteration is shown in place of its result."""
        session.observed.connect(self._on_observed)
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
        self._shown, self._results, self._moved = runs, (), None
        if not runs:
            self._canvas.set_compared(())
            return
        self._session.ask("compared", lambda: pictures_of(runs), lambda pictures: self._show(runs, pictures), what="Comparing the runs")

    def _show(self, runs: Sequence[AttackRun], pictures: Sequence[Picture]) -> None:
        if runs is self._shown:
            self._results = tuple(pictures)
            self._canvas.set_compared(self._pictures())

    @property
    def _iterate(self) -> Frame | None:
        """The frame of an iteration of one of the runs, if the timeline shows one."""
        frame = self._session.frame
        moved = frame is not None and frame.step is not None and any(run.number == frame.run for run in self._shown)
        return frame if moved else None

    def _pictures(self) -> list[Picture]:
        """Return the pictures, with the iteration that the timeline shows in place of its run's result."""
        frame = self._iterate
        self._moved = None if frame is None else frame.run
        return [
            picture if frame is None or run.number != frame.run else picture_at(picture, run, frame)
            for run, picture in zip(self._shown, self._results, strict=True)
        ]

    @Slot()
    def _on_observed(self) -> None:
        if self._results and (self._moved is not None or self._iterate is not None):
            self._canvas.exchange_compared(self._pictures())
            self._compute_difference()

    @Slot()
    def _ask_difference(self) -> None:
        """Show no difference until that of the runs is there."""
        if self._canvas.comparing:
            self._canvas.set_difference(None)
        self._compute_difference()

    def _compute_difference(self) -> None:
        """Ask the lane for the difference of two compared runs, if the view shows it and they are of one size."""
        if self._canvas.view != "difference" or not self._canvas.comparing or len(self._shown) != 2:
            return
        frame = self._iterate
        first, second = (
            run.result.adversarial[0] if frame is None or run.number != frame.run else frame.observation.adversarial_image
            for run in self._shown
        )
        if first.shape[1:] != second.shape[1:]:
            self._canvas.set_difference(None)
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
