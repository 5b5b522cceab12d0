"""Conclusion: a finished run, and the changes that it makes to the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gui.session.history import AttackRun


@dataclass(frozen=True, eq=False)
class Conclusion:
    """A finished run and its changes to the state. A runner emits it; the session carries it out."""

    entry: AttackRun | None = None
    """The finished run for the history; None if there is no result."""
    text: str = ""
    """The name of the undo step, if the run changes the canvas."""
    key: str | None = None
    """The undo step's key: steps of one key within a short time are merged."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The fields of the state that change, with their new values."""
    repaint: bool = True
    """Whether a new frame is needed in any case, since the canvas shows a preview: an iterate, or another eps."""
