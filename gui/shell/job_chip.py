"""JobChip: the long work in progress, as a button of the status bar; its popup pauses and cancels each piece of it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.session.jobs import Jobs, Work
from gui.widgets import ElidedLabel
from gui.widgets.literal import literal
from gui.widgets.popup import Popup
from gui.widgets.progress_bar import ProgressBar

WIDTH = 40 * theme.GRID


class JobRow(QWidget):
    """One piece of work: its title, its progress, Pause and Cancel."""

    panelAsked = Signal(str)
    """The name of the dock that shows the work."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work
        self.title = QToolButton()
        self.title.setText(literal(work.title))
        self.title.setAutoRaise(True)
        self.title.setToolTip("Show the panel of this work")
        self.title.clicked.connect(lambda: self.panelAsked.emit(work.panel))
        self.pause = self._button("mdi6.pause", "Pause")
        self.pause.clicked.connect(lambda: work.pause(not work.paused))
        self.cancel = self._button("mdi6.stop", "Cancel")
        self.cancel.setToolTip("End it at its next step, with what it has so far")
        self.cancel.clicked.connect(work.cancel)
        self.bar = ProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(theme.GRID)
        self.bar.setAccessibleName(f"Progress of {work.title}")
        self.words = ElidedLabel()
        self.words.setFont(theme.number_font(self.words.font()))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.title, 0, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.pause, 0, 1)
        grid.addWidget(self.cancel, 0, 2)
        grid.addWidget(self.bar, 1, 0, 1, 3)
        grid.addWidget(self.words, 2, 0, 1, 3)
        self.follow()

    def _button(self, icon: str, verb: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon(icon))
        button.setAutoRaise(True)
        button.setAccessibleName(f"{verb} {self.work.title}")
        return button

    def follow(self) -> None:
        """Show how far the work is."""
        work = self.work
        self.bar.setRange(0, 0 if work.share is None and not work.paused else 1000)
        self.bar.setValue(round(1000 * (work.share or 0)))
        self.words.setText(work.progress)
        self.pause.setIcon(theme.icon("mdi6.play-pause" if work.paused else "mdi6.pause"))
        self.pause.setToolTip("Let it continue" if work.paused else "Hold it between two steps")
        self.cancel.setEnabled(not work.cancelled)


class JobsPopup(Popup):
    """The rows of all work in progress, above the chip."""

    panelAsked = Signal(str)

    def __init__(self, jobs: Jobs, chip: QToolButton) -> None:
        self._page = QWidget()
        super().__init__(self._page, chip)
        self._jobs, self._chip = jobs, chip
        self.rows: list[JobRow] = []
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(theme.GRID, 4, theme.GRID, 4)
        self._column.setSpacing(theme.GRID)

    def fill(self) -> None:
        """Show one row for each piece of work; without any, close."""
        works = list(self._jobs.running)
        if [row.work for row in self.rows] != works:
            for row in self.rows:
                self._column.removeWidget(row)
                row.deleteLater()
            self.rows = [self._row(work) for work in works]
        for row in self.rows:
            row.follow()
        if not works:
            self.close()
        elif self.isVisible():
            self.fit()

    def _row(self, work: Work) -> JobRow:
        row = JobRow(work)
        row.panelAsked.connect(self.panelAsked)
        row.panelAsked.connect(self.close)
        self._column.addWidget(row)
        return row

    @Slot()
    def fit(self) -> None:
        """Stand above the chip, with the right edges in line."""
        size = self.sizeHint().expandedTo(QSize(WIDTH, 0))
        corner = self._chip.mapToGlobal(QPoint(self._chip.width() - size.width(), -size.height()))
        room = self._chip.screen().availableGeometry()
        self.setFixedSize(size)
        self.move(max(room.left(), corner.x()), max(room.top(), corner.y()))


class JobChip(QToolButton):
    """Names the work in progress and how far it is. It is hidden while there is none."""

    panelAsked = Signal(str)
    """The name of the dock that shows a piece of work."""

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.setIcon(theme.icon("mdi6.progress-clock"))
        self.setToolButtonStyle(theme.TEXT_BESIDE_ICON)
        self.setAutoRaise(True)
        self.setAccessibleName("Work in progress")
        self.setToolTip("Long work beside the attack: see how far it is, pause it, or cancel it")
        self.setFont(theme.number_font(self.font()))
        self.popup = JobsPopup(jobs, self)
        self.popup.panelAsked.connect(self.panelAsked)
        self.clicked.connect(self._open)
        jobs.changed.connect(self._follow)
        jobs.progressed.connect(self._follow)
        self._follow()

    @Slot()
    def _open(self) -> None:
        self.popup.fill()
        if self.popup.rows:
            self.popup.open_below(self)

    @Slot()
    def _follow(self) -> None:
        works = self._jobs.running
        self.setVisible(bool(works))
        if works:
            self.setText(literal(chip_text(works)))
            self.setMinimumWidth(max(self.minimumWidth(), self.sizeHint().width()))  # it does not jump with the digits
        else:
            self.setMinimumWidth(0)
        if self.popup.isVisible():
            self.popup.fill()


def chip_text(works: tuple[Work, ...]) -> str:
    """Return the work in a few words, such as “Train signs · 63 %” or “2 jobs · 12 %”, whose share is that of the slowest."""
    shares = [work.share for work in works if work.share is not None]
    share = f" · {round(100 * min(shares))} %" if shares else ""
    title = works[0].title if len(works) == 1 else f"{len(works)} jobs"
    paused = " · paused" if all(work.paused for work in works) else ""
    return f"{title}{share}{paused}"
