"""The Activations dock: what it shows is the engine's, and the bound follows the hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

import engine
from engine.explain import find_spikes
from gui import theme
from gui.panels.activations import ActivationsPanel
from gui.panels.activations.layer_list import shortened_name
from gui.panels.activations.spike_table import SpikeTable, cells, times
from gui.plots.histograms import decades, inks, nice_ticks, raster
from gui.session.bounds import bound_text, effect_text, with_bound
from tests.gui.driving import settle
from tests.gui.panel_scenes import LABELS, drag, open_image, put_sticker, show, small

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> ActivationsPanel:
    made: ActivationsPanel = show(qtbot, ActivationsPanel(session), 400, 700)
    return made


@pytest.fixture
def opened(qtbot: QtBot, panel: ActivationsPanel, session: Session) -> ActivationsPanel:
    open_image(qtbot, session)
    put_sticker(qtbot, session)
    return panel


def grasp(panel: ActivationsPanel, fraction: float) -> list[QPoint]:
    """From the line to that fraction of the axis, in steps."""
    plot = panel.plot
    start, end = plot.handle_point(), plot.frame.left() + round(fraction * plot.frame.width())
    return [QPoint(start.x() + (end - start.x()) * i // 6, start.y()) for i in range(7)]


def test_empty_until_there_is_an_image(panel: ActivationsPanel) -> None:
    assert panel.empty.isVisible()
    assert "open an image" in panel.empty.text


def test_a_model_without_rectifiers_says_so(qtbot: QtBot, panel: ActivationsPanel, session: Session) -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 256, len(LABELS)))
    open_image(qtbot, session, engine.Classifier(module, LABELS, (3, 16, 16), device="cpu"))
    assert "no rectifier" in panel.empty.text
    assert panel.empty.isVisible()


def test_dragging_the_line_bounds_the_chosen_layer_and_predicts_again(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    site = opened.selected
    drag(opened.plot, grasp(opened, 0.25))
    upper = opened.plot.limits[1]
    assert session.bounds == {site: pytest.approx(0.25 * upper, abs=0.02 * upper)}
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.scene.bounds == session.bounds)
    assert session.frame is not None
    seen = session.frame.observation
    assert seen.bounded is not None
    assert session.classifier is not None
    expected = session.classifier.derive(bounds=session.bounds)(torch.stack([seen.clean_image, seen.adversarial_image])).softmax(1)
    torch.testing.assert_close(torch.stack([seen.bounded.clean, seen.bounded.adversarial]), expected)
    assert opened.effect.text == effect_text(seen, LABELS, opened.sites)
    assert opened.effect.text.startswith(f"Bound {session.bounds[site]:.3g} in {site}: clean ")


def test_every_move_asks_for_a_frame(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    with qtbot.waitSignals([session.boundsChanged] * 6):
        drag(opened.plot, grasp(opened, 0.3))


def test_a_press_beside_the_line_moves_nothing(opened: ActivationsPanel, session: Session) -> None:
    middle = opened.plot.frame.center()
    drag(opened.plot, [middle, middle - QPoint(20, 0)])
    assert session.bounds == {}


def test_back_at_the_edge_the_bound_is_lifted(opened: ActivationsPanel, session: Session) -> None:
    drag(opened.plot, grasp(opened, 0.4))
    assert session.bounds
    drag(opened.plot, grasp(opened, 1.1))
    assert session.bounds == {}
    assert opened.value.text() == "none"


def test_all_layers(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    qtbot.keyClick(opened.scope, Qt.Key.Key_Down)
    drag(opened.plot, grasp(opened, 0.2))
    assert list(session.bounds) == opened.sites
    assert len(set(session.bounds.values())) == 1
    qtbot.waitUntil(lambda: "in all layers" in opened.effect.text)
    qtbot.keyClick(opened.scope, Qt.Key.Key_Up)
    assert list(session.bounds) == [opened.selected]


def test_keys_move_the_bound(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    upper = opened.plot.limits[1]
    qtbot.keyClick(opened.plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert session.bounds[opened.selected] == pytest.approx(0.9 * upper, abs=0.01 * upper)
    qtbot.keyClick(opened.plot, Qt.Key.Key_Right)
    assert session.bounds[opened.selected] == pytest.approx(0.91 * upper, abs=0.01 * upper)
    qtbot.keyClick(opened.plot, Qt.Key.Key_Delete)
    assert session.bounds == {}


def test_the_box_and_the_reset_button(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    opened.value.setFocus()
    opened.value.selectAll()
    qtbot.keyClicks(opened.value, opened.value.locale().toString(0.3))
    qtbot.keyClick(opened.value, Qt.Key.Key_Return)
    assert session.bounds == {opened.selected: pytest.approx(0.3)}
    assert opened.plot.bound == pytest.approx(0.3)
    qtbot.mouseClick(opened.reset, Qt.MouseButton.LeftButton)
    assert session.bounds == {}
    assert opened.plot.bound is None
    assert not opened.reset.isEnabled()


def test_the_spike_table_is_the_engines_list(opened: ActivationsPanel, session: Session) -> None:
    opened.tabs.setCurrentWidget(opened.spikes)
    assert session.frame is not None
    assert session.classifier is not None
    seen = session.frame.observation
    recording = session.classifier.record(torch.stack([seen.clean_image, seen.adversarial_image]))
    expected = find_spikes(session.classifier.sites, recording.activations)
    model = opened.spikes.spikes
    assert model.rowCount() == len(expected) > 0
    shown = [tuple(model.index(row, column).data() for column in range(model.columnCount())) for row in range(model.rowCount())]
    assert shown == [cells(spike) for spike in expected]


def test_choosing_a_spike_chooses_its_layer(qtbot: QtBot, opened: ActivationsPanel) -> None:
    opened.tabs.setCurrentWidget(opened.spikes)
    spikes = opened.spikes.spikes.spikes
    row = len(spikes) - 1
    opened.choose(next(site for site in opened.sites if site != spikes[row].site))
    place = opened.spikes.visualRect(opened.spikes.spikes.index(row, 0)).center()
    qtbot.mouseClick(opened.spikes.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.selected == spikes[row].site
    assert opened.plot.layer is not None
    assert opened.plot.layer.site.name == spikes[row].site


def test_choosing_a_layer_with_mouse_and_keys(qtbot: QtBot, opened: ActivationsPanel) -> None:
    second = QPoint(50, opened.layers.row_height + 5)
    qtbot.mouseClick(opened.layers.viewport(), Qt.MouseButton.LeftButton, pos=second)
    assert opened.selected == opened.sites[1]
    qtbot.keyClick(opened.layers, Qt.Key.Key_Down)
    assert opened.selected == opened.sites[2]
    qtbot.keyClick(opened.layers, Qt.Key.Key_Home)
    assert opened.selected == opened.sites[0]
    assert opened.plot.layer is not None
    assert opened.plot.layer.site.name == opened.sites[0]


def test_hidden_it_paints_nothing_and_catches_up_when_shown(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    opened.hide()
    before = opened.painted
    put_sticker(qtbot, session, (0.0, 0.0, 0.0))
    assert opened.painted is before
    assert opened.painted is not session.frame
    opened.show()
    assert opened.painted is session.frame


def test_only_visible_rows_are_painted(qtbot: QtBot, panel: ActivationsPanel, session: Session) -> None:
    layers = [layer for _ in range(12) for layer in (torch.nn.Conv2d(3, 3, 1), torch.nn.ReLU())]
    module = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(3 * 256, len(LABELS)))
    open_image(qtbot, session, engine.Classifier(module, LABELS, (3, 16, 16), device="cpu"))
    panel.layers.viewport().repaint()
    assert 0 < len(panel.layers.painted) < 12
    assert panel.layers.painted[0] == 0
    qtbot.keyClick(panel.layers, Qt.Key.Key_End)
    panel.layers.viewport().repaint()
    assert panel.layers.painted[-1] == 11


def test_another_model_chooses_a_layer_of_its_own(qtbot: QtBot, opened: ActivationsPanel, session: Session) -> None:
    opened.choose(opened.sites[2])
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 256, 8), torch.nn.ReLU(), torch.nn.Linear(8, len(LABELS)))
    open_image(qtbot, session, engine.Classifier(module, LABELS, (3, 16, 16), device="cpu"))
    assert opened.sites == [opened.selected] == ["2"]
    open_image(qtbot, session, small(1))
    assert opened.selected in opened.sites


def test_no_spike_is_listed_as_once_the_reference() -> None:
    assert [times(ratio) for ratio in (float("inf"), 12.3, 1.01, 1.004, 1.0001)] == ["∞", "12.3×", "1.01×", "1.004×", "> 1×"]


def test_every_column_of_the_spikes_fits_a_narrow_table(qtbot: QtBot) -> None:
    table = show(qtbot, SpikeTable(), 255, 200)
    assert table.horizontalScrollBar().maximum() == 0
    assert table.columnWidth(0) > 30


def test_a_name_keeps_what_tells_it_from_others(opened: ActivationsPanel) -> None:
    metrics, name = opened.layers.fontMetrics(), "features.12.expand3x3_activation"
    assert shortened_name(name, metrics, metrics.horizontalAdvance(name)) == name
    assert shortened_name(name, metrics, metrics.horizontalAdvance("features.12.expand3x3")) == "features.12.expand3x3"
    narrow = shortened_name(name, metrics, metrics.horizontalAdvance("…12.expand3x3"))
    assert narrow == "…12.expand3x3"


def test_bounds_as_values() -> None:
    sites = ["a", "b", "c"]
    assert with_bound({}, sites, "a", 2.0, True) == {"a": 2.0, "b": 2.0, "c": 2.0}
    assert with_bound({"a": 1.0}, sites, "b", 2.0, False) == {"a": 1.0, "b": 2.0}
    assert with_bound({"a": 1.0, "b": 2.0}, sites, "b", None, False) == {"a": 1.0}
    assert with_bound({"a": 1.0, "b": 2.0}, sites, "b", None, True) == {}
    assert bound_text({"a": 2.0, "b": 2.0, "c": 2.0}, sites) == "Bound 2 in all layers"
    assert bound_text({"b": 1.25}, sites) == "Bound 1.25 in b"
    assert bound_text({"a": 1.0, "b": 2.0}, sites) == "Bounds in 2 of 3 layers"


def test_raster_heights_are_logarithmic() -> None:
    clean, adversarial = np.zeros((1, 4)), np.zeros((1, 4))
    clean[0], adversarial[0] = (99, 9, 0, 1), (0, 0, 0, 99)
    painted = raster(clean, adversarial, 8, 41, theme.palette(True))[0] >> 24 > 0
    tops = np.where(painted.any(0), 41 - painted.argmax(0), 0)
    # log(1 + 99) is twice log(1 + 9)
    assert tops.tolist() == [40, 40, 20, 20, 0, 0, 40, 40]


@pytest.mark.parametrize("dark", [False, True])
def test_both_histograms_are_seen_where_they_overlap_in_both_themes(dark: bool) -> None:
    palette = theme.palette(dark)
    same, taller = np.full((1, 4), 9.0), np.full((1, 4), 99.0)
    pixels = raster(same, taller, 8, 41, palette)[0]
    clean, adversarial = (ink.rgb() for ink in inks(palette))
    assert pixels[1, 3] == adversarial  # its line, above
    assert pixels[21, 3] == clean  # the clean outline is not under a filling of the other
    assert pixels[40, 3] >> 24 not in (0, 255)  # the clean filling
    assert pixels[10, 3] == 0  # the adversarial one is not filled
    for ink in inks(palette):
        assert theme.contrast_ratio(ink, palette.base().color()) >= 4.5


def test_axes() -> None:
    assert decades(999) == [1, 10, 100]
    assert decades(1000) == [1, 10, 100, 1000]
    assert decades(0) == [1]
    assert nice_ticks(0, 8, 4) == [0, 2, 4, 6, 8]
    assert nice_ticks(-0.2, 3, 4) == [0, 1, 2, 3]


def test_the_plot_and_its_bound_never_print_over_each_other_in_a_low_drawer(qtbot: QtBot, opened: ActivationsPanel) -> None:
    drawer = QWidget()
    qtbot.addWidget(drawer)
    drawer.resize(800, 600)
    opened.setParent(drawer)  # a window of its own would refuse to be that low
    drawer.show()
    opened.show()
    for size in ((340, 190), (340, 260), (700, 190)):
        opened.resize(*size)
        settle()
        assert opened.plot.geometry().bottom() < opened.value.geometry().top(), size
        assert opened.value.geometry().bottom() < opened.effect.geometry().top(), size
        assert opened.upper.height() >= opened.upper.minimumSizeHint().height(), size
    opened.setParent(None)  # it is closed by itself
