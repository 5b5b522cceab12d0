"""The preprocessing defense that is switched on in the window: the classifiers behind it, and how long it takes. No Qt.

Deriving a classifier inspects the preprocessing, and some preprocessing is slow: both are done in an engine thread.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Classifier
    from engine.defenses.preprocessing import Preprocessing

Steps = tuple["Preprocessing", ...]
"""Preprocessing in its order; empty for no defense."""
SLOW_S = 0.03
"""Seconds above which the effect of a defense is not computed with each frame but after it."""
_MOST = 16
"""Classifiers that are kept behind one: a slider makes many."""

_lock = threading.Lock()
_made: weakref.WeakKeyDictionary[Classifier, dict[Steps, Classifier]] = weakref.WeakKeyDictionary()
_seconds: weakref.WeakKeyDictionary[Classifier, float] = weakref.WeakKeyDictionary()
"""The seconds that the newest pair of images took, by the classifier behind the defense."""


def behind(classifier: Classifier, steps: Steps) -> Classifier:
    """Return the classifier behind a defense: the same object for the same two. Called in an engine thread.

    Raises
    ------
    GibbonError
        A step does not fit the classifier's images.
    """
    from engine.defenses.preprocessing import defended

    if not steps:
        return classifier
    with _lock:
        known = _made.setdefault(classifier, {})
        if steps not in known:
            known[steps] = defended(classifier, steps)
            if len(known) > _MOST:
                del known[next(iter(known))]
        return known[steps]


def is_slow(classifier: Classifier, steps: Steps) -> bool:
    """Return whether a defense takes too long to be computed with each frame; one that was never computed counts as slow."""
    derived = _made.get(classifier, {}).get(steps)
    return derived is None or _seconds.get(derived, SLOW_S) >= SLOW_S


def note_seconds(derived: Classifier, seconds: float) -> None:
    """Remember how long a pair of images took behind a defense."""
    _seconds[derived] = seconds


def known_to_attacker(steps: Steps, knows: bool) -> Steps:
    """Return the defense through which an attack goes, with its adaptive gradient; empty if the attacker does not know it."""
    from engine.evaluate.knowing import known_to_the_attacker

    return known_to_the_attacker(steps) if knows else ()


def defense_words(steps: Steps) -> str:
    """Return a defense as its recipe, such as ``jpeg quality=50 + bit-depth``; “none” without one."""
    return " + ".join(step.words for step in steps) or "none"
