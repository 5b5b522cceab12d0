"""The outcome of a batch behind a defense in words and as JSON: by an attacker who knows it, and by one who does not."""

from __future__ import annotations

from typing import Any

from engine.defenses.preprocessing import words
from engine.evaluate.batch import BothAttackers, ImageResults


def heading(results: ImageResults) -> tuple[str, ...]:
    """Return the line above the outcome of the attacker who knows the defense; none without a defense."""
    steps = results.defense
    return (f"Behind {words(steps)}, by an attacker who knows the defense:",) if steps else ()


def unaware(results: ImageResults) -> tuple[str, ...]:
    """Return the sentences on the attacker who does not know the defense; none without a defense."""
    both = BothAttackers.of(results)
    if both is None:
        return ()
    return (
        "By an attacker who does not know the defense:",
        *both.unaware.summary.sentences(),
        f"Robust accuracy against both: {both.worst.text()}.",
        *both.remarks,
    )


def defense_json(results: ImageResults) -> dict[str, Any]:
    """Return the defense with the outcome of the attacker who does not know it, as plain values; nothing without a defense."""
    both = BothAttackers.of(results)
    return {} if both is None else {"defense": both.plain()}
