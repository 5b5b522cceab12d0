"""The Hardness dock: how many steps, and how large a change, it takes until this image flips, beside a reference set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.lanes.progress_text import ShareMeter
from gui.panels.hardness.plot import HardnessPlot
from gui.panels.hardness.words import Measure, bins, image_words, numbers_of, rank_words, reference_words
from gui.session.swap_model import sample_kind
from gui.theme import GRID
from gui.widgets.data_chooser import DataChooser
from gui.widgets.job_foot import JobFoot
from gui.widgets.scrolling import scrolling
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from gui.session.hardness import Mark, Reference
    from gui.session.session import Session

_COUNT = 200
_NARROW = 620
"""Width in pixels below which the reference set is chosen below the plot."""
_SIDE = 36 * GRID
"""Width of the rows that choose the reference set."""
_MEASURES: tuple[tuple[Measure, str], ...] = (("steps", "steps to flip"), ("l2", "L2 norm to flip"))
_NO_IMAGE = "Open an image to see how soon it flips."
_NO_SET = "Measure a reference set to see how this image compares with others."
_HOW = (
    "Every image is moved against its label in small steps, without any limit, until the model misreads it. Few steps mean that the "
    "image lies near the decision boundary."
)


class HardnessPanel(QWidget):
    """Measures this image while it is visible; a reference set is measured on request, and kept for its model."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self._hardness = session, session.hardness
        session.jobs.watch(self._hardness.runner, "hardness", lambda: "Hard samples")
        self._meter = ShareMeter()
        self._kind = ""
        """The kind of the model, for which the chooser suggests a data set."""
        self.verdict, self.rank = Sentence(2, bold=True), Sentence(3, snug=True)
        self.summary = Sentence(2, muted=True, snug=True)
        self.measure = QComboBox(self)
        self.plot = HardnessPlot(self)
        self.data = DataChooser(
            session.data_sources, self, count=_COUNT, count_tip="How many images to measure, spread evenly over the set"
        )
        self.foot = JobFoot("Measure", "End it now; the images measured so far stay", self)
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        self.measure.setAccessibleName("What is compared")
        for name, title in _MEASURES:
            self.measure.addItem(title, name)
        self.plot.setAccessibleName("Histogram of the reference set")
        side, body, compared = QWidget(self), QWidget(self), QHBoxLayout()
        self.verdict.setToolTip(_HOW)
        side.setFixedWidth(_SIDE)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        compared.addWidget(QLabel("compare", self))
        compared.addWidget(self.measure, 1)
        column.addWidget(self.data)
        column.addLayout(compared)
        column.addWidget(self.foot)
        column.addStretch(1)
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        rows.addWidget(self.verdict)
        rows.addWidget(self.rank)
        rows.addWidget(self.plot, 1)
        rows.addWidget(self.summary)
        inner = QWidget(self)
        self._parts = QBoxLayout(QBoxLayout.Direction.LeftToRight, inner)
        self._parts.setContentsMargins(GRID, 4, GRID, 4)
        self._parts.setSpacing(2 * GRID)
        self._parts.addWidget(side)
        self._parts.addWidget(body, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        area = scrolling(inner)
        area.setMinimumWidth(0)  # beside each other the parts need more width than below each other
        whole.addWidget(area)

    def _connect(self) -> None:
        session, hardness = self.session, self._hardness
        for signal in (session.classifierChanged, session.imageChanged, session.labelChanged, session.engineReady):
            signal.connect(self._refresh)
        for own in (hardness.changed, hardness.marked, self.measure.currentIndexChanged, self.data.changed):
            own.connect(self._refresh)
        hardness.runner.progressed.connect(self._on_progress)
        hardness.failed.connect(self._on_failed)
        self.foot.started.connect(self.run)
        self.foot.paused.connect(hardness.runner.pause)
        self.foot.cancelled.connect(hardness.runner.cancel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        self._parts.setDirection(QBoxLayout.Direction.BottomToTop if narrow else QBoxLayout.Direction.LeftToRight)

    def minimumSizeHint(self) -> QSize:
        return QSize(_SIDE + 3 * GRID, 16 * GRID)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    # ------------------------------------------------------------------ from the user

    @property
    def obstacle(self) -> str:
        """The reason why no set can be measured now, as a sentence; empty if one can."""
        if self.session.classifier is None:
            return "Load a model first."
        if self._hardness.runner.running:
            return "A set is being measured."
        if self.data.choice is None:
            return "Choose a data set first."
        return ""

    @Slot()
    def run(self) -> None:
        """Measure the chosen set."""
        classifier, choice = self.session.classifier, self.data.choice
        if not self.obstacle and classifier is not None and choice is not None:
            self.foot.message.say("")
            self._hardness.measure_set(classifier, choice)

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _refresh(self) -> None:
        self._on_progress()
        self.foot.allow(self.obstacle, "Count the steps to flip of every image of the set, in the background")
        if not self.isVisible():
            return
        state = self.session.state
        if state.classifier is not None and (kind := sample_kind(state.classifier)) != self._kind:
            self._kind = kind
            self.data.suggest(kind)
        if state.classifier is not None and state.clean is not None and state.assumed_label is not None:
            self._hardness.measure_image(state.classifier, state.clean, state.assumed_label)
        self._show(self._mark(), self._hardness.reference(state.classifier))

    def _mark(self) -> Mark | None:
        """Return the measurement of the image on the canvas; None while it is not there."""
        mark, state = self._hardness.mark, self.session.state
        if mark is None or mark.classifier is not state.classifier or mark.clean is not state.clean:
            return None
        return mark if mark.label == state.assumed_label else None

    def _show(self, mark: Mark | None, reference: Reference | None) -> None:
        measure: Measure = self.measure.currentData()
        self.verdict.set_text(_NO_IMAGE if self.session.clean is None else "Measuring this image…" if mark is None else image_words(mark))
        compared = reference if reference is not None and len(reference.steps) else None
        self.rank.set_text(_NO_SET if compared is None else "" if mark is None else rank_words(mark, compared, measure))
        self.plot.setVisible(compared is not None)
        self.summary.set_text("" if compared is None else reference_words(compared))
        if compared is None:
            return
        value = None if mark is None else float("inf") if mark.steps > mark.budget else float(mark.steps if measure == "steps" else mark.l2)
        title = dict(_MEASURES)[measure]
        self.plot.set_histogram(*bins(compared, measure, value), title, numbers_of(compared), whole=measure == "steps")
        self.plot.set_mark(value)

    @Slot()
    def _on_progress(self) -> None:
        job = self._hardness.runner.job
        self.foot.show_job(job, "" if job is None else self._meter.words(job))

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        self.foot.message.say(sentence, "error")
