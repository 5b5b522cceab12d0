"""Explanations in the window: made only while they are seen, and a new one is offered everywhere once the catalogue has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QTabWidget
from torch import Tensor

from engine.attacks import PGD
from engine.cli.options import chosen_panels
from engine.explain import CATALOGUE, Explanation, GradientSaliency
from engine.parameters import method
from gui.export.figure_dialog import FigureDialog
from gui.forms import Form
from gui.panels.perturbation import PerturbationPanel
from gui.panels.perturbation.explanation_tab import locked
from gui.panels.prediction import PredictionPanel
from gui.plots.bars import ProbabilityBars
from gui.plots.colour_maps import UNKNOWN, diverging, sequential
from gui.plots.pixel_maps import PixelMaps
from gui.theme import is_dark
from gui.widgets.text import Sentence
from tests.gui.driving import until
from tests.gui.panel_scenes import LABELS, attack, newest_frame, open_image, put_sticker, show, small
from tests.gui.seen import named

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from engine.access import ModelAccess
    from gui.session.session import Session
    from gui.settings import Settings


class Tilt(Explanation):
    """Shows how far a pixel lies from grey, to one side or to the other.

    ``maps = strength * (images - 0.5)``, the mean of the channels.
    """

    slug: ClassVar[str] = "tilt"
    title: ClassVar[str] = "Tilt from grey"
    family: ClassVar[str] = "Test"
    paper: ClassVar[str] = "Nobody 2020, arXiv 2001.00001"
    signed: ClassVar[bool] = True
    caption: ClassVar[str] = "Distance from grey, times the strength."

    strength: float = method(1.0, gt=0)
    """Factor of the distance."""

    def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
        return self.strength * (images.mean(1) - 0.5)


class Broken(Explanation):
    """Shows nothing, since it raises."""

    slug: ClassVar[str] = "broken"
    title: ClassVar[str] = "Broken"
    family: ClassVar[str] = "Test"
    paper: ClassVar[str] = ""
    caption: ClassVar[str] = "Nothing is shown."

    def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
        raise ZeroDivisionError("a slip of its author")


class TabOnScreen:
    """What stands on the tab, and what a hand does to it."""

    def __init__(self, panel: PerturbationPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        (self.tabs,) = panel.findChildren(QTabWidget)

    def open(self) -> None:
        self.tabs.setCurrentIndex(1)
        assert self.tabs.tabText(1) == "Explanation"

    @property
    def chooser(self) -> QComboBox:
        return named(self.panel, QComboBox, "Explanation")

    @property
    def maps(self) -> PixelMaps:
        return named(self.panel, PixelMaps, "Explanation maps")

    @property
    def forms(self) -> list[Form]:
        """Those that can be seen."""
        return [form for form in self.panel.findChildren(Form) if form.isVisible()]

    @property
    def says(self) -> list[str]:
        """The sentences under the maps."""
        return [sentence.text for sentence in self.panel.findChildren(Sentence) if sentence.isVisible()]

    def choose(self, title: str) -> None:
        """Pick it from the list, as a hand does."""
        place = self.chooser.findText(title)
        assert place >= 0
        self.chooser.setCurrentIndex(place)
        self.chooser.activated.emit(place)


@pytest.fixture
def tab(qtbot: QtBot, session: Session) -> TabOnScreen:
    session.change(ready=True)
    return TabOnScreen(show(qtbot, PerturbationPanel(session), 320, 480), session)


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more explanations in the catalogue, and no other change."""
    monkeypatch.setitem(CATALOGUE, "tilt", Tilt)
    monkeypatch.setitem(CATALOGUE, "broken", Broken)


def explained(session: Session, slug: str) -> tuple[np.ndarray, np.ndarray]:
    """The maps of the newest frame."""
    assert session.frame is not None
    pair = session.frame.observation.explanations[slug]
    return pair.clean.numpy(), pair.adversarial.numpy()


