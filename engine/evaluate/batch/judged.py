"""Results judged by another model than the attacked one, such as the model behind a defense that the attacker does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.classifier import Classifier
from engine.evaluate.batch.summary import Summary
from engine.evaluate.intervals import Share
from engine.result import AttackResult
from engine.text.formatting import counted

if TYPE_CHECKING:
    from engine.evaluate.batch.attacking import ImageResults


def judged_by(result: AttackResult, judge: Classifier) -> AttackResult:
    """Return a result whose predictions are those of ``judge`` for the same images; labels and targets stay.

    The steps of the attack say nothing of the judge, so that none of them counts as the first success.
    """
    return replace(
        result,
        classifier=judge,
        logits=judge.score(result.adversarial),
        first_logits=judge.score(result.clean),
        steps_to_flip=result.steps_to_flip.new_full(result.steps_to_flip.shape, -1),
        goals=None,
    )


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
