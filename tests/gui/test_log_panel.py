"""The Log dock: finished runs, comparison, messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication

from engine.attacks import FGSM, PGD
from engine.parameters import parameters_of
from gui.panels.log import LogPanel
from gui.panels.log.facts import differing_facts
from gui.panels.log.messages import MOST
from gui.panels.log.runs import RunsView
from tests.gui.panel_scenes import LABELS, attack, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> LogPanel:
    made: LogPanel = show(qtbot, LogPanel(session), 400, 400)
    return made


@pytest.fixture
def runs(qtbot: QtBot, panel: LogPanel, session: Session) -> RunsView:
    """Two runs."""
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    attack(qtbot, session, PGD(eps=8 / 255, steps=5))
    return panel.runs


def cell(runs: RunsView, row: int, title: str) -> str:
    model = runs.table.runs
    titles = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(model.columnCount())]
    return str(model.index(row, titles.index(title)).data())


def select(runs: RunsView, *rows: int) -> None:
    """Click one row, the others with Ctrl."""
    from PySide6.QtTest import QTest

    for place, row in enumerate(rows):
        keys = Qt.KeyboardModifier.ControlModifier if place else Qt.KeyboardModifier.NoModifier
        at = runs.table.visualRect(runs.table.runs.index(row, 1)).center()
        QTest.mouseClick(runs.table.viewport(), Qt.MouseButton.LeftButton, keys, at)


def details(runs: RunsView) -> dict[str, list[str]]:
    tree = runs.details
    items = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {item.text(0): [item.text(column) for column in range(1, tree.columnCount())] for item in items if item is not None}


def test_a_row_per_run_the_newest_first(runs: RunsView, session: Session) -> None:
    newest, oldest = reversed(session.history.entries)
    assert [cell(runs, row, "Attack") for row in range(2)] == [newest.result.operation.title, oldest.result.operation.title]
    assert cell(runs, 0, "#") == f"● {newest.number}"
    assert cell(runs, 1, "#") == str(oldest.number)
    assert cell(runs, 0, "Budget") == "8/255 · 5 steps"
    result = newest.result
    assert cell(runs, 0, "Before → after").startswith(LABELS[int(result.clean_prediction[0])])
    assert f"→ {LABELS[int(result.prediction[0])]} " in cell(runs, 0, "Before → after")
    assert cell(runs, 0, "L2") == f"{float(result.norms['l2'][0]):.3g}"
    assert cell(runs, 0, "✓") == ("✓" if bool(result.success[0]) else "–")
    assert cell(runs, 0, "Flip") == ("–" if int(result.steps_to_flip[0]) < 0 else str(int(result.steps_to_flip[0])))


def test_success_and_sizes_are_seen_without_scrolling(runs: RunsView) -> None:
    table = runs.table
    table.resize(360, 200)
    model = table.runs
    assert model.columnCount() > 4
    for column in range(model.columnCount()):
        if model.headerData(column, Qt.Orientation.Horizontal) in ("✓", "L2", "L∞"):
            assert table.columnViewportPosition(column) + table.columnWidth(column) <= table.viewport().width()


def test_the_newest_is_selected_with_every_parameter(runs: RunsView, session: Session) -> None:
    shown = details(runs)
    operation = session.history.entries[-1].result.operation
    for name, parameter in parameters_of(type(operation)).items():
        assert shown[parameter.title] == [parameter.shown(getattr(operation, name))]  # as in the form
    assert shown["eps"] == ["8/255"]
    assert shown["model fingerprint"] == [session.classifier.fingerprint]  # type: ignore[union-attr]
    assert shown["image"] == ["noise"]


def test_two_selected_runs_are_compared(runs: RunsView) -> None:
    select(runs, 0, 1)
    shown = details(runs)
    assert shown["attack"] == ["FGSM", "PGD"]
    assert shown["eps"] == ["4/255", "8/255"]
    assert "model fingerprint" not in shown
    one, other = runs.table.selected
    assert {row[0] for row in differing_facts(one, other)} == set(shown)
    assert differing_facts(one, one) == []
    assert not runs.buttons["show"].isEnabled()


def test_show_again(qtbot: QtBot, runs: RunsView, session: Session) -> None:
    older = session.history.entries[0]
    select(runs, 1)
    at = runs.table.visualRect(runs.table.runs.index(1, 1)).center()
    qtbot.mouseDClick(runs.table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert session.history.shown is older
    assert session.delta is older.scene.delta
    assert cell(runs, 1, "#") == f"● {older.number}"
    select(runs, 0)
    qtbot.keyClick(runs.table, Qt.Key.Key_Return)
    assert session.history.shown is session.history.entries[1]
    session.clear_perturbation()
    assert not cell(runs, 0, "#").startswith("●")


def test_remove(qtbot: QtBot, runs: RunsView, session: Session) -> None:
    newest = session.history.entries[1].number
    select(runs, 1)
    qtbot.keyClick(runs.table, Qt.Key.Key_Delete)
    assert [entry.number for entry in session.history.entries] == [newest]
    assert runs.details.headerItem().text(runs.details.columnCount() - 1) == ""
    assert runs.table.runs.rowCount() == 1
    select(runs, 0)
    qtbot.mouseClick(runs.buttons["remove"], Qt.MouseButton.LeftButton)
    assert session.history.entries == ()
    assert not runs.table.isVisible()


def test_copy_as_json(qtbot: QtBot, runs: RunsView, session: Session) -> None:
    select(runs, 0)
    qtbot.mouseClick(runs.buttons["copy"], Qt.MouseButton.LeftButton)
    copied = json.loads(QGuiApplication.clipboard().text())
    result = session.history.entries[1].result
    assert copied["operation"] == {"slug": "pgd", "parameters": result.operation.model_dump(mode="json")}
    assert copied["outcome"]["norms"]["l2"] == pytest.approx(float(result.norms["l2"][0]))
    assert copied["model"]["fingerprint"] == result.classifier.fingerprint
    select(runs, 0, 1)
    qtbot.mouseClick(runs.buttons["copy"], Qt.MouseButton.LeftButton)
    assert [one["operation"]["slug"] for one in json.loads(QGuiApplication.clipboard().text())] == ["fgsm", "pgd"]


def test_hidden_it_asks_nothing_and_catches_up(qtbot: QtBot, panel: LogPanel, session: Session) -> None:
    panel.hide()
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    assert panel.runs.table.runs.rowCount() == 0
    panel.show()
    assert panel.runs.table.runs.rowCount() == 1


def test_of_several_runs_that_came_while_it_was_hidden_the_newest_is_selected(qtbot: QtBot, panel: LogPanel, session: Session) -> None:
    open_image(qtbot, session)
    panel.hide()
    for steps in (1, 2, 3):
        attack(qtbot, session, PGD(steps=steps))
    panel.show()
    runs = panel.runs
    qtbot.waitUntil(lambda: len(runs.table.runs.runs) == 3)
    assert [run.number for run in runs.table.selected] == [session.history.entries[-1].number]
    assert details(runs)["steps"] == ["3"]
    assert runs.buttons["show"].isEnabled()


def test_a_removed_run_comes_back_with_ctrl_z(qtbot: QtBot, runs: RunsView, session: Session) -> None:
    before = session.history.entries
    select(runs, 0)
    qtbot.keyClick(runs.table, Qt.Key.Key_Delete)
    assert session.history.entries == before[:-1]
    assert session.undo_stack.undoText() == f"Remove {before[-1].title}"
    session.undo_stack.undo()
    assert session.history.entries == before
    assert cell(runs, 0, "#").endswith(str(before[-1].number))


def test_messages_with_details_folded_away(qtbot: QtBot, panel: LogPanel, session: Session) -> None:
    panel.tabs.setCurrentIndex(1)
    tree = panel.messages.tree
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


def test_messages_are_copied(qtbot: QtBot, panel: LogPanel, session: Session) -> None:
    panel.tabs.setCurrentIndex(1)
    session.log("info", "One.")
    session.log("error", "Two.", "why")
    qtbot.mouseClick(panel.messages.button, Qt.MouseButton.LeftButton)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line[20:] for line in lines[:2]] == ["info: One.", "error: Two."]
    assert lines[2] == "    why"
    panel.messages.tree.topLevelItem(0).setSelected(True)
    panel.messages.tree.setFocus()
    qtbot.keyClick(panel.messages.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().endswith("info: One.")


def test_what_ran_is_said_with_its_parameters(runs: RunsView, panel: LogPanel) -> None:
    entry = panel.messages.entries[-1]
    assert entry.kind == "run"
    assert "eps: 8/255" in entry.details
    assert "seed: 0" in entry.details


def test_the_oldest_messages_go(panel: LogPanel, session: Session) -> None:
    for number in range(MOST + 5):
        session.log("info", f"Message {number}.")
    assert panel.messages.tree.topLevelItemCount() == len(panel.messages.entries) == MOST
    assert panel.messages.entries[0].text == "Message 5."


def test_the_view_follows_unless_somebody_reads_further_up(qtbot: QtBot, panel: LogPanel, session: Session) -> None:
    panel.tabs.setCurrentIndex(1)
    bar = panel.messages.tree.verticalScrollBar()
    for number in range(60):
        session.log("info", f"Message {number}.")
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    bar.setValue(10)
    session.log("info", "Another one.")
    longest = bar.maximum()
    qtbot.waitUntil(lambda: bar.maximum() > longest)
    assert bar.value() == 10


def test_a_narrow_table_shows_fewer_columns_and_each_of_them_whole(runs: RunsView) -> None:
    table = runs.table
    for width, missing in ((900, set()), (400, {"Time", "Budget"}), (360, {"Time", "Budget", "Flip"})):
        table.resize(width, 200)
        titles = [table.runs.headerData(column, Qt.Orientation.Horizontal) for column in range(table.runs.columnCount())]
        hidden = {title for column, title in enumerate(titles) if table.isColumnHidden(column)}
        assert hidden >= missing if missing else hidden == missing
        assert sum(table.columnWidth(column) for column in range(len(titles))) == table.viewport().width()
