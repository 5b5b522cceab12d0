"""Walk: one guided tour in progress. It goes to the next step when the user has done what the present one asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.shell.guides.guide import Before, Guide, Step

if TYPE_CHECKING:
    from gui.session.session import Session


class Walk(QObject):
    """Follows the session through the steps of a guide."""

    changed = Signal()
    """Another step is shown, or the present one is done."""
    ended = Signal()
    """The last step was left, or the user ended the guide."""

    def __init__(self, guide: Guide, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.guide, self._session = guide, session
        before = Before.of(session)
        self.steps = tuple(step for step in guide.steps if not (step.prepares and step.done is not None and step.done(session, before)))
        """The guide's steps, less those that fetch what is there already."""
        self.place = 0
        """The index of the step that is shown."""
        self.done = False
        """Whether the user has done what the step asks for."""
        self._before = before
        for signal in (
            session.observed,
            session.planChanged,
            session.labelChanged,
            session.stickersChanged,
            session.classifierChanged,
            session.imageChanged,
            session.boundsChanged,
            session.history.changed,
        ):
            signal.connect(self._look)

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self.steps[self.place]

    @property
    def is_last(self) -> bool:
        """Whether the last step is shown."""
        return self.place == len(self.steps) - 1

    def begin(self) -> None:
        """Show the first step."""
        self._show(0)

    @Slot()
    def forward(self) -> None:
        """Show the next step, whether or not the present one is done; after the last one the guide ends."""
        if self.is_last:
            self.ended.emit()
        else:
            self._show(self.place + 1)

    @Slot()
    def back(self) -> None:
        """Show the step before."""
        self._show(max(0, self.place - 1))

    @Slot()
    def _look(self) -> None:
        """Note whether the step is done."""
        if not self.done and self.step.done is not None and self.step.done(self._session, self._before):
            self.done = True
            self.changed.emit()

    def _show(self, place: int) -> None:
        self.place, self.done, self._before = place, False, Before.of(self._session)
        self.changed.emit()
        self._look()
