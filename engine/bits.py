"""Work in small steps: a generator that yields its progress, ``(done, of)``, and returns the result."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Made = TypeVar("Made")
Bits = Generator[tuple[int, int], None, Made]


def whole(bits: Bits[Made]) -> Made:
    """Run the generator to its end, and return its result."""
    while True:
        try:
            next(bits)
        except StopIteration as end:
            made: Made = end.value
            return made
