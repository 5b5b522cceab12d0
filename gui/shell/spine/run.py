"""RunButtons: the one Run, Pause and Cancel of the window."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui import theme
from gui.shell.actions.shell import Shell

_TALL = 28


class RunButtons(QWidget):
    """Starts, holds and ends the attack. Run's tool tip names what is in the way."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session = shell.session
        self._worded = True
        self.run, self.pause, self.cancel = (QToolButton(self) for _ in range(3))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button, name in ((self.run, "Run"), (self.pause, "Pause"), (self.cancel, "Cancel")):
            button.setAccessibleName(name)
            button.setObjectName(f"spine.{name.lower()}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(QSize(20, 20))
            button.setFixedHeight(_TALL)
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            row.addWidget(button)
        self.run.setProperty("primary", True)
        self.run.setIcon(theme.icon("mdi6.play", self.palette().ColorRole.HighlightedText))
        self.run.setText("Run")
        self.pause.setAutoRaise(True)
        self.cancel.setAutoRaise(True)
        self.cancel.setIcon(theme.icon("mdi6.stop"))
        self.run.clicked.connect(session.planned.run)
        self.pause.clicked.connect(self._on_pause)
        self.cancel.clicked.connect(session.runs.cancel)
        session.planned.changed.connect(self._show)
        self.set_worded(True)
        self._show()

    def set_worded(self, worded: bool) -> None:
        """Set whether Run is written out beside its icon."""
        self._worded = worded
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if worded else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.run.setToolButtonStyle(style)

    @Slot()
    def _on_pause(self) -> None:
        job = self._session.runs.job
        if job is not None:
            self._session.runs.pause(not job.paused)

    @Slot()
    def _show(self) -> None:
        job = self._session.runs.job
        running = job is not None and not job.cancelled
        in_the_way = None if job is not None else self._session.planned.obstacle
        self.run.setEnabled(job is None and in_the_way is None)
        why = in_the_way.sentence if in_the_way is not None else self._session.planned.hint
        paused = job is not None and job.paused
        busy = (
            "An attack is paused: let it go on (Ctrl+P) or end it (Esc) first" if paused else "An attack is running: it can be ended (Esc)"
        )
        self.run.setToolTip("\n".join(filter(None, ["Run the attack that is set up (F5)" if job is None else busy, why])))
        self.pause.setEnabled(running)
        self.pause.setIcon(theme.icon("mdi6.play-pause" if paused else "mdi6.pause"))
        self.pause.setToolTip("Let the attack go on (Ctrl+P)" if paused else "Hold the attack between two steps (Ctrl+P)")
        self.pause.setAccessibleName("Continue" if paused else "Pause")
        self.cancel.setEnabled(running)
        self.cancel.setToolTip("End the attack; its best image so far is kept (Esc)")
