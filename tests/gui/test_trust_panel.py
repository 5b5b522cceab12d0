"""Trust lights in the window: the cheap ones at once, the costly ones on a click, and the mark beside every number they concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QPoint
from torch import Tensor, nn

import engine
from engine import attacks
from engine.evaluate.trust import SIGNS, TrustLights
from engine.evaluate.trust.evaluation import NOT_YET
from gui.panels.prediction import PredictionPanel
from gui.panels.runs import RunsPanel
from gui.panels.trust import TrustPanel
from gui.session.trust import NO_IMAGE
from gui.widgets.lights import LightRow, forms_of
from gui.widgets.text import Sentence
from tests.gui.driving import click, press_keys, settle, until
from tests.gui.panel_scenes import attack, open_image, show, small

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from engine.evaluate.trust import Light
    from gui.app import Workbench
    from gui.session.session import Session

SHAPE = (3, 16, 16)


class Brightness(nn.Module):
    """Two logits by the mean brightness, through a step that hides the gradient or not."""

    def __init__(self, step: Callable[[Tensor], Tensor], at: float) -> None:
        super().__init__()
        self.weight, self.step, self.at = nn.Parameter(torch.ones(1)), step, at

    def forward(self, x: Tensor) -> Tensor:
        value = 10 * self.weight * (self.step(x).mean((1, 2, 3)) - self.at)
        return torch.stack([-value, value], 1)


def model(name: str, at: float = 0.55) -> engine.Classifier:
    step = {"smooth": lambda x: x, "quantised": lambda x: (16 * x).round() / 16}[name]
    return engine.Classifier(Brightness(step, at), ("dark", "bright"), SHAPE, name=name, device="cpu")


def begin(qtbot: QtBot, session: Session, classifier: engine.Classifier, brightness: float = 0.4) -> None:
    session.change(ready=True)
    open_image(qtbot, session, classifier)
    clean = torch.full(SHAPE, brightness)
    session.set_image(clean, {"name": "grey"}, 0)
    until(lambda: session.frame is not None and session.frame.scene.clean is clean, "the frame")


def named(lights: tuple[Light, ...]) -> dict[str, Light]:
    return {light.sign.slug: light for light in lights}


def states(session: Session) -> dict[str, str]:
    return {slug: light.state for slug, light in named(session.trust.lights).items()}


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> TrustPanel:
    made: TrustPanel = show(qtbot, TrustPanel(session), 340, 500)
    return made


def test_without_an_image_it_says_what_would_fill_it_and_without_a_run_what_the_gradient_says(
    qtbot: QtBot, panel: TrustPanel, session: Session
) -> None:
    assert panel._empty.text == NO_IMAGE
    begin(qtbot, session, model("quantised"))
    until(lambda: session.trust.lights, "the lights of the model")
    settle()
    assert states(session)["no-gradient"] == states(session)["gradient-unavailable"] == "on"
    assert sum(state == "not measured" for state in states(session).values()) == 12
    assert all("run one" in light.why for light in session.trust.lights if light.state == "not measured")
    assert not panel.foot.run.isEnabled()
    assert "Run an attack first" in panel.foot.run.toolTip()
    assert SIGNS["no-gradient"].cure in " ".join(sentence.text for sentence in panel.findChildren(type(panel.heading)))
    session.set_classifier(model("smooth"))
    until(lambda: states(session).get("no-gradient") == "off", "the other model's")


def test_without_a_run_nothing_is_measured_while_nobody_looks(qtbot: QtBot, session: Session) -> None:
    begin(qtbot, session, model("smooth"))
    settle()
    assert session.trust.lights == ()
    assert not session.waiting("trust")


def test_the_cheap_lights_of_a_run_come_by_themselves_and_cost_one_gradient(qtbot: QtBot, session: Session) -> None:
    begin(qtbot, session, model("smooth"))
    attack(qtbot, session, attacks.PGD(eps=0.1, steps=30, step_size=0.001, random_start=False))
    until(lambda: session.trust.lights, "the lights")
    found = states(session)
    assert list(found) == list(SIGNS)
    assert found["unfinished"] == "on"
    assert found["no-gradient"] == found["silent-success"] == "off"
    assert found["one-step-beats-many"] == found["search-beats-gradients"] == "not measured"
    attack(qtbot, session, attacks.PGD(eps=0.3))
    until(lambda: states(session).get("one-step-beats-many") == "off", "the lights of the run that succeeded")
    assert states(session)["unfinished"] == states(session)["steps-matter"] == "off"
    assert states(session)["more-eps-less-success"] == "not measured"  # its success at one eps says nothing of others


def test_a_click_measures_the_others_as_the_command_line_does(qtbot: QtBot, panel: TrustPanel, session: Session) -> None:
    begin(qtbot, session, model("quantised"))
    attack(qtbot, session, attacks.PGD(eps=0.4, steps=10), seed=3)
    until(lambda: session.trust.lights, "the cheap lights")
    settle()
    assert panel.foot.run.isEnabled()
    click(panel.foot.run)
    assert session.trust.runner.running
    assert [work.panel for work in session.jobs.running] == ["trust"]
    until(lambda: not session.trust.runner.running, "the end")
    settle()
    run = session.history.shown
    assert run is not None
    with engine.start(
        TrustLights.of(attacks.PGD(eps=0.4, steps=10)), run.result.classifier, run.result.clean, run.result.labels, seed=3
    ) as expected:
        last = list(expected)[-1]
    assert {slug: (light.state, dict(light.figures)) for slug, light in named(session.trust.lights).items()} == {
        slug: (light.state, dict(light.figures))
        for slug, light in named(last.lights).items()  # type: ignore[attr-defined]
    }
    assert states(session)["search-beats-gradients"] == "on"
    assert panel.foot.run.toolTip() == "All lights are measured."
    shown = [sentence.text for sentence in panel.findChildren(type(panel.heading))]
    for light in session.trust.lights:
        assert any(light.sign.title in text and (light.sign.cure in text) == light.on for text in shown)


def test_cancel_keeps_the_lights_found_so_far(qtbot: QtBot, panel: TrustPanel, session: Session) -> None:
    begin(qtbot, session, model("smooth"))
    attack(qtbot, session, attacks.PGD(eps=0.1, steps=400))
    until(lambda: session.trust.lights, "the cheap lights")
    before = sum(state != "not measured" for state in states(session).values())
    settle()
    click(panel.foot.run)
    until(lambda: sum(state != "not measured" for state in states(session).values()) > before, "a further light")
    click(panel.foot.cancel)
    until(lambda: not session.trust.runner.running, "the end")
    settle()
    found = states(session)
    assert before < sum(state != "not measured" for state in found.values()) < 13
    assert found["unfinished"] == "off"
    assert panel.foot.run.isEnabled()


def test_another_run_has_lights_of_its_own_and_the_first_ones_come_back(qtbot: QtBot, session: Session) -> None:
    begin(qtbot, session, model("smooth"))
    attack(qtbot, session, attacks.PGD(eps=0.1, steps=30, step_size=0.001, random_start=False))
    until(lambda: states(session).get("unfinished") == "on", "the lights")
    first = session.history.shown
    attack(qtbot, session, attacks.PGD(eps=0.3))
    until(lambda: states(session).get("unfinished") == "off", "the other lights")
    assert first is not None
    session.show_entry(first.number)
    until(lambda: states(session).get("unfinished") == "on", "the first lights")
    session.set_image(torch.full(SHAPE, 0.2), {"name": "other"}, 0)
    settle()
    assert session.trust.lights == ()


def test_attacks_without_lights_say_so(qtbot: QtBot, panel: TrustPanel, session: Session) -> None:
    begin(qtbot, session, small())
    session.set_target(1)
    attack(qtbot, session, attacks.FoolingImage(steps=2))
    until(lambda: "no trust lights" in panel._empty.text, "the sentence")
    assert not session.trust.lights


def test_the_mark_stands_beside_the_verdict_and_on_the_card_of_the_run(qtbot: QtBot, session: Session) -> None:
    prediction, runs = show(qtbot, PredictionPanel(session)), show(qtbot, RunsPanel(session), 700, 400)
    begin(qtbot, session, model("smooth"))
    settle()
    assert not prediction.lights.isVisible()
    attack(qtbot, session, attacks.PGD(eps=0.1, steps=30, step_size=0.001, random_start=False))
    until(prediction.lights.isVisible, "the lights")
    settle()
    assert prediction.lights.text.startswith("1 trust light on")
    assert "Attack unfinished" in prediction.lights.accessibleName()
    (card,) = runs.cards.runs.runs
    assert card.lines[1][0].startswith("▲ –")
    assert SIGNS["unfinished"].cure in card.whole
    assert SIGNS["unfinished"].cure in runs.details.remark.text or runs.details.remark.cut
    attack(qtbot, session, attacks.PGD(eps=0.3))
    until(lambda: prediction.lights.text.startswith("no trust light on"), "the other lights")
    settle()
    assert not runs.cards.runs.runs[0].lines[1][0].startswith("▲")
    assert runs.cards.runs.runs[1].lines[1][0].startswith("▲")


def test_a_failed_attack_of_one_step_is_no_sign_of_robustness(qtbot: QtBot, panel: TrustPanel, session: Session) -> None:
    runs = show(qtbot, RunsPanel(session), 700, 400)
    begin(qtbot, session, model("smooth"))
    attack(qtbot, session, attacks.FGSM(eps=0.01))
    until(lambda: session.trust.lights, "the lights")
    settle()
    assert "no model is called robust on a one-step attack" in panel.caveat.text
    assert "no model is called robust on a one-step attack" in runs.cards.runs.runs[0].whole
    attack(qtbot, session, attacks.FGSM(eps=0.4))
    until(lambda: session.trust.lights, "the lights")
    settle()
    assert not panel.caveat.isVisible()
    assert "one-step" not in runs.cards.runs.runs[0].whole


def test_the_row_of_marks_opens_the_dock_by_click_and_by_key(bench: Workbench) -> None:
    from tests.gui.driving import run_attack

    run_attack(bench)
    row = bench.window.panels["prediction"].lights
    until(row.isVisible, "the lights")
    settle()
    light = row.light_at(row.place(2))
    assert light is not None
    assert light.sign.slug == list(SIGNS)[2]
    click(row, QPoint(round(row.place(2)), row.height() // 2))
    panel = bench.window.panels["trust"]
    until(lambda: panel.seen, "the dock")
    bench.window.bring_up("perturbation")
    until(lambda: not panel.seen, "the other tab")
    row.setFocus()
    press_keys(row, "Return")
    until(lambda: panel.seen, "the dock")


def test_idle_time_measures_the_others_where_that_is_wanted(qtbot: QtBot, panel: TrustPanel, session: Session) -> None:
    begin(qtbot, session, model("quantised"))
    attack(qtbot, session, attacks.PGD(eps=0.4, steps=5))
    until(lambda: session.trust.lights, "the cheap lights")
    settle()
    assert not panel._idle.isActive()
    click(panel.by_itself)
    until(lambda: session.trust.runner.running, "the start")
    until(lambda: not session.trust.runner.running, "the end")
    settle()
    assert session.trust.obstacle == "All lights are measured."
    again: TrustPanel = show(qtbot, TrustPanel(session), 340, 500)
    assert again.by_itself.isChecked()


@pytest.mark.parametrize("brightness", [0.4, 0.6])
def test_no_figure_is_cut_in_the_narrowest_dock_and_equal_reasons_are_said_once(
    qtbot: QtBot, panel: TrustPanel, session: Session, brightness: float
) -> None:
    """At 0.6 the image is misread before any attack, which is why none of the lights is measured."""
    begin(qtbot, session, model("smooth"), brightness)
    panel.resize(260, 500)
    attack(qtbot, session, attacks.PGD(eps=0.2, steps=4))
    until(lambda: panel.list.lights and session.trust.subject is not None and session.trust.subject.run is not None, "the lights")
    settle()
    shown = [each for each in panel.findChildren(Sentence) if each.isVisible()]
    assert [each.text for each in shown if each.cut] == []
    reasons = [light.measured.rstrip(".") for light in panel.list.lights if light.measured and light.why != NOT_YET]
    for reason in reasons:
        assert sum(reason in each.text for each in shown) == 1, reason
    titles = " ".join(each.text for each in shown)
    assert all(light.sign.title in titles for light in panel.list.lights)
    assert len(set(reasons)) < len(reasons)


def test_the_marks_beside_the_prediction_leave_room_for_words(qtbot: QtBot, panel: TrustPanel, session: Session) -> None:
    begin(qtbot, session, model("smooth"))
    attack(qtbot, session, attacks.PGD(eps=0.2, steps=4))
    until(lambda: session.trust.lights and panel.list.lights, "the lights")
    row = show(qtbot, LightRow(), 248, 24)
    row.show_lights(session.trust.lights)
    left = row.place(len(row.lights) - 1) + 11
    assert row.fontMetrics().horizontalAdvance(forms_of(row.lights)[-1]) <= row.width() - left
