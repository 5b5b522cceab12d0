"""The sentence about a study whose window did not end in order."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


def after_crash(path: Path, what: str, runs: str) -> str:
    """Return that Gibbon did not end in order, and what is back; ``runs`` are the runs in words, if there are any."""
    saved = datetime.fromtimestamp(path.stat().st_mtime) if path.is_file() else datetime.now()
    return f"Gibbon did not end in order. {what} is back as it was saved at {saved:%H:%M}{f', with {runs}' if runs else ''}."


def runs_in_words(count: int) -> str:
    """Return the number of runs in words; empty for none."""
    from engine.text.formatting import counted

    return counted(count, "run") if count else ""
