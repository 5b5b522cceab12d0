"""Checks of the arguments of the drawings; each refusal is a sentence."""

from __future__ import annotations

from engine.errors import GibbonError


def checked(label: int, classes: int, seed: int, size: int, sizes: tuple[int, int], n: int = 0) -> None:
    """Refuse a label, seed, size or number out of range."""
    if not 0 <= label < classes:
        raise GibbonError(f"There is no class {label}: the drawings have classes 0 to {classes - 1}.")
    if seed < 0:
        raise GibbonError(f"The seed is {seed}: give a whole number that is not negative.")
    if not sizes[0] <= size <= sizes[1]:
        raise GibbonError(f"The drawings cannot be {size} pixels wide: give a size from {sizes[0]} to {sizes[1]}.")
    if n < 0:
        raise GibbonError(f"{n} drawings were asked for: give a number that is not negative.")
