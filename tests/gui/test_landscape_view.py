"""The landscape of a sticker in the Results dock: read by hovering, and the sticker put there by clicks that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtTest import QTest

from engine.stickers import paint
from engine.text.formatting import format_probability
from gui.panels.results.landscape_view import LandscapeView
from gui.plots.colour_maps import on_viridis
from gui.plots.heat_map import limits_of
from gui.session.scene import to_pixels
from gui.session.state import AttackSettings
from tests.gui.driving import choose_attack, click, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench


@pytest.fixture
def page(bench: Workbench) -> LandscapeView:
    """The landscape of a white sticker on the stop sign, in front."""
    choose_attack(bench, "Sticker landscape")
    bench.session.change(settings=AttackSettings({"stride": 4, "colour": "white"}))
    run_attack(bench)
    bench.window.bring_up("results")
    settle()
    found = bench.window.panels["results"].tabs.widget(0)
    assert isinstance(found, LandscapeView)
    return found


def probability(bench: Workbench) -> float:
    """Return the model's probability of any class but the label for the stickers on the canvas."""
    session = bench.session
    assert session.classifier is not None
    assert session.clean is not None
    label = int(session.classifier.predict(session.clean[None])[0]) if session.label is None else session.label
    shown = paint(session.clean, session.stickers)
    return 1 - float(session.classifier.score(shown[None]).softmax(1)[0, label])


def test_a_click_puts_the_sticker_there_and_the_number_is_the_models(bench: Workbench, page: LandscapeView) -> None:
    session = bench.session
    run = session.history.shown
    for pixel in ((9, 12), (20, 21)):
        at = page.map.rect_of(pixel).center()
        QTest.mouseMove(page.map, at)
        settle()
        click(page.map, at)
        until(lambda: len(session.stickers) == 1 and session.frame.scene.stickers == session.stickers, "the sticker")  # type: ignore[union-attr]
        (sticker,) = session.stickers
        assert abs(sticker.x + sticker.width / 2 - pixel[0] - 0.5) <= 2
        assert abs(sticker.y + sticker.height / 2 - pixel[1] - 0.5) <= 2
        assert session.delta is None
        assert session.selected == sticker.id
        value = page.map.value(pixel)
        assert value == pytest.approx(probability(bench), abs=2e-5)
        assert f"success {format_probability(value)}" in page.readout.text
        assert bench.window.panels["results"].tabs.widget(0) is page, "the landscape stays"
    press_keys(bench.window, "Ctrl+Z")
    settle()
    assert abs(session.stickers[0].x + 3 - 9.5) <= 2
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: session.history.shown is run, "the run on the canvas")
    assert session.stickers == ()


def test_the_map_lies_over_the_image_with_its_opacity(bench: Workbench, page: LandscapeView) -> None:
    run = bench.session.history.shown
    assert run is not None
    ground = to_pixels(run.result.clean[0]).astype(float)
    values = page.map.values
    colours = on_viridis(values, *limits_of(values, False)).astype(float)
    for opacity in (0, 40, 100):
        page.opacity.setValue(opacity)
        shown = page.map.maps[0].pixels
        share = np.where(np.isfinite(values), opacity / 100, 0)[..., None]
        assert np.abs(shown - (share * colours + (1 - share) * ground)).max() <= 0.5 + 1e-9
