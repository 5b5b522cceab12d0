"""The Messages dock: lines with details, copied, thinned and followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from engine.attacks import PGD
from gui.panels.messages import MessagesPanel
from gui.panels.messages.lines import MOST
from gui.theme import muted_colour
from tests.gui.panel_scenes import attack, newest_frame, noise, open_image, show
from tests.gui.seen import named

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


def shown(panel: MessagesPanel) -> list[str]:
    """The texts of the lines that are seen."""
    items = [panel.tree.topLevelItem(row) for row in range(panel.tree.topLevelItemCount())]
    return [item.text(0)[10:] for item in items if item is not None and not item.isHidden()]


def test_messages_are_filtered_by_kind_and_by_words_those_that_come_later_too(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    session.log("info", "The image was cropped.")
    session.log("error", "cat.png is damaged.", "Traceback of the decoder")
    session.log("warning", "dog.png is large.")
    qtbot.keyClicks(panel.kind, "P")  # Problems
    assert shown(panel) == ["cat.png is damaged.", "dog.png is large."]
    qtbot.keyClicks(panel.search, "decoder CAT")
    assert shown(panel) == ["cat.png is damaged."]
    session.log("info", "A cat with a decoder.")
    session.log("error", "Another cat.", "decoder")
    assert shown(panel) == ["cat.png is damaged.", "Another cat."]
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert "dog.png" not in QGuiApplication.clipboard().text()
    panel.search.clear()
    panel.kind.setCurrentIndex(0)
    assert len(shown(panel)) == 5


def test_what_was_said_of_another_image_is_quiet_and_can_be_left_out(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    open_image(qtbot, session)
    session.log("warning", "The noise is odd.")
    assert panel.entries[-1].about == "noise under small"
    item = panel.tree.topLevelItem(panel.tree.topLevelItemCount() - 1)
    assert item is not None
    assert item.data(0, Qt.ItemDataRole.ForegroundRole) is None
    with newest_frame(qtbot, session):
        session.set_image(noise(5), {"name": "other"})
    assert item.data(0, Qt.ItemDataRole.ForegroundRole) == muted_colour(panel.tree.palette())
    assert item.toolTip(0) == "Open at the time: noise under small."
    session.log("info", "The other one is fine.")
    qtbot.mouseClick(panel.here, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.here.height() // 2))
    assert panel.here.isChecked()
    assert shown(panel) == ["The other one is fine."]
    session.undo_stack.undo()
    assert shown(panel)[-1] == "The noise is odd."
    assert "The other one is fine." not in shown(panel)
    assert item.data(0, Qt.ItemDataRole.ForegroundRole) is None


def test_an_offer_is_a_button_below_its_line(qtbot: QtBot, panel: MessagesPanel, session: Session) -> None:
    taken: list[str] = []
    session.log("info", "“a.png” carries the record of the run that made it.", offer=("Open its record", lambda: taken.append("opened")))
    button = named(panel, QPushButton, "Open its record")
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert taken == ["opened"]
    item = panel.tree.topLevelItem(0)
    assert item is not None
    assert panel.tree.visualItemRect(item.child(0)).height() >= button.sizeHint().height()
