"""The Runs dock: the finished runs and their comparison."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from engine.attacks import FGSM, PGD
from engine.parameters import parameters_of
from gui.panels.runs import RunsPanel
from gui.panels.runs.facts import differing_facts
from tests.gui.panel_scenes import LABELS, attack, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> RunsPanel:
    made: RunsPanel = show(qtbot, RunsPanel(session), 400, 400)
    return made


@pytest.fixture
def runs(qtbot: QtBot, panel: RunsPanel, session: Session) -> RunsPanel:
    """Two runs."""
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    attack(qtbot, session, PGD(eps=8 / 255, steps=5))
    return panel


def cell(runs: RunsPanel, row: int, title: str) -> str:
    model = runs.table.runs
    titles = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(model.columnCount())]
    return str(model.index(row, titles.index(title)).data())


def select(runs: RunsPanel, *rows: int) -> None:
    """Click one row, the others with Ctrl."""
    from PySide6.QtTest import QTest

    for place, row in enumerate(rows):
        keys = Qt.KeyboardModifier.ControlModifier if place else Qt.KeyboardModifier.NoModifier
        at = runs.table.visualRect(runs.table.runs.index(row, 1)).center()
        QTest.mouseClick(runs.table.viewport(), Qt.MouseButton.LeftButton, keys, at)


def details(runs: RunsPanel) -> dict[str, list[str]]:
    tree = runs.details
    items = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {item.text(0): [item.text(column) for column in range(1, tree.columnCount())] for item in items if item is not None}


def test_a_row_per_run_the_newest_first(runs: RunsPanel, session: Session) -> None:
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


def test_success_and_sizes_are_seen_without_scrolling(runs: RunsPanel) -> None:
    table = runs.table
    table.resize(360, 200)
    model = table.runs
    assert model.columnCount() > 4
    for column in range(model.columnCount()):
        if model.headerData(column, Qt.Orientation.Horizontal) in ("✓", "L2", "L∞"):
            assert table.columnViewportPosition(column) + table.columnWidth(column) <= table.viewport().width()


def test_the_newest_is_selected_with_every_parameter(runs: RunsPanel, session: Session) -> None:
    shown = details(runs)
    operation = session.history.entries[-1].result.operation
    for name, parameter in parameters_of(type(operation)).items():
        assert shown[parameter.title] == [parameter.shown(getattr(operation, name))]  # as in the form
    assert shown["eps"] == ["8/255"]
    assert shown["model fingerprint"] == [session.classifier.fingerprint]  # type: ignore[union-attr]
    assert shown["image"] == ["noise"]


def test_two_selected_runs_are_compared(runs: RunsPanel) -> None:
    select(runs, 0, 1)
    shown = details(runs)
    assert shown["attack"] == ["FGSM", "PGD"]
    assert shown["eps"] == ["4/255", "8/255"]
    assert "model fingerprint" not in shown
    one, other = runs.table.selected
    assert {row[0] for row in differing_facts(one, other)} == set(shown)
    assert differing_facts(one, one) == []
    assert not runs.buttons["show"].isEnabled()


def test_show_again(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
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


def test_remove(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
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


def test_copy_as_json(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
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


def test_hidden_it_asks_nothing_and_catches_up(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    panel.hide()
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    assert panel.table.runs.rowCount() == 0
    panel.show()
    assert panel.table.runs.rowCount() == 1


def test_of_several_runs_that_came_while_it_was_hidden_the_newest_is_selected(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    open_image(qtbot, session)
    panel.hide()
    for steps in (1, 2, 3):
        attack(qtbot, session, PGD(steps=steps))
    panel.show()
    runs = panel
    qtbot.waitUntil(lambda: len(runs.table.runs.runs) == 3)
    assert [run.number for run in runs.table.selected] == [session.history.entries[-1].number]
    assert details(runs)["steps"] == ["3"]
    assert runs.buttons["show"].isEnabled()


def test_a_removed_run_comes_back_with_ctrl_z(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    before = session.history.entries
    select(runs, 0)
    qtbot.keyClick(runs.table, Qt.Key.Key_Delete)
    assert session.history.entries == before[:-1]
    assert session.undo_stack.undoText() == f"Remove {before[-1].title}"
    session.undo_stack.undo()
    assert session.history.entries == before
    assert cell(runs, 0, "#").endswith(str(before[-1].number))


def test_a_narrow_table_shows_fewer_columns_and_each_of_them_whole(runs: RunsPanel) -> None:
    table = runs.table
    for width, missing in ((900, set()), (400, {"Time", "Budget"}), (360, {"Time", "Budget", "Flip"})):
        table.resize(width, 200)
        titles = [table.runs.headerData(column, Qt.Orientation.Horizontal) for column in range(table.runs.columnCount())]
        hidden = {title for column, title in enumerate(titles) if table.isColumnHidden(column)}
        assert hidden >= missing if missing else hidden == missing
        assert sum(table.columnWidth(column) for column in range(len(titles))) == table.viewport().width()
