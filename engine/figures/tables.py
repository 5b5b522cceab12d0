"""Figures of evaluations: a table of attacks as a heat map, and a robustness curve with its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.artifacts import Curve, Table
from engine.evaluate.batch.summary import Share
from engine.evaluate.curves import RobustnessCurve
from engine.evaluate.curves.numbers import lights_in
from engine.evaluate.tables import Cell, Column, Group, TableResults, budget_of
from engine.evaluate.trust import MARK, Light, marked
from engine.figures.compose import compose
from engine.figures.curves import CurvePanel
from engine.figures.heat_table import HeatCell, HeatColumn, HeatTablePanel, fitting
from engine.figures.layout import MARGIN
from engine.figures.panels import FigurePanel
from engine.figures.style import SIZE
from engine.figures.subject import array
from engine.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_MM = 174.0
_NUMBERS = (
    "Robust accuracy over all images in %, with its 95 % Wilson interval. Worst case: an image counts as robust only if every attack of "
    "the group failed on it. Noise: random noise as large as the group's perturbations."
)


def table_figure(results: TableResults, width_mm: float = WIDTH_MM, dark: bool = False, size: float = SIZE) -> Figure:
    """Draw a table as heat maps, one for each data set and place where images are made; wide ones are divided."""
    panels: list[FigurePanel] = []
    for data in results.spec.data:
        for place in results.spec.places:
            groups = [group for group in results.groups if (group.columns[0].data, group.columns[0].place) == (data, place)]
            if not groups:
                continue
            rows = tuple(model.title for model in results.spec.models if results.spec.counts(place, model))
            columns = [_clean(results, data.name, rows), *(column for group in groups for column in _of_group(results, group, rows))]
            title = f"{data.name}, {groups[0].columns[0].access}"
            parts = fitting(columns, rows, width_mm * SIZE / size - 2 * MARGIN)
            panels += [HeatTablePanel(title=title, names=rows, columns=part) for part in parts]
    return compose(panels, width_mm=width_mm, columns=1, dark=dark, letters=False, size=size, note=_note(results))


def curve_figure(result: Result, width_mm: float = 85.0, dark: bool = False, size: float = SIZE) -> Figure:
    """Draw the accuracies of a robustness curve over eps, with the intervals as bands."""
    operation, curve, ends = result.operation, result.artifacts["accuracy"], result.artifacts["intervals"]
    assert isinstance(operation, RobustnessCurve)
    assert isinstance(curve, Curve)
    assert isinstance(ends, Curve)
    lights = result.artifacts["lights"]
    assert isinstance(lights, Table)
    names = {name: marked(name, [light for model, light in lights_in(lights) if model == name]) for name in curve.lines}
    bands = {names[name]: (array(ends.lines[f"{name}, low"]), array(ends.lines[f"{name}, high"])) for name in curve.lines}
    panel = CurvePanel(
        title=curve.title,
        x=array(curve.x),
        lines={names[name]: array(line) for name, line in curve.lines.items()},
        bands=bands,
        x_label=f"{curve.x_axis.label} ({operation.radius})",
        y_label=curve.y_axis.label,
        y_limits=(0.0, 1.0),
    )
    data = result.provenance.get("data", {}).get("name", "")
    searched = f" Each image's smallest radius is found by {operation.halvings} halvings." if operation.searches else ""
    note = f"{budget_of(operation.attacking)}. {data}, seed {result.provenance['seed']}. Bands: 95 % Wilson intervals.{searched}"
    note = " ".join((note, *operation.sentences(lights)))
    return compose([panel], width_mm=width_mm, dark=dark, letters=False, size=size, note=note)


def _clean(results: TableResults, data: str, rows: Sequence[str]) -> HeatColumn:
    cells = (_share_cell(results.clean(row, data), results.clean_top5(row, data)) for row in rows)
    return HeatColumn("clean", ("no attack",), tuple(cells))


def _of_group(results: TableResults, group: Group, rows: Sequence[str]) -> list[HeatColumn]:
    found = [_column(results, column, rows, begins=place == 0) for place, column in enumerate(group.columns)]
    worst = [results.worst(row, group) for row in rows]
    if len(group.columns) > 1:
        cells = (
            _share_cell(each.robust, each.top5, results.seen_in_worst(row, group), incomplete=each.missing > 0)
            for row, each in zip(rows, worst, strict=True)
        )
        found.append(HeatColumn("worst case", (group.title,), tuple(cells)))
    found.append(HeatColumn("noise", (group.title,), tuple(_share_cell(each.noise) for each in worst)))
    return found


def _column(results: TableResults, column: Column, rows: Sequence[str], *, begins: bool) -> HeatColumn:
    aim = () if column.variant.aim == "away" else (f"towards: {column.variant.aim}",)
    cells = tuple(_cell(results.cell(row, column), results.seen(row, column)) for row in rows)
    return HeatColumn(column.variant.name, (column.budget, *aim), cells, begins)


def _cell(cell: Cell | None, seen: Sequence[Light]) -> HeatCell:
    if cell is None:
        return HeatCell(None, "–", ("not finished",))
    return HeatCell(None, "error") if cell.error else _share_cell(cell.robust, cell.robust_top5, seen)


def _share_cell(share: Share, top5: Share | None = None, seen: Sequence[Light] = (), *, incomplete: bool = False) -> HeatCell:
    if share.value is None:
        return HeatCell(None, "–")
    low, high = share.interval
    more = () if top5 is None or top5.value is None else (f"top 5 {100 * top5.value:.1f}",)
    text = marked(f"{100 * share.value:.1f}{'*' if incomplete else ''}", seen)
    return HeatCell(share.value, text, (f"{100 * low:.1f}–{100 * high:.1f}", *more))


def _note(results: TableResults) -> str:
    counts = {data.name: max((results.clean(row, data.name).of for row in results.rows), default=0) for data in results.spec.data}
    images = ", ".join(f"{name}: {count:,} images" for name, count in counts.items())
    title = f"{results.spec.title}. " if results.spec.title else ""
    missing = " *: without the attacks that failed or are not finished." if results.errors or not results.done else ""
    named = list(dict.fromkeys(each.light.sign.title for each in results.lights.all if each.light.on))
    lights = f" {MARK}: the number cannot be trusted ({', '.join(named)})." if named else ""
    return f"{title}{_NUMBERS}{missing}{lights} {images}. Seed {results.spec.seed}."
