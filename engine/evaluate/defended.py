"""Models behind a preprocessing defense, named by one text: ``signs + jpeg quality=75``."""

from __future__ import annotations

from pathlib import Path

from engine.classifier import Classifier
from engine.defenses import preprocessing


def split(text: str) -> tuple[str, str]:
    """Split ``signs + jpeg quality=75`` into the model's source and the defense; a file whose path holds a plus is a source."""
    if Path(text.strip()).exists():
        return text.strip(), ""
    source, _, defense = text.partition("+")
    return source.strip(), defense.strip()


def joined(source: str, defense: str) -> str:
    """Return the text that `split` reads."""
    return f"{source} + {defense}" if defense else source


def defended(classifier: Classifier, defense: str) -> Classifier:
    """Return the classifier behind a preprocessing defense, such as ``jpeg quality=75``; itself where the text is empty.

    Its gradient is the adaptive one, so that an attack on it is that of an attacker who knows the defense.

    Raises
    ------
    GibbonError
        There is no such defense, or a parameter is out of its range.
    """
    return preprocessing.defended(classifier, defense) if defense else classifier
