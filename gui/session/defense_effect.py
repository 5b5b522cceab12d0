"""The effect of a defense on the frame that is shown: asked for when it is missing, and shown when it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Slot

from gui.session.scene import Frame, defended_frame, lacks_defense, same_pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from gui.session.attack_runner import AttackRunner
    from gui.session.state import State


class Host(Protocol):
    """The part of the session that the effect of a defense needs."""

    state: State
    runs: AttackRunner
    ask: Callable[..., None]
    waiting: Callable[..., bool]

    @property
    def frame(self) -> Frame | None: ...
    def refresh(self) -> None:
        """Request a frame."""
        ...

    def replace_frame(self, frame: Frame) -> None:
        """Make a frame the newest one."""
        ...


class DefenseEffect(QObject):
    """Completes frames by what the model says behind the defense. A change of the defense computes nothing else of a frame again."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session

    @Slot()
    def complete_when_idle(self) -> None:
        """Request the effect that the frame lacks, unless an attack is making its steps, which it would hold up.

        A frame lacks that of a slow defense, and that of any which was changed while the frame was made.
        """
        job, frame = self._session.runs.job, self._session.frame
        if frame is None or not (job is None or job.paused) or self._session.waiting("frame"):
            return
        if frame.scene.defense != self._session.state.defense:
            self.follow()
        elif lacks_defense(frame):
            self._complete(frame)

    def follow(self) -> None:
        """Request the frame that is there with the present defense; without one, request a whole frame."""
        frame = self._session.frame
        if frame is None:
            self._session.refresh()
        else:
            self._complete(replace(frame, scene=replace(frame.scene, defense=self._session.state.defense)))

    def _complete(self, frame: Frame) -> None:
        what = "Showing the images to the model behind the defense"
        self._session.ask("defense", lambda: defended_frame(frame), self._on_defended, what=what, stream=True)

    @Slot(object)
    def _on_defended(self, frame: Frame) -> None:
        """Show a frame with its defense, unless other images are there by now, or the defense that is switched on is shown already."""
        present, wanted = self._session.frame, self._session.state.defense
        if present is not None and same_pictures(present, frame) and (frame.scene.defense == wanted or present.scene.defense != wanted):
            self._session.replace_frame(frame)
