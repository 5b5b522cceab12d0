"""The engine's work for the Distortion dock: the measurement, its numbers so far, and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import Attack, Classifier, Result, Run
    from engine.evaluate.distortion import Distortion, DistortionStep
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources
    from gui.session.history import AttackRun


@dataclass(frozen=True, eq=False)
class Request:
    """Everything that a measurement is made from, fixed at its start."""

    attack: Attack
    classifier: Classifier
    others: tuple[Classifier, ...]
    """Other models, which read the adversarial images, too."""
    seed: int
    run: AttackRun | None = None
    """The run whose image is measured; None: the images of a data set are attacked first."""
    choice: Choice | None = None
    """The data set."""

    @property
    def source(self) -> Mapping[str, Any]:
        """Where the images come from, for the record."""
        if self.run is not None:
            return {"run": self.run.title, "image": str(self.run.image.get("name", "")), "labels_assumed": self.assumed}
        return {"data_set": "" if self.choice is None else self.choice.description, "labels_assumed": False}

    @property
    def assumed(self) -> bool:
        """Whether the label is the model's own prediction."""
        return self.run is not None and self.run.inputs.label is None


@dataclass(frozen=True, eq=False)
class Outcome:
    """The numbers so far."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    units: Mapping[str, str]
    sentences: tuple[str, ...]
    request: Request
    last: DistortionStep
    result: Result | None = None
    """The result, once the measurement has ended; one that was cancelled has a result, too."""

    @property
    def reason(self) -> str:
        """Why the measurement ended, or that it has not."""
        return "running" if self.result is None else str(self.result.reason)

    @property
    def single(self) -> bool:
        """Whether it is about one image."""
        return len(self.last.clean) == 1


def kinds() -> tuple[Distortion, ...]:
    """Return the distortions. Called in an engine thread, since it imports the engine."""
    from engine.evaluate.distortion import KINDS

    return tuple(KINDS.values())


class Measurement:
    """One run: a data set is loaded in `prepare`, attacked and distorted in the run that `make` starts."""

    def __init__(self, request: Request, sources: DataSources) -> None:
        self.request, self._sources = request, sources
        self._run: Run | None = None

    def prepare(self) -> Iterator[str]:
        """Load the data set, and say how far it is."""
        choice = self.request.choice
        if choice is not None:
            for done, of in self._sources.loading(choice):
                yield f"loading {choice.title}, {done:,} of {of:,}"

    def make(self) -> Run:
        """Start the measurement, after `prepare`."""
        from engine.driver import start
        from engine.errors import GibbonError
        from engine.evaluate.distortion import DistortionSurvival
        from engine.evaluate.transfer import as_taken, images_of

        request = self.request
        operation = DistortionSurvival.of(request.attack)
        if request.run is not None:
            made = request.run.result
            self._run = start(
                operation, made.classifier, made.clean, made.labels, start=made.adversarial, models=request.others, seed=request.seed
            )
            return self._run
        assert request.choice is not None
        data = self._sources.load(request.choice)
        taken = as_taken(request.classifier, data.shape)
        if taken is None:
            takes, has = images_of(request.classifier.input_shape[0]), images_of(data.shape[0])
            raise GibbonError(f"“{request.classifier.name}” takes {takes}, “{data.name}” has {has}. Choose a data set of such images.")
        self._run = start(operation, taken, data=data, models=request.others, seed=request.seed)
        return self._run

    def preview(self, _run: Run, step: DistortionStep) -> Outcome | None:
        """Return the numbers at a step; None while the images are attacked."""
        return None if step.undistorted is None else self._outcome(step, None)

    def finish(self, result: Result) -> Outcome | None:
        """Return the numbers of the result; None where it was cancelled before anything was distorted."""
        from engine.evaluate.distortion import DistortionStep

        last = None if self._run is None else self._run.last
        assert isinstance(last, DistortionStep)
        return None if last.undistorted is None else self._outcome(last, result)

    def _outcome(self, last: DistortionStep, result: Result | None) -> Outcome:
        from engine.evaluate.distortion import DistortionSurvival
        from engine.evaluate.distortion.numbers import predictions, survival

        assert last.undistorted is not None
        table = survival(last.undistorted, last.seen)
        columns, rows, units = table.columns, table.rows, dict(table.units)
        if len(last.clean) == 1:  # of a single image, what is read in it says more than the accuracy
            read = predictions(last.undistorted, last.seen)
            places = [read.columns.index(name) for name in ("adversarial", "p adversarial", "verdict")]
            columns = (*columns[:2], "read as", "p", "verdict", *columns[2:7])
            rows = tuple((*row[:2], *(seen[place] for place in places), *row[2:7]) for row, seen in zip(rows, read.rows, strict=True))
            units["p"] = "share"
        operation = DistortionSurvival.of(self.request.attack)
        sentences = tuple(operation.sentences(last, assumed=self.request.assumed))
        return Outcome(columns, rows, units, sentences, self.request, last, result)


def write_numbers(outcome: Outcome, path: Path) -> list[Path]:
    """Write the rates and each image's predictions as CSV, and the record as JSON."""
    from engine.record import write_distortions

    assert outcome.result is not None
    return write_distortions(outcome.result, outcome.last, outcome.request.source, path.with_suffix(""))


def write_sheet(outcome: Outcome, path: Path) -> list[Path]:
    """Draw the contact sheet as PDF, SVG or PNG, by the file's ending, with its record beside it."""
    from engine.figures import contact_sheet, export
    from engine.record import distortion_record

    assert outcome.result is not None
    record = distortion_record(outcome.result, outcome.last, outcome.request.source)
    return list(export(contact_sheet(outcome.result, outcome.last), path, record))


def write_rates(outcome: Outcome, path: Path) -> list[Path]:
    """Draw the destruction rates of several images as PDF, SVG or PNG, with their record beside them."""
    from engine.figures import export, rates_figure
    from engine.record import distortion_record

    assert outcome.result is not None
    record = distortion_record(outcome.result, outcome.last, outcome.request.source)
    return list(export(rates_figure(outcome.result, outcome.last), path, record))
