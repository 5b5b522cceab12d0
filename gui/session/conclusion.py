"""Conclusion: what came of a run, and what of it is to be put on the canvas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gui.session.history import AttackRun


@dataclass(frozen=True, eq=False)
class Conclusion:
    """The runners hand it over; the session adopts it."""

    entry: AttackRun | None = None
    """The run to be kept; None: nothing came of it."""
    text: str = ""
    """The name of the step to undo, where it changes the canvas."""
    key: str | None = None
    """Steps of one key that follow each other closely become one."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The fields of the state that it changes."""
    repaint: bool = True
    """Whether the canvas shows something that was on the way: an iterate, another eps."""
