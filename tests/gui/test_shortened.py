"""Texts that are shortened to their room, and lists that show whole rows only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QWheelEvent
from PySide6.QtWidgets import QApplication

import gui
from engine.attacks import PGD
from gui.panels.prediction import PredictionPanel
from gui.plots.bars import ProbabilityBars, Row
from gui.plots.curves import Axes, Curves, Line
from gui.widgets import ElidedLabel
from gui.widgets.elided import with_its_number, wrapped
from gui.widgets.scrolling import RowScroll
from gui.widgets.text import Sentence
from tests.gui.driving import settle
from tests.gui.panel_scenes import attack, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session

NAMES = ("Stop", "Speed limit 120", "Road narrows on the right", "black-footed ferret, Mustela nigripes", "x" * 60, "a b c d e f g h")


@pytest.mark.parametrize("width", [30, 72, 102, 200, 4000])
@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_wrapped_between_words_and_loses_only_its_end(qapp: QApplication, name: str, lines: int, width: int) -> None:
    metrics = QFontMetrics(qapp.font())
    found = wrapped(name, metrics, width, lines)
    assert 1 <= len(found) <= lines
    assert all(metrics.horizontalAdvance(line) <= width for line in found)
    if not any("…" in line for line in found):
        assert " ".join(found) == name
    for line in found:
        assert "…" not in line[:-1]  # never in the middle
    assert name.startswith(found[0].rstrip("…"))
    if metrics.horizontalAdvance(name) <= width:
        assert found == [name]


def test_only_names_of_files_lose_their_middle() -> None:
    folder = Path(gui.__file__).parent
    sources = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    assert {name for name, text in sources.items() if "ElideMiddle" in text} == {"widgets/elided.py"}
    assert {name for name, text in sources.items() if re.search(r"middle=True", text)} == {
        "panels/image/current.py",
        "panels/batch/setup.py",
    }


def test_a_label_shows_the_start_of_a_class_and_tells_the_whole(qtbot: QtBot) -> None:
    label = ElidedLabel(NAMES[3])
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.show()
    assert label.cut
    assert label.toolTip() == NAMES[3]
    label.resize(800, 20)
    assert not label.toolTip()


@pytest.mark.parametrize("height", range(31, 330, 7))
def test_no_row_is_cut_at_any_height(qtbot: QtBot, height: int) -> None:
    bars = ProbabilityBars()
    bars.set_rows([Row(f"class {place}", 0.1, 0.1) for place in range(8)])
    area = RowScroll(bars, bars.least_row)
    qtbot.addWidget(area)
    area.resize(260, height)
    area.show()
    settle()
    seen = area.viewport().height()
    assert seen % bars.row_height == 0 or seen >= 8 * bars.row_height
    bar = area.verticalScrollBar()
    below = 8 * bars.row_height - seen
    assert bar.maximum() == max(0, below)  # every row can be reached
    for value in range(0, bar.maximum() + 1, 5):
        bar.setValue(value)
        assert bar.value() % bars.row_height == 0
    bar.setValue(bar.maximum())
    assert bar.value() == bar.maximum()


def test_the_wheel_scrolls_by_rows_and_fewer_classes_need_none(qtbot: QtBot, session: Session) -> None:
    panel: PredictionPanel = show(qtbot, PredictionPanel(session), 272, 220)
    open_image(qtbot, session)
    attack(qtbot, session, PGD(eps=0.3, steps=3))
    settle()
    view = panel.view
    area = view.bars.parentWidget().parentWidget()
    assert isinstance(area, RowScroll)
    bar, row = area.verticalScrollBar(), view.bars.row_height
    assert bar.maximum() > 0
    assert area.viewport().height() % row == 0
    at = QPointF(area.viewport().rect().center())
    for delta in (-120, -40, 15):
        QApplication.sendEvent(
            area.viewport(),
            QWheelEvent(
                at,
                area.viewport().mapToGlobal(at),
                QPoint(),
                QPoint(0, delta),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            ),
        )
        assert bar.value() % row == 0
    view.count.setValue(1)
    settle()
    assert bar.maximum() == 0
    view.count.setValue(20)
    settle()
    assert area.viewport().height() % row == 0


@pytest.mark.parametrize("text", ["Short.", "Two lines are what this sentence needs at this width.", "word " * 90])
def test_a_snug_sentence_is_as_high_as_its_text(qtbot: QtBot, text: str) -> None:
    sentence = Sentence(3, snug=True)
    qtbot.addWidget(sentence)
    sentence.resize(200, 20)
    sentence.set_text(text)
    sentence.show()
    spacing = sentence.fontMetrics().lineSpacing()
    needed = sentence.fontMetrics().boundingRect(QRect(0, 0, 200, 10_000), int(Qt.TextFlag.TextWordWrap), text).height()
    lines = (sentence.height() - 4) // spacing
    assert lines == min(3, round(needed / spacing))
    assert sentence.cut == (needed > 3 * spacing)


def test_what_the_mouse_reads_does_not_move_a_plot(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.resize(330, 160)
    curves.show()
    note = "The attack maximises this loss. Dashed: the first success, at step 8."
    curves.set_lines(np.arange(5.0), [Line("cross-entropy", np.arange(5.0), "#D55E00")], Axes("step", "cross-entropy"), note)
    settle()
    assert curves.readout.text == note
    assert not curves.readout.cut  # at the width of a drawer in a small window
    high = curves.plot.height()
    curves._read(2.0)
    settle()
    assert curves.readout.text != note
    assert curves.plot.height() == high
    curves.resize(900, 160)
    settle()
    assert curves.plot.height() > high  # one line is enough now


@pytest.mark.parametrize(
    ("text", "end"),
    [("without: Road narrows on the right 79.1 %", "79.1 %"), ("Stop < 0.1 %", "< 0.1 %"), ("act2 of the first block 12.5", "12.5")],
)
def test_a_number_at_the_end_stays_whole(qtbot: QtBot, text: str, end: str) -> None:
    metrics = QFontMetrics(QFont())
    assert with_its_number(text, metrics, 1000) == text
    width = metrics.horizontalAdvance(text) - 10
    shown = with_its_number(text, metrics, width)
    assert shown.endswith(f"… {end}")
    assert metrics.horizontalAdvance(shown) <= width
    assert with_its_number("a name without a number", metrics, 60).endswith("…")
