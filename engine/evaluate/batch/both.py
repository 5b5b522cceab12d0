"""The tables of two attackers of one defended model, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from engine.defenses.preprocessing import words
from engine.evaluate.batch.results import ImageResults
from engine.evaluate.batch.rows import ImageRow
from engine.evaluate.batch.summary import Summary
from engine.intervals import Share
from engine.text.formatting import counted


@dataclass(frozen=True)
class BothAttackers:
    """The tables of two attackers of one defended model: of the one who knows the defense, and of the one who does not."""

    aware: ImageResults
    unaware: ImageResults
    """Images that were made on the model without the defense, judged by the defended one."""

    @classmethod
    def of(cls, results: ImageResults) -> Self | None:
        """Return both attackers of a table; None for one without a defense."""
        return None if results.unaware is None else cls(results, results.unaware)

    @property
    def _pairs(self) -> list[tuple[ImageRow, ImageRow]]:
        """The rows of both attackers for each image that both have attacked."""
        others = {row.number: row for row in self.unaware.rows}
        pairs = [(row, others[row.number]) for row in self.aware.rows if row.number in others]
        return [(one, other) for one, other in pairs if not (one.error or other.error)]

    @property
    def summaries(self) -> tuple[Summary, Summary]:
        """The counted outcomes of the attacker who knows, and of the one who does not."""
        return self.aware.summary, self.unaware.summary

    @property
    def worst(self) -> Share:
        """Robust accuracy against both: an image counts only if neither attacker succeeds. Images with an error in either are left out."""
        return Share(sum(one.robust and other.robust for one, other in self._pairs), len(self._pairs))

    def plain(self) -> dict[str, Any]:
        """Return the defense and the outcome of the attacker who does not know it as plain values, for JSON."""
        worst = {"share": self.worst.value, "hits": self.worst.hits, "of": self.worst.of, "interval_95": list(self.worst.interval)}
        steps = words(self.aware.defense)
        return {"steps": steps, "unaware": self.unaware.summary.plain(), "worst": worst, "remarks": list(self.remarks)}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Say where the attacker who does not know does better than the one who knows, whose attack is then too weak."""
        better = sum(not other.robust and one.robust for one, other in self._pairs)
        if not better:
            return ()
        found = counted(better, "image")
        return (
            f"On {found} the attacker who does not know succeeds where the one who knows fails: the attack through the defense is too "
            "weak there.",
        )
