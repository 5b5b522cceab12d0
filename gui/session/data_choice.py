"""Choice: a data set that was chosen, with its split and how many of its images. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Choice:
    """What to load."""

    name: str
    split: str
    count: int
    root: Path | None = None
    """Where data sets lie; None: the usual place."""

    @property
    def title(self) -> str:
        """In a word: GTSRB, drawn signs, or the folder's name."""
        kind, _, rest = self.name.partition(":")
        return {"folder": Path(rest).name, "generated": f"drawn {rest}"}.get(kind, self.name.upper())


@dataclass(frozen=True)
class Source:
    """One line of a chooser."""

    name: str
    title: str
    splits: tuple[str, ...]
