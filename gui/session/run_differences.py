"""The differences between finished runs: the rows of their comparison. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.session.run_facts import RunFacts

_NONE = "–"


@dataclass(frozen=True)
class Row:
    """One fact about several runs."""

    name: str
    values: tuple[str, ...]
    """The value of each run; a dash where a run has none."""

    @property
    def same(self) -> bool:
        """Whether all runs have the same value."""
        return len(set(self.values)) == 1


def rows_of(runs: Sequence[RunFacts]) -> tuple[list[Row], list[Row]]:
    """Return the facts in which runs differ, and those in which they are alike."""
    rows = [Row("attack", tuple(run.attack for run in runs))]
    for part in ("parameters", "figures", "provenance"):
        facts = [getattr(run, part) for run in runs]
        names = dict.fromkeys(name for each in facts for name in each)
        rows += [Row(name, tuple(each.get(name, _NONE) for each in facts)) for name in names]
    return [row for row in rows if not row.same], [row for row in rows if row.same]
