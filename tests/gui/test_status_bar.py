"""Notices of the status bar: they leave when the user does something newer, not while their own action is still going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gui.shell import status_bar
from gui.shell.status_bar import StatusBar
from tests.gui.panel_scenes import open_image

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def bar(qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch) -> StatusBar:
    monkeypatch.setattr(status_bar, "SAME_ACTION_MS", 40)
    open_image(qtbot, session)
    made = StatusBar(session)
    qtbot.addWidget(made)
    return made


def later(qtbot: QtBot, bar: StatusBar) -> None:
    """Wait until the notice is older than its own action."""
    qtbot.waitUntil(lambda: bar._age.elapsed() > 60)


@pytest.mark.parametrize("kind", ["error", "info"])
@pytest.mark.parametrize("act", ["image", "undo", "model"])
def test_a_notice_leaves_at_the_next_action(qtbot: QtBot, bar: StatusBar, session: Session, kind: str, act: str) -> None:
    session.set_label(1)
    sentence = "“trunc.jpg” is damaged."
    if kind == "error":
        session.log("error", sentence)
    else:
        session.notice.emit(sentence)
    later(qtbot, bar)
    assert bar.message.text() == sentence
    if act == "image":
        assert session.clean is not None
        session.set_image(session.clean.clone(), {"name": "sixteen.tiff"})
    elif act == "undo":
        session.undo_stack.undo()
    else:
        open_image(qtbot, session)
    assert bar.message.text() == ""
    assert not bar.alert.isVisibleTo(bar)


def test_its_own_action_does_not_take_it_away(bar: StatusBar, session: Session) -> None:
    session.notice.emit("2 files came at once; “one.png” was opened.")
    assert session.clean is not None
    session.set_image(session.clean.clone(), {"name": "one.png"})
    assert bar.message.text().startswith("2 files")


def test_an_error_does_not_leave_by_the_clock(bar: StatusBar, session: Session) -> None:
    session.notice.emit("Saved.")
    assert bar._notice_timer.isActive()
    session.log("error", "The disk is full.")
    assert bar.message.text() == "The disk is full."
    assert not bar._notice_timer.isActive()
