"""Hardness: how soon the image on the canvas flips, beside a reference set of images under the same classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.stand_in import is_stand_in

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from engine import Classifier
    from engine.evaluate import HardSamplesStep
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import JobOutcome
    from gui.session.attack_runner import Request
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources

    Values = npt.NDArray[np.floating]

_TICK_MS = 100
_KEPT = 8
"""Classifiers whose reference sets are kept."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Steps and norms to flip of the images of a set, as far as they are measured."""

    title: str
    """The set's title."""
    total: int
    """The number of images in the set."""
    steps: Values
    """Steps to flip of the measured images; 0: misread as they are, more than ``budget``: they did not flip."""
    l2: Values
    """L2 norms of the perturbations at the flip; infinite where the image did not flip."""
    budget: int
    """The steps after which an image counts as not flipped."""
    step_size: float


@dataclass(frozen=True, eq=False)
class Mark:
    """Steps and norm to flip of one image."""

    classifier: Classifier
    clean: Tensor
    label: int
    steps: int
    l2: float
    budget: int
    step_size: float


@dataclass(frozen=True, eq=False)
class _Asked:
    classifier: Classifier
    choice: Choice


class Hardness(QObject):
    """Measures reference sets in the background lane, one at a time, and keeps the newest of each classifier."""

    changed = Signal()
    """The measurement of a set began, was paused, or ended, or the reference of a classifier is new."""
    marked = Signal()
    """``mark`` is new."""
    failed = Signal(str)
    """A set could not be measured: the sentence."""

    def __init__(self, lane: EngineThread, request: Request, sources: DataSources, parent: QObject) -> None:
        super().__init__(parent)
        self._request, self._sources = request, sources
        self.mark: Mark | None = None
        """The image that was measured last."""
        self._references: dict[str, Reference] = {}
        self.runner = OperationRunner(lane, "hardness", self, every_ms=_TICK_MS)
        self.runner.changed.connect(self.changed)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)

    def reference(self, classifier: Classifier | None) -> Reference | None:
        """Return the reference set that was measured for a classifier, whole or in part; None if none was."""
        return None if classifier is None else self._references.get(classifier.fingerprint)

    def measure_set(self, classifier: Classifier, choice: Choice) -> None:
        """Measure a set of images in the background lane."""
        sources = self._sources

        def make() -> object:
            import engine
            from engine.evaluate import HardSamples

            return engine.start(HardSamples(), classifier, data=sources.load(choice))

        def prepare() -> Iterator[str]:
            for done, of in sources.loading(choice):
                yield f"loading {choice.title}, {done:,} of {of:,}"

        self.runner.start(
            make,  # type: ignore[arg-type]
            make_preview=lambda run, step: _reference(run.operation, step, choice),
            finish=lambda result: result,
            prepare=prepare,
            context=_Asked(classifier, choice),
        )

    def measure_image(self, classifier: Classifier, clean: Tensor, label: int) -> None:
        """Measure one image in the interactive lane, unless it is the one that was measured last."""
        known = self.mark
        if is_stand_in(classifier):
            return  # it has no gradient
        if known is not None and known.classifier is classifier and known.clean is clean and known.label == label:
            return

        def work() -> Mark:
            return _mark(classifier, clean, label)

        self._request("hardness", work, self._take, what="Measuring how hard the image is")

    def _take(self, mark: Mark) -> None:
        self.mark = mark
        self.marked.emit()

    @Slot()
    def _on_preview(self) -> None:
        if self.runner.job is not None:
            self._keep(self.runner.job.context, self.runner.preview)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.failure is not None:
            self.failed.emit(outcome.failure.sentence)
        elif outcome.result is not None:
            asked: _Asked = outcome.job.context
            self._keep(asked, _of_result(outcome.result, asked.choice))

    def _keep(self, asked: _Asked, reference: Reference) -> None:
        self._references.pop(asked.classifier.fingerprint, None)
        self._references[asked.classifier.fingerprint] = reference  # the newest last
        for oldest in list(self._references)[:-_KEPT]:
            del self._references[oldest]
        self.changed.emit()


def _reference(operation: object, step: HardSamplesStep, choice: Choice) -> Reference:
    """Return the images measured so far. Called in the lane's thread."""
    steps = step.steps.cpu().numpy()
    known = steps >= 0
    budget, size = operation.steps, float(operation.step_size)  # type: ignore[attr-defined]
    return Reference(choice.title, len(steps), steps[known].astype(float), step.l2.double().cpu().numpy()[known], budget, size)


def _of_result(result: object, choice: Choice) -> Reference:
    import numpy as np

    operation = result.operation  # type: ignore[attr-defined]
    rows = result.artifacts["images"].rows  # type: ignore[attr-defined]
    steps, l2 = (np.array([row[place] for row in rows], float) for place in (3, 4))
    return Reference(choice.title, choice.count, steps, l2, operation.steps, float(operation.step_size))


def _mark(classifier: Classifier, clean: Tensor, label: int) -> Mark:
    """Measure one image. Called in the lane's thread."""
    import torch

    import engine
    from engine.evaluate import HardSamples

    operation = HardSamples()
    with engine.start(operation, classifier, clean[None], labels=torch.tensor([label])) as run:
        for step in run:
            last = step
    return Mark(
        *(classifier, clean, label, int(last.steps[0]), float(last.l2[0])),  # type: ignore[attr-defined]
        *(operation.steps, float(operation.step_size)),
    )
