"""The two attackers of a batch behind a defense, in words and numbers of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults, ImageRow


def rows_of_unaware(results: ImageResults) -> tuple[ImageRow, ...] | None:
    """Return the rows of the attacker who does not know the defense; None without a defense."""
    return None if results.unaware is None else results.unaware.rows


def remarks(results: ImageResults) -> tuple[str, ...]:
    """Return where the attacker who does not know the defense does better than the one who knows; nothing without a defense."""
    from engine.evaluate.batch import BothAttackers

    both = BothAttackers.of(results)
    return () if both is None else both.remarks


def robust_words(results: ImageResults) -> str:
    """Return the robust accuracy as a sentence, against each attacker where there are two."""
    from engine.evaluate.batch import BothAttackers

    both, robust = BothAttackers.of(results), results.summary.robust.text()
    if both is None:
        return f"robust accuracy {robust}."
    unaware = both.unaware.summary.robust.text()
    return f"robust accuracy {robust} against an attacker who knows the defense, {unaware} against one who does not."
