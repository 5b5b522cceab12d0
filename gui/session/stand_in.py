"""Stand-ins: classifiers in place of models whose weights are not loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Classifier


def is_stand_in(classifier: Classifier | None) -> bool:
    """Return whether a classifier stands for one whose weights are not loaded, and knows the logits that a study recorded alone."""
    return classifier is not None and classifier.stands_in
