"""The engine's work for the Robustness dock: loading the models, the search, its curves so far, and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine import Attack, Classifier, Result, Run
    from engine.artifacts import Curve, Table
    from engine.data import DataSet
    from engine.evaluate.curves import CurveStep, ModelNorms, RobustnessCurve
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources
    from gui.session.model_rows import ModelRow

    Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Parts:
    """The lists that the dock chooses from."""

    shipped: tuple[ModelRow, ...]
    attacks: Mapping[str, type[Attack]]


@dataclass(frozen=True, eq=False)
class CurveRequest:
    """Everything that curves are computed from, fixed at the start."""

    operation: RobustnessCurve
    models: tuple[ModelRow, ...]
    choice: Choice
    seed: int


@dataclass(frozen=True, eq=False)
class ModelCurve:
    """The curve of one model, with its interval; ``mean`` is its mean smallest perturbation."""

    name: str
    accuracy: Values
    low: Values
    high: Values
    mean: float | None
    seen: bool = False
    """Whether a trust light of the model is on."""

    @property
    def title(self) -> str:
        """The model's name, with the mark where a light is on."""
        return f"{self.name} ▲" if self.seen else self.name


@dataclass(frozen=True, eq=False)
class Outcome:
    """The curves so far, and the table beside them."""

    eps: Values
    curves: tuple[ModelCurve, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    units: Mapping[str, str]
    norm: str
    warnings: tuple[str, ...] = ()
    """The sentences that have to stand beside the curves: what the attack rules out, and the trust lights that are on."""
    result: Result | None = None
    """The result, once the run has ended; a run that was cancelled has one, too."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence on each model of the table that has no curve."""
        known = {each.name for each in self.curves}
        return tuple(f"“{row[0]}” was left out. {row[-1]}" for row in self.rows if row[0] not in known and row[-1])

    @property
    def reason(self) -> str:
        """Why the run ended, or that it has not."""
        return "running" if self.result is None else str(self.result.reason)


def parts() -> Parts:
    """Import what the dock needs, and list the models and attacks. Called in an engine thread."""
    from engine.attacks import CATALOGUE
    from gui.choosers.attack_dialog import table_attacks
    from gui.session.model_rows import shipped_models

    return Parts(shipped_models(), table_attacks(CATALOGUE, searched=True))


class CurveWork:
    """One run: the models are loaded in `prepare`, one after the other, and attacked in the run that `make` starts."""

    def __init__(self, request: CurveRequest, sources: DataSources) -> None:
        self.request, self._sources = request, sources
        self._models: list[Classifier] = []
        self._left: list[str] = []
        """A sentence on each model that could not be loaded; those that are loaded and do not suit the images are rows of the table."""

    def prepare(self) -> Iterator[str]:
        """Load data and models, and say how far it is."""
        from engine.errors import GibbonError
        from engine.evaluate.defended import defended
        from engine.evaluate.tables.stock import load_model

        choice = self.request.choice
        for done, of in self._sources.loading(choice):
            yield f"loading {choice.title}, {done:,} of {of:,}"
        for model in self.request.models:
            yield f"loading {model.title}"
            try:
                made = defended(model.classifier or load_model(model.entry), model.entry.defense)
            except GibbonError as error:
                self._left.append(f"“{model.title}” was left out. {error}")
                continue
            self._models.append(made if made.name == model.title else made.derive(name=model.title))

    def make(self) -> Run:
        """Start the search, after `prepare`."""
        from engine.driver import start
        from engine.errors import GibbonError
        from engine.evaluate.transfer import as_taken, images_of

        data, models = self._sources.load(self.request.choice), self._models
        if not models:
            raise GibbonError(" ".join(self._left))
        # The first one's classes count for all; the search says of every other model that does not suit the images why it is left out.
        first = next((model for model in models if self._suits(model, data)), models[0])
        taken = as_taken(first, data.shape)
        if taken is None:
            takes, has = images_of(first.input_shape[0]), images_of(data.shape[0])
            raise GibbonError(f"“{first.name}” takes {takes}, “{data.name}” has {has}. Choose a model for such images.")
        others = [model for model in models if model is not first]
        return start(self.request.operation, taken, models=others, data=data, seed=self.request.seed)

    @staticmethod
    def _suits(model: Classifier, data: DataSet) -> bool:
        """Return whether a model takes the images of a data set and knows a class of it."""
        from engine.evaluate.transfer import as_taken

        return as_taken(model, data.shape) is not None and any(number is not None for number in data.numbers_in(model.labels))

    def preview(self, _run: Run, step: CurveStep) -> Outcome:
        """Return the curves at a step: upper bounds, which only fall from there."""
        return self._outcome(step.models)

    def finish(self, result: Result) -> Outcome:
        """Return the curves of the result."""
        from engine.artifacts import Curve

        curve, ends = result.artifacts["accuracy"], result.artifacts["intervals"]
        summary: Any = result.artifacts["smallest"]
        assert isinstance(curve, Curve)
        assert isinstance(ends, Curve)
        means = {row[0]: row[summary.columns.index("mean norm")] for row in summary.rows}
        return self._told(curve, ends, summary, means, result.artifacts["lights"], result)

    def _outcome(self, models: tuple[ModelNorms, ...]) -> Outcome:
        from engine.evaluate.curves.numbers import curve, intervals, lights_table, summary

        radii = self.request.operation.radii(models)
        lines, ends, table = curve(models, radii, ""), intervals(models, radii), summary(models)
        means = {model.name: model.mean() for model in models}
        return self._told(lines, ends, table, means, lights_table(models))

    def _told(
        self, curve: Curve, ends: Curve, table: Table, means: Mapping[str, Any], lights: Any, result: Result | None = None
    ) -> Outcome:
        from engine.evaluate.curves.numbers import lights_in

        operation = self.request.operation
        seen = {name for name, light in lights_in(lights) if light.on}
        curves = tuple(
            ModelCurve(
                name, line.numpy(), ends.lines[f"{name}, low"].numpy(), ends.lines[f"{name}, high"].numpy(), means[name], name in seen
            )
            for name, line in curve.lines.items()
        )
        warnings = (*self._left, *operation.sentences(lights))
        return Outcome(curve.x.numpy(), curves, table.columns, table.rows, dict(table.units), operation.radius, warnings, result)


def write_numbers(result: Result, path: Path) -> list[Path]:
    """Write the curves and each image's norm as CSV, and the record as JSON."""
    from engine.record import write_curve

    return write_curve(result, path.with_suffix(""))


def write_figure(result: Result, path: Path) -> list[Path]:
    """Draw the curves as PDF, SVG or PNG, by the file's ending, with their record beside them."""
    from engine.figures import curve_figure, export
    from engine.record import curve_record

    return list(export(curve_figure(result), path, curve_record(result)))
