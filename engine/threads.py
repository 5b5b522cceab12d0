"""How many CPU threads torch may be told to use. Importing it loads no torch."""

from __future__ import annotations

from engine.errors import GibbonError

MOST_THREADS = 512
"""The system ends a process that starts many more."""


def checked_threads(count: int) -> int:
    """``count`` as a number of CPU threads.

    Raises
    ------
    GibbonError
        There are fewer than one, or more than a process can start.
    """
    if not 1 <= count <= MOST_THREADS:
        raise GibbonError(f"{count:,} threads cannot be used. Choose 1 to {MOST_THREADS}.")
    return count
