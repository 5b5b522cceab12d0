"""A fault in one panel, or in one part of what is observed, is said where it belongs and leaves the rest alive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtWidgets import QLabel

import engine
from engine.errors import GibbonError
from gui.app import Workbench
from gui.panels.activations import ActivationsPanel
from gui.panels.prediction import PredictionPanel
from gui.session.scene import Frame
from tests.gui.driving import settle, until
from tests.gui.panel_scenes import LABELS, newest_frame, open_image, put_sticker, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import LogEntry, Session


def said(panel: object) -> str:
    """What a panel says over its content; empty where it paints."""
    labels = [label for label in panel.findChildren(QLabel) if label.accessibleName() == "What is wrong"]  # type: ignore[attr-defined]
    return "\n".join(label.text() for label in labels if label.isVisible())


@pytest.fixture
def broken(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """A window whose Prediction panel cannot paint."""
    panel = bench.window.panels["prediction"]

    def fail(_frame: Frame | None) -> None:
        raise ZeroDivisionError("no room for the bars")

    with monkeypatch.context() as patch:
        patch.setattr(panel, "show_frame", fail)
        yield bench
    bench.session.refresh()
    until(lambda: not said(panel), "the panel's recovery")


def test_the_other_panels_paint(broken: Workbench, logged: list[LogEntry]) -> None:
    session, panels = broken.session, broken.window.panels
    for bounds in ({}, {session.classifier.sites[0].name: 1.0}, {}):  # type: ignore[union-attr]
        session.set_bounds(bounds)
        session.refresh()
        until(lambda: not session.waiting("frame"), "the frame")
    settle()
    for name in ("perturbation", "activations"):
        broken.window.bring_up(name)
        assert panels[name].isVisible()
        assert panels[name].painted is session.frame
        assert not said(panels[name])
    assert broken.window.canvas.adversarial_pane.pixels is not None
    sentence = said(panels["prediction"])
    assert "no room for the bars" in sentence
    assert sentence.startswith("Painting the Prediction panel failed")
    errors = [entry for entry in logged if entry.kind == "error"]
    assert [entry.text for entry in errors] == [sentence]  # once, however many frames came
    assert "ZeroDivisionError" in errors[0].details


def classifier() -> engine.Classifier:
    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 196, len(LABELS)))
    return engine.Classifier(module, LABELS, (3, 16, 16), name="small", device="cpu")


def test_activations_that_cannot_be_recorded_are_said_in_their_panel(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, prediction = show(qtbot, ActivationsPanel(session)), show(qtbot, PredictionPanel(session))

    def refuse(*_arguments: object) -> None:
        raise GibbonError("This layer gives a list, not a tensor.")

    made = classifier()
    monkeypatch.setattr(type(made), "record", refuse)
    open_image(qtbot, session, made)
    assert panel.empty.isVisible()
    assert panel.empty.text == "This layer gives a list, not a tensor."
    assert prediction.view.verdict.text in LABELS


def test_a_bound_that_the_model_fails_under_is_said_where_its_effect_would_stand(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, prediction = show(qtbot, ActivationsPanel(session)), show(qtbot, PredictionPanel(session))
    made = classifier()
    open_image(qtbot, session, made)
    put_sticker(qtbot, session)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise GibbonError("The bounded model gives no numbers.")

    monkeypatch.setattr(type(made), "derive", refuse)
    with newest_frame(qtbot, session):
        session.set_bounds({made.sites[0].name: 0.5})
    assert panel.effect.text == "The bounded model gives no numbers."
    assert prediction.view.under_bound.isVisible()
    assert prediction.view.under_bound.text == "The bounded model gives no numbers."
    monkeypatch.undo()
    with newest_frame(qtbot, session):
        session.set_bounds({})
    assert not prediction.view.under_bound.isVisible()
    assert prediction.view.bars.isVisible()
