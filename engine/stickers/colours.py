"""Colours of stickers as people write them."""

from __future__ import annotations

import re

from engine.errors import GibbonError

NAMED = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "grey": (0.5, 0.5, 0.5),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
}


def colour_of(text: str) -> tuple[float, float, float]:
    """Return red, green and blue in [0, 1] of a name such as ``black``, or of ``#rrggbb``.

    Raises
    ------
    GibbonError
        The text is neither.
    """
    word = text.strip().lower()
    if word in NAMED:
        return NAMED[word]
    if re.fullmatch(r"#[0-9a-f]{6}", word):
        red, green, blue = (int(word[place : place + 2], 16) / 255 for place in (1, 3, 5))
        return red, green, blue
    raise GibbonError(f"“{text}” is no colour here. Give #rrggbb, or {', '.join(list(NAMED)[:-1])} or {list(NAMED)[-1]}.")
