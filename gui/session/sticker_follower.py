"""StickerFollower: keeps a sticker attack at the places of its stickers while those are dragged, edited or deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gui.session.attack_job import painted_so_far
from gui.session.sticker_content import same_ids, same_places, with_contents

if TYPE_CHECKING:
    from engine import Attack
    from engine.stickers import Sticker
    from gui.lanes.jobs import Job
    from gui.lanes.runner import OperationRunner
    from gui.session.attack_start import Start
    from gui.session.state import State


class StickerFollower(QObject):
    """Pauses a sticker attack during a drag, keeps the content painted so far, and restarts it at the new places from that content.

    Other attacks are left alone: for them only the drag itself is noted.
    """

    painted = Signal()
    """The content that a paused sticker attack has painted has arrived: see `filled`."""
    released = Signal()
    """A drag has ended."""

    def __init__(
        self,
        runner: OperationRunner,
        request: Callable[..., None],
        current: Callable[[], State],
        started: Callable[[], Start | None],
        restart: Callable[[Attack, int], None],
        parent: QObject,
    ) -> None:
        """``started()`` returns the newest attack's start, ``restart(attack, seed)`` starts another on the present scene."""
        super().__init__(parent)
        self._runner, self._request, self._current = runner, request, current
        self._started, self._restart = started, restart
        self.dragging = False
        self._follow = False
        """Whether the paused attack is to resume at the stickers' new places."""
        self._contents: dict[int, Sticker] | None = None
        """The stickers as a paused sticker attack has painted them so far, by id; None until they have arrived."""

    @property
    def paints(self) -> bool:
        """Whether the newest attack paints stickers."""
        start = self._started()
        return start is not None and start.paints_stickers

    def reset(self) -> None:
        """Forget the content and the pause: another attack begins, or this one has ended."""
        self._follow, self._contents = False, None

    def filled(self, stickers: tuple[Sticker, ...]) -> tuple[Sticker, ...]:
        """Return the stickers with the content that a paused attack has painted so far."""
        return with_contents(stickers, self._contents or {})

    # ------------------------------------------------------------------ drags and edits

    def begin_drag(self) -> None:
        """Pause a sticker attack, since a drag of a sticker begins."""
        self.dragging = True
        self._hold()

    def end_drag(self) -> None:
        """Resume a paused sticker attack at the stickers' new places, from its content so far, since the drag has ended."""
        self.dragging = False
        self.released.emit()
        if self._runner.job is None or not self.paints:
            self.reset()
        elif self._contents is not None:
            self._go_on()

    def follow(self) -> None:
        """Resume a sticker attack at the new places, or cancel it if a sticker is gone, after an edit, undo or deletion of stickers."""
        start = self._started()
        if (
            self.dragging
            or self._contents is not None  # it is about to resume at the new places
            or self._runner.job is None
            or start is None
            or not start.paints_stickers
            or same_places(start.before.stickers, self._current().stickers)
        ):
            return
        if same_ids(start.before.stickers, self._current().stickers):
            self._hold()
        else:
            self._runner.cancel()  # a sticker that it paints is gone

    # ------------------------------------------------------------------ pause and restart

    def _hold(self) -> None:
        """Pause a sticker attack and request the content that it has painted so far."""
        job, start = self._runner.job, self._started()
        if job is None or start is None or job.cancelled or not start.paints_stickers or self._follow:
            return
        self._follow, self._contents = not job.paused, None
        self._runner.pause(True)
        self._request(
            "content",
            lambda: painted_so_far(job, start.before.stickers),
            lambda contents: self._on_contents(job, contents),
            what="Taking over the stickers' content",
        )

    def _on_contents(self, job: Job, contents: dict[int, Sticker]) -> None:
        if job is not self._runner.job:
            return
        self._contents = contents
        self.painted.emit()
        if not self.dragging:
            self._go_on()

    def _go_on(self) -> None:
        """Start the paused attack again at the stickers' present places."""
        start, job, follow = self._started(), self._runner.job, self._follow
        self.reset()
        if start is None or job is None or job.cancelled:
            return
        if not follow and same_places(start.before.stickers, self._current().stickers):
            return
        left = max(1, (job.total or start.attack.steps) - max(0, job.index))  # type: ignore[attr-defined]
        self._restart(start.attack.model_copy(update={"begin": "current", "steps": left}), start.inputs.seed)
        if not follow:
            self._runner.pause(True)
