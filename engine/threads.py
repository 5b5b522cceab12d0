"""Limits of the number of CPU threads. Importing this file loads no torch."""

from __future__ import annotations

from engine.errors import GibbonError

MOST_THREADS = 512
"""Largest number of threads: the system ends a process that starts many more."""


def checked_threads(count: int) -> int:
    """Return ``count``, after checking that it is a possible number of CPU threads.

    Raises
    ------
    GibbonError
        The number is below one, or more than a process can start.
    """
    if not 1 <= count <= MOST_THREADS:
        raise GibbonError(f"{count:,} threads cannot be used. Choose 1 to {MOST_THREADS}.")
    return count
