"""PredictionPanel: the classifier's predictions for the clean and the adversarial image, and the size of the perturbation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSpinBox, QStackedLayout, QVBoxLayout, QWidget

from engine.text.formatting import format_probability as percent
from engine.text.formatting import short
from gui.panels.frame_panel import FrameView
from gui.plots.bars import ProbabilityBars, Row
from gui.plots.ranking import by_strength, stable_top
from gui.session.scene import Frame
from gui.session.session import Session
from gui.theme import ADVERSARIAL, CLEAN, GRID, LABEL, TARGET, rich
from gui.widgets import EmptyState
from gui.widgets.text import NumberTile, NumberTiles, Sentence

if TYPE_CHECKING:
    from torch import Tensor

    from engine.explain import Observation

SETTLE_MS = 400
"""Milliseconds without a new frame after which rows are sorted and the structural similarity is requested."""

_GROWN = "The image was grown from noise: it is no change of the clean one, so its distance from that means nothing."


class PredictionPanel(FrameView):
    """Bars of the most probable classes, a verdict, and the norms of the perturbation."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.rows: list[int] = []
        """The classes that are shown, from top to bottom."""
        self._similarity: tuple[Frame, float] | None = None
        self.verdict = Sentence(2, bold=True)
        self.under_bound = Sentence(2, muted=True)
        self.bars = ProbabilityBars()
        self.legend = _Legend()
        self.figures = NumberTiles()
        self.count = QSpinBox()
        self._build()
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLE_MS)
        self._settled.timeout.connect(self._on_settled)
        session.labelChanged.connect(self.refresh)
        session.history.changed.connect(self.refresh)
        session.classifierChanged.connect(self._on_new_image)
        session.imageChanged.connect(self._on_new_image)

    def _build(self) -> None:
        self.count.setRange(1, 20)
        self.count.setValue(5)
        self.count.setPrefix("top ")
        self.count.setAccessibleName("Number of classes")
        self.count.setToolTip("How many classes are listed: those whose larger probability, clean or adversarial, is the highest.")
        self.count.valueChanged.connect(self._on_count)
        self.bars.setAccessibleName("Probabilities")
        area = QScrollArea()
        area.setWidget(self.bars)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        foot = QHBoxLayout()
        foot.addWidget(self.legend, 1)
        foot.addWidget(self.count, 0, Qt.AlignmentFlag.AlignTop)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self.verdict)
        layout.addWidget(area, 1)
        layout.addLayout(foot)
        layout.addWidget(self.under_bound)
        layout.addWidget(self.figures)
        self.under_bound.hide()
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState("The model's prediction appears here. Load a model and open an image.", "mdi6.poll", self))
        self._pages.addWidget(body)

    # ------------------------------------------------------------------ painting

    def show_frame(self, frame: Frame | None) -> None:
        self._pages.setCurrentIndex(0 if frame is None else 1)
        if frame is None:
            return
        seen, labels = frame.observation, frame.scene.classifier.labels
        self._show_bars(seen, labels)
        self.verdict.set_text(*self._verdict(frame, labels))
        self._fit_verdict()
        bounded = under_bound(seen, labels)
        if bool(bounded) != self.under_bound.isVisibleTo(self):
            self.under_bound.setVisible(bool(bounded))
        self.under_bound.set_text(bounded)
        chosen = self._chosen_goal() is not None
        self.legend.show_parts(self.session.label is not None, self._marked_target() is not None, chosen)
        self._show_figures(frame)
        self._settled.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_verdict()

    def _fit_verdict(self) -> None:
        """Give the verdict a second line only if it does not fit in one."""
        metrics = self.verdict.fontMetrics()
        lines = 1 if metrics.horizontalAdvance(self.verdict.text) <= self.width() - 2 * GRID else 2
        self.verdict.setFixedHeight(lines * metrics.lineSpacing() + 4)

    def _show_bars(self, seen: Observation, labels: tuple[str, ...]) -> None:
        clean, adversarial = seen.clean.numpy(), seen.adversarial.numpy()
        target = self._marked_target()
        known = [c for c in dict.fromkeys((self.session.label, target)) if c is not None and c < len(labels)]
        scores = np.maximum(seen.clean.numpy(), seen.adversarial.numpy())
        if not self.rows:
            self.rows = by_strength(stable_top((), scores, self.count.value(), known), scores)
        self.rows = stable_top(self.rows, scores, self.count.value(), known)
        bounded = seen.bounded
        limited = (None, None) if bounded is None else (bounded.clean.tolist(), bounded.adversarial.tolist())
        self.bars.set_rows(
            [
                Row(
                    labels[c],
                    float(clean[c]),
                    float(adversarial[c]),
                    None if limited[0] is None else limited[0][c],
                    None if limited[1] is None else limited[1][c],
                    c == self.session.label,
                    c == target,
                )
                for c in self.rows
            ]
        )

    def _chosen_goal(self) -> int | None:
        """Return the target that the attack on the canvas chose itself; None if the user chose it or there is none."""
        entry = self.session.history.shown
        return None if entry is None or self.session.target is not None else entry.result.goal(0)

    def _marked_target(self) -> int | None:
        chosen = self._chosen_goal()
        return self.session.target if chosen is None else chosen

    def _judged_by(self, frame: Frame) -> int | None:
        """Return the target by which a frame is judged: a finished run's own, not the one that is chosen for the next run."""
        session = self.session
        entry = None if frame.step is not None else session.history.shown
        if entry is None:
            return session.target
        return None if entry.result.targets is None else int(entry.result.targets[0])

    def _verdict(self, frame: Frame, labels: tuple[str, ...]) -> tuple[str, str | None]:
        """Return the verdict's sentence and colour."""
        seen, grown, target = frame.observation, frame.scene.grown, self._judged_by(frame)
        before, after = seen.clean_prediction, seen.adversarial_prediction
        if target is not None and after == target and (grown or after != before):
            return f"Target reached: {'noise' if grown else labels[before]} → {labels[after]}", TARGET
        if grown:
            return f"Grown from noise: {labels[after]}", ADVERSARIAL
        if after != before:
            return f"Flipped: {labels[before]} → {labels[after]}", ADVERSARIAL
        if self.session.label is not None and self.session.label != before:
            return f"Wrong before any attack: {labels[before]}, not {labels[self.session.label]}", None
        return f"{'Still ' if seen.norms['linf'] > 0 else ''}{labels[before]}", None

    def _show_figures(self, frame: Frame) -> None:
        norms, seen = frame.observation.norms, frame.observation
        if frame.scene.grown:
            self.figures.set_tiles([NumberTile(name, "–", "", _GROWN) for name in ("L0 (px)", "L1", "L2", "L∞", "SSIM")])
            return
        pixels = seen.clean_image.shape[1] * seen.clean_image.shape[2]
        known = self._similarity is not None and self._similarity[0] is frame
        similar = "1" if norms["linf"] == 0 else f"{self._similarity[1]:.3f}" if known and self._similarity else "…"
        self.figures.set_tiles(
            [
                NumberTile("L0 (px)", f"{norms['l0']:.0f}", percent(norms["l0"] / pixels), "L0: pixels that changed by more than 0.5/255"),
                NumberTile("L1", short(norms["l1"]), "", "L1: sum of the absolute changes of all values"),
                NumberTile("L2", short(norms["l2"]), "", "L2: root of the sum of squared changes"),
                NumberTile("L∞", f"{norms['linf']:.3g}", f"{norms['linf'] * 255:.3g}/255", "L∞: the largest change of a value"),
                NumberTile("SSIM", similar, "", "Structural similarity: 1 is the same image. Computed when nothing moves."),
            ]
        )

    # ------------------------------------------------------------------ after the last frame

    @property
    def unsettled(self) -> bool:
        """Whether the sorting of rows or the similarity is pending."""
        return self._settled.isActive() or self.session.waiting("prediction.ssim")

    @Slot()
    def _on_settled(self) -> None:
        frame = self.session.frame
        if frame is None or not self.isVisible():
            return
        seen = frame.observation
        self.rows = by_strength(self.rows, np.maximum(seen.clean.numpy(), seen.adversarial.numpy()))
        self._show_bars(seen, frame.scene.classifier.labels)
        if seen.norms["linf"] > 0 and not frame.scene.grown and (self._similarity is None or self._similarity[0] is not frame):
            self.session.ask(
                "prediction.ssim",
                lambda: (frame, similarity(seen.clean_image, seen.adversarial_image)),
                self._on_similarity,
                what="Measuring the similarity",
            )

    def _on_similarity(self, result: tuple[Frame, float]) -> None:
        self._similarity = result
        if self.isVisible() and self.session.frame is result[0]:
            self._show_figures(result[0])

    @Slot()
    def _on_new_image(self) -> None:
        self.rows = []
        self._similarity = None

    @Slot()
    def _on_count(self) -> None:
        self.rows = []
        self.refresh()


