"""What the Reproduce window asks of the engine: begin an experiment, judge it, draw it, write it. Called in its threads."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.history import FinishedRun

if TYPE_CHECKING:
    from engine import Result
    from engine.models.torchvision import Published
    from engine.reproduce import Experiment

_PIXELS = 1400
"""Width of the figure as it is drawn for the window."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What an experiment shows when it has ended."""

    result: Result
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str
    notes: tuple[str, ...]
    verdict: str
    passed: int
    failed: int
    picture: bytes | None
    """A PNG with a transparent ground; None where it was cancelled."""
    dark: bool
    """Drawn for a dark ground."""

    @property
    def run(self) -> FinishedRun:
        """The run as the history keeps it: it passed where all checks that can be judged did."""
        passed = None if not self.passed + self.failed else not self.failed
        return FinishedRun(result=self.result, verdict=self.verdict, passed=passed)

    @property
    def reason(self) -> str:
        """Why the run ended."""
        return str(self.result.reason)


def make(experiment: Any, root: Path | None, device: str | None) -> Any:
    """The run, on the experiment's own model."""
    import engine

    if root is not None:
        experiment = experiment.model_copy(update={"data": root})
    return engine.start(experiment, type(experiment).load(device))


def finished(result: Result, dark: bool) -> Shown:
    """The table, the verdict in words and the figure."""
    from engine.reproduce.writing import table_of

    table = table_of(result)
    verdicts = [row[-1] for row in table.rows]
    failed, passed = verdicts.count("fail"), verdicts.count("pass")
    shown = Shown(result, table.columns, table.rows, table.title, tuple(table.notes), _said(verdicts), passed, failed, None, dark)
    return drawn(shown, dark) if shown.reason == "finished" else shown


def drawn(shown: Shown, dark: bool) -> Shown:
    """The same with its figure for a light or a dark ground."""
    from engine.reproduce.writing import figure_of

    stream = io.BytesIO()
    made = figure_of(shown.result, dark=dark)
    made.savefig(stream, format="png", dpi=_PIXELS / made.get_size_inches()[0], transparent=True)
    return replace(shown, picture=stream.getvalue(), dark=dark)


def write(result: Result, folder: Path) -> list[Path]:
    """Figure and table as files.

    Raises
    ------
    GibbonError
        One of them is there already.
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
    """The published weights that it runs on and that are not on this machine."""
    from engine.models import missing_download

    return missing_download(kind.model)


def title_of(kind: type[Experiment]) -> str:
    """Of the data set that the published numbers are about."""
    from engine.data.sources import CITATIONS

    return CITATIONS[kind.data_set]


def _said(verdicts: list[str]) -> str:
    failed, passed = verdicts.count("fail"), verdicts.count("pass")
    if failed:
        return f"{failed} of {failed + passed} checks failed."
    if passed:
        return f"{_all(passed)} passed."
    return "Not comparable." if "not comparable" in verdicts else "There is no threshold."


def _all(count: int) -> str:
    return {1: "The one check", 2: "Both checks"}.get(count, f"All {count} checks")
