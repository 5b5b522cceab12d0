"""Moving the eps of a finished FGSM run, by mouse and keys, with a real session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider

import engine
from engine.attacks import CATALOGUE
from gui.panels.attack import AttackPanel
from gui.panels.attack.eps_slider import EpsSlider, places
from gui.panels.results import ResultsPanel
from gui.panels.results.views import CurveView
from gui.session.state import AttackSettings
from tests.gui.panel_scenes import attack, drag, newest_frame, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def eps(qtbot: QtBot, session: Session) -> Iterator[EpsSlider]:
    """The slider of an Attack dock, after FGSM at 8/255."""
    session.change(ready=True)
    panel = show(qtbot, AttackPanel(session), 320, 700)
    open_image(qtbot, session)
    (made,) = panel.findChildren(EpsSlider)
    assert not made.isVisible()
    attack(qtbot, session, CATALOGUE["fgsm"]())
    qtbot.waitUntil(made.isVisible)
    yield made
    del panel  # kept until here: the slider belongs to it


def handle(slider: QSlider) -> QPoint:
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    style = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
    return slider.style().subControlRect(style[0], option, style[1], slider).center()


def test_it_stands_at_the_run_s_own_eps(eps: EpsSlider) -> None:
    assert eps.value.text() == "8/255"
    assert eps.eps == pytest.approx(8 / 255)
    assert eps.slider.maximum() == 16 * 4  # quarters of grey levels


@pytest.mark.parametrize(
    ("value", "norm", "count"), [(8 / 255, "linf", 64), (1 / 255, "linf", 8), (0.25, "linf", 510), (0.5, "l2", 200), (12.0, "l1", 200)]
)
def test_places_are_quarters_of_grey_levels_where_these_fit(value: float, norm: str, count: int) -> None:
    found, unit = places(value, norm)
    assert found == count
    assert found * unit == pytest.approx(2 * value)


def test_dragging_shows_every_eps_and_letting_go_keeps_one(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    moved: list[float] = []
    shown: list[float] = []
    session.eps.moved.connect(moved.append)
    session.observed.connect(lambda: shown.append(session.frame.observation.norms["linf"]) if session.frame else None)
    start = handle(eps.slider)
    points = [QPoint(start.x() + 6 * i, start.y()) for i in range(8)]
    drag(eps.slider, points)
    wanted = eps.eps
    assert wanted > 9 / 255
    qtbot.waitUntil(lambda: len(session.history.entries) == 2)
    entry = session.history.entries[-1]
    assert entry.result.operation == CATALOGUE["fgsm"](eps=wanted)
    assert session.history.shown is entry
    assert moved
    assert moved[-1] == pytest.approx(wanted)
    assert shown
    assert eps.slider.value() == round(wanted * 255 * 4)
    assert eps.slider.maximum() == 64  # the range stays among the runs of one direction
    assert session.delta is not None
    assert float(session.delta.abs().max()) == pytest.approx(wanted, abs=1e-6)


def test_what_is_kept_is_what_an_attack_at_that_eps_gives(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    session.eps.keep(session.history.entries[0], 5 / 255)
    qtbot.waitUntil(lambda: len(session.history.entries) == 2)
    result = session.history.entries[-1].result
    anew = engine.run(CATALOGUE["fgsm"](eps=5 / 255), result.classifier, result.clean)
    assert torch.equal(result.adversarial, anew.adversarial)
    assert result.provenance["operation"]["parameters"]["eps"] == 5 / 255
    assert result.artifacts["curve"] is session.history.entries[0].result.artifacts["curve"]


def test_keys_move_it_and_the_last_place_is_kept(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    for _ in range(3):
        qtbot.keyClick(eps.slider, Qt.Key.Key_Left)
    assert eps.value.text() == "7.25/255"
    qtbot.waitUntil(lambda: len(session.history.entries) == 2)
    assert session.history.entries[-1].result.operation == CATALOGUE["fgsm"](eps=eps.eps)


def test_at_zero_the_clean_image_shows_and_nothing_is_kept(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    start = handle(eps.slider)
    with qtbot.waitSignal(session.notice) as said:
        drag(eps.slider, [start, QPoint(start.x() // 2, start.y()), QPoint(-20, start.y())])
    assert "eps 0" in said.args[0]
    assert eps.value.text() == "8/255"
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.scene.delta is session.delta)
    assert len(session.history.entries) == 1


def test_the_curve_carries_a_marker(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    results = show(qtbot, ResultsPanel(session), 600, 300)
    view = results.tabs.currentWidget()
    assert isinstance(view, CurveView)
    assert view.curves.marker == pytest.approx(8 / 255)
    with qtbot.waitSignal(session.eps.moved):
        session.eps.move(session.history.entries[0], 3 / 255)
    assert view.curves.marker == pytest.approx(3 / 255)
    assert view.curves.axes.x == "eps (of 255)"


def test_it_leaves_with_the_run(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    session.clear_perturbation()
    assert not eps.isVisible()
    attack(qtbot, session, CATALOGUE["pgd"](steps=2))
    assert not eps.isVisible()
    session.show_entry(session.history.entries[0].number)
    assert eps.isVisible()


def test_a_late_answer_does_not_replace_another_run(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    entry = session.history.entries[0]
    session.eps.keep(entry, 4 / 255)
    session.clear_perturbation()
    with newest_frame(qtbot, session):
        session.refresh()
    qtbot.waitUntil(lambda: not session.waiting("moved.kept"))
    assert len(session.history.entries) == 1
    assert session.delta is None


def test_it_goes_when_another_attack_is_chosen(eps: EpsSlider, session: Session) -> None:
    session.planned.choose("fgsm")
    assert eps.isVisible()
    session.planned.choose("deepfool")
    assert not eps.isVisible()
    session.planned.choose("fgsm")
    assert eps.isVisible()


def test_the_slider_says_whose_eps_it_is_and_the_form_follows(qtbot: QtBot, eps: EpsSlider, session: Session) -> None:
    first = session.history.attacks[-1]
    session.change(**session.plan.choosing("fgsm"))
    assert eps.caption.text() == f"eps of #{first.number}"
    assert not eps.remark.isVisible()
    eps.slider.setFocus()
    qtbot.keyClick(eps.slider, Qt.Key.Key_Right)
    assert eps.remark.isVisible()  # it is only looked at so far
    assert eps.remark.text() == "the next run's eps is 8/255"
    assert eps.value.text() == "8.25/255"
    qtbot.waitUntil(lambda: len(session.history.entries) == 2)
    second = session.history.attacks[-1]
    assert eps.caption.text() == f"eps of #{second.number}"
    attack, _ = session.plan.built
    assert attack == second.operation
    assert not eps.remark.isVisible()
    session.undo_stack.undo()
    attack, _ = session.plan.built
    assert attack == first.operation
    session.change(settings=AttackSettings({"eps": 2 / 255}))
    assert eps.remark.text() == "the next run's eps is 2/255"
