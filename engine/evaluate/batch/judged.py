"""Results judged by another model than the attacked one, such as the model behind a defense that the attacker does not know."""

from __future__ import annotations

from dataclasses import replace

from engine.classifier import Classifier
from engine.result import AttackResult


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
