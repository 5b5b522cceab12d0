"""The chip of long work in the status bar: what it says, and its popup, which pauses, cancels and shows the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gui.lanes.runner import OperationRunner
from gui.shell.job_chip import JobChip
from tests.gui.driving import click, settle, until
from tests.gui.test_runner import counting

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.jobs import Work
    from gui.session.session import Session


@pytest.fixture
def chip(qtbot: QtBot, session: Session) -> JobChip:
    made = JobChip(session.jobs)
    qtbot.addWidget(made)
    made.hide()
    return made


def start(session: Session, title: str = "Count <b>all</b>", panel: str = "experiments") -> Work:
    runner = OperationRunner(session.background, title, session)
    work = session.jobs.watch(runner, panel, lambda: title)
    runner.start(lambda: counting(steps=10_000, pause=0.002))
    until(lambda: (work.share or 0) > 0, "progress")
    return work


def test_the_chip_is_seen_while_there_is_work_and_says_how_far_it_is(chip: JobChip, session: Session) -> None:
    assert chip.isHidden()
    work = start(session)
    until(lambda: "%" in chip.text(), "the share")
    assert not chip.isHidden()
    assert chip.text().startswith("Count <b>all</b> · ")
    other = start(session, "Train")
    until(lambda: chip.text().startswith("2 jobs · "), "both")
    for each in (work, other):
        each.pause(True)
    until(lambda: chip.text().endswith("paused"), "the pause")
    session.jobs.cancel_all()
    until(chip.isHidden, "the end")


def test_the_popup_pauses_cancels_and_shows_the_panel(chip: JobChip, session: Session) -> None:
    chip.show()
    work = start(session)
    asked: list[str] = []
    chip.panelAsked.connect(asked.append)
    click(chip)
    settle()
    (row,) = chip.popup.rows
    assert chip.popup.isVisible()
    assert "number" in row.words.text() or "%" in row.words.text()
    click(row.pause)
    until(lambda: work.paused, "the pause")
    assert row.pause.toolTip() == "Let it continue"
    click(row.pause)
    until(lambda: not work.paused, "the end of the pause")
    click(row.title)
    assert asked == ["experiments"]
    assert not chip.popup.isVisible()
    click(chip)
    click(row.cancel)
    until(lambda: not work.running, "the end")
    settle()
    assert not chip.popup.isVisible()
    assert chip.popup.rows == []
    assert chip.isHidden()
