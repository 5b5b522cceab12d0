"""The places of the spine's parts: fixed shares of the window's width, so that nothing moves when a text changes."""

from __future__ import annotations

from collections.abc import Mapping

SHARES: Mapping[str, int] = {"model": 16, "image": 18, "goal": 20, "attack": 19, "shown": 27}
"""The share of the free width that each chip gets."""
ORDER = ("model", "image", "goal", "attack", "run", "shown")
"""The parts from left to right."""
GAP = 10
WITH_WORDS = 860
"""The least width at which Run is written out."""


def places(width: int, run: int) -> dict[str, tuple[int, int]]:
    """Return the left edge and the width of each part in a spine of ``width`` pixels, of which the buttons of a run take ``run``."""
    free = max(0, width - run - GAP * (len(ORDER) - 1))
    made, left, given, whole = {}, 0, 0, sum(SHARES.values())
    for part in ORDER:
        if part == "run":
            wide = run
        else:
            before = free * given // whole
            given += SHARES[part]
            wide = free * given // whole - before
        made[part] = (left, wide)
        left += wide + GAP
    return made
