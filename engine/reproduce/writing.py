"""Files of an experiment: its figure, its table as JSON, and the network where one was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.artifacts import Artifact, Curve, Map, Model, Picture, Table
from engine.defenses import save_model
from engine.errors import GibbonError
from engine.figures import FigurePanel, ImagePanel, SaliencyPanel, SignedMapPanel, compose, export
from engine.figures.curves import CurvePanel
from engine.figures.subject import array
from engine.files import replacing
from engine.reproduce.experiment import Experiment
from engine.reproduce.findings import Verdicts
from engine.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_MM = 174.0


def table_of(result: Result) -> Verdicts:
    """Return the table of an experiment's result."""
    table = result.artifacts["table"]
    assert isinstance(table, Verdicts)
    return table


def figure_of(result: Result, width_mm: float = WIDTH_MM, dark: bool = False) -> Figure:
    """Compose the pictures, maps and curves of an experiment, with their provenance in small print.

    Raises
    ------
    GibbonError
        The experiment has nothing to show yet.
    """
    assert isinstance(result.operation, Experiment)
    panels = [panel for artifact in result.artifacts.values() for panel in _panels(artifact)]
    if not panels:
        raise GibbonError(f"“{result.operation.slug}” has nothing to show yet. Let it run to its end.")
    columns = min(result.operation.columns, max(1, int(width_mm // 24)))
    return compose(panels, width_mm=width_mm, columns=columns, dark=dark, letters=False, note=small_print(result))


def small_print(result: Result) -> str:
    """Return the provenance of the figure: experiment, data, model, seed, source, and what is not comparable."""
    experiment, table = result.operation, table_of(result)
    assert isinstance(experiment, Experiment)
    model = result.provenance["model"]
    paper = f" {experiment.paper[0].upper()}{experiment.paper[1:]}." if experiment.paper else ""
    notes = f" {' '.join(table.notes)}" if table.notes else ""
    made = f"Model {model['name']} ({model['fingerprint']}), seed {result.provenance['seed']}."
    return f"{table.title}. {made} {experiment.source}.{paper}{notes}"


def write(result: Result, folder: Path, width_mm: float = WIDTH_MM) -> list[Path]:
    """Write ``SLUG.pdf`` with its sidecar, ``SLUG.json`` with the table, and ``SLUG.safetensors`` with its card if there is a network."""
    experiment = result.operation
    assert isinstance(experiment, Experiment)
    figure, sidecar, record, *trained = planned(experiment, folder, model=any(isinstance(a, Model) for a in result.artifacts.values()))
    export(figure_of(result, width_mm), figure, summary(result))
    with replacing(record) as staged:
        staged.write_text(json.dumps(summary(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for model in (artifact for artifact in result.artifacts.values() if isinstance(artifact, Model)):
        save_model(model, trained[0], seed=result.provenance["seed"])
    return [figure, sidecar, record, *trained]


def planned(experiment: Experiment, folder: Path, *, model: bool) -> list[Path]:
    """Return the paths of the files that `write` would write."""
    # The card beside the weights would have the table's name, hence "-model".
    ends = (".pdf", ".pdf.json", ".json", *(("-model.safetensors", "-model.json") if model else ()))
    return [folder / f"{experiment.slug}{end}" for end in ends]


def summary(result: Result) -> dict[str, Any]:
    """Return table, tolerance, source, and everything needed to run the experiment again, for JSON."""
    experiment, table = result.operation, table_of(result)
    assert isinstance(experiment, Experiment)
    return {
        "experiment": experiment.slug,
        "title": table.title,
        "source": experiment.source,
        "paper": experiment.paper,
        "tolerance": experiment.tolerance,
        "findings": [finding.plain() for finding in table.findings],
        "notes": list(table.notes),
        "tables": [_plain(further) for further in further_tables(result)],
        "reason": str(result.reason),
        "seconds": result.seconds,
        "forwards": result.forwards,
        "backwards": result.backwards,
        **result.provenance,
    }


def further_tables(result: Result) -> list[Table]:
    """Return the tables of an experiment beside that of its verdicts, such as a matrix of models and attacks."""
    return [artifact for name, artifact in result.artifacts.items() if isinstance(artifact, Table) and name != "table"]


def _plain(table: Table) -> dict[str, Any]:
    return {"title": table.title, "columns": list(table.columns), "rows": [list(row) for row in table.rows]}


def _panels(artifact: Artifact) -> list[FigurePanel]:
    match artifact:
        case Picture():
            return [ImagePanel(title="", caption=artifact.title, image=array(artifact.image))]
        case Curve():
            lines = {name: array(values) for name, values in artifact.lines.items()}
            return [
                CurvePanel(
                    title=artifact.title, x=array(artifact.x), lines=lines, x_label=artifact.x_axis.label, y_label=artifact.y_axis.label
                )
            ]
        case Map():
            return [_map(artifact, row) for row in range(len(artifact.values))]
        case _:
            return []


def _map(artifact: Map, row: int) -> FigurePanel:
    values = array(artifact.values[row])
    limit = float(abs(values).max()) or 1.0
    if artifact.signed:
        return SignedMapPanel(title=artifact.title, values=values, low=-limit, high=limit)
    return SaliencyPanel(title=artifact.title, values=values, low=0.0, high=limit)
