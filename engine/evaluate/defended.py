"""Models behind a preprocessing defense, named by one text: ``signs + jpeg quality=75``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from engine.classifier import Classifier
from engine.errors import GibbonError

_DEFENSES = "engine.defenses.preprocessing"


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
    if not defense:
        return classifier
    try:
        defenses: Any = importlib.import_module(_DEFENSES)
    except ModuleNotFoundError:
        raise GibbonError(
            f"“{defense}” cannot be put in front of a model: this Gibbon has no preprocessing defenses. Leave it out."
        ) from None
    found: Classifier = defenses.defended(classifier, defense)
    return found
