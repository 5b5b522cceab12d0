"""PredictionView: the bars of the most probable classes, the verdict, and the norms of the perturbation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from engine.text.formatting import format_share, short
from gui.panels.prediction.legend import Legend
from gui.panels.prediction.verdict import Goals, Outcome, under_bound, verdict_on
from gui.plots.bars import ProbabilityBars, Row
from gui.plots.ranking import by_strength, stable_top
from gui.session.survival import behind_words
from gui.theme import ADVERSARIAL, GRID, TARGET
from gui.widgets.scrolling import RowScroll
from gui.widgets.text import NumberTile, NumberTiles, Sentence

if TYPE_CHECKING:
    from engine.explain.observation import Changed
    from gui.session.scene import Frame

_COLOURS: dict[Outcome, str | None] = {"target": TARGET, "adversarial": ADVERSARIAL, "": None}
_BOTH = "It counts the stickers and the attack. Runs has what the attack added to the clean image with its stickers."
_MEASURED = "From the clean image"
_MEASURED_WITH_STICKERS = "From the clean image, stickers counted"
_GROWN = "The image was grown from noise: it is no change of the clean one, so its distance from that means nothing."


class PredictionView(QWidget):
    """A view of a frame. Rows keep their places from frame to frame, until `sort` is called."""

    recounted = Signal()
    """The user has changed the number of classes that are listed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[int] = []
        """The classes that are shown, from top to bottom."""
        self.verdict = Sentence(2, bold=True, snug=True)
        self.under_bound = Sentence(3, muted=True, snug=True)
        self.behind = Sentence(2, muted=True, snug=True)
        """The predictions behind the defense."""
        self.feet = QVBoxLayout()
        """The place for widgets of the panel below that sentence."""
        self.bars = ProbabilityBars()
        self._area = RowScroll(self.bars, self.bars.least_row, self)
        self.legend = Legend()
        self.figures = NumberTiles()
        self.measured = Sentence(2, muted=True, snug=True)
        self.count = QSpinBox()
        self._build()

    def _build(self) -> None:
        self.count.setRange(1, 20)
        self.count.setValue(5)
        self.count.setPrefix("top ")
        self.count.setAccessibleName("Number of classes")
        self.count.setToolTip("How many classes are listed: those whose larger probability, clean or adversarial, is the highest.")
        self.count.valueChanged.connect(self._on_count)
        self.bars.setAccessibleName("Probabilities")
        foot = QHBoxLayout()
        foot.addWidget(self.measured, 1)
        foot.addWidget(self.count, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(4)
        layout.addWidget(self.verdict)
        layout.addWidget(self._area, 1)
        layout.addWidget(self.legend)
        layout.addWidget(self.under_bound)
        layout.addWidget(self.behind)
        layout.addLayout(self.feet)
        layout.addWidget(self.figures)
        layout.addLayout(foot)
        self.under_bound.hide()
        self.behind.hide()

    # ------------------------------------------------------------------ painting

    def show_frame(self, frame: Frame, goals: Goals, similarity: float | None) -> None:
        """Show a frame with the marks of its goals; a similarity that is None is still being measured."""
        self._show_bars(frame, goals)
        sentence, outcome = verdict_on(frame, goals)
        self.verdict.set_text(sentence, _COLOURS[outcome])
        labels = frame.scene.classifier.labels
        for shown, text in (
            (self.under_bound, under_bound(frame.observation, labels)),
            (self.behind, behind_words(frame.observation, labels)),
        ):
            if bool(text) != shown.isVisibleTo(self):
                shown.setVisible(bool(text))
            shown.set_text(text)
        self.legend.show_parts(goals.label is not None, goals.target is not None, goals.chosen_by_attack)
        self.show_norms(frame, similarity)

    def sort(self, frame: Frame, goals: Goals) -> None:
        """Sort the rows by strength."""
        self.rows = by_strength(self.rows, np.maximum(frame.observation.clean.numpy(), frame.observation.adversarial.numpy()))
        self._show_bars(frame, goals)

    def forget_rows(self) -> None:
        """Choose the rows again from scratch at the next frame."""
        self.rows = []

    def _show_bars(self, frame: Frame, goals: Goals) -> None:
        seen, labels = frame.observation, frame.scene.classifier.labels
        clean, adversarial = seen.clean.numpy(), seen.adversarial.numpy()
        known = [c for c in dict.fromkeys((goals.label, goals.target)) if c is not None and c < len(labels)]
        scores = np.maximum(clean, adversarial)
        if not self.rows:
            self.rows = by_strength(stable_top((), scores, self.count.value(), known), scores)
        self.rows = stable_top(self.rows, scores, self.count.value(), known)
        limited, defended = _pairs(seen.bounded), _pairs(seen.defended)
        self.bars.set_rows(
            [
                Row(
                    labels[c],
                    float(clean[c]),
                    float(adversarial[c]),
                    *_at(limited, c),
                    c == goals.label,
                    c == goals.target,
                    *_at(defended, c),
                )
                for c in self.rows
            ]
        )
        self._area.fit()

    def show_norms(self, frame: Frame, similarity: float | None) -> None:
        """Show the size of the perturbation; a similarity that is None is still being measured."""
        norms, seen = frame.observation.norms, frame.observation
        both = any(sticker.visible for sticker in frame.scene.stickers) and frame.scene.delta is not None
        self.measured.set_text("" if frame.scene.grown else _MEASURED_WITH_STICKERS if both else _MEASURED)
        if frame.scene.grown:
            self.figures.set_tiles([NumberTile(name, "–", "", _GROWN) for name in ("L0 (px)", "L1", "L2", "L∞", "SSIM")])
            return
        pixels = seen.clean_image.shape[1] * seen.clean_image.shape[2]
        similar = "1" if norms["linf"] == 0 else "…" if similarity is None else f"{similarity:.3f}"
        more = f" {_BOTH}" if both else ""
        self.figures.set_tiles(
            [
                NumberTile(
                    "L0 (px)", f"{norms['l0']:.0f}", format_share(norms["l0"] / pixels), "L0: pixels that changed by more than 0.5/255"
                ),
                NumberTile("L1", short(norms["l1"]), "", f"L1: sum of the absolute changes of all values.{more}"),
                NumberTile("L2", short(norms["l2"]), "", f"L2: root of the sum of squared changes.{more}"),
                NumberTile("L∞", f"{norms['linf']:.3g}", f"{norms['linf'] * 255:.3g}/255", f"L∞: the largest change of a value.{more}"),
                NumberTile("SSIM", similar, "", "Structural similarity: 1 is the same image. Computed when nothing moves."),
            ]
        )

    @Slot()
    def _on_count(self) -> None:
        self.forget_rows()
        self.recounted.emit()


def _pairs(changed: Changed | None) -> tuple[list[float], list[float]] | None:
    """Return the probabilities of both images by a changed model; None where there is none."""
    return None if changed is None else (changed.clean.tolist(), changed.adversarial.tolist())


def _at(pairs: tuple[list[float], list[float]] | None, c: int) -> tuple[float | None, float | None]:
    return (None, None) if pairs is None else (pairs[0][c], pairs[1][c])
