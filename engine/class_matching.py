"""Matching of a data set's classes to a classifier's classes: by name, never by count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from engine.errors import GibbonError

_NAMED = 5
"""Number of classes that a sentence lists by name."""
_WHOLE = re.compile(r"\d{1,9}")


def are_numbers(labels: Sequence[str]) -> bool:
    """Return whether all names are whole numbers, like the folders of data sets that number their classes."""
    return bool(labels) and all(_WHOLE.fullmatch(label) for label in labels)


def class_numbers(labels: Sequence[str], known: Sequence[str]) -> tuple[int | None, ...]:
    """Return the classifier's class number for each class of a data set; None where no class matches.

    Classes match by name; case, ``_`` and ``-`` do not matter. Where all names of the data set are whole numbers, and those of the
    classifier are not, they are class numbers. A name that the classifier gives to two classes matches neither.

    Parameters
    ----------
    labels
        The data set's class names.
    known
        The classifier's class names, in the order of its classes.
    """
    keys = [_key(name) for name in known]
    count = Counter(keys)
    places = {key: number for number, key in enumerate(keys) if count[key] == 1}
    if are_numbers(labels) and not are_numbers(known):
        return tuple(int(label) if int(label) < len(known) else None for label in labels)
    exact = {name: number for number, name in enumerate(known)} if len(set(known)) == len(known) else {}
    return tuple(exact.get(label, places.get(_key(label))) for label in labels)


def same_classes(labels: Sequence[str], known: Sequence[str]) -> tuple[int | None, ...]:
    """Return the class number of another classifier for each class of a classifier; None where no class, or more than one, matches.

    Classes match by name alone; case, ``_`` and ``-`` do not matter. Unlike the folders of a data set (see `class_numbers`), a classifier's
    names that are whole numbers, such as those of digits, are no class numbers of another one.

    Parameters
    ----------
    labels
        The class names of the one classifier.
    known
        The class names of the other, in the order of its classes.
    """
    if tuple(labels) == tuple(known):
        return tuple(range(len(labels)))
    if are_numbers(labels) and not are_numbers(known):
        return (None,) * len(labels)
    count = Counter(labels)
    return tuple(number if count[label] == 1 else None for label, number in zip(labels, class_numbers(labels, known), strict=True))


_RENAME = "Name the data set's folders as the classifier names its classes, or by their numbers."


def check_known(labels: Sequence[str], known: Sequence[str], classifier: str, *, by_name: bool = False) -> list[int]:
    """Return the class numbers of `class_numbers`, or of `same_classes` if ``by_name``, after checking that every class is known.

    Raises
    ------
    GibbonError
        The classifier does not know some of the classes; the sentence names them.
    """
    numbers = (same_classes if by_name else class_numbers)(labels, known)
    unknown = [name for name, number in zip(labels, numbers, strict=True) if number is None]
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise GibbonError(
            f"“{classifier}” has no class {', '.join(f'“{name}”' for name in unknown[:_NAMED])}{more}, which the data set has. "
            + ("Choose another data set or another network." if by_name else _RENAME)
        )
    return [number for number in numbers if number is not None]


def _key(name: str) -> str:
    if _WHOLE.fullmatch(name):
        return str(int(name))
    return " ".join(re.split(r"[\s_-]+", name.strip().casefold()))
