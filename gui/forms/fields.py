"""The parameters of an operation in the order in which a form shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Operation
    from engine.parameters import Parameter

_FIRST, _LAST = ("Budget", "Method"), ("Result", "Limits", "")
"""Groups that stand at the top and at the bottom, in whatever order a class and its bases declare them."""


def read_fields(operation: type[Operation]) -> tuple[Parameter, ...]:
    """The rows of an operation's form, group by group; what no record holds is no row."""
    from engine.parameters import parameters_of

    fields = [parameter for parameter in parameters_of(operation).values() if parameter.recorded]
    order = list(dict.fromkeys((*_FIRST, *(field.group for field in fields if field.group not in _LAST), *_LAST)))
    return tuple(sorted(fields, key=lambda field: order.index(field.group)))
