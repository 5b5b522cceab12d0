"""Catalogues map a slug to its class; two classes with one slug are refused when the module is imported."""

from __future__ import annotations

from typing import TypeVar

from engine.parameterised import Parameterised

Op = TypeVar("Op", bound=Parameterised)


def catalogue(*operations: type[Op]) -> dict[str, type[Op]]:
    """Return a dict from slug to class.

    Raises
    ------
    RuntimeError
        Two classes have the same slug.
    """
    found: dict[str, type[Op]] = {}
    for operation in operations:
        if operation.slug in found:
            raise RuntimeError(f"Two are named “{operation.slug}”: {found[operation.slug].__name__} and {operation.__name__}.")
        found[operation.slug] = operation
    return found
