"""The tables of the fields that a session and a study have in common, from which both directions are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gui.session.data_choice import Choice

if TYPE_CHECKING:
    from engine.study import DataChoice

CANVAS = (
    *("classifier", "clean", "image", "photograph", "label", "target", "region", "stickers", "selected"),
    *("new_content", "new_colour", "delta", "grown", "bounds", "defense"),
)
"""Fields of `State` and of a study's canvas. A study has further ones of the state beside the canvas; see `snapshot`."""
PLAN = ("slug", "seed", "knows_defense", "live")
"""Fields of both plans that are the same value. The others are values of different classes."""
START = ("image", "name", "prediction", "photograph")
"""Fields of a start image, less the pixels, which follow from the image."""
RUN = ("result", "number", "when", "verdict", "passed")
"""Fields of a finished run of any operation."""
ATTACK_RUN = ("image", "photograph", "replayed", "iteration_of")
"""Further fields of a finished attack. A study takes its scenes apart."""
INPUTS: Mapping[str, str] = {
    **{name: name for name in ("region", "label", "target", "seed", "planned", "mask", "row", "defense")},
    "begin": "start",
    "begin_name": "start_name",
    "begin_prediction": "start_prediction",
}
"""Fields of `AttackInputs`, with their names in a study."""
CHOICE = ("name", "split", "count", "root", "classes", "draw")
"""Fields of a selection of a data set."""


def taken(source: object, names: Iterable[str]) -> dict[str, Any]:
    """Return fields of an object by name."""
    return {name: getattr(source, name) for name in names}


def renamed(source: object, names: Mapping[str, str]) -> dict[str, Any]:
    """Return fields of a session's object by their names in a study."""
    return {theirs: getattr(source, ours) for ours, theirs in names.items()}


def renamed_back(source: object, names: Mapping[str, str]) -> dict[str, Any]:
    """Return fields of a study's object by their names in a session."""
    return {ours: getattr(source, theirs) for ours, theirs in names.items()}


def to_study(choice: Choice | None) -> DataChoice | None:
    """Return the selection of a data set as a study's value."""
    from engine.study import DataChoice

    return None if choice is None else DataChoice(**taken(choice, CHOICE))


def from_study(choice: DataChoice | None) -> Choice | None:
    """Return a study's selection of a data set as the session's value."""
    return None if choice is None else Choice(**taken(choice, CHOICE))
