"""Progress bars: they are painted with the rest of the window, not once more for each report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from gui.widgets.progress_bar import ProgressBar
from tests.gui.driving import settle

if TYPE_CHECKING:
    from tests.gui.patience import PatientBot


class Neighbour(QWidget):
    paints = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paints += 1


def reports(qtbot: PatientBot, bar: QProgressBar) -> list[int]:
    """How often a neighbour that changes, too, is painted within ten reports, and how often when they are shown."""
    window, neighbour = QWidget(), Neighbour()
    rows = QVBoxLayout(window)
    rows.addWidget(bar)
    rows.addWidget(neighbour)
    qtbot.addWidget(window)
    window.resize(200, 100)
    window.show()
    qtbot.waitExposed(window)
    settle()
    neighbour.paints = 0
    for value in range(10, 20):
        neighbour.update()
        bar.setValue(value)
    within = neighbour.paints
    settle()
    assert (bar.value(), bar.updatesEnabled()) == (19, True)
    return [within, neighbour.paints]


def test_ten_reports_are_painted_once(qtbot: PatientBot) -> None:
    assert reports(qtbot, ProgressBar()) == [0, 1]


def test_a_plain_bar_would_paint_for_each(qtbot: PatientBot) -> None:
    assert reports(qtbot, QProgressBar())[0] >= 9
