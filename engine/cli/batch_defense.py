"""The outcome of a batch behind a defense in words and as JSON: by an attacker who knows it, and by one who does not."""

from __future__ import annotations

from typing import Any

from engine.defenses.preprocessing import Preprocessing, words
from engine.evaluate.batch import BothAttackers


def heading(steps: tuple[Preprocessing, ...]) -> tuple[str, ...]:
    """Return the line above the outcome of the attacker who knows the defense; none without a defense."""
    return (f"Behind {words(steps)}, by an attacker who knows the defense, whose table is written:",) if steps else ()


def unaware(steps: tuple[Preprocessing, ...], both: BothAttackers | None) -> tuple[str, ...]:
    """Return the sentences on the attacker who does not know the defense, or that he was not measured."""
    if not steps:
        return ()
    if both is None:
        return ("An attacker who does not know the defense: not measured, since the command was cancelled.",)
    return ("By an attacker who does not know the defense:", *both.unaware.summary.sentences(), *both.remarks)


def defense_json(steps: tuple[Preprocessing, ...], both: BothAttackers | None) -> dict[str, Any]:
    """Return the defense with the outcome of the attacker who does not know it, as plain values; nothing without a defense."""
    if not steps:
        return {}
    if both is None:
        return {"defense": {"steps": words(steps), "unaware": None, "worst": None, "remarks": []}}
    worst = {"share": both.worst.value, "hits": both.worst.hits, "of": both.worst.of, "interval_95": list(both.worst.interval)}
    return {"defense": {"steps": words(steps), "unaware": both.unaware.summary.plain(), "worst": worst, "remarks": list(both.remarks)}}
