"""The figures of tables and curves: every column with its budget, nothing outside the page, wide tables divided."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from matplotlib.text import Text

import engine
from engine import attacks
from engine.evaluate.curves import RobustnessCurve
from engine.evaluate.tables import TableSpec, evaluate_table
from engine.evaluate.tables.results import TableResults
from engine.figures import curve_figure, table_figure
from engine.figures.heat_table import HeatCell, HeatColumn, fitting
from tests.engine.test_tables import drawn, net

LONG = "a model with a name that is far too long for the room that the names of the rows get"


@pytest.fixture(scope="module")
def results() -> TableResults:
    listed: list[dict[str, Any]] = [
        {"attack": "fgsm", "eps": [0.05, 0.1]},
        {"attack": "pgd", "eps": [0.05, 0.1], "steps": 2, "name": "PGD with a long name"},
        {"attack": "deepfool", "steps": 2, "refine": 0},
        {"attack": "universal"},
    ]
    spec = TableSpec(models=["a", {"source": "b", "name": LONG}], data=["set"], attacks=listed, crafted_on=["itself", "a"])
    with evaluate_table(spec, classifiers={"a": net(0), "b": net(1)}, sets={"set": drawn()}) as run:
        for _ in run:
            pass
    return run.result()


def texts(figure: Any) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


@pytest.mark.parametrize(("width", "size"), [(174.0, 7.0), (85.0, 7.0), (174.0, 12.0)])
def test_nothing_leaves_the_page_and_no_two_texts_of_a_table_overlap(results: TableResults, width: float, size: float) -> None:
    figure = table_figure(results, width_mm=width, size=size)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in texts(figure)]
    for box in boxes:
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.width + 1
        assert box.y0 >= -1
        assert box.y1 <= figure.bbox.height + 1
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            wide, high = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
            assert wide <= 1 or high <= 0.35 * min(one.height, other.height)


def test_every_column_shows_its_budget_and_every_group_its_control(results: TableResults) -> None:
    said = " ".join(text.get_text() for text in texts(table_figure(results, width_mm=500)))
    for column in results.columns:
        assert column.budget in said
    assert said.count("noise") >= len(results.groups)
    assert said.count("worst case") >= sum(len(group.columns) > 1 for group in results.groups)
    assert "error" in said  # the attack that needs a data set
    assert "*: without the attacks that failed" in said


def test_a_wide_table_is_divided_between_groups_and_repeats_the_first_column() -> None:
    cells = (HeatCell(0.5, "50.0"),)
    first = HeatColumn("clean", (), cells)
    rest = [HeatColumn(str(place), (), cells, begins=place % 3 == 0) for place in range(12)]
    parts = fitting([first, *rest], ["a"], 90.0)
    assert len(parts) > 1
    assert all(part[0] is first for part in parts)
    assert [column for part in parts for column in part[1:]] == rest
    assert all(part[1].begins for part in parts)
    alone = fitting([first, *(HeatColumn(str(place), (), cells) for place in range(12))], ["a"], 40.0)
    assert [column.title for part in alone for column in part[1:]] == [str(place) for place in range(12)]


def test_the_curve_has_its_intervals_as_bands() -> None:
    model, images = net(0), drawn().batch(slice(None))[0]
    result = engine.run(RobustnessCurve.of(attacks.FGSM(eps=0.2), halvings=3), model, images, drawn().targets, models=[net(1)])
    figure = curve_figure(result)
    (axes,) = figure.axes
    assert len(axes.lines) == len(axes.collections) == 2
    low, high = axes.get_ylim()
    assert (low, high) == (0, 1)
    torch.testing.assert_close(
        torch.as_tensor(axes.lines[0].get_ydata()).double(), result.artifacts["accuracy"].lines["net 0"], rtol=0, atol=1e-6
    )
    said = " ".join(text.get_text() for text in texts(figure))
    assert "L∞ 0.2" in said
    assert "eps (L∞)" in said