def test_maps_are_made_only_while_their_tab_is_seen(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    open_image(qtbot, session)
    assert session.frame is not None
    assert not session.frame.observation.explanations
    with newest_frame(qtbot, session):
        tab.open()
    seen = session.frame.observation
    before, after = LABELS[seen.clean_prediction], LABELS[seen.adversarial_prediction]
    assert [one.title for one in tab.maps.maps] == [f"Clean: {before}", f"Adversarial: {after}"]
    clean, _ = explained(session, "saliency")
    assert np.array_equal(tab.maps.maps[0].pixels, sequential(clean, float(tab.maps.scale.limits[1])))
    assert tab.maps.scale.limits[0] == "0"
    assert tab.says == [GradientSaliency.caption]
    tab.panel.hide()
    put_sticker(qtbot, session)
    assert not session.frame.observation.explanations
    with newest_frame(qtbot, session):
        tab.panel.show()
    assert "saliency" in session.frame.observation.explanations
    tab.tabs.setCurrentIndex(0)
    put_sticker(qtbot, session)
    assert not session.frame.observation.explanations


def test_one_explanation_needs_no_chooser(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    open_image(qtbot, session)
    tab.open()
    several = len(CATALOGUE) > 1
    assert tab.chooser.isVisible() == several
    titles = [label.text() for label in tab.panel.findChildren(QLabel) if label.isVisible()]
    assert (next(iter(CATALOGUE.values())).title in titles) != several


@pytest.mark.usefixtures("several")
def test_a_new_explanation_is_in_the_chooser_and_on_the_maps(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    open_image(qtbot, session)
    tab.open()
    assert not tab.forms
    with newest_frame(qtbot, session):
        tab.choose("Tilt from grey")
    qtbot.waitUntil(lambda: session.frame is not None and "tilt" in session.frame.observation.explanations)
    clean, adversarial = explained(session, "tilt")
    assert clean.min() < 0 < clean.max()
    low, zero, high = tab.maps.scale.limits
    high = high.removeprefix("≥ ").removeprefix("+")
    assert (low.removeprefix("≤ "), zero) == (f"−{high}", "0")
    for one, values in zip(tab.maps.maps, (clean, adversarial), strict=True):
        assert np.array_equal(one.pixels, diverging(values, float(high), is_dark(tab.maps.palette())))
    assert [text.startswith(Tilt.caption) for text in tab.says] == [True]
    (form,) = tab.forms
    strength = form.editor("strength")
    qtbot.keyClick(strength, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(strength, "3")
    qtbot.waitUntil(lambda: session.explanations == (Tilt(strength=3.0),))
    qtbot.waitUntil(lambda: np.allclose(explained(session, "tilt")[0], 3 * clean, atol=1e-6))
    assert float(tab.maps.scale.limits[2].removeprefix("≥ ")) > float(high)


@pytest.mark.usefixtures("several")
def test_each_explanation_keeps_its_parameters(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    open_image(qtbot, session)
    tab.open()
    session.change(explanations=(Tilt(strength=2.5),))  # from elsewhere: a study, say
    assert tab.chooser.currentText() == "Tilt from grey"
    (form,) = tab.forms
    assert form.values() == {"strength": 2.5}
    tab.choose(GradientSaliency.title)
    assert session.explanations == (GradientSaliency(),)
    assert not tab.forms
    tab.choose("Tilt from grey")
    assert session.explanations == (Tilt(strength=2.5),)


@pytest.mark.usefixtures("several")
def test_a_refused_parameter_leaves_the_maps_as_they_were(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    open_image(qtbot, session)
    tab.open()
    tab.choose("Tilt from grey")
    (form,) = tab.forms
    form.set_values({"strength": -1.0})
    assert form.error
    assert session.explanations == (Tilt(),)


@pytest.mark.usefixtures("several")
def test_an_explanation_that_fails_says_so_and_the_rest_of_the_frame_lives(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    prediction = show(qtbot, PredictionPanel(session))
    open_image(qtbot, session)
    tab.open()
    tab.choose("Broken")
    qtbot.waitUntil(lambda: "a slip of its author" in tab.maps.note)
    assert not tab.maps.maps
    assert session.frame is not None
    assert session.frame.observation.layers
    put_sticker(qtbot, session)
    assert named(prediction, ProbabilityBars, "Probabilities").rows
    assert prediction.painted is session.frame
    tab.choose("Tilt from grey")
    qtbot.waitUntil(lambda: len(tab.maps.maps) == 2)
    assert tab.maps.note == ""


@pytest.mark.usefixtures("several")
def test_a_running_attack_is_explained_as_is_chosen_now(qtbot: QtBot, tab: TabOnScreen, session: Session) -> None:
    open_image(qtbot, session)

    def explained_on_its_way() -> set[str]:
        frame = session.frame
        return set() if frame is None or frame.step is None else {"running", *frame.observation.explanations}

    session.runs.start(PGD(eps=1.0, steps=100_000))
    qtbot.waitUntil(lambda: explained_on_its_way() == {"running"})
    tab.open()
    tab.choose("Tilt from grey")
    qtbot.waitUntil(lambda: explained_on_its_way() == {"running", "tilt"})
    tab.tabs.setCurrentIndex(0)
    qtbot.waitUntil(lambda: explained_on_its_way() == {"running"})
    session.runs.cancel()
    qtbot.waitUntil(lambda: not session.runs.running)


@pytest.mark.usefixtures("several")
def test_a_new_explanation_is_a_panel_of_figures_with_the_parameters_shown(
    qtbot: QtBot, tab: TabOnScreen, session: Session, settings: Settings, tmp_path: Path
) -> None:
    open_image(qtbot, session)
    session.change(explanations=(Tilt(strength=2.5),))
    said: list[str] = []
    session.notice.connect(said.append)
    dialog = FigureDialog(session, settings, tab.panel)
    for name, check in dialog.checks.items():
        check.setChecked(name in ("clean", "tilt"))
    assert dialog.checks["tilt"].text() == "Tilt from grey, clean and adversarial"
    path = tmp_path / "figure.svg"
    dialog.export_to(path)
    until(lambda: any("figure.svg" in text for text in said), "the figure")
    assert "Tilt from grey" in path.read_text()
    assert json.loads((tmp_path / "figure.svg.json").read_text())["figure"]["explanations"] == {"tilt": {"strength": 2.5}}
    attack(qtbot, session, PGD(eps=8 / 255, steps=2))
    again = FigureDialog(session, settings, tab.panel)
    assert again.checks["tilt"].isChecked()
    again.export_to(path)
    until(lambda: sum("figure.svg" in text for text in said) >= 2, "the figure of the run")
    assert json.loads((tmp_path / "figure.svg.json").read_text())["figure"]["explanations"] == {"tilt": {"strength": 2.5}}


@pytest.mark.usefixtures("several")
def test_a_new_explanation_is_a_panel_of_the_command_line() -> None:
    assert chosen_panels("clean,tilt", small()) == (["clean", "tilt"], ())


def test_what_is_no_number_has_no_place_on_a_scale() -> None:
    values = np.array([[np.nan, -1.0], [np.inf, 1.0]], np.float32)
    for colours in (diverging(values, 1.0), sequential(values, 1.0)):
        assert (colours[:, 0] == UNKNOWN).all()
    assert np.array_equal(diverging(values, 1.0)[:, 1], diverging(np.array([-1.0, 1.0]), 1.0))


def test_maps_without_a_number_are_grey(qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere(Tilt):
        slug: ClassVar[str] = "nowhere"
        title: ClassVar[str] = "Nowhere"

        def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
            return torch.full_like(images[:, 0], torch.nan)

    monkeypatch.setitem(CATALOGUE, "nowhere", Nowhere)
    session.change(ready=True)
    tab = TabOnScreen(show(qtbot, PerturbationPanel(session), 320, 480), session)
    open_image(qtbot, session)
    tab.open()
    tab.choose("Nowhere")
    qtbot.waitUntil(lambda: len(tab.maps.maps) == 2 and bool((tab.maps.maps[0].pixels == UNKNOWN).all()))


def test_the_scale_is_locked_until_it_is_left() -> None:
    limit = locked(0.0, 0.7)
    assert limit == pytest.approx(0.8)
    assert locked(limit, 0.3) == limit
    assert locked(limit, 0.81) == pytest.approx(1.0)
    assert locked(limit, 0.1) == pytest.approx(0.1)
    assert locked(0.0, 0.0) > 0
