"""Experiments: operations that repeat a result of a lecture or a paper, and compare the numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from engine import data as data_sets
from engine import models
from engine.artifacts import Artifact
from engine.batching import ROWS_SCORED
from engine.bits import Bits
from engine.classifier import Classifier
from engine.data import DataSet
from engine.data.published import CITATIONS
from engine.data.selection import Split
from engine.data.sources import loading
from engine.download import Progress
from engine.driver import Run
from engine.driver import start as begin
from engine.errors import GibbonError
from engine.intervals import wilson
from engine.operation import Attack, Operation, Problem, Step
from engine.parameters import data
from engine.ranking import fraction
from engine.reproduce.drawing import drawn_digits
from engine.reproduce.findings import NOTHING, Finding, Tolerance, verdicts
from engine.result import AttackResult

LECTURED = "digits-lecture"
"""The shipped network of Wang's lecture, trained with its settings by “reproduce h5-network --train”."""
_AT_A_TIME = 4 * ROWS_SCORED
"""Images that a network classifies between two steps."""
_LOADED = 100
"""Images that are read between two steps."""
_DRAWN = 4
"""Signs that are drawn between two steps."""


@dataclass(frozen=True, eq=False)
class ExperimentStep(Step):
    """The progress of an experiment, with its findings so far."""

    findings: tuple[Finding, ...] = field(default=(), kw_only=True)
    shown: Mapping[str, Artifact] = field(default_factory=dict, kw_only=True)
    """Pictures, maps and curves of the figure, in its order, and the model where one was trained."""
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """Sentences that qualify the numbers."""
    data: str = field(default="", kw_only=True)
    """The data set on which it ran, with its source."""
    comparable: bool = field(default=True, kw_only=True)
    """Whether the data are those of the published numbers."""


@dataclass
class Report:
    """The report that `Experiment.perform` fills as it proceeds."""

    findings: list[Finding] = field(default_factory=list)
    shown: dict[str, Artifact] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    data: str = ""
    comparable: bool = True
    steps: int = 0
    """Number of steps that ``perform`` has yielded so far."""
    total: int | None = None
    """Number of steps that it will yield, where it is known."""
    share_done: float | None = None
    """Progress of the whole, from 0 to 1, where ``perform`` knows it better than the steps do."""

    def expect(self, more: int) -> None:
        """Announce that ``more`` further steps will follow."""
        self.total = self.steps + more

    def find(
        self,
        quantity: str,
        ours: float | str,
        tolerance: Tolerance | None = None,
        *,
        lecture: str = NOTHING,
        paper: str = NOTHING,
        reference: str = "",
        unit: str = "",
        digits: int = 2,
        comparable: bool | None = None,
    ) -> None:
        """Add one line to the table."""
        fits = self.comparable if comparable is None else comparable
        self.findings.append(Finding(quantity, ours, lecture, paper, tolerance, reference, unit, digits, fits))

    def count(self, quantity: str, hits: Tensor, tolerance: Tolerance | None = None, **facts: Any) -> float:
        """Add the share of true entries of ``hits`` ``(N,)`` in percent, with its interval, and return it; ``facts`` as in `find`."""
        found = share(hits)
        low, high = wilson(int(hits.sum()), len(hits))
        self.find(quantity, found, tolerance, **{"unit": "%", "digits": 1, **facts})
        self.findings[-1] = replace(self.findings[-1], interval=(100.0 * low, 100.0 * high))
        return found

    def show(self, name: str, artifact: Artifact) -> None:
        """Add one panel to the figure."""
        self.shown[name] = artifact

    def note(self, sentence: str) -> None:
        """Add a sentence below the table."""
        self.notes.append(sentence)


