"""LogEntry: a line of the Log. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

LogKind = Literal["run", "info", "warning", "error"]


@dataclass(frozen=True)
class LogEntry:
    """A line of the Log."""

    kind: LogKind
    text: str
    details: str = ""
    short: str = ""
    """A shorter text for the status bar; empty if that shows ``text``."""
    at: datetime = field(default_factory=datetime.now)
