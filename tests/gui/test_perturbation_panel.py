"""The Perturbation dock: the colours are the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from engine.attacks import PGD
from engine.perturbation_view import GAINS, PerturbationView
from gui.panels.perturbation import PerturbationPanel
from gui.plots.colour_maps import DARK_DIVERGING, DIVERGING, MAGMA, around_grey, diverging, sequential
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
        expected = colormaps[name](np.arange(256) / 255)[:, :3] * 255
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
