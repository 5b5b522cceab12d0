"""LogEntry: a line of the messages. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

LogKind = Literal["run", "info", "warning", "error"]
Offer = tuple[str, Callable[[], None]]
"""The title of a button, and its function."""


@dataclass(frozen=True)
class LogEntry:
    """A line of the messages."""

    kind: LogKind
    text: str
    details: str = ""
    short: str = ""
    """A shorter text for the status bar; empty if that shows ``text``."""
    at: datetime = field(default_factory=datetime.now)
    about: str = ""
    """The model and the image that were open, such as “stop.png under signs”; empty if there was none."""
    offer: Offer | None = None
    """A button beside the line; None if there is nothing to do about it."""
