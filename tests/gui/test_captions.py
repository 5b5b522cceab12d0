"""Texts in little room: captions below the images of a cell, the line over an image, and the names of differences are not cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine
from gui.canvas.pane import Pane
from gui.canvas.pictures import Picture
from gui.panels.comparison.table import DifferencesTable
from gui.panels.tables.images import FOOLED, OTHER, CellImages
from gui.session.run_differences import Row
from gui.widgets.thumbnails import Thumbnail, Thumbnails
from tests.gui.driving import settle
from tests.gui.panel_scenes import show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

_GREY = np.full((32, 32, 3), 128, np.uint8)


@pytest.mark.parametrize("model", ["signs", "digits", "objects"])
def test_the_captions_of_a_cell_show_every_class_whole(qtbot: QtBot, model: str) -> None:
    images = show(qtbot, CellImages(), 400, 400)
    for label in engine.models.load(model).labels:
        for title in (f"{FOOLED}: {label}", f"right: {label}", f"misread: {label}", f"{OTHER}: {label}"):
            assert images.grid.fits(title), title


def test_a_long_caption_behind_a_short_one_gets_its_own_room(qtbot: QtBot) -> None:
    grid = show(qtbot, Thumbnails(64, beside=76, lines=3), 400, 400)
    titles = ("7", "fooled: End of no overtaking by lorries")
    grid.show_thumbnails([Thumbnail(_GREY, title) for title in titles])
    settle()
    assert [grid.visualRect(grid.model().index(row, 0)).size() for row in range(2)] == [grid.gridSize()] * 2
    assert all(map(grid.fits, titles))
    assert not grid.fits("Supercalifragilisticexpialidocious, unbreakable")
    assert not grid.fits(" ".join(["many words"] * 12))


@pytest.mark.parametrize(("width", "lines"), [(600, 1), (250, 2)])
def test_the_line_over_an_image_is_broken_before_it_is_cut(qtbot: QtBot, width: int, lines: int) -> None:
    pane = show(qtbot, Pane((Picture("Adversarial", "#D55E00"),)), width, 300)
    pane.set_image(_GREY)
    text = "Stickers with the perturbation of #12 PGD, step 40"
    pane.set_line(text)
    settle()
    assert pane.line == text
    assert pane.line_as_painted.split("\n") == pane.line_as_painted.splitlines()
    assert len(pane.line_as_painted.splitlines()) == lines
    assert " ".join(pane.line_as_painted.splitlines()) == text
    metrics = pane._line.fontMetrics()
    assert all(metrics.horizontalAdvance(line) <= pane.view.width() for line in pane.line_as_painted.splitlines())
    assert pane._line.height() >= lines * metrics.lineSpacing()


def test_the_names_of_differences_are_broken_into_lines(qtbot: QtBot) -> None:
    table = show(qtbot, DifferencesTable(), 300, 300)
    rows = [Row("first success at step", ("3", "7")), Row("eps", ("8/255", "4/255"))]
    table.show_rows([("A", "#1 PGD"), ("B", "#2 PGD")], rows)
    settle()
    names = [table.verticalHeaderItem(line).text() for line in range(2)]
    assert [name.split() for name in names] == [row.name.split() for row in rows]
    high = table.verticalHeader().fontMetrics().lineSpacing()
    assert table.rowHeight(0) >= len(names[0].splitlines()) * high
    assert len(names[0].splitlines()) > 1
