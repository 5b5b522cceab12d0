"""Stickers that an attack found or painted, and which are not on the canvas as stickers yet: putting them there."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gui.session import changes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from engine.artifacts import StickerContent, Table
    from engine.stickers import Sticker
    from gui.session.history import AttackRun
    from gui.session.session import Session


def found_stickers(run: AttackRun | None) -> tuple[Sticker, ...]:
    """Return the stickers that a run made beside those that it was given; empty for a run that made none.

    The content of an attack that paints the canvas' own stickers is on them already.
    """
    if run is None:
        return ()  # before the engine, which this asks for, is loaded
    from engine.artifacts import PlacedStickers, StickerContent

    artifacts = run.result.artifacts.values()
    placed = next((each for each in artifacts if isinstance(each, PlacedStickers)), None)
    if placed is not None:
        return placed.stickers[0]
    painted = next((each for each in artifacts if isinstance(each, StickerContent)), None)
    if painted is None or "stickers" in run.result.operation.uses:
        return ()
    return _of_content(painted, run.result.operation.title)


def put_on_canvas(session: Session, run: AttackRun) -> None:
    """Show a run with its stickers as stickers in place of its perturbation, as one undo step, and select them."""
    found = found_stickers(run)
    if not found or session.runs.running:
        return
    stickers, ids = with_new(run.before.stickers, found)
    what = "a sticker" if len(found) == 1 else f"{len(found)} stickers"
    fields = {**changes.of_run(session.state, run), **changes.NO_PERTURBATION, "stickers": stickers}
    session.change(f"Put {what} of #{run.number} on the canvas", **fields)
    session.select(ids[-1], frozenset(ids[:-1]))


def sticker_at(run: AttackRun, pixel: tuple[int, int]) -> tuple[Sticker, float] | None:
    """Return the sticker of a landscape whose middle is nearest to a pixel, and its probability of success.

    Of several sizes and angles there it is the best one. None: the run has no landscape.
    """
    from engine.artifacts import Table
    from engine.attacks.sticker_search.landscape import StickerLandscape
    from engine.stickers import Sticker

    operation, places = run.result.operation, run.result.artifacts.get("places")
    if not isinstance(operation, StickerLandscape) or not isinstance(places, Table) or not places.rows:
        return None
    far = ((_middles(places) - (pixel[0] + 0.5, pixel[1] + 0.5)) ** 2).sum(1)
    best = places.rows[int(far.argmin())]  # the rows are sorted, the best first, and argmin takes the first of equals
    left, top, width, height, angle = best[1:6]
    return Sticker(1, left, top, width, height, operation.filling, angle=angle), float(best[6])


@lru_cache(maxsize=1)
def _middles(places: Table) -> npt.NDArray[np.float64]:
    """Return the middles ``(rows, 2)`` of a landscape's places, once for all moves of the mouse, which ask for the nearest."""
    import numpy as np

    table = np.array([row[1:5] for row in places.rows], dtype=np.float64)
    middles: npt.NDArray[np.float64] = table[:, :2] + table[:, 2:] / 2
    return middles


def put_at(session: Session, run: AttackRun, sticker: Sticker, before: int | None) -> int:
    """Put a sticker of a landscape on the canvas as an undo step, in place of the one with the id ``before``; return its id."""
    state, fields = session.state, dict[str, Any]()
    if session.history.shown is run:
        fields = changes.of_run(state, run)
        stickers, ids = with_new(run.before.stickers, (sticker,))
    elif any(each.id == before for each in state.stickers):
        stickers = tuple(replace(sticker, id=each.id, name=each.name) if each.id == before else each for each in state.stickers)
        ids = [before or 0]
    else:
        stickers, ids = with_new(state.stickers, (sticker,))
    session.change(f"Put a sticker at {sticker.x:g}, {sticker.y:g}", **{**fields, **changes.NO_PERTURBATION, "stickers": stickers})
    session.select(ids[-1])
    return ids[-1]


def with_new(stickers: tuple[Sticker, ...], found: tuple[Sticker, ...]) -> tuple[tuple[Sticker, ...], list[int]]:
    """Return stickers with others on top, which get ids of their own; and these ids."""
    from engine.stickers import next_id

    ids: list[int] = []
    for each in found:
        ids.append(next_id(stickers))
        stickers = (*stickers, replace(each, id=ids[-1]))
    return stickers, ids


def _of_content(content: StickerContent, name: str) -> tuple[Sticker, ...]:
    """Return painted pixels as a sticker of the mask's own shape; empty where the mask covers nothing."""
    from engine.stickers import Brushed, Pixels, Sticker
    from engine.stickers.shapes import RECTANGLE

    mask = content.mask[0, 0].detach().cpu()
    pixels = content.pixels[0].detach().cpu()
    rows, columns = _ends(mask.amax(1)), _ends(mask.amax(0))
    if rows is None or columns is None:
        return ()
    (top, bottom), (left, right) = rows, columns
    inner = mask[top:bottom, left:right]
    shape = RECTANGLE if bool((inner == 1).all()) else Brushed.of(inner.clamp(0, 1))
    cut = pixels[:, top:bottom, left:right].contiguous()
    return (Sticker(1, left, top, right - left, bottom - top, Pixels(cut, name), shape=shape),)


def _ends(covered: Tensor) -> tuple[int, int] | None:
    places = (covered > 0).nonzero()[:, 0]
    return None if len(places) == 0 else (int(places[0]), int(places[-1]) + 1)