class Experiment(Operation, ABC):
    """Repeat one experiment of a lecture: train or attack as it did, and compare the numbers with its own and the paper's."""

    family: ClassVar[str] = "Reproduce"
    source: ClassVar[str]
    """The lecture, and the paper that it presents."""
    tolerance: ClassVar[str]
    """The accepted tolerance in words, and its origin."""
    model: ClassVar[str]
    """Default model, as an argument of `engine.models.load`; empty: the experiment brings its own."""
    data_set: ClassVar[str] = ""
    """Data set of the published numbers; empty: none is needed."""
    fallback: ClassVar[str] = ""
    """Drawn set that replaces a missing data set; its verdicts are "not comparable"."""
    columns: ClassVar[int] = 5
    """Number of pictures side by side in the figure."""

    data: Path | None = data(None, exclude=True, none="GIBBON_DATA, else the cache folder")
    """Folder of the data sets, in torchvision's layout. None: GIBBON_DATA, else this platform's cache folder."""

    @abstractmethod
    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Run the experiment as in the lecture: yield a sentence about each stage, and fill ``report``."""

    def iterate(self, problem: Problem) -> Iterator[ExperimentStep]:
        """Yield one step for each sentence of `perform`, and a last one with everything."""
        report = Report()
        for news in self.perform(problem, report):
            yield self._step(report, news)
            report.steps += 1
        report.total, report.share_done = report.steps, 1.0
        yield self._step(report, "done")

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the table, then the panels of the figure."""
        assert isinstance(last, ExperimentStep)
        return {"table": verdicts(last.findings, self.headline(last), last.notes), **last.shown}

    def headline(self, last: ExperimentStep) -> str:
        """Return the experiment's title with model and data, marked where the data are a replacement."""
        title = f"{self.title}; {last.data}" if last.data else self.title
        return title if last.comparable else f"{title}: not comparable with the published numbers"

    @classmethod
    def load(cls, device: torch.device | str | None = None, download: bool = False, progress: Progress | None = None) -> Classifier:
        """Load the default classifier of the experiment.

        Raises
        ------
        GibbonError
            The model is not on this machine.
        """
        return models.load(cls.model, device=device, download=download, progress=progress)

    @classmethod
    def found(cls, root: Path | None = None) -> bool:
        """Return whether the experiment's data set is on this machine."""
        return not cls.data_set or any(entry.name == cls.data_set for entry in data_sets.available(root))

    def images(
        self, report: Report, split: Split, count: int = 0, seed: int = 0, take: int | None = None, classes: Sequence[int] = ()
    ) -> Generator[str, None, DataSet]:
        """Load the data set, or the drawn one instead, which ``report`` then mentions. A folder that was named must hold the set.

        ``count`` images are drawn, of the given ``classes`` (none: all), a few per step; or ``take`` are read, spread evenly over the set
        (None: all).

        Raises
        ------
        GibbonError
            The set is missing, and has no replacement; the sentence says how to provide it.
        """
        here = any(entry.name == self.data_set and split in entry.splits for entry in data_sets.available(self.data))
        if here or not self.fallback:
            found = yield from in_steps(loading(self.data_set, split, self.data, count=take), f"reading {self.data_set}:{split}")
        elif self.data is not None:
            raise GibbonError(
                f"{CITATIONS[self.data_set]} ({split}) is not in {self.data}. Give the folder that holds it, or leave the folder out: "
                f"{self.fallback} then stands in."
            )
        else:
            report.comparable = False
            found = yield from self._drawn(count, seed, classes)
            sentence = f"{CITATIONS[self.data_set]} was not found, so {self.fallback} stood in, and the numbers do not compare."
            if sentence not in report.notes:
                report.note(sentence)
        report.data = found.source
        return found

    def _drawn(self, count: int, seed: int, classes: Sequence[int]) -> Generator[str, None, DataSet]:
        """Draw ``count`` images of the set that replaces a missing one."""
        if self.fallback == "generated:digits":
            return (yield from drawn_digits(count, seed, classes))
        return (yield from in_steps(loading(self.fallback, count=count, seed=seed, classes=classes), f"drawing {self.fallback}", _DRAWN))

    def _step(self, report: Report, news: str) -> ExperimentStep:
        done = report.steps / report.total if report.share_done is None and report.total else report.share_done
        return ExperimentStep(
            report.steps,
            report.total,
            news=news,
            findings=tuple(report.findings),
            shown=dict(report.shown),
            notes=tuple(report.notes),
            data=report.data,
            comparable=report.comparable,
            share_done=done,
        )


def in_steps(bits: Bits[DataSet], news: str, together: int = _LOADED) -> Generator[str, None, DataSet]:
    """Load a data set, ``together`` of its images per step."""
    while True:
        try:
            done, of = next(bits)
        except StopIteration as end:
            found: DataSet = end.value
            yield f"{found.name}, {len(found)} images"
            return found
        if done % together == 0:
            yield f"{news}, {done:,} of {of:,}"


