"""The Messages dock: lines with details, copied, thinned and followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication

from engine.attacks import PGD
from gui.panels.messages import MessagesPanel
from gui.panels.messages.panel import MOST
from tests.gui.panel_scenes import attack, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> MessagesPanel:
    made: MessagesPanel = show(qtbot, MessagesPanel(session), 400, 400)
    return made


def test_messages_with_details_folded_away(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    tree = panel.tree
    assert not tree.isVisible()
    session.log("info", "The image was cropped.")
    session.log("error", "It failed with RuntimeError: shapes.", "Traceback\n  line 1")
    assert tree.isVisible()
    assert tree.topLevelItem(0).text(0).endswith("The image was cropped.")
    assert tree.topLevelItem(0).childCount() == 0
    item = tree.topLevelItem(1)
    assert not item.isExpanded()
    assert item.child(0).text(0) == "Traceback\n  line 1"
    tree.setCurrentItem(item, 0, QItemSelectionModel.SelectionFlag.NoUpdate)
    qtbot.keyClick(tree, Qt.Key.Key_Right)
    assert item.isExpanded()


def test_messages_are_copied(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    session.log("info", "One.")
    session.log("error", "Two.", "why")
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line[20:] for line in lines[:2]] == ["info: One.", "error: Two."]
    assert lines[2] == "    why"
    panel.tree.topLevelItem(0).setSelected(True)
    panel.tree.setFocus()
    qtbot.keyClick(panel.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().endswith("info: One.")


def test_what_ran_is_said_with_its_parameters(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, PGD(eps=8 / 255, steps=5))
    entry = panel.entries[-1]
    assert entry.kind == "run"
    assert "eps: 8/255" in entry.details
    assert "seed: 0" in entry.details


def test_the_oldest_messages_go(panel: MessagesPanel, session: Session) -> None:
    for number in range(MOST + 5):
        session.log("info", f"Message {number}.")
    assert panel.tree.topLevelItemCount() == len(panel.entries) == MOST
    assert panel.entries[0].text == "Message 5."


def test_the_view_follows_unless_somebody_reads_further_up(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    bar = panel.tree.verticalScrollBar()
    for number in range(60):
        session.log("info", f"Message {number}.")
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    bar.setValue(10)
    session.log("info", "Another one.")
    longest = bar.maximum()
    qtbot.waitUntil(lambda: bar.maximum() > longest)
    assert bar.value() == 10
