"""Class names: each class has one name, and a text is matched to the class that it names."""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.errors import GibbonError
from engine.text.nearest import nearest

_CURE = "Give one name per class, such as ['cat', 'dog']."


def class_names(labels: Any) -> tuple[str, ...]:
    """Return the names of the classes 0, 1, ... given by ``labels``, made unique.

    Parameters
    ----------
    labels
        A sequence or an array of names or numbers; a mapping from class number to name (``{0: "cat"}``) or from name to class number
        (``{"cat": 0}``).

    Raises
    ------
    GibbonError
        ``labels`` is neither, or the numbers of a mapping are not 0 to K - 1.
    """
    if isinstance(labels, Mapping):
        return told_apart(_in_order(labels))
    given = labels.tolist() if callable(getattr(labels, "tolist", None)) else labels
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        what = "None" if given is None else f"the {type(given).__name__} {given!r}"
        raise GibbonError(f"The labels are {what}. {_CURE}")
    if isinstance(given, (set, frozenset)):
        raise GibbonError(f"The labels are a set, which has no order, so it does not say which class is 0. {_CURE}")
    names = list(given)
    for name in names:
        if name is None or (isinstance(name, Iterable) and not isinstance(name, str)):
            raise GibbonError(f"The labels hold {name!r}, which is no name. {_CURE}")
    if not names:
        raise GibbonError(f"There are no labels. {_CURE}")
    return told_apart([str(name) for name in names])


def told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Add the class number to each name that occurs twice: ImageNet's cranes become "crane (134)" and "crane (517)"."""
    found = tuple(names)
    while True:
        counts = Counter(found)
        if len(counts) == len(found):
            return found
        found = tuple(f"{name} ({number})" if counts[name] > 1 else name for number, name in enumerate(found))


def class_called(text: str, labels: Sequence[str], option: str = "") -> int:
    """Return the class that ``text`` names, by its name (exact case first, then any case) or by its number.

    A name that was made unique by its class number also matches without the number, where only one class remains. ``option`` is the command
    line option that gave the text, such as "--target", for the error message.

    Raises
    ------
    GibbonError
        Several classes have that name, or none has; the sentence names them, or the nearest name.
    """
    exact = [number for number, label in enumerate(labels) if label == text]
    if len(exact) == 1:
        return exact[0]
    wanted = text.strip().casefold()
    folded = [label.casefold() for label in labels]
    found = [number for number, name in enumerate(folded) if name == wanted]
    if not found:
        found = [number for number, name in enumerate(folded) if name == f"{wanted} ({number})"]
    if len(found) > 1:
        numbered = f"{', '.join(map(str, found[:-1]))} and {found[-1]}"
        count = {2: "Two", 3: "Three"}.get(len(found), str(len(found)))
        raise GibbonError(f"{count} classes are called {text.strip()}: {numbered}. Give the number.")
    if found:
        return found[0]
    try:
        number = int(wanted)
    except ValueError:
        close = nearest(wanted, labels, 0.5)
        cure = f"Did you mean “{close}”?" if close else f"Give a name or a number from 0 to {len(labels) - 1}."
        given = f" for {option}" if option else ""
        raise GibbonError(f"The model knows no class “{text}”{given}. {cure}") from None
    if not 0 <= number < len(labels):
        raise GibbonError(f"{f'{option} ' if option else ''}{number} is no class: the model has 0 to {len(labels) - 1}.")
    return number


def _in_order(labels: Mapping[Any, Any]) -> list[str]:
    by_number = {_number(key): str(value) for key, value in labels.items()}
    if set(by_number) != set(range(len(labels))):
        by_number = {_number(value): str(key) for key, value in labels.items()}
    if not labels or set(by_number) != set(range(len(labels))):
        raise GibbonError(f"The labels are a mapping that does not number its classes from 0 to {len(labels) - 1}. {_CURE}")
    return [by_number[number] for number in range(len(labels))]


def _number(value: Any) -> int | None:
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None
