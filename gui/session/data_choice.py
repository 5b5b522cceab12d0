"""Choice: a data set, its split and the number of images to load; DataSource: a data set that can be chosen. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Choice:
    """A data set to load."""

    name: str
    split: str
    """``train`` or ``test``; empty for a set without splits."""
    count: int
    root: Path | None = None
    """The folder of the data sets; None for the default folder."""
    classes: tuple[int, ...] = ()
    """Numbers of the set's classes whose images are taken; empty: all."""
    draw: int | None = None
    """Seed by which the images are drawn, or of a set that is drawn by this project; None: spread evenly, or the seed 0."""

    @property
    def description(self) -> str:
        """The set's name in the engine, its split if it has one, and the number of images."""
        return f"{' '.join(filter(None, (self.name, self.split)))}, {self.count:,} images"

    @property
    def drawn_here(self) -> bool:
        """Whether the set is drawn by this project, so that ``draw`` is its own seed."""
        return self.name.startswith("generated:")

    @property
    def title(self) -> str:
        """The set's short title, such as GTSRB or drawn signs; for a folder its name."""
        kind, _, rest = self.name.partition(":")
        return {"folder": Path(rest).name, "generated": f"drawn {rest}"}.get(kind, self.name.upper())


@dataclass(frozen=True)
class DataSource:
    """A data set that can be chosen: one line of a chooser."""

    name: str
    title: str
    splits: tuple[str, ...]
    """The names of its splits; empty for a set without splits."""
