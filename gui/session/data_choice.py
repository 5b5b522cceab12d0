"""Choice: a data set that was chosen, with its split and how many of its images. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Choice:
    """What to load."""

    name: str
    split: str
    """train or test; nothing where the set has no splits."""
    count: int
    root: Path | None = None
    """Where data sets lie; None: the usual place."""

    @property
    def description(self) -> str:
        """The set as the engine names it, its split where it has one, and how many images."""
        return f"{' '.join(filter(None, (self.name, self.split)))}, {self.count:,} images"

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
    """Empty where it is one set, which is neither for training nor for testing."""
