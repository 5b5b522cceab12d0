"""The context menus of plots: the picture and the numbers behind it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox, QWidget

from gui.panels.hardness.plot import HardnessPlot
from gui.panels.hardness.words import bins, numbers_of
from gui.plots.bars import ProbabilityBars, Row
from gui.plots.curves import Axes, Curves, Line
from gui.plots.heat_map import HeatMap
from gui.plots.pixel_maps import PixelMap, PixelMaps, Scale
from gui.session.hardness import Reference
from gui.widgets.pictures import write_picture
from tests.gui.canvas_pixels import array

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def curves() -> Curves:
    made = Curves()
    made.set_lines(np.arange(3.0), [Line("loss", np.array([-2.5, 0.125, 3.0]), "#0072B2")], Axes())
    return made


def bars() -> ProbabilityBars:
    made = ProbabilityBars()
    made.set_rows([Row("Stop, now", 0.75, 1 / 3), Row("Yield", 0.25, 2 / 3, 0.5, 0.1, defended_clean=0.375, defended_adversarial=0.875)])
    return made


def heat_map() -> HeatMap:
    made = HeatMap()
    made.set_values(np.array([[0.5, -1.25], [np.nan, 2.0]]), "Margins", signed=True)
    return made


def maps() -> PixelMaps:
    made = PixelMaps()
    made.set_maps([PixelMap("Clean", np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))], Scale())
    return made


def signed_maps() -> PixelMaps:
    made = PixelMaps()
    colours = np.zeros((1, 2, 3), np.uint8)
    red, green = np.array([[0.25, -0.125]]), np.array([[1.5, 0]])
    made.set_maps([PixelMap("Red", colours, values=red), PixelMap("Green", colours, values=green)], Scale())
    return made


def hardness() -> HardnessPlot:
    made, inf = HardnessPlot(), float("inf")
    reference = Reference("ten", 10, np.array([2.0, 0.0, 41.0]), np.array([0.25, 0.0, inf]), budget=40, step_size=1 / 255)
    made.set_histogram(*bins(reference, "steps"), "steps to flip", numbers_of(reference), whole=True)
    return made


TABLES = {
    hardness: [["image", "steps to flip", "L2 at the flip"], ["0", "2", "0.25"], ["1", "0", "0.0"], ["2", "", ""]],
    curves: [["step", "loss"], ["0.0", "-2.5"], ["1.0", "0.125"], ["2.0", "3.0"]],
    bars: [
        [
            *("class", "clean", "adversarial", "clean with the bound", "adversarial with the bound"),
            *("clean behind the defense", "adversarial behind the defense"),
        ],
        ["Stop, now", "0.75", "0.3333333333333333", "", "", "", ""],
        ["Yield", "0.25", "0.6666666666666666", "0.5", "0.1", "0.375", "0.875"],
    ],
    heat_map: [
        ["map", "x", "y", "value"],
        *(["Margins", *cells] for cells in (["0", "0", "0.5"], ["1", "0", "-1.25"], ["0", "1", "nan"], ["1", "1", "2.0"])),
    ],
    signed_maps: [
        ["map", "x", "y", "value"],
        *(["Red", *cells] for cells in (["0", "0", "0.25"], ["1", "0", "-0.125"])),
        *(["Green", *cells] for cells in (["0", "0", "1.5"], ["1", "0", "0.0"])),
    ],
    maps: [["map", "x", "y", "red", "green", "blue"], ["Clean", "0", "0", "1", "2", "3"], ["Clean", "1", "0", "4", "5", "6"]],
}


def choose(qtbot: QtBot, plot: QWidget, text: str) -> None:
    """Open the menu with a click of the right mouse button on the innermost widget, and choose an entry."""
    middle = plot.rect().center()
    inner = plot.childAt(middle) or plot
    at = plot.mapToGlobal(middle)
    QApplication.sendEvent(inner, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, inner.mapFromGlobal(at), at))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert [action.text() for action in menu.actions() if action.text()] == ["Copy picture", "Save picture as…", "Copy numbers (CSV)"]
    action = next(action for action in menu.actions() if action.text() == text)
    menu.close()
    action.trigger()


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_a_plot_gives_its_numbers_with_all_digits_and_its_picture(qtbot: QtBot, make: object) -> None:
    plot = make()  # type: ignore[operator]
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    qtbot.waitExposed(plot)
    choose(qtbot, plot, "Copy numbers (CSV)")
    assert list(csv.reader(io.StringIO(QGuiApplication.clipboard().text()))) == TABLES[make]
    choose(qtbot, plot, "Copy picture")
    np.testing.assert_array_equal(array(QGuiApplication.clipboard().image()), array(plot.grab()))


def test_a_picture_is_saved_whole_or_the_reason_is_said(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = curves()
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "loss"), ""))
    choose(qtbot, plot, "Save picture as…")
    np.testing.assert_array_equal(array(QImage(str(tmp_path / "loss.png"))), array(plot.grab()))
    heard: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda _parent, _title, text: heard.append(text))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "gone" / "loss.png"), ""))
    choose(qtbot, plot, "Save picture as…")
    assert len(heard) == 1
    assert heard[0].startswith("“loss.png” could not be written: ")


def test_a_picture_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    assert write_picture(QImage(), path)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]


def test_axes_and_readouts_have_minus_signs() -> None:
    plot = curves()
    axis = plot.plot.getAxis("left")
    assert axis.tickStrings([-10.0, 0.0, 2.5], 1, 2.5)[0].startswith("−10")
    assert Axes().y_text(-0.125) == "−0.125"
    assert Axes().x_text(-3.0) == "−3"
