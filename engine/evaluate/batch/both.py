"""The tables of two attackers of one defended model, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass

from engine.evaluate.batch.attacking import ImageResults
from engine.evaluate.batch.summary import Summary
from engine.evaluate.intervals import Share
from engine.text.formatting import counted


@dataclass(frozen=True)
class BothAttackers:
    """The tables of two attackers of one defended model: of the one who knows the defense, and of the one who does not."""

    aware: ImageResults
    unaware: ImageResults
    """Images that were made on the model without the defense, judged by the defended one."""

    @property
    def summaries(self) -> tuple[Summary, Summary]:
        """The counted outcomes of the attacker who knows, and of the one who does not."""
        return self.aware.summary, self.unaware.summary

    @property
    def worst(self) -> Share:
        """Robust accuracy against both: an image counts only if neither attacker succeeds. Images with an error in either are left out."""
        pairs = [(one, other) for one, other in zip(self.aware.rows, self.unaware.rows, strict=False) if not (one.error or other.error)]
        return Share(sum(one.robust and other.robust for one, other in pairs), len(pairs))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Say where the attacker who does not know does better than the one who knows, whose attack is then too weak."""
        better = sum(not other.robust and one.robust for one, other in zip(self.aware.rows, self.unaware.rows, strict=False))
        if not better:
            return ()
        found = counted(better, "image")
        return (
            f"On {found} the attacker who does not know succeeds where the one who knows fails: the attack through the defense is too "
            f"weak there. Against both, robust accuracy is {self.worst.text()}.",
        )