@contextmanager
def attacking(
    problem: Problem,
    attack: Attack,
    images: Tensor | None,
    labels: Tensor | None = None,
    targets: Tensor | None = None,
    *,
    classifier: Classifier | None = None,
    together: int | None = None,
) -> Iterator[Run]:
    """Open a run of ``attack`` inside an experiment, with its seed; its passes count as the experiment's own.

    ``together`` rows are attacked at a time. None: all, so that every step holds every row.
    """
    whole, model = classifier or problem.classifier.whole, problem.classifier
    images = None if images is None else images.to(whole.device, whole.dtype)
    rows = len(images) if images is not None else None if targets is None else len(targets)
    run = begin(attack, whole, images, labels, targets, seed=problem.random.seed, rows_at_a_time=together or rows)
    try:
        yield run
    finally:
        run.close()
        model.forwards += run.problem.classifier.forwards
        model.backwards += run.problem.classifier.backwards


def outcome(run: Run) -> AttackResult:
    """Return the result of a finished attack."""
    result = run.result()
    assert isinstance(result, AttackResult)
    return result


def passes(sets: Sequence[DataSet]) -> int:
    """Return how many steps `right` takes for these sets."""
    return sum(-(-len(data) // _AT_A_TIME) for data in sets)


def right(problem: Problem, classifier: Classifier, data: DataSet, what: str) -> Generator[str, None, Tensor]:
    """Find the images of ``data`` that the classifier predicts correctly: ``(N,)`` bool on the CPU, some per step."""
    check_fit(classifier, data)
    found = []
    for first in range(0, len(data), _AT_A_TIME):
        images, labels = data.batch(slice(first, first + _AT_A_TIME))
        found.append(classifier.predict(images).cpu() == labels)
        problem.classifier.forwards += len(images)
        yield f"{classifier.name} on {what}, {min(first + _AT_A_TIME, len(data))} of {len(data)} images"
    return torch.cat(found)


def correct(problem: Problem, data: DataSet, least: int = 1) -> Generator[str, None, tuple[Tensor, Tensor]]:
    """Return the images of ``data`` that the problem's classifier predicts correctly, with labels, on its device.

    Raises
    ------
    GibbonError
        The images do not fit the classifier, or fewer than ``least`` are right.
    """
    whole = problem.classifier.whole
    rows = (yield from right(problem, whole, data, data.name)).nonzero().flatten()
    if len(rows) < least:
        raise GibbonError(
            f"“{whole.name}” gets only {len(rows)} of {len(data)} images right, and {least} are needed. Choose another model."
        )
    images, labels = data.batch(rows)
    yield f"{len(rows)} images that {whole.name} gets right"
    return images.to(whole.device, whole.dtype), labels.to(whole.device)


def own_recipe(report: Report, classifier: Classifier) -> None:
    """Add a note where the network has the lecture's structure but was trained with another recipe."""
    recipe = classifier.card.get("training")
    if isinstance(recipe, dict) and recipe.get("augment", "none") != "none":
        report.note(
            f"“{classifier.name}” has the structure of the lecture's network, but was trained by this project's own recipe, on augmented "
            f"images. The bands belong to a network trained as lectured, such as --model {LECTURED}."
        )


def check_fit(classifier: Classifier, data: DataSet) -> None:
    """Refuse a classifier whose images or classes differ from the data set's.

    Raises
    ------
    GibbonError
        The classifier takes another shape, or has other classes, compared by name.
    """
    same = data.numbers_in(classifier.labels) == tuple(range(classifier.num_classes))
    if classifier.input_shape != data.shape or not same:
        raise GibbonError(
            f"“{classifier.name}” takes {classifier.input_shape} and knows {classifier.num_classes} classes, but {data.name} has images of "
            f"{data.shape} in {len(data.labels)} classes of their own names. Choose a model for {data.name.partition(':')[0]}."
        )


def share(condition: Tensor) -> float:
    """Return the share of true entries in percent; NaN for an empty tensor."""
    return 100.0 * fraction(condition)
