"""Content of stickers that an attack paints: putting it on the stickers, and comparing stickers without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import AttackResult
    from engine.stickers import Sticker


def stickers_after(stickers: tuple[Sticker, ...], result: AttackResult) -> tuple[Sticker, ...]:
    """Return the stickers with the content that a sticker attack made."""
    from engine.artifacts import StickerContent
    from engine.stickers import with_content

    content = result.artifacts.get("content")
    return with_content(stickers, content.pixels[0]) if isinstance(content, StickerContent) else stickers


def with_contents(stickers: tuple[Sticker, ...], painted: Mapping[int, Sticker]) -> tuple[Sticker, ...]:
    """Return the stickers with the contents of painted ones, by id; only stickers to be optimised are changed."""
    from engine.stickers import Optimised
    from engine.stickers.brushing import content_for

    return tuple(
        replace(sticker, content=content_for(sticker, painted[sticker.id]))
        if sticker.id in painted and isinstance(sticker.content, Optimised)
        else sticker
        for sticker in stickers
    )


def contents_taken_back(
    stickers: tuple[Sticker, ...], after: tuple[Sticker, ...], before: tuple[Sticker, ...]
) -> tuple[Sticker, ...] | None:
    """Return the stickers with the contents of ``before`` in place of those that an attack made of them, which ``after`` has.

    None: they have no such content. A sticker that was moved since is found by its content, and stays where it is.
    """
    former = {sticker.id: sticker.content for sticker in before}
    made = {id(sticker.content): former[sticker.id] for sticker in after if sticker.id in former}
    made = {key: content for key, content in made.items() if id(content) != key}
    if not any(id(sticker.content) in made for sticker in stickers):
        return None
    return tuple(replace(each, content=made[id(each.content)]) if id(each.content) in made else each for each in stickers)


def same_look(these: tuple[Sticker, ...], those: tuple[Sticker, ...]) -> bool:
    """Return whether the stickers look the same: their names may differ, and whether they are locked."""
    return these == those or [_look(sticker) for sticker in these] == [_look(sticker) for sticker in those]


def same_places(these: tuple[Sticker, ...], those: tuple[Sticker, ...]) -> bool:
    """Return whether the stickers look the same except for the content that a sticker attack paints."""
    return these == those or [_look(sticker, bare=True) for sticker in these] == [_look(sticker, bare=True) for sticker in those]


def same_ids(these: tuple[Sticker, ...], those: tuple[Sticker, ...]) -> bool:
    """Return whether the same stickers, by id, are to be optimised, at whatever places."""
    return _painted(these) == _painted(those)


def _look(sticker: Sticker, *, bare: bool = False) -> tuple[object, ...]:
    """Return what is seen of a sticker; ``bare`` leaves out content that a sticker attack paints."""
    from engine.stickers import Optimised

    painted = isinstance(sticker.content, Optimised)
    box = sticker.id, sticker.x, sticker.y, sticker.width, sticker.height, sticker.angle, sticker.shape
    return *box, painted, None if bare and painted else sticker.content, sticker.opacity, sticker.visible


def _painted(stickers: tuple[Sticker, ...]) -> set[int]:
    from engine.stickers import Optimised

    return {sticker.id for sticker in stickers if sticker.visible and isinstance(sticker.content, Optimised)}
