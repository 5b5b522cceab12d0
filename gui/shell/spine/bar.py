"""Spine: the fixed bar at the top of the window, from the model on the left to the run that is shown on the right."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolBar, QWidget

from gui import theme
from gui.clipboard import local_files
from gui.shell.actions.file import open_mime
from gui.shell.actions.shell import Shell
from gui.shell.spine.attack import AttackChip
from gui.shell.spine.goal import GoalChip
from gui.shell.spine.image import ImageChip
from gui.shell.spine.model import ModelChip
from gui.shell.spine.room import GAP, WITH_WORDS, places
from gui.shell.spine.run import RunButtons
from gui.shell.spine.shown import ShownRun

_LEAST = 480


class Spine(QToolBar):
    """Says what everything on the screen belongs to. It cannot be moved or hidden, and its height and its parts' places never change."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__("Spine", parent)
        self.setObjectName("toolbar.spine")
        self.setMovable(False)
        self.setFloatable(False)
        self.toggleViewAction().setEnabled(False)
        self.toggleViewAction().setVisible(False)
        self.setAccessibleName("Model, image, goal, attack and run")
        self.row = _Row(shell, self)
        self.addWidget(self.row)
        self.model, self.image, self.goal, self.attack = self.row.model, self.row.image, self.row.goal, self.row.attack
        self.run, self.shown = self.row.run, self.row.shown


class _Row(QWidget):
    """The parts, placed by `places`. It takes drops."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        self.model, self.image, self.goal = ModelChip(shell, self), ImageChip(shell, self), GoalChip(shell, self)
        self.attack, self.run, self.shown = AttackChip(shell, self), RunButtons(shell, self), ShownRun(shell, self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.model.sizeHint().height())
        self.setAcceptDrops(True)
        parts = (self.model, self.image, self.goal, self.attack, self.run.run, self.run.pause, self.run.cancel)
        order = (*parts, self.shown.earlier, self.shown.chip, self.shown.later)
        for before, after in itertools.pairwise(order):
            QWidget.setTabOrder(before, after)

    def sizeHint(self) -> QSize:
        return QSize(1200, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(_LEAST, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.run.set_worded(self.width() >= WITH_WORDS)
        for name, (left, wide) in places(self.width(), self.run.sizeHint().width()).items():
            getattr(self, name).setGeometry(left, 0, wide, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint a chevron between the parts that a run is made from."""
        with QPainter(self) as painter:
            painter.setPen(theme.muted_colour(self.palette()))
            for part in (self.image, self.goal, self.attack):
                gap = QRect(part.x() - GAP, 0, GAP, self.height())
                painter.drawText(gap, Qt.AlignmentFlag.AlignCenter, "›")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()) or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        open_mime(self._shell, event.mimeData(), "dropped image")
        event.acceptProposedAction()