def under_bound(seen: Observation, labels: tuple[str, ...]) -> str:
    """Describe the bounded classifier's predictions for both images, or say why it fails; empty without a bound."""
    if "bounds" in seen.failures:
        return seen.failures["bounds"]
    bounded = seen.bounded
    if bounded is None:
        return ""
    clean, adversarial = int(bounded.clean.argmax()), int(bounded.adversarial.argmax())
    return (
        f"❙ Under the bound: clean {labels[clean]} {percent(float(bounded.clean[clean]))}, "
        f"adversarial {labels[adversarial]} {percent(float(bounded.adversarial[adversarial]))}"
    )


def similarity(clean: Tensor, adversarial: Tensor) -> float:
    """Return the structural similarity of two images ``(C, H, W)``. Called in the engine thread, since its import takes a while."""
    from skimage.metrics import structural_similarity

    window = min(7, clean.shape[1], clean.shape[2])
    if window < 3:
        return float("nan")  # the image is smaller than any window
    return float(
        structural_similarity(clean.numpy(), adversarial.numpy(), win_size=window - (window + 1) % 2, data_range=1.0, channel_axis=0)
    )


class _Legend(QLabel):
    """The legend of the colours that the bars use."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[bool, bool, bool] | None = None
        rich(self)
        self.setWordWrap(True)

    def show_parts(self, label: bool, target: bool, chosen: bool) -> None:
        """Show the entries of the true label and the target, if there are any; ``chosen``: the attack chose the target."""
        if (label, target, chosen) == self._shown:
            return
        self._shown = (label, target, chosen)
        parts = [(CLEAN, "■", "clean"), (ADVERSARIAL, "■", "adversarial")]
        parts += [(LABEL, "❙", "true&nbsp;label")] * label + [
            (TARGET, "❙", "target,&nbsp;chosen by&nbsp;the&nbsp;attack" if chosen else "target")
        ] * target
        words = [f'<span style="color:{colour}">{sign}</span>&nbsp;{word}' for colour, sign, word in parts]
        self.setText(" &nbsp; ".join(words))
