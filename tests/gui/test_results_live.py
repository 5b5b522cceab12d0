"""The Results dock during a run: the curves of the attack in progress as they come, and never those of another run."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.attacks import JSMA, PGD, FoolingImage, HopSkipJump
from gui.panels.results import ResultsPanel
from gui.panels.results.live_views import LiveLossView, LiveReadingView
from gui.panels.results.views import CurveView
from gui.plots.curves import Axes, Curves, Line, count_ticks
from tests.gui.driving import Hold, settle, until
from tests.gui.panel_scenes import attack, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


MAXIMISES = "The attack maximises this loss."
NEVER = f"{MAXIMISES} It never succeeded."


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> ResultsPanel:
    session.change(ready=True)
    made: ResultsPanel = show(qtbot, ResultsPanel(session), 900, 300)
    open_image(qtbot, session)
    return made


def titles(panel: ResultsPanel) -> list[str]:
    return [panel.tabs.tabText(index) for index in range(panel.tabs.count())]


def test_the_loss_comes_live_in_place_of_the_run_before(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    attack(qtbot, session, JSMA())
    assert len(titles(panel)) >= 1
    before = session.history.shown
    hold = Hold(session)  # the engine's thread may not be quicker than these lines
    session.runs.start(PGD(eps=0.2, steps=100_000))
    assert panel._entry is None
    assert not titles(panel)
    assert "starting" in panel.empty.text
    hold.release()
    until(lambda: isinstance(panel.tabs.currentWidget(), LiveLossView), "the live loss")
    view = panel.tabs.currentWidget()
    assert isinstance(view, LiveLossView)
    until(lambda: len(view.curves.xs) > 20, "some of the curve")
    count = len(view.curves.xs)
    until(lambda: len(view.curves.xs) > count, "more of the curve")
    assert view.curves.axes.y == "cross-entropy"
    assert view.curves.lines[0].name == "cross-entropy"
    session.runs.cancel()
    until(lambda: session.history.shown not in (None, before), "the end")
    settle()
    ended = panel.tabs.currentWidget()
    assert isinstance(ended, CurveView)
    assert titles(panel) == ["Loss"]
    assert np.allclose(ended.curves.lines[0].y, session.history.shown.result.trace[:, 0].numpy())


def test_a_run_without_a_result_brings_back_the_run_before(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    attack(qtbot, session, PGD(eps=0.1, steps=3))
    run = session.history.shown
    session.runs.start(PGD(eps=0.1, steps=100_000))
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")
    settle()
    assert panel._entry in (run, session.history.shown)
    assert titles(panel) == ["Loss"]


def test_readings_come_live_too(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    session.set_target(3)
    session.runs.start(FoolingImage(steps=100_000))
    until(lambda: panel.tabs.count() > 1, "the readings")
    assert titles(panel)[0] == "Loss"
    panel.tabs.setCurrentIndex(1)
    view = panel.tabs.currentWidget()
    assert isinstance(view, LiveReadingView)
    until(lambda: len(view.curves.xs) > 3, "the curve")
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")


def test_the_iteration_on_the_canvas_is_marked(qtbot: QtBot, panel: ResultsPanel, session: Session) -> None:
    attack(qtbot, session, PGD(eps=0.2, steps=20))
    curves = panel.tabs.currentWidget().curves
    assert curves.marker is None
    session.moments.show(7)
    assert curves.marker == 7
    session.moments.to_end()
    assert curves.marker is None


@pytest.mark.parametrize(
    ("made", "target", "name", "end"),
    [
        (PGD(eps=1e-5, steps=3, random_start=False), None, "cross-entropy", NEVER),
        (
            PGD(eps=1e-5, steps=3, random_start=False),
            3,
            "−cross-entropy towards Priority road",
            NEVER,
        ),
        (
            HopSkipJump(steps=1, initial_evaluations=10),
            None,
            "−distance",
            f"{MAXIMISES} Dashed: the first success, at step ",
        ),
    ],
)
def test_the_axis_says_what_is_plotted(
    made: object, target: int | None, name: str, end: str, qtbot: QtBot, panel: ResultsPanel, session: Session
) -> None:
    session.set_target(target)
    attack(qtbot, session, made)
    panel.tabs.setCurrentIndex(titles(panel).index("Loss"))
    curves = panel.tabs.currentWidget().curves
    assert curves.axes.y == name
    assert curves.readout.text.startswith(end)


@pytest.mark.parametrize("last", [1, 2, 7, 10, 40, 41, 99, 100, 137, 1000, 99_999])
@pytest.mark.parametrize("width", [160, 400, 900])
def test_the_last_step_has_its_label(last: int, width: int, qtbot: QtBot) -> None:
    curves: Curves = show(qtbot, Curves(), width, 240)
    x = np.arange(last + 1.0)
    curves.set_lines(x, [Line("loss", np.sin(x), "#D55E00")], Axes("step", "loss"))
    settle()
    axis = curves._bottom
    ticks = axis.tickValues(0, last, curves.plot.getPlotItem().vb.width())[0][1]
    assert ticks[0] == 0
    assert ticks[-1] == last
    assert all(tick == round(tick) for tick in ticks)
    assert axis.tickStrings(ticks, 1, 1)[-1] == f"{last:,}"


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 40), (1, 12), (3, 3), (0, 1234), (17, 5000)])
@pytest.mark.parametrize("most", [2, 4, 9, 30])
def test_ticks_of_a_count_are_round_whole_and_few(first: int, last: int, most: int) -> None:
    ((step, ticks),) = count_ticks(first, last, most)
    assert ticks == sorted(set(ticks))
    assert ticks[0] == first
    assert ticks[-1] == last
    assert len(ticks) <= most + 1
    assert all(tick % step == 0 for tick in ticks[1:-1])
    assert all(right - left >= 0.5 * step for left, right in itertools.pairwise(ticks))
