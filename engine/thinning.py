"""Thinning of a long sequence to bounded memory, evenly spaced however long it grows. It imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
_MOST = 2**40


class Thinned(Generic[T]):
    """Container that keeps every k-th item by its number; k doubles whenever it is full.

    Numbers must grow. The kept items are always ``{n: item for n % k == 0}`` and the pinned ones, so the points of a curve or the pictures
    of a timeline stay evenly spaced.

    Parameters
    ----------
    full
        ``full(items)`` returns whether the items, by number, take too much memory.
    """

    def __init__(self, full: Callable[[Mapping[int, T]], bool]) -> None:
        self._full = full
        self._pinned: set[int] = set()
        self.every = 1
        """The distance k between kept items, a power of two."""
        self.items: dict[int, T] = {}
        """The kept items by number."""

    def wants(self, number: int) -> bool:
        """Return whether an item of that number would be kept, so that others need not be made."""
        return number % self.every == 0

    def add(self, number: int, item: T, *, pin: bool = False) -> None:
        """Offer an item; a pinned one is kept for good."""
        if pin:
            self._pinned.add(number)
        elif not self.wants(number):
            return
        self.items[number] = item
        while self._full(self.items) and len(self.items) > len(self._pinned) and self.every < _MOST:
            self.every *= 2
            self.items = {n: kept for n, kept in self.items.items() if n in self._pinned or self.wants(n)}
