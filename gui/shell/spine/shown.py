"""ShownRun: which run is on the canvas, with the earlier and the later one, what was changed since, and the progress of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.lanes.progress_text import RateMeter
from gui.session.plan_words import main_numbers, with_defense
from gui.session.run_comparison import plan_of
from gui.shell.actions.attack import show_run
from gui.shell.actions.shell import Shell
from gui.shell.spine.chip import Chip
from gui.shell.spine.line import Line
from gui.widgets.pick_list import PickList
from gui.widgets.picks import Pick, PickGroup
from gui.widgets.progress_bar import ProgressBar

if TYPE_CHECKING:
    from gui.lanes.jobs import Job
    from gui.session.history import AttackRun

_ARROW = 22
_BAR = 4
SUCCESS, FAILURE, NONE = " ✓", " ✗", ""


class ShownRun(QWidget):
    """The chip between two arrows. While an attack runs, the chip shows its progress, since the canvas shows its images."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell, self._session = shell, shell.session
        self._pace = RateMeter()
        self.chip = Chip("Run shown", "Show another run, or use its parameters", "", self)
        self.chip.opening.connect(self._fill)
        self.earlier = self._arrow("mdi6.chevron-left", "Earlier run", "Alt+Left", -1)
        self.later = self._arrow("mdi6.chevron-right", "Later run", "Alt+Right", 1)
        self.bar = ProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the attack")
        self.bar.hide()
        session = self._session
        session.engineReady.connect(self._show)
        session.staleness.changed.connect(self._show)
        session.history.changed.connect(self._show)
        session.runs.changed.connect(self._show)
        session.runs.progressed.connect(self._show)
        self._show()

    def _arrow(self, icon: str, name: str, keys: str, by: int) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(theme.icon(icon))
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(f"{name} ({keys})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: show_run(by, self._shell))
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide, high = self.width(), self.height()
        self.earlier.setGeometry(0, 0, _ARROW, high)
        self.chip.setGeometry(_ARROW, 0, max(0, wide - 2 * _ARROW), high)
        self.later.setGeometry(wide - _ARROW, 0, _ARROW, high)
        self.bar.setGeometry(_ARROW + 4, high - _BAR, max(0, wide - 2 * _ARROW - 8), _BAR)

    # ------------------------------------------------------------------ to the screen

    @Slot()
    def _show(self) -> None:
        session, job = self._session, self._session.runs.job
        attacks, run = session.history.attacks, session.staleness.run
        self.bar.setVisible(job is not None)
        self.chip.setEnabled(session.ready)
        place = attacks.index(run) if run in attacks else None
        self.earlier.setEnabled(bool(attacks) and place != 0)
        self.later.setEnabled(place is not None and place < len(attacks) - 1)
        if job is not None:
            self._show_job(job)
        elif run is not None:
            self._show_run(run)
        elif attacks:
            kept = f"{len(attacks)} kept" if len(attacks) > 1 else f"{attacks[-1].title} kept"
            self.chip.show_lines(Line("No run shown"), Line("", (kept, "")))
        else:
            self.chip.show_lines(Line("No run yet"), Line("", ("F5 runs the attack", "F5 runs", "")))

    def _show_job(self, job: Job) -> None:
        self.bar.setRange(0, job.total or 0)
        self.bar.setValue(max(0, job.index))
        attack = self._session.runs.attack
        title, words = "" if attack is None else attack.title, self._pace.words(job)
        if job.index < 0 and not job.paused:  # it says what it loads
            self.chip.show_lines(Line(title), Line(words), None, words)
            return
        step, *rest = words.split(" · ")
        self.chip.show_lines(Line(title, (f" · {step}", f" · {max(0, job.index):,}", "")), _rest(rest))

    def _show_run(self, run: AttackRun) -> None:
        stale, sentence = self._session.staleness.stale, self._session.staleness.sentence
        first = Line(f"{run.title}", (mark_of(run),))
        if stale:
            first_change = next(each.words for each in self._session.staleness.differences if each.weighs)
            second = Line(
                "",
                ("changed since: " + first_change, f"{self._session.staleness.subject.lower()} changed since", "changed since", "changed"),
            )
            self.chip.show_lines(first, second, theme.ALERT, sentence)
        else:
            self.chip.show_lines(first, Line("", (*_numbers(run), "")), None, sentence)

    # ------------------------------------------------------------------ the popup

    @Slot()
    def _fill(self) -> None:
        if self.chip.popup is None:
            self._build()
        session, run = self._session, self._session.staleness.run
        runs = [_pick(each) for each in reversed(session.history.attacks)]
        self.list.set_groups([PickGroup("Finished attacks, the newest first", runs)])
        self.list.highlight(None if run is None else run.number)
        self.list.setVisible(bool(runs))
        self.changes.setText("" if run is None else session.staleness.sentence)
        self.changes.setVisible(bool(self.changes.text()))
        self.use.setEnabled(run is not None and bool(session.staleness.differences))
        self.use.setVisible(bool(runs))
        self.none.setVisible(not runs)
        if runs:
            self.list.start()

    def _build(self) -> None:
        content = QWidget()
        self.none = QLabel("No attack has finished yet. Each one is kept here.", content)
        self.changes = QLabel(content)
        self.changes.setWordWrap(True)
        self.changes.setMaximumWidth(44 * theme.GRID)
        self.use = QPushButton(theme.icon("mdi6.restore"), "Use these parameters", content)
        self.use.setToolTip("Set attack, parameters, seed, goal and region as they were for the run that is shown")
        self.list = PickList("runs", 2, content, numbers=(1,), tip="Narrow the list by attack or outcome. Enter shows what is highlighted.")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.none, self.changes, self.use, self.list):
            column.addWidget(widget)
        popup = self.chip.set_popup(content)
        self.use.clicked.connect(popup.hide)
        self.use.clicked.connect(self._on_use)
        self.list.picked.connect(popup.hide)
        self.list.picked.connect(self._session.show_entry)

    @Slot()
    def _on_use(self) -> None:
        run = self._session.staleness.run
        if run is not None:
            self._session.change(f"Use the parameters of {run.title}", **plan_of(self._session.state, run))


def _rest(parts: list[str]) -> Line:
    """Return rate and remaining time; the shorter forms leave out the rate."""
    return Line("", tuple(dict.fromkeys((" · ".join(parts), parts[-1] if parts else "", ""))))


def mark_of(run: AttackRun) -> str:
    """Return a tick for an attack that made its image wrong, a cross for one that did not; none if the image was wrong before."""
    result = run.result
    if bool(result.wrong_before[0]):
        return NONE
    return SUCCESS if bool(result.success[0]) else FAILURE


def _numbers(run: AttackRun) -> tuple[str, ...]:
    return with_defense(main_numbers(run.planned), run.inputs.defense)


def _pick(run: AttackRun) -> Pick:
    numbers = _numbers(run)
    return Pick(run.number, (f"{run.title}{mark_of(run)}", numbers[0] if numbers else ""), run.title, (run.title, run.operation.slug))
