"""CanvasLink: connects the canvas and the session, neither of which knows the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from engine.text.formatting import format_probability
from gui.canvas.comparison_link import ComparisonLink
from gui.canvas.difference import signed_difference
from gui.canvas.pictures import Caption
from gui.canvas.state_line import StateLine

if TYPE_CHECKING:
    from engine.stickers import Sticker
    from gui.canvas import ImageCanvas
    from gui.session.session import Session


class CanvasLink(QObject):
    """Passes frames and stickers to the canvas, and drags, commits and the selection to the session."""

    def __init__(self, session: Session, canvas: ImageCanvas) -> None:
        super().__init__(canvas)
        self._session, self.canvas = session, canvas
        session.observed.connect(self._on_observed)
        session.imageChanging.connect(canvas.abort)
        session.imageChanged.connect(self._on_image_changed)
        session.stickersChanged.connect(self._on_stickers_changed)
        session.selectionChanged.connect(self._on_stickers_changed)
        session.pixelChosen.connect(self._on_pixel)
        canvas.stickersDragged.connect(self._on_dragged)
        canvas.stickersCommitted.connect(self._on_committed)
        canvas.dragStarted.connect(session.runs.stickers.begin_drag)
        canvas.dragEnded.connect(session.runs.stickers.end_drag)
        canvas.selectionChanged.connect(self._on_selected)
        canvas.notice.connect(session.notice)
        canvas.viewChanged.connect(self._ask_difference)
        self.comparison = ComparisonLink(session, canvas)
        canvas.comparisonLeft.connect(self.comparison.leave)
        StateLine(session, canvas)
        canvas.new_content = session.content_for_new

    # ------------------------------------------------------------------ to the canvas

    @Slot()
    def _on_observed(self) -> None:
        frame = self._session.frame
        if frame is None:
            self.canvas.set_images(None, None)
            self.canvas.set_captions(Caption(), Caption())
            return
        seen, labels = frame.observation, frame.scene.classifier.labels
        pairs = ((seen.clean_prediction, seen.clean), (seen.adversarial_prediction, seen.adversarial))
        clean, adversarial = (Caption(labels[best], format_probability(float(p[best]))) for best, p in pairs)
        self.canvas.set_captions(clean, adversarial)
        self.canvas.set_images(frame.clean_pixels, frame.adversarial_pixels)
        self._ask_difference()

    @Slot()
    def _ask_difference(self) -> None:
        """Ask the lane for the difference of the two images, if the view shows it."""
        frame, canvas = self._session.frame, self.canvas
        if canvas.view != "difference" or canvas.comparing or frame is None:
            return
        seen = frame.observation
        self._session.ask(
            "difference",
            lambda: signed_difference(seen.clean_image, seen.adversarial_image),
            canvas.set_difference,
            what="Computing the difference of the two images",
            stream=True,
        )

    @Slot()
    def _on_image_changed(self) -> None:
        self.canvas.pin(None)
        if self._session.clean is None:
            self.canvas.set_images(None, None)
            self.canvas.set_captions(Caption(), Caption())

    @Slot()
    def _on_stickers_changed(self) -> None:
        self.canvas.set_stickers(self._session.stickers, self._session.selected, self._session.state.also_selected)

    @Slot(object)
    def _on_pixel(self, at: tuple[int, int] | None) -> None:
        self.canvas.pin(at)

    # ------------------------------------------------------------------ from the canvas

    @Slot(object)
    def _on_dragged(self, stickers: tuple[Sticker, ...]) -> None:
        self._session.drag_stickers(stickers)

    @Slot(object, object, str)
    def _on_committed(self, before: tuple[Sticker, ...], after: tuple[Sticker, ...], text: str) -> None:
        self._session.commit_stickers(after, text, before)

    @Slot(object, object)
    def _on_selected(self, sticker: int | None, also: frozenset[int]) -> None:
        self._session.select(sticker, also)
