"""The parameters of an operation, in the order of a form's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.parameterised import Parameterised
    from engine.parameters import Parameter

_FIRST, _LAST = ("Budget", "Method"), ("Result", "Limits", "")
"""The groups at the top and at the bottom of a form, independently of the order in which a class and its bases declare them."""


def read_fields(operation: type[Parameterised]) -> tuple[Parameter, ...]:
    """Return the parameters of an operation or a part of a recipe, group by group, without those that no record holds."""
    from engine.parameters import parameters_of

    fields = [parameter for parameter in parameters_of(operation).values() if parameter.recorded]
    order = list(dict.fromkeys((*_FIRST, *(field.group for field in fields if field.group not in _LAST), *_LAST)))
    return tuple(sorted(fields, key=lambda field: order.index(field.group)))
