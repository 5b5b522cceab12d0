"""The Results dock with a real session: every kind of artifact, by mouse and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from engine.attacks import CATALOGUE
from engine.text.formatting import cells_of
from gui.panels.results import ResultsPanel
from gui.panels.results.content import Item
from gui.panels.results.panel import tab_texts
from gui.panels.results.views import CurveView, MapView, TableView
from gui.plots.colour_maps import DIVERGING
from gui.plots.curves import Curves
from gui.session.data_choice import Choice
from gui.theme import GRID
from tests.gui.driving import settle
from tests.gui.panel_scenes import attack, newest_frame, open_image, show, small
from tests.gui.probe_attack import Probe
from tests.gui.seen import empty_text

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.panels.results.model_view import ModelView
    from gui.panels.results.perturbation_view import PerturbationView
    from gui.session.session import Session

CHOICE = Choice("generated:signs", "", 12)


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> ResultsPanel:
    session.change(ready=True)
    return show(qtbot, ResultsPanel(session), 900, 300)


@pytest.fixture
def probed(qtbot: QtBot, panel: ResultsPanel, session: Session) -> ResultsPanel:
    """After a run of the probe."""
    open_image(qtbot, session)
    session.set_target(2)
    with qtbot.waitSignal(session.history.changed):
        session.runs.start(Probe(), data=CHOICE, begin=torch.full((3, 16, 16), 0.25))
    qtbot.waitUntil(lambda: not session.runs.running)
    return panel


def visible_lines(curves: Curves) -> list[pg.InfiniteLine]:
    """The vertical lines that can be seen."""
    return [item for item in curves.plot.items() if isinstance(item, pg.InfiniteLine) and item.isVisible()]


def titles(panel: ResultsPanel) -> list[str]:
    return [panel.tabs.tabText(i) for i in range(panel.tabs.count())]


def bring(qtbot: QtBot, panel: ResultsPanel, title: str) -> object:
    """Click the tab of that title; the view under it."""
    index = titles(panel).index(title)
    bar = panel.tabs.tabBar()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
    assert panel.tabs.currentIndex() == index
    return panel.tabs.currentWidget()


def test_empty_it_says_what_would_fill_it(panel: ResultsPanel) -> None:
    assert empty_text(panel)
    assert panel.load_button.isVisible()


def test_the_loss_of_the_run_on_the_canvas(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, CATALOGUE["pgd"](eps=0.3, steps=7))
    assert titles(panel) == ["Loss"]
    view = panel.tabs.currentWidget()
    assert isinstance(view, CurveView)
    (line,) = view.curves.lines
    result = session.history.entries[-1].result
    assert np.allclose(line.y, result.trace[:, 0].numpy())
    assert len(view.curves.xs) == 8
    flip = int(result.steps_to_flip[0])
    assert flip >= 0
    assert [float(line.value()) for line in visible_lines(view.curves)] == [flip]
    assert f"step {flip}" in view.curves.readout.text
    session.clear_perturbation()
    assert empty_text(panel)


def test_the_mouse_reads_a_curve(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, CATALOGUE["pgd"](steps=10))
    view = panel.tabs.currentWidget()
    assert isinstance(view, CurveView)
    plot = view.curves.plot
    box = plot.getPlotItem().vb
    at = plot.mapFromScene(box.mapViewToScene(QPoint(4, 0)))
    at.setY(plot.viewport().height() // 2)
    QTest.mouseMove(plot.viewport(), at)
    qtbot.waitUntil(lambda: view.curves.readout.text.startswith("step 4:"))
    assert f"cross-entropy {view.curves.lines[0].y[4]:.3g}" in view.curves.readout.text


def test_a_tab_for_every_artifact(probed: ResultsPanel) -> None:
    assert titles(probed) == [
        *("Pixels that flip", "Difference", "Share against lambda", "Rows", "Grey", "Universal perturbation", "Substitute", "Loss"),
    ]
    assert probed.run_name.text().endswith("Probe")


@pytest.mark.parametrize("width", [1200, 640, 480])
def test_every_tab_is_in_sight_however_narrow_the_dock(probed: ResultsPanel, width: int) -> None:
    probed.resize(width, 300)
    settle()
    bar, name = probed.tabs.tabBar(), probed.run_name
    rects = [bar.tabRect(index) for index in range(bar.count())]
    assert all(rect.width() > 2 * GRID and rect.right() <= bar.width() for rect in rects), rects
    assert bar.mapTo(probed, rects[-1].topRight()).x() <= name.mapTo(probed, QPoint()).x() < probed.width()
    (entry,) = probed.session.history.entries
    assert name.text() == (entry.title if width == 1200 else f"#{entry.number}")
    assert [probed.tabs.tabToolTip(index) for index in range(bar.count())] == titles(probed)


def test_a_long_title_is_whole_where_there_is_room() -> None:
    items = [Item("table", "Dominant classes of the images held out"), Item("loss", "Loss"), Item("model", "Loss: of the network")]
    assert tab_texts(items, 44) == ["Dominant classes of the images held out", "Loss", "Loss (model)"]
    assert tab_texts(items, 24) == ["Dominant classes", "Loss", "Loss (model)"]
    assert tab_texts([Item("table", "Incomprehensibilities everywhere")], 24) == ["Incomprehensibilities e…"]


def test_a_pixel_is_read_chosen_and_marked_on_the_canvas(qtbot: QtBot, probed: ResultsPanel, session: Session) -> None:
    chosen: list[object] = []
    session.pixelChosen.connect(chosen.append)
    view = bring(qtbot, probed, "Pixels that flip")
    assert isinstance(view, MapView)
    heat = view.map
    qtbot.mouseMove(heat, heat.rect_of((3, 5)).center())
    qtbot.waitUntil(lambda: view.readout.text == f"x 3, y 5: {5 * 16 + 3}")
    qtbot.mouseClick(heat, Qt.MouseButton.LeftButton, pos=heat.rect_of((15, 15)).center())
    assert heat.chosen == (15, 15)
    qtbot.keyClick(heat, Qt.Key.Key_Left)
    qtbot.keyClick(heat, Qt.Key.Key_Right)
    qtbot.keyClick(heat, Qt.Key.Key_Right)  # there is nothing further right
    assert heat.chosen == (15, 15)
    assert view.readout.text == "x 15, y 15: 255"
    qtbot.keyClick(heat, Qt.Key.Key_Escape)
    assert chosen == [(15, 15), (14, 15), (15, 15), None]


def test_a_place_over_two_quantities_is_read_by_them_and_marks_no_pixel(qtbot: QtBot, probed: ResultsPanel, session: Session) -> None:
    from engine.artifacts import Map, Span

    chosen: list[object] = []
    session.pixelChosen.connect(chosen.append)
    view = bring(qtbot, probed, "Pixels that flip")
    assert isinstance(view, MapView)
    across, down = Span("x", (-0.1, 0.0, 0.1)), Span("rotation (°)", (-30.0, 30.0))
    view.fill(None, Item("map", "Margin", Map(torch.arange(6.0).view(1, 2, 3), "Margin", signed=True, across=across, down=down)))
    qtbot.mouseMove(view.map, view.map.rect_of((0, 1)).center())
    qtbot.waitUntil(lambda: view.readout.text == "x −0.1, rotation (°) 30: 3")
    qtbot.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=view.map.rect_of((2, 0)).center())
    assert view.map.chosen == (2, 0)
    assert view.readout.text == "x 0.1, rotation (°) −30: 2"
    assert chosen == []


def test_a_map_is_painted_pixel_by_pixel_with_its_limits(qtbot: QtBot, probed: ResultsPanel) -> None:
    view = bring(qtbot, probed, "Pixels that flip")
    assert isinstance(view, MapView)
    assert view.map.scale.limits == ("0", "255")
    assert view.map.maps[0].pixels.shape == (16, 16, 3)
    signed = bring(qtbot, probed, "Difference")
    assert isinstance(signed, MapView)
    assert signed.map.scale.limits == ("−128", "0", "+128")
    pixels = signed.map.maps[0].pixels
    assert pixels[0, 0, 2] > pixels[0, 0, 0]  # below zero: blue
    assert pixels[-1, -1, 0] > pixels[-1, -1, 2]


def test_classes_keep_their_colours_and_shares_are_percent(qtbot: QtBot, probed: ResultsPanel, session: Session) -> None:
    from gui.theme import LABEL

    result = session.history.entries[-1].result
    view = bring(qtbot, probed, "Share against lambda")
    assert isinstance(view, CurveView)
    assert [line.name for line in view.curves.lines] == ["Stop", "Yield"]
    assert len({line.colour for line in view.curves.lines}) == 2
    label = result.classifier.labels[int(result.labels[0])]
    for line in view.curves.lines:
        assert (line.colour == LABEL) == (line.name == label)
    assert view.curves.plot.getAxis("left").tickStrings([0.0, 0.5], 1, 0.5) == ["0 %", "50 %"]


def test_numbers_stand_under_each_other_and_csv_keeps_every_digit(qtbot: QtBot, probed: ResultsPanel) -> None:
    view = bring(qtbot, probed, "Rows")
    assert isinstance(view, TableView)
    cells = [[view.table.table.index(row, column).data() for column in range(4)] for row in range(2)]
    assert cells == [["a", "1,200", "50.0\u00a0%", "1"], ["b, c", "7", "100.0\u00a0%", "123"]]  # a line does not break before the %
    qtbot.mouseClick(view.copy_button, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert text == 'name,queries,success rate,L2\na,1200,0.5,1.25\n"b, c",7,1.0,123.456\n'


@pytest.mark.parametrize(
    ("unit", "values", "texts"),
    [
        ("", [0.0123, 0.5], ["0.012", "0.500"]),
        ("", [0.0, 0.0], ["0", "0"]),
        ("", [2.0], ["2.00"]),
        ("", [1.5e-9, 0.0, -2e-12], ["1.50e−09", "0", "−2.00e−12"]),  # six decimals of nothing would say nothing
        ("", [0.00012, 0.0], ["0.000120", "0"]),
        ("share", [0.25, None], ["25.0 %", "–"]),
        ("", [float("nan"), 1.5], ["–", "1.50"]),
        ("", [True, False], ["yes", "no"]),
    ],
)
def test_a_column_as_text(unit: str, values: list[object], texts: list[str]) -> None:
    assert cells_of(values, unit) == texts


def test_a_perturbation_is_put_on_the_image(qtbot: QtBot, probed: ResultsPanel, session: Session) -> None:
    view: PerturbationView = bring(qtbot, probed, "Universal perturbation")  # type: ignore[assignment]
    assert view.maps.scale.limits == ("−25.5/255", "0", "+25.5/255")
    with newest_frame(qtbot, session):
        qtbot.mouseClick(view.apply_button, Qt.MouseButton.LeftButton)
    assert session.history.shown is None
    frame = session.frame
    assert frame is not None
    assert session.clean is not None
    assert torch.allclose(frame.observation.adversarial_image, (session.clean + 0.1).clamp(0, 1))


def test_a_perturbation_is_saved_loaded_and_added_by_a_run(qtbot: QtBot, probed: ResultsPanel, session: Session, tmp_path: Path) -> None:
    view: PerturbationView = bring(qtbot, probed, "Universal perturbation")  # type: ignore[assignment]
    path = tmp_path / "mine.safetensors"
    with qtbot.waitSignal(session.notice) as said:
        view.save_to(path)
    assert said.args == ["Saved as mine.safetensors."]
    session.clear_perturbation()
    assert empty_text(probed)
    probed.load(path)
    qtbot.waitUntil(lambda: titles(probed) == ["mine"])
    loaded: PerturbationView = probed.tabs.currentWidget()  # type: ignore[assignment]
    assert not loaded.save_button.isVisible()
    assert (loaded.maps.maps[0].pixels == DIVERGING[255]).all()
    assert float(loaded.maps.scale.limits[-1].removeprefix("+").split("/")[0]) == pytest.approx(25.5, abs=0.1)
    with qtbot.waitSignal(session.history.changed):
        qtbot.mouseClick(loaded.apply_button, Qt.MouseButton.LeftButton)
    entry = session.history.entries[-1]
    assert entry.result.operation == CATALOGUE["saved-perturbation"](file=str(path))  # what a record needs to make it again
    assert torch.allclose(entry.result.adversarial, (entry.result.clean + 0.1).clamp(0, 1))
    assert titles(probed)[-1] == "mine"


def test_a_trained_network_takes_the_model_s_place(qtbot: QtBot, probed: ResultsPanel, session: Session) -> None:
    view: ModelView = bring(qtbot, probed, "Substitute")  # type: ignore[assignment]
    shown = [[view.table.table.index(row, column).data() for column in range(2)] for row in range(3)]
    assert shown == [["architecture", "linear"], ["trained queries", "12"], ["trained agreement", "0.5123"]]
    clean = session.clean
    with qtbot.waitSignal(session.classifierChanged):
        qtbot.mouseClick(view.use_button, Qt.MouseButton.LeftButton)
    assert session.classifier is not None
    assert session.classifier.name == "Substitute of small"
    assert session.clean is clean
    qtbot.waitUntil(lambda: session.frame is not None)


def test_what_is_no_perturbation_is_a_sentence(qtbot: QtBot, panel: ResultsPanel, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "page.safetensors"
    path.write_text("<html>")
    with qtbot.waitSignal(session.notice) as said:
        panel.load(path)
    assert "not a saved perturbation" in said.args[0]
    assert panel.tabs.count() == 0


def test_a_perturbation_of_another_size_is_refused_in_a_sentence(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    open_image(qtbot, session)
    with qtbot.waitSignal(session.notice) as said:
        session.apply_perturbation(torch.zeros(1, 28, 28), "digits")
    assert "1 × 28 × 28" in said.args[0]
    assert session.delta is None


def test_the_tab_that_was_chosen_stays_for_the_next_run(qtbot: QtBot, probed: ResultsPanel, session: Session) -> None:
    bring(qtbot, probed, "Loss")
    attack(qtbot, session, CATALOGUE["pgd"](steps=2))
    assert titles(probed) == ["Loss"]
    session.show_entry(session.history.entries[0].number)
    assert probed.tabs.tabText(probed.tabs.currentIndex()) == "Loss"


def test_what_nobody_sees_is_not_painted(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    panel.hide()
    open_image(qtbot, session, small())
    attack(qtbot, session, CATALOGUE["pgd"](steps=2))
    assert panel.tabs.count() == 0
    panel.show()
    assert titles(panel) == ["Loss"]


def test_pixels_that_a_cancelled_map_did_not_try_are_grey(qtbot: QtBot) -> None:
    from gui.plots.colour_maps import UNKNOWN
    from gui.plots.heat_map import HeatMap

    heat = HeatMap()
    qtbot.addWidget(heat)
    for signed in (True, False):
        heat.set_values(np.array([[-1.0, np.nan], [0.0, 2.0]]), "margin", signed)
        pixels = heat.maps[0].pixels
        assert (pixels[0, 1] == UNKNOWN).all()
        assert not any((pixels[place] == UNKNOWN).all() for place in ((0, 0), (1, 0), (1, 1)))


def test_a_map_of_one_sign_uses_its_whole_scale(qtbot: QtBot) -> None:
    from gui.plots.heat_map import HeatMap

    heat = HeatMap()
    qtbot.addWidget(heat)
    heat.set_values(np.array([[-9.0, -8.5], [-8.0, -7.5]]), "margin", True)
    assert heat.scale.limits == ("−9", "−7.5")
    colours = {tuple(colour) for row in heat.maps[0].pixels for colour in row}
    assert len(colours) == 4
    heat.set_values(np.array([[-9.0, -8.5], [-8.0, 0.5]]), "margin", True)
    assert heat.scale.limits == ("−9", "0", "+9")


def test_the_tab_of_a_cancelled_map_says_so(qtbot: QtBot, panel: ResultsPanel, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.batching._PIXELS_ON_CPU", 1)  # a pixel per step
    open_image(qtbot, session)
    session.runs.start(CATALOGUE["one-pixel-map"](levels=9, at_most=1_000_000))
    qtbot.waitUntil(lambda: session.runs.job is not None and session.runs.job.index > 2)
    with qtbot.waitSignal(session.history.changed):
        session.runs.cancel()
    qtbot.waitUntil(lambda: not session.runs.running)
    assert titles(panel)[0].startswith("Incomplete, ")
    assert titles(panel)[0].endswith(" of 256 pixels")
    view = bring(qtbot, panel, titles(panel)[0])
    assert isinstance(view, MapView)
    assert view.readout.text.startswith("Grey pixels were not tried.")


def test_lines_that_coincide_can_both_be_seen_over_whole_rounds(qtbot: QtBot) -> None:
    from gui.plots.curves import Axes, Curves, Line

    curves = Curves()
    qtbot.addWidget(curves)
    y = np.array([0.5, 0.75, 0.9])
    curves.set_lines(
        np.array([1.0, 2.0, 3.0]), [Line("one", y, "#D55E00"), Line("other", y.copy(), "#0072B2")], Axes("round", "share", True)
    )
    styles = [item.opts["pen"].style() for item in curves.plot.listDataItems()]
    assert styles == [Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine]
    assert curves.plot.getAxis("bottom").tickStrings([1.0, 1.5, 2.0], 1.0, 0.5) == ["1", "", "2"]


def test_a_wide_axis_counts_in_ones_and_threes(qtbot: QtBot) -> None:
    from gui.plots.curves import Axes, Curves, Line

    curves = Curves()
    qtbot.addWidget(curves)
    curves.set_lines(np.array([0.3, 3.0, 300.0]), [Line("one", np.zeros(3), "#D55E00")], Axes("weight", "share", log=True))
    tens, threes = (ticks for _, ticks in curves.plot.getAxis("bottom").tickValues(-0.6, 2.6, 300))
    assert curves.plot.getAxis("bottom").tickStrings(tens, 1.0, 1.0) == ["1", "10", "100"]
    assert curves.plot.getAxis("bottom").tickStrings(threes, 1.0, 1.0) == ["0.3", "3", "30", "300"]


def test_values_are_written_as_they_are_read() -> None:
    from gui.panels.perturbation.perturbation_tab import in_levels
    from gui.panels.results.model_view import _rows

    assert cells_of([-1.5, 0.25]) == ["−1.50", "0.25"]
    assert cells_of([-3, 2]) == ["−3", "2"]
    assert _rows({"labels": ["Stop", "Yield"], "input_shape": [3, 32, 32]}) == [("labels", "Stop, Yield"), ("input_shape", "3 × 32 × 32")]
    assert (in_levels(0.0, "−"), in_levels(-8 / 255, "−"), in_levels(8 / 255, "+"), in_levels(0.0, "+")) == ("0", "−8/255", "+8/255", "0")


def test_what_a_run_has_to_say_stands_above_its_tabs(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    from gui.session.run_facts import run_facts

    open_image(qtbot, session)
    attack(qtbot, session, CATALOGUE["fgsm"]())
    assert not panel.notes.isVisible()
    attack(qtbot, session, CATALOGUE["fgsm"](towards="least likely"))
    result = session.history.entries[-1].result
    assert "remarks" in vars(result)  # worked out in the engine thread
    (goal,) = result.goals.tolist()
    assert panel.notes.isVisible()
    assert panel.notes.text == " ".join(result.remarks)
    facts = run_facts(session.history.entries[-1])
    assert facts.figures["target"] == f"{result.classifier.labels[goal]} (chosen by the attack)"
    assert facts.figures["notes"] == panel.notes.text
    session.show_entry(session.history.entries[0].number)
    assert not panel.notes.isVisible()
