"""Building an operation from the values of a form, or the sentence that says why they make none. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import Operation


@dataclass(frozen=True)
class Built:
    """What some values make."""

    operation: Operation | None = None
    """None where they make none."""
    error: str = ""
    """Why they make none."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """By name, what is wrong with a value."""


def build(kind: type[Operation], values: Mapping[str, Any]) -> Built:
    """Build an operation of that class; a value that is refused is called by the title that stands in the form."""
    from engine.errors import BadParameters, GibbonError
    from engine.parameters import parameters_of

    try:
        return Built(kind.build(**values))
    except BadParameters as error:
        titles = {name: f"{parameter.title}: " for name, parameter in parameters_of(kind).items()}
        sentences = [f"{titles.get(name, '')}{text}" for name, text in error.problems.items()]
        return Built(None, " ".join(sentences), error.problems)
    except GibbonError as error:
        return Built(None, str(error))
