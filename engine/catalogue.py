"""A catalogue is a dict of slug to operation; a slug given twice is a mistake that must not pass."""

from __future__ import annotations

from typing import TypeVar

from engine.operation import Operation

Op = TypeVar("Op", bound=Operation)


def catalogue(*operations: type[Op]) -> dict[str, type[Op]]:
    """The operations by their slugs.

    Raises
    ------
    RuntimeError
        Two have the same slug.
    """
    found: dict[str, type[Op]] = {}
    for operation in operations:
        if operation.slug in found:
            raise RuntimeError(f"Two operations are named “{operation.slug}”: {found[operation.slug].__name__} and {operation.__name__}.")
        found[operation.slug] = operation
    return found
