"""PredictionPanel: connects the view of the predictions, which knows no session, with the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QStackedLayout, QWidget

from gui.panels.frame_panel import FrameView
from gui.panels.prediction.verdict import Goals, goals_of, similarity
from gui.panels.prediction.view import PredictionView
from gui.widgets import EmptyState
from gui.widgets.attackers_bar import AttackersBar
from gui.widgets.lights import LightRow

if TYPE_CHECKING:
    from gui.session.scene import Frame
    from gui.session.session import Session

SETTLE_MS = 400
"""Milliseconds without a new frame after which rows are sorted and the structural similarity is requested."""


class PredictionPanel(FrameView):
    """Shows the session's frames in the view. Slow work, such as the similarity, waits until no new frame arrives."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.view = PredictionView(self)
        self.attackers = AttackersBar(session.attackers, self, compact=True)
        self.attackers.chosen.connect(session.show_entry)
        self.view.feet.addWidget(self.attackers)
        self.lights = LightRow(self)
        self.lights.opened.connect(lambda: session.places.wanted.emit("", "trust"))
        self.view.feet.addWidget(self.lights)
        session.trust.changed.connect(self._show_lights)
        self._similarity: tuple[Frame, float] | None = None
        self._pages = QStackedLayout(self.body)
        self._pages.addWidget(EmptyState("The model's prediction appears here. Load a model and open an image.", "mdi6.poll", self))
        self._pages.addWidget(self.view)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLE_MS)
        self._settled.timeout.connect(self._on_settled)
        self.view.recounted.connect(self.refresh)
        session.labelChanged.connect(self.refresh)
        session.history.changed.connect(self.refresh)
        session.classifierChanged.connect(self._on_new_image)
        session.imageChanged.connect(self._on_new_image)

    def show_frame(self, frame: Frame | None) -> None:
        self._pages.setCurrentIndex(0 if frame is None else 1)
        if frame is not None:
            self.view.show_frame(frame, self._goals(frame), self._known_similarity(frame))
            self._settled.start()

    def _goals(self, frame: Frame) -> Goals:
        return goals_of(self.session.state, self.session.history.shown, frame)

    def _known_similarity(self, frame: Frame) -> float | None:
        return self._similarity[1] if self._similarity is not None and self._similarity[0] is frame else None

    @Slot()
    def _show_lights(self) -> None:
        self.lights.show_lights(self.session.trust.lights)

    # ------------------------------------------------------------------ after the last frame

    @Slot()
    def _on_settled(self) -> None:
        frame = self.session.frame
        if frame is None or not self.isVisible():
            return
        self.view.sort(frame, self._goals(frame))
        seen = frame.observation
        if seen.norms["linf"] > 0 and not frame.scene.grown and self._known_similarity(frame) is None:
            self.session.ask(
                "prediction.ssim",
                lambda: (frame, similarity(seen.clean_image, seen.adversarial_image)),
                self._on_similarity,
                what="Measuring the similarity",
            )

    def _on_similarity(self, result: tuple[Frame, float]) -> None:
        self._similarity = result
        if self.isVisible() and self.session.frame is result[0]:
            self.view.show_norms(*result)

    @Slot()
    def _on_new_image(self) -> None:
        self.view.forget_rows()
        self._similarity = None
