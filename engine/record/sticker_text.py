"""Stickers as text, for the clipboard and for files: the entries that a record keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import ValidationError

from engine.errors import GibbonError
from engine.record.stickers import StickerEntry
from engine.stickers import Sticker


def stickers_as_text(stickers: Sequence[Sticker]) -> str:
    """Return stickers as JSON: the record's entry of one, a list of entries of several."""
    entries = [StickerEntry.of(sticker).model_dump(mode="json", exclude_defaults=True) for sticker in stickers]
    return json.dumps(entries[0] if len(entries) == 1 else entries)


def stickers_from_text(text: str, what: str = "The text on the clipboard") -> tuple[Sticker, ...]:
    """Make the stickers of a text that `stickers_as_text` wrote. ``what`` names the text in a refusal.

    Raises
    ------
    GibbonError
        The text is no JSON, or its entries are no stickers.
    """
    how = "Copy stickers with Ctrl+C, or save them to a file."
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise GibbonError(f"{what} is no sticker. {how}") from None
    entries = values if isinstance(values, list) else [values]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise GibbonError(f"{what} is no sticker. {how}")
    try:
        return tuple(StickerEntry.model_validate(entry).sticker() for entry in entries)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GibbonError(f"{what} is no sticker: its entry “{where}” does not fit. {how}") from None
    except GibbonError as error:
        raise GibbonError(f"{what} is no sticker: {error}") from None
