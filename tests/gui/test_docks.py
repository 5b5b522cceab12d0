"""The table of the docks: a new panel is one class and one line."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from gui import theme
from gui.session.session import Session
from gui.shell.docks import DOCKS, DockSpec
from gui.shell.main_window import MainWindow
from tests.gui.driving import destroy, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from gui.settings import Settings

EXTRA = DockSpec("extra", "Extra", "ExtraPanel", "bottom")


class ExtraPanel(QLabel):
    """Says which classifier is open."""

    def __init__(self, session: Session) -> None:
        super().__init__("none")
        self._session = session
        session.classifierChanged.connect(self._on_classifier)

    def _on_classifier(self) -> None:
        classifier = self._session.classifier
        self.setText("none" if classifier is None else classifier.name)


@pytest.fixture
def windows(
    qapp: QApplication, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Sequence[DockSpec]], MainWindow]]:
    """Makes windows of other tables; they are closed afterwards."""
    module = ModuleType(EXTRA.module)
    vars(module)["ExtraPanel"] = ExtraPanel
    monkeypatch.setitem(sys.modules, EXTRA.module, module)
    made: list[MainWindow] = []

    def window(specs: Sequence[DockSpec]) -> MainWindow:
        made.append(MainWindow(Session(), settings, theme.Theme(qapp, settings.store), specs))
        made[-1].import_panels()
        made[-1].show()
        made[-1].fill()
        settle()
        return made[-1]

    yield window
    for each in made:
        destroy(each)


def test_a_panel_is_one_class_and_one_line(windows: Callable[[Sequence[DockSpec]], MainWindow]) -> None:
    """A dock without a place in a workspace is hidden there, and the View menu shows it at the edge that its line names."""
    window = windows((*DOCKS, EXTRA))
    dock = window.docks["extra"]
    assert isinstance(dock.widget(), ExtraPanel)
    assert dock.objectName() == "dock.extra"
    assert dock.isHidden()
    view = next(action.menu() for action in window.menuBar().actions() if action.text() == "View")
    assert window.panel_actions["extra"] in view.actions()
    window.panel_actions["extra"].trigger()
    settle()
    assert window.workspaces.tabs.in_sight("extra")
    assert window.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea
    window.reset_layout()
    assert dock.isHidden()


def test_a_layout_of_other_docks_is_not_restored(windows: Callable[[Sequence[DockSpec]], MainWindow]) -> None:
    first = windows(DOCKS)
    first.docks["prediction"].close()
    first.close()
    again = windows(DOCKS)
    assert again.docks["prediction"].isHidden()
    again.close()
    with_extra = windows((*DOCKS, EXTRA))
    assert not with_extra.docks["prediction"].isHidden()


@pytest.mark.parametrize("spec", DOCKS, ids=lambda spec: spec.name)
def test_every_panel_is_made_from_the_session_alone(qtbot: QtBot, session: Session, spec: DockSpec) -> None:
    panel = spec.panel_class(session)
    qtbot.addWidget(panel)
    assert isinstance(panel, QWidget)
