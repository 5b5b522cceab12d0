"""The known name that is nearest to one that is not known, for “Did you mean …?”."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wanted: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """Return the name of ``known`` that is most like ``wanted``, whatever the case of its letters; None: none is similar.

    ``least`` is the least similarity in [0, 1], the ratio of `difflib.SequenceMatcher`.
    """
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(wanted.casefold(), folded, 1, least)
    return folded[close[0]] if close else None


def did_you_mean(wanted: str, known: Iterable[str], otherwise: str, least: float = 0.6) -> str:
    """Return “Did you mean …?” with the nearest of the ``known`` names, or the sentence ``otherwise`` where none is similar."""
    close = nearest(wanted, known, least)
    return f"Did you mean {close}?" if close else otherwise
