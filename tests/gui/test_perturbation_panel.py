"""The Perturbation dock: the colours are the values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor

from engine.attacks import PGD
from engine.perturbation_view import GAINS, PerturbationView
from gui import theme
from gui.panels.perturbation import PerturbationPanel
from gui.plots.colour_maps import DARK_DIVERGING, DIVERGING, MAGMA, around_grey, diverging, sequential
from gui.plots.pixel_maps import arrange
from gui.theme import is_dark
from tests.gui.panel_scenes import attack, open_image, put_sticker, show, small

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> PerturbationPanel:
    made: PerturbationPanel = show(qtbot, PerturbationPanel(session), 320, 400)
    return made


def test_the_maps_are_those_of_the_exported_figures() -> None:
    for table, name in ((DIVERGING, "RdBu_r"), (MAGMA, "magma"), (DARK_DIVERGING, "berlin")):
        if name not in colormaps:  # matplotlib has it since 3.10
            continue
        places = np.linspace(0.14, 0.86, 256) if name == "berlin" else np.linspace(0, 1, 256)  # the palest ends would glare
        expected = colormaps[name](places)[:, :3] * 255
        assert np.abs(table - expected).max() < 3, name


def test_zero_is_the_middle_and_the_limits_are_the_ends() -> None:
    values = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert np.array_equal(diverging(values, 1.0), DIVERGING[[0, 0, 128, 255, 255]])
    assert np.array_equal(sequential(np.array([0.0, 2.0, 9.0]), 2.0), MAGMA[[0, 255, 255]])
    assert around_grey(values, 1.0).tolist() == [0, 0, 128, 255, 255]


def test_the_gain_sets_the_scale(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, PGD(eps=8 / 255, steps=3))
    assert session.frame is not None
    values = session.frame.observation.perturbation.numpy()
    strongest = np.take_along_axis(values, np.abs(values).argmax(0)[None], 0)[0]
    dark = is_dark(panel.palette())
    assert panel.perturbation.maps.scale.limits == ("−8/255", "0", "+8/255")  # automatic: the largest change is the end
    assert np.array_equal(panel.perturbation.maps.maps[0].pixels, diverging(strongest, float(np.abs(values).max()), dark))
    panel.perturbation.gain.setFocus()
    qtbot.keyClick(panel.perturbation.gain, Qt.Key.Key_End)
    for _ in range(GAINS[::-1].index(20)):
        qtbot.keyClick(panel.perturbation.gain, Qt.Key.Key_Up)
    assert panel.perturbation.gain.currentText() == "×20"
    assert session.view == PerturbationView(gain=20)
    assert panel.perturbation.maps.scale.limits == ("−12.8/255", "0", "+12.8/255")
    assert np.array_equal(panel.perturbation.maps.maps[0].pixels, diverging(strongest, 0.05, dark))
    assert panel.perturbation.facts.text.startswith("Largest change −8/255, +8/255")


def test_modes(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session, (1.0, 0.0, 0.5))
    assert session.frame is not None
    values, dark = session.frame.observation.perturbation.numpy(), is_dark(panel.palette())
    largest = float(np.abs(values).max())
    qtbot.keyClick(panel.perturbation.mode, Qt.Key.Key_Down)
    assert np.array_equal(panel.perturbation.maps.maps[0].pixels, diverging(values.mean(0), float(np.abs(values.mean(0)).max()), dark))
    qtbot.keyClick(panel.perturbation.mode, Qt.Key.Key_Down)
    assert [one.title for one in panel.perturbation.maps.maps] == ["Red", "Green", "Blue"]
    for one, channel in zip(panel.perturbation.maps.maps, values, strict=True):
        assert np.array_equal(one.pixels, diverging(channel, largest, dark))
    qtbot.keyClick(panel.perturbation.mode, Qt.Key.Key_Down)
    assert np.array_equal(panel.perturbation.maps.maps[0].pixels, around_grey(values.transpose(1, 2, 0), 2 * largest))


def test_a_grey_model_has_one_channel(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session, small(channels=1))
    assert not panel.perturbation.mode.isEnabled()
    assert len(panel.perturbation.maps.maps) == 1
    assert "Nothing was added" in panel.perturbation.facts.text


def test_pixels_are_painted_nearest_neighbour(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session)
    (place,), _bar = panel.perturbation.maps.places()
    shot = panel.perturbation.maps.grab().toImage()
    pixels, scale = panel.perturbation.maps.maps[0].pixels, place.width() / 16
    for row, column in ((0, 0), (5, 9), (15, 15)):
        x, y = place.left() + int((column + 0.5) * scale), place.top() + int((row + 0.5) * scale)
        assert QColor(shot.pixel(x, y)).getRgb()[:3] == tuple(int(v) for v in pixels[row, column])


def test_hidden_it_paints_nothing(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    panel.hide()
    before = panel.perturbation.maps.maps
    put_sticker(qtbot, session)
    assert panel.perturbation.maps.maps is before
    panel.show()
    assert panel.perturbation.maps.maps is not before
    torch.testing.assert_close(panel.painted.observation.perturbation, session.frame.observation.perturbation)  # type: ignore[union-attr]


# ---------------------------------------------------------------------- scales, themes and room


def test_a_sticker_does_not_saturate_by_itself(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session, (0.9, 0.1, 0.2))
    assert session.frame is not None
    values = session.frame.observation.perturbation.numpy()
    assert "off the scale" not in panel.perturbation.facts.text
    assert panel.perturbation.maps.scale.limits[2] == f"+{255 * np.abs(values).max():.3g}/255"
    assert len({tuple(pixel) for pixel in panel.perturbation.maps.maps[0].pixels.reshape(-1, 3)}) > 20
    session.change(view=PerturbationView(gain=100))  # as a study or a script may set it
    assert panel.perturbation.gain.currentText() == "×100"
    assert "% off the scale" in panel.perturbation.facts.text
    session.change(view=PerturbationView(gain=3.5))
    assert panel.perturbation.gain.currentText() == "×3.5"


def test_while_iterates_are_shown_the_scale_only_grows(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, PGD(eps=16 / 255, steps=3))
    tab, frame = panel.perturbation, session.frame
    assert frame is not None
    whole = tab.maps.scale.limits
    seen = frame.observation
    halved = replace(seen, adversarial_image=seen.clean_image + 0.5 * seen.perturbation)
    tab.show_frame(replace(frame, observation=halved, step=1))
    assert tab.maps.scale.limits == whole
    tab.show_frame(replace(frame, observation=halved, step=None))
    assert tab.maps.scale.limits == ("−8/255", "0", "+8/255")


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_changed_is_as_bright_as_the_theme(qtbot: QtBot, panel: PerturbationPanel, session: Session, dark: bool) -> None:
    panel.setPalette(theme.palette(dark))
    open_image(qtbot, session)
    pixels = panel.perturbation.maps.maps[0].pixels
    assert (pixels.max() < 60) if dark else (pixels.min() > 240)
    panel.setPalette(theme.palette(not dark))
    other = panel.perturbation.maps.maps[0].pixels
    assert (other.max() < 60) if not dark else (other.min() > 240)


def test_the_caption_follows_the_maps(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    for width, height in ((260, 700), (320, 400), (900, 300)):
        panel.resize(width, height)
        qtbot.wait(1)
        tab = panel.perturbation
        (_, bar) = tab.maps.places()
        gap = tab.facts.mapTo(panel, QPoint(0, 0)).y() - tab.maps.mapTo(panel, bar.bottomLeft()).y()
        assert 0 < gap < 40, (width, height, gap)


@pytest.mark.parametrize(("width", "height", "stacked"), [(260, 640, True), (600, 260, False), (300, 300, False)])
def test_maps_stand_where_they_are_largest(width: int, height: int, stacked: bool) -> None:
    rects, bar = arrange([(32, 32), (32, 32)], QSize(width, height), 16, 26)
    assert (rects[0].left() == rects[1].left()) is stacked
    assert not rects[0].intersects(rects[1])
    assert all(QRect(0, 0, width, height).contains(rect) for rect in (*rects, bar))
    assert all(abs(rect.width() - rect.height()) <= 1 for rect in rects)


def test_at_the_least_width_of_a_dock_nothing_overlaps(qtbot: QtBot, panel: PerturbationPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session)
    panel.resize(260, 500)
    qtbot.wait(1)
    tab = panel.perturbation
    boxes = [QRect(box.mapTo(panel, QPoint(0, 0)), box.size()) for box in (tab.mode, tab.gain)]
    assert not boxes[0].intersects(boxes[1])
    assert all(panel.rect().contains(box) for box in boxes)
    assert tab.gain.width() >= tab.gain.minimumWidth()
    assert not tab.facts.cut
