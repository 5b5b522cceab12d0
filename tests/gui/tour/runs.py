"""The tour's stages of the finished runs: cards, a stale result, a comparison, a record opened again, the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.export.recording import record_of_entry
from gui.session.state import AttackSettings
from gui.shell.actions.file import open_path
from tests.gui.driving import click, run_attack, settle, until

if TYPE_CHECKING:
    from gui.panels.runs import RunsPanel
    from tests.gui.tour.tour import Tour


def cards(tour: Tour) -> None:
    """Runs of two eps, one of them on an image that is misread, in the drawer with the newest selected."""
    session = tour.session
    tour.window.workspaces.switch("attack")
    session.change(stickers=(), compared=(), target=None, label=session.state.prediction)
    session.change(**session.plan.choosing("pgd"))
    for eps in (2 / 255, 8 / 255):
        session.change(settings=AttackSettings({"eps": eps, "steps": 10}))
        run_attack(tour.bench)
    session.change(label=(session.state.prediction or 0) + 1)
    run_attack(tour.bench)
    tour.dock("runs")
    panel: RunsPanel = tour.window.panels["runs"]
    assert [run.number for run in panel.cards.selected] == [session.history.entries[-1].number]
    assert panel.cards.runs.runs[0].mark == "misread before"
    session.change(label=session.state.prediction)


def stale(tour: Tour) -> None:
    """An earlier run shown again: the plan says something else, and its parameters can be used."""
    panel: RunsPanel = tour.window.panels["runs"]
    _select(panel, 2)
    QTest.keyClick(panel.cards, Qt.Key.Key_Return)
    until(lambda: tour.session.staleness.stale, "the stale mark")
    settle()
    tour.picture("runs-stale")
    click(panel.buttons["use"])
    assert not tour.session.staleness.stale


def compared(tour: Tour) -> None:
    """Two runs by picture and by what differs, in the Compare workspace."""
    panel: RunsPanel = tour.window.panels["runs"]
    _select(panel, 1, 2)
    click(panel.buttons["compare"])
    until(lambda: tour.window.canvas.comparing, "the compared runs")
    settle()
    assert tour.window.workspaces.current.name == "compare"
    tour.picture("runs-compared")
    tour.session.change(compared=())
    tour.window.workspaces.switch("attack")


def replayed(tour: Tour) -> None:
    """A record that is opened: the run says that it is the same bit for bit."""
    session = tour.session
    path = record_of_entry(session.history.attacks[-1], tour.out).write(tour.out / "run.json")
    open_path(tour.window, path)
    until(lambda: session.history.attacks[-1].replayed is not None, "the replay")
    until(lambda: session.frame is not None and session.frame.scene.delta is session.delta, "its frame")
    path.unlink()
    tour.dock("runs")
    tour.dock("messages")


def _select(panel: RunsPanel, *rows: int) -> None:
    for number, row in enumerate(rows):
        keys = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
        panel.cards.scrollTo(panel.cards.runs.index(row))
        at = panel.cards.visualRect(panel.cards.runs.index(row)).center()
        QTest.mouseClick(panel.cards.viewport(), Qt.MouseButton.LeftButton, keys, at)


STAGES = (cards, stale, compared, replayed)
