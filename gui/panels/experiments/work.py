"""The engine's work for the Experiments dock: building a run, its outcome, its figure and its files. Called in the engine's threads."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.history import FinishedRun

if TYPE_CHECKING:
    from engine import Classifier, Result
    from engine.models.torchvision import Published
    from engine.reproduce import Experiment

_PIXELS = 1400
"""The width of the figure in the window."""


@dataclass(frozen=True, eq=False)
class ExperimentOutcome:
    """The outcome of a finished experiment, ready to be shown."""

    result: Result
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str
    notes: tuple[str, ...]
    verdict: str
    passed: int
    failed: int
    picture: bytes | None
    """The figure as a PNG with a transparent background; None for a cancelled experiment."""
    dark: bool
    """Whether the figure was drawn for a dark background."""

    @property
    def run(self) -> FinishedRun:
        """The finished run for the history. It passed if all checks with a verdict did."""
        passed = None if not self.passed + self.failed else not self.failed
        return FinishedRun(result=self.result, verdict=self.verdict, passed=passed)

    @property
    def reason(self) -> str:
        """The reason why the run ended."""
        return str(self.result.reason)


def build_run(experiment: Any, root: Path | None, device: str | None, model: Classifier | None = None) -> Any:
    """Build the experiment's run on ``model``; None: on its own."""
    import engine

    if root is not None and type(experiment).found(root):  # else drawn images stand in, which the panel has said before
        experiment = experiment.model_copy(update={"data": root})
    return engine.start(experiment, type(experiment).load(device) if model is None else model)


def outcome_of(result: Result, dark: bool) -> ExperimentOutcome:
    """Return the outcome with table, verdict and figure."""
    from engine.reproduce.writing import table_of

    table = table_of(result)
    verdicts = [row[-1] for row in table.rows]
    failed, passed = verdicts.count("fail"), verdicts.count("pass")
    shown = ExperimentOutcome(
        result, table.columns, table.rows, table.title, tuple(table.notes), _verdict_text(verdicts), passed, failed, None, dark
    )
    return with_figure(shown, dark) if shown.reason == "finished" else shown


def with_figure(shown: ExperimentOutcome, dark: bool) -> ExperimentOutcome:
    """Return the outcome with its figure drawn for a light or a dark background."""
    from engine.reproduce.writing import figure_of

    stream = io.BytesIO()
    made = figure_of(shown.result, dark=dark)
    made.savefig(stream, format="png", dpi=_PIXELS / made.get_size_inches()[0], transparent=True)
    return replace(shown, picture=stream.getvalue(), dark=dark)


def write_files(result: Result, folder: Path) -> list[Path]:
    """Write figure and table as files, and return their paths.

    Raises
    ------
    GibbonError
        One of the files exists already.
    """
    from engine.artifacts import Model
    from engine.errors import GibbonError
    from engine.reproduce.writing import planned, write

    trained = any(isinstance(artifact, Model) for artifact in result.artifacts.values())
    there = [path for path in planned(result.operation, folder, model=trained) if path.exists()]  # type: ignore[arg-type]
    if there:
        raise GibbonError(f"“{there[0].name}” is there already in {folder}. Choose another folder.")
    return write(result, folder)


def weights_missing(kind: type[Experiment]) -> Published | None:
    """Return the published weights that the experiment needs and that are not on this machine; None if none are missing."""
    from engine.models import missing_download

    return missing_download(kind.model)


def title_of(kind: type[Experiment]) -> str:
    """Return the title of the data set that the published numbers belong to."""
    from engine.data.published import CITATIONS

    return CITATIONS[kind.data_set]


def _verdict_text(verdicts: list[str]) -> str:
    failed, passed = verdicts.count("fail"), verdicts.count("pass")
    if failed:
        return f"{failed} of {failed + passed} checks failed."
    if passed:
        return f"{_all(passed)} passed."
    return "Not comparable." if "not comparable" in verdicts else "There is no threshold."


def _all(count: int) -> str:
    return {1: "The one check", 2: "Both checks"}.get(count, f"All {count} checks")
