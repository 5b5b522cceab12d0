"""Stickers that an attack found or painted, and which are not on the canvas as stickers yet: putting them there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gui.session import changes

if TYPE_CHECKING:
    from torch import Tensor

    from engine.artifacts import StickerContent
    from engine.stickers import Sticker
    from gui.session.history import AttackRun
    from gui.session.session import Session


def found_stickers(run: AttackRun | None) -> tuple[Sticker, ...]:
    """Return the stickers that a run made beside those that it was given; empty for a run that made none.

    The content of an attack that paints the canvas' own stickers is on them already.
    """
    from engine.artifacts import PlacedStickers, StickerContent

    if run is None:
        return ()
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
