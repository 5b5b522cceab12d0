"""How a run ended, as the Attack dock and the status bar tell it: how far it came, and why it failed, until that can be mended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gui.panels.attack.readings import ending_in_words
from gui.shell.status_bar import StatusBar
from tests.gui.panel_scenes import newest_frame, open_image

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


@pytest.fixture
def bar(qtbot: QtBot, session: Session) -> StatusBar:
    made = StatusBar(session)
    qtbot.addWidget(made)
    return made


def fail(qtbot: QtBot, panel: AttackDock, session: Session) -> None:
    """A budget that does not hold the first step."""
    panel.choose("pgd")
    panel.form.set_values({"max_queries": 1, "restarts": 3})
    with qtbot.waitSignal(session.logged):
        panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)


@pytest.mark.parametrize(
    ("status", "index", "words"),
    [
        ("finished", 40, "last run: 40 steps"),
        ("finished", 1, "last run: 1 step"),
        ("failed", -1, "last run: failed"),
        ("failed", 3, "last run: failed after 3 steps"),
        ("cancelled", -1, "last run: cancelled while loading"),
        ("cancelled", 1200, "last run: cancelled after 1,200 steps"),
        ("budget", -1, "the budget was spent before the first step"),
        ("budget", 0, "the budget was spent before the first step"),
        ("budget", 7, "last run: 7 steps, then the budget was spent"),
    ],
)
def test_how_a_run_ended_in_words(status: str, index: int, words: str) -> None:
    ending: Any = SimpleNamespace(status=status, job=SimpleNamespace(index=index))
    assert ending_in_words(ending) == words


def test_why_it_failed_stays_in_the_dock_until_a_field_changes(
    qtbot: QtBot, attack_panel: AttackDock, session: Session, bar: StatusBar
) -> None:
    open_image(qtbot, session)
    logged: list[str] = []
    session.logged.connect(lambda entry: logged.append(entry.text))
    fail(qtbot, attack_panel, session)
    assert "max_queries = 1" in attack_panel.message.text
    assert attack_panel.message.kind == "error"
    assert attack_panel.can_run
    assert attack_panel.readings.text.text() == "the budget was spent before the first step"
    assert "max_queries = 1" in logged[-1]
    assert bar.message.text() == "PGD failed: the Attack dock and the messages say why."
    assert bar.alert.isVisibleTo(bar)
    with newest_frame(qtbot, session):
        session.refresh()
    assert attack_panel.message.text  # a new frame mends nothing
    attack_panel.form.set_values({"max_queries": None})
    assert attack_panel.message.text == ""


def test_another_attack_takes_the_failure_away(qtbot: QtBot, attack_panel: AttackDock, session: Session, bar: StatusBar) -> None:
    open_image(qtbot, session)
    fail(qtbot, attack_panel, session)
    attack_panel.choose("fgsm")
    assert attack_panel.message.text == ""
    assert bar.message.text() == ""


def test_what_was_said_goes_when_it_is_mended(qtbot: QtBot, attack_panel: AttackDock, session: Session, bar: StatusBar) -> None:
    open_image(qtbot, session)
    attack_panel.choose("pgd")
    attack_panel.form.set_values({"eps": 8.0})
    attack_panel.run()
    assert bar.message.text().startswith("eps: 8")
    attack_panel.form.set_values({"eps": 0.1})
    assert bar.message.text() == ""


def test_a_newer_notice_is_not_taken_away(qtbot: QtBot, attack_panel: AttackDock, session: Session, bar: StatusBar) -> None:
    open_image(qtbot, session)
    attack_panel.choose("pgd")
    attack_panel.form.set_values({"eps": 8.0})
    attack_panel.run()
    session.notice.emit("The clean image is on the clipboard.")
    attack_panel.form.set_values({"eps": 0.1})
    assert bar.message.text() == "The clean image is on the clipboard."


def test_a_run_that_starts_clears_the_status_bar(qtbot: QtBot, attack_panel: AttackDock, session: Session, bar: StatusBar) -> None:
    open_image(qtbot, session)
    session.log("warning", "Something was amiss.")
    assert bar.message.text()
    attack_panel.choose("pgd")
    with qtbot.waitSignal(session.history.changed):
        attack_panel.run()
        assert bar.message.text() == ""
        assert not bar.alert.isVisibleTo(bar)


def test_a_held_attack_is_named_while_another_one_is_set_up(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    open_image(qtbot, session)
    attack_panel.choose("pgd")
    attack_panel.form.set_values({"steps": 100_000})
    attack_panel.run()
    qtbot.waitUntil(lambda: session.runs.job is not None and session.runs.job.index > 2)
    session.runs.pause(True)
    assert attack_panel.readings.text.text() == "paused"
    attack_panel.choose("fgsm")
    assert attack_panel.readings.text.text() == "PGD is paused"
    attack_panel.choose("pgd")
    assert attack_panel.readings.text.text() == "paused"
    session.runs.cancel()
    qtbot.waitUntil(lambda: not session.runs.running)
    assert attack_panel.readings.text.text().startswith("last run: cancelled after ")
