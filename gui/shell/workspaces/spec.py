"""WorkspaceSpec: a layout of docks for one kind of work, as data."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.shell.docks import DockSpec, Side

Tabs = tuple[str, ...]
"""The names of docks that share a place as tabs, the one in front first."""


@dataclass(frozen=True)
class Column:
    """The docks at one edge of the window: places in a row, each with the docks that share it."""

    places: tuple[Tabs, ...] = ()
    """At the left and right from the top down, at the bottom from left to right."""
    share: float = 0.22
    """The column's share of the window's width or, at the bottom, height."""
    shares: tuple[int, ...] = ()
    """The places' shares of the column, in any unit; empty for equal ones."""
    least: int | None = None
    """The column's width at the least; None for the usual one of its side."""
    most: int | None = None
    """The column's width at the most, beside the canvas; None for the usual one."""

    @property
    def docks(self) -> Tabs:
        """All names of the column."""
        return tuple(name for place in self.places for name in place)


@dataclass(frozen=True)
class WorkspaceSpec:
    """A workspace: which docks stand where, and whether the canvas is seen between them."""

    name: str
    title: str
    icon: str
    tip: str
    left: Column = field(default_factory=Column)
    right: Column = field(default_factory=Column)
    bottom: Column = field(default_factory=Column)
    """The drawer, which Ctrl+J opens and closes. It is open from the start where that leaves the canvas its room."""
    canvas: bool = True

    @property
    def columns(self) -> dict[Side, Column]:
        """The columns by side."""
        return {"left": self.left, "right": self.right, "bottom": self.bottom}

    @property
    def docks(self) -> Tabs:
        """The names of all docks that have a place."""
        return (*self.left.docks, *self.right.docks, *self.bottom.docks)


FORMAT = 2
"""The number of the way in which layouts are made and kept. Raise it where docks are placed otherwise than before by the same table."""


def layout_version(docks: Sequence[DockSpec], workspace: WorkspaceSpec) -> int:
    """Return a number that changes with the docks and the places, so that a layout stored for others is not restored.

    ``workspace`` is what was placed: one that was fitted to a small window has other places than its table.
    """
    text = repr((FORMAT, [(spec.name, spec.side) for spec in docks], workspace.columns, workspace.canvas))
    return zlib.crc32(text.encode()) & 0x7FFF_FFFF
