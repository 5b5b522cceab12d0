"""Guide and Step: a guided tour as data, and the conditions that a step waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.session import Session
    from gui.session.state import State


@dataclass(frozen=True, eq=False)
class Before:
    """The session as it was when a step began."""

    state: State
    newest: int
    """The number of the newest run; 0 if there was none."""

    @classmethod
    def of(cls, session: Session) -> Before:
        """Return the session's present state and its newest run's number."""
        return cls(session.state, max((run.number for run in session.history.entries), default=0))


Condition = Callable[["Session", Before], bool]
"""Returns whether the user has done what a step asks for."""


@dataclass(frozen=True, eq=False)
class Step:
    """One thing to do, or to look at."""

    text: str
    done: Condition | None = None
    """None for a step that the user only reads."""
    at: str = ""
    """The dock, or the accessible name of the control, that the step is about; empty for none."""
    prepares: bool = False
    """Whether the step only fetches what the guide needs: it is left out if that is there when the guide begins."""


@dataclass(frozen=True)
class Guide:
    """A guided tour."""

    slug: str
    title: str
    about: str
    """The content of the guide in a sentence."""
    steps: tuple[Step, ...]


# ---------------------------------------------------------------------- conditions


def loaded(*names: str) -> Condition:
    """Wait until one of these models is loaded."""
    return lambda session, _: session.classifier is not None and session.classifier.name in names


def on_canvas(*samples: str) -> Condition:
    """Wait until one of these samples is on the canvas: names of files, such as ``sign-stop-32.png``."""
    return lambda session, _: session.image.get("name") in samples


def chosen(slug: str) -> Condition:
    """Wait until an attack is chosen."""
    return lambda session, _: session.plan.slug == slug


def ran(*slugs: str) -> Condition:
    """Wait for a new finished run of one of these attacks; without names, of any."""
    return lambda session, before: any(not slugs or run.operation.slug in slugs for run in _new(session, before))


def ran_with_target(session: Session, before: Before) -> bool:
    """Wait for a new finished run that was aimed at a target."""
    return any(run.inputs.target is not None for run in _new(session, before))


def ran_with_bound(session: Session, before: Before) -> bool:
    """Wait for a new finished run while activations are bounded."""
    return bool(session.bounds) and bool(_new(session, before))


def aimed(session: Session, _: Before) -> bool:
    """Wait until a target is chosen."""
    return session.target is not None


def drew_sticker(session: Session, before: Before) -> bool:
    """Wait until a sticker was added."""
    return len(session.stickers) > len(before.state.stickers)


def moved_sticker(session: Session, before: Before) -> bool:
    """Wait until a sticker was moved, resized or changed."""
    return session.stickers != before.state.stickers


def bounded(session: Session, _: Before) -> bool:
    """Wait until an activation has an upper bound."""
    return bool(session.bounds)


def explained(session: Session, _: Before) -> bool:
    """Wait until an explanation is visible."""
    return session.explaining and session.frame is not None and bool(session.frame.observation.explanations)


def scrubbed(session: Session, _: Before) -> bool:
    """Wait until an iteration of a finished run is shown."""
    return not session.runs.running and session.frame is not None and session.frame.step is not None


def opened(session: Session, before: Before) -> bool:
    """Wait until another image is on the canvas."""
    return session.clean is not before.state.clean


def _new(session: Session, before: Before) -> list[AttackRun]:
    return [run for run in session.history.attacks if run.number > before.newest]
