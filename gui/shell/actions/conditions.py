"""When a command is available: functions of the session, one for each state that a table names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.session.session import Session


def always(_session: Session) -> bool:
    """Return True: the command is available at any time, also while the engine is loading."""
    return True


def ready(session: Session) -> bool:
    """Return whether the engine is loaded."""
    return session.ready


def has_model(session: Session) -> bool:
    """Return whether a model is loaded."""
    return session.classifier is not None


def has_image(session: Session) -> bool:
    """Return whether an image is open, even if the model has not seen it yet."""
    return session.clean is not None


def has_frame(session: Session) -> bool:
    """Return whether an image is on the canvas."""
    return session.frame is not None and session.clean is not None


def can_run(session: Session) -> bool:
    """Return whether an attack can start: there is an image, and no attack is in progress."""
    return session.scene is not None and not session.runs.running


def running(session: Session) -> bool:
    """Return whether an attack is in progress, paused or not."""
    return session.runs.running


def perturbed(session: Session) -> bool:
    """Return whether there is a perturbation on the canvas and no attack in progress."""
    return session.delta is not None and not session.runs.running


def has_found_stickers(session: Session) -> bool:
    """Return whether the run on the canvas found stickers that can be put there."""
    from gui.session.found_stickers import found_stickers

    return not session.runs.running and bool(found_stickers(session.history.shown))


def can_undo(session: Session) -> bool:
    """Return whether there is an undo step."""
    return session.undo_stack.canUndo()


def can_redo(session: Session) -> bool:
    """Return whether there is an undone step to redo."""
    return session.undo_stack.canRedo()


def has_runs(session: Session) -> bool:
    """Return whether there is a finished attack."""
    return bool(session.history.attacks)


def has_run(session: Session) -> bool:
    """Return whether the canvas belongs to a finished run."""
    return session.staleness.run is not None


def has_removed_runs(session: Session) -> bool:
    """Return whether there are removed runs that can be brought back."""
    return bool(session.history.removed)


def has_sticker(session: Session) -> bool:
    """Return whether a sticker is selected on an image."""
    return session.selected is not None and session.clean is not None


def has_timeline(session: Session) -> bool:
    """Return whether the run on the canvas has iterations to move through."""
    return len(session.moments.steps) > 1


def has_flip(session: Session) -> bool:
    """Return whether an iteration of the run on the canvas fooled the model."""
    return session.moments.flip is not None


def keepable(session: Session) -> bool:
    """Return whether the iteration that is shown can be kept as a run."""
    return not session.iterates.reason
