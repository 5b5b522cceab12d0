"""Shares of a table in words, with the mark of trust lights."""

from __future__ import annotations

from collections.abc import Sequence

from engine.evaluate.tables.cells import Cell
from engine.evaluate.trust import Light, marked
from engine.intervals import Share

NOTHING = "–"


def cell_text(cell: Cell | None, seen: Sequence[Light] = ()) -> str:
    """Return a cell's robust accuracy in words, or that it failed or is not finished; a mark says that trust lights are on."""
    if cell is None:
        return NOTHING
    return "error" if cell.error else share_text(cell.robust, cell.robust_top5, seen)


def share_text(found: Share, top5: Share | None = None, seen: Sequence[Light] = ()) -> str:
    """Format a share with its interval: ``61.0 % (54.1–67.5)``, with the top-5 share where there is one, and the mark of trust lights."""
    if found.value is None:
        return NOTHING
    more = "" if top5 is None or top5.value is None else f", top 5 {_share_text(top5)}"
    return marked(f"{_share_text(found)}{more}", seen)


def _share_text(found: Share) -> str:
    low, high = found.interval
    return f"{100 * (found.value or 0.0):.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def worst_text(robust: Share, top5: Share, missing: int, seen: Sequence[Light] = ()) -> str:
    """Format a worst case; a star says that some attacks of the group are ``missing``, the mark that trust lights are on."""
    return share_text(robust, top5, seen) + ("*" if missing and robust.of else "")
