"""TimelineFoot: connects the strip, the numbers and the buttons of the canvas's foot with the session's current moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedLayout, QToolButton, QWidget

from gui import theme
from gui.panels.timeline.curve import LossCurve
from gui.panels.timeline.numbers import Numbers
from gui.panels.timeline.strip import LossStrip
from gui.session.moments import RATES
from gui.theme import GRID
from gui.widgets.compared import ComparedBar
from gui.widgets.elided import ElidedLabel

if TYPE_CHECKING:
    from gui.session.session import Session

HEIGHT = 6 * GRID
_NOTHING = "The iterations of a run and its loss appear here."
_EARLIER = "The iterations of {run} were made for other stickers. Show {run} again to see them."
_STARTING = "The attack is starting…"
_NOT_KEPT = "The iterates of this run were not kept, so its losses and its result are all that can be shown."
_WIDE = 46 * GRID
"""The width from which the loss is shown as a number, and buttons show their words."""


class TimelineFoot(QWidget):
    """Shows the loss of the run on the canvas while it comes in, and moves through its iterations. All panels follow through the frames."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self._moments = session, session.moments
        self.setFixedHeight(HEIGHT)
        self.setObjectName("timeline")
        self.strip, self.numbers, self.loss = LossStrip(self), Numbers("Iteration", self), Numbers("Loss", self)
        self.play_button, self.live_button, self.keep_button, self.export_button = (QToolButton(self) for _ in range(4))
        self.compared = ComparedBar(session.comparison, words=False)
        self.empty = ElidedLabel(_NOTHING, self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._icon = ""
        self._build()
        moments = self._moments
        self.strip.picked.connect(self._on_picked)
        self.strip.moved.connect(self._on_moved)
        self.strip.firstAsked.connect(moments.first)
        self.strip.endAsked.connect(moments.to_end)
        self.strip.toggled.connect(moments.toggle)
        moments.changed.connect(self.refresh)
        moments.grown.connect(self._on_grown)
        session.staleness.changed.connect(self.refresh)
        self.refresh()

    def _build(self) -> None:
        self.play_button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.play_button.clicked.connect(self._moments.toggle)
        self.play_button.setMenu(self._play_menu())
        self.live_button.setIcon(theme.icon("mdi6.fast-forward"))
        self.live_button.setText("Follow live")
        self.live_button.setToolTip("Show the newest iterate of the attack in progress again (End)")
        self.live_button.setAccessibleName("Follow live")
        self.live_button.clicked.connect(self._moments.to_end)
        self.keep_button.setIcon(theme.icon("mdi6.content-save-plus-outline"))
        self.keep_button.setAccessibleName("Keep this iteration")
        self.keep_button.clicked.connect(self.session.iterates.keep)
        self.export_button.hide()
        for button in (self.play_button, self.live_button, self.keep_button, self.export_button):
            button.setAutoRaise(True)
            button.setIconSize(QSize(20, 20))
        row = QWidget(self)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(GRID // 2, 2, GRID // 2, 2)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.compared)
        layout.addWidget(self.play_button)
        layout.addWidget(self.strip, 1)
        for widget in (self.numbers, self.loss, self.live_button, self.keep_button, self.export_button):
            layout.addWidget(widget)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(row)

    def _play_menu(self) -> QMenu:
        menu, group = QMenu(self.play_button), QActionGroup(self)
        for rate in RATES:
            action = menu.addAction(f"{rate} iterations a second")
            action.setCheckable(True)
            action.setChecked(rate == self._moments.rate)
            action.triggered.connect(lambda _checked=False, rate=rate: self._moments.set_rate(rate))
            group.addAction(action)
        menu.addSeparator()
        self.loop_action = menu.addAction("Repeat")
        self.loop_action.setCheckable(True)
        self.loop_action.toggled.connect(self._moments.set_loop)
        return menu

    def set_export(self, action: QAction | None) -> None:
        """Show a button for the command that exports an animation; None hides it."""
        self.export_button.setVisible(action is not None)
        if action is not None:
            self.export_button.setDefaultAction(action)
            self.export_button.setAccessibleName(action.text())

    # ------------------------------------------------------------------ from the user

    @Slot(int)
    def _on_picked(self, index: int) -> None:
        self._moments.pause()
        self._moments.show(index)

    @Slot(int)
    def _on_moved(self, by: int) -> None:
        self._moments.pause()
        self._moments.move(by)

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _on_grown(self) -> None:
        if self.isVisible() and self._moments.live:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the curve, the marks and the numbers of the present moment."""
        moments = self._moments
        curve = LossCurve(*moments.losses(), moments.loss_name)
        self._show_page(len(curve.steps) > 0)
        if not len(curve.steps):
            return
        if not curve.is_same(self.strip.curve):
            self.strip.set_curve(curve, self._last(int(curve.steps[-1])))
            self.loss.reserve(curve.longest_text)
            self.numbers.reserve(f"{self.strip.maximum():,}/{self.strip.maximum():,}")
        self._show_moment()
        self._show_buttons()

    def _last(self, newest: int) -> int:
        total = self._moments.total
        return newest if total is None else max(newest, total)

    def _show_page(self, has_losses: bool) -> None:
        moments = self._moments
        self._pages.setCurrentIndex(1 if has_losses else 0)
        run = self.session.staleness.run
        earlier = run is not None and run is not self.session.history.shown
        self.empty.setText(
            _STARTING if moments.live else _EARLIER.format(run=f"#{run.number}") if run is not None and earlier else _NOTHING
        )

    def _show_moment(self) -> None:
        moments, curve = self._moments, self.strip.curve
        at = moments.index if moments.index is not None else moments.end
        self.strip.set_marks(at, moments.index is None, moments.flip)
        total = moments.total if moments.steps else int(curve.steps[-1])
        kind = "iteration" if moments.index is not None else "live" if moments.live else "result"
        if moments.steps or moments.live:
            here = "–" if at is None else f"{at:,}"
            self.numbers.show_texts(here if total is None else f"{here}/{total:,}", kind, self._what(kind))
        else:
            self.numbers.show_texts(f"{total:,}", "iterations", _NOT_KEPT)
        step = moments.step
        known = at is not None or not (moments.steps or moments.live)  # else the curve's last loss stands for all
        value = float(step.loss[0]) if step is not None else curve.loss_at(curve.steps[-1] if at is None else at) if known else None
        word = "last loss" if at is None and known else "loss"
        self.loss.show_texts(curve.text(value), word, f"{curve.name[:1].upper()}{curve.name[1:]}: the attack maximises it.")

    def _what(self, kind: str) -> str:
        if kind == "iteration":
            return "The canvas and the panels show this iteration. End shows the result again."
        if kind == "live":
            return "The canvas shows the newest iteration of the attack in progress."
        if self._moments.end is None and self._moments.steps:
            return "The canvas shows the run's result. The iteration that it came from was left out to save memory."
        return "The canvas shows the run's result, which is the best iteration, not always the last."

    def _show_buttons(self) -> None:
        moments = self._moments
        name = "pause" if moments.playing else "play"
        if name != self._icon:
            self._icon = name
            self.play_button.setIcon(theme.icon(f"mdi6.{name}"))
            self.play_button.setAccessibleName("Pause the timeline" if moments.playing else "Play the timeline")
        several = len(moments.steps) > 1
        tip = "Stop at this iteration (Space)" if moments.playing else "Play the iterations (Space)"
        self.play_button.setToolTip(tip if several or moments.live else _NOT_KEPT)
        self.play_button.setEnabled(several)
        self.strip.setEnabled(several)
        self.strip.setToolTip("" if several or moments.live else _NOT_KEPT)
        self.live_button.setVisible(moments.live and moments.index is not None)
        reason = self.session.iterates.reason
        self.keep_button.setEnabled(not reason)
        self.keep_button.setToolTip(reason or "Keep this iteration as a run of its own")

    def minimumSizeHint(self) -> QSize:
        """Return a size below which the strip is too short to be dragged."""
        return QSize(32 * GRID, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self.loss.setVisible(wide)
        self.live_button.setToolButtonStyle(theme.TEXT_BESIDE_ICON if wide else Qt.ToolButtonStyle.ToolButtonIconOnly)
