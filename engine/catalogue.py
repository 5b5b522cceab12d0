"""Catalogues map a slug to its operation; two operations with one slug are refused when the module is imported."""

from __future__ import annotations

from typing import TypeVar

from engine.operation import Operation

Op = TypeVar("Op", bound=Operation)


def catalogue(*operations: type[Op]) -> dict[str, type[Op]]:
    """Return a dict from slug to operation.

    Raises
    ------
    RuntimeError
        Two operations have the same slug.
    """
    found: dict[str, type[Op]] = {}
    for operation in operations:
        if operation.slug in found:
            raise RuntimeError(f"Two operations are named “{operation.slug}”: {found[operation.slug].__name__} and {operation.__name__}.")
        found[operation.slug] = operation
    return found
