"""StateLine: says on the canvas that the adversarial image is out of date, or that no run has made it as it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas
    from gui.session.history import AttackRun
    from gui.session.session import Session


class StateLine(QObject):
    """Follows the session's staleness.

    An image whose parameters have changed since is dimmed. One with other stickers than its run is not: the image is as it is shown, with
    the prediction for it. But it has a perturbation, or content of stickers, that was made for others.
    """

    def __init__(self, session: Session, canvas: ImageCanvas) -> None:
        super().__init__(canvas)
        self._session, self._canvas = session, canvas
        self._behind: AttackRun | None = None
        """The run whose perturbation is on the canvas beneath stickers that it has not seen; None if there is none."""
        session.staleness.changed.connect(self.follow)
        session.runs.changed.connect(self._on_runs)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show the line that applies now."""
        if self._session.runs.running:
            self._canvas.set_state_line("", stale=False)
            return
        run = self._session.staleness.run
        weighty = [each for each in self._session.staleness.differences if each.weighs]
        others = [each for each in weighty if each.name != "stickers"]
        moved = run is not None and len(others) < len(weighty)
        self._behind = run if run is not None and moved and self._session.delta is not None else None
        if run is not None and others:
            self._canvas.set_state_line(f"Out of date since {run.title}: {', '.join(each.words for each in weighty)}", stale=True)
        elif run is not None and moved:
            self._canvas.set_state_line(_moved_line(run, self._behind is not None), stale=False)
        else:
            self._canvas.set_state_line("", stale=False)

    @Slot()
    def _on_runs(self) -> None:
        """Say that a run that begins takes off the perturbation beneath the stickers."""
        behind, runs = self._behind, self._session.runs
        if runs.running and behind is not None and runs.attack is not None:
            self._behind = None
            self._session.notice.emit(
                f"The perturbation of {behind.title} was taken off: {runs.attack.title} starts from the image with its stickers."
            )
        self.follow()


def _moved_line(run: AttackRun, perturbed: bool) -> str:
    if perturbed:
        return f"Stickers with the perturbation of {run.title}"
    return f"Stickers changed since {run.title}"
