"""Building an operation from the values of a form, with a sentence for values that are refused. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.parameterised import Parameterised


@dataclass(frozen=True)
class Built:
    """An operation, or the reason why the values were refused."""

    operation: Any = None
    """The operation; None if the values were refused."""
    error: str = ""
    """The sentence that says why the values were refused."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """The errors of single values, by parameter name."""


def build_operation(kind: type[Parameterised], values: Mapping[str, Any]) -> Built:
    """Build an operation of class ``kind``. An error names a parameter by its title in the form."""
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
