"""Fonts of a figure's texts: a sans-serif family, and other fonts of this machine for characters that it lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache

_FAMILIES = ("Arial", "Liberation Sans", "DejaVu Sans")
_BOX = "\N{WHITE SQUARE}"
"""Replacement for a character that no font has."""
_BOXES = "Last Resort"
"""Name of matplotlib's own font of boxes, which covers every character and so proves nothing."""
_CONTROLS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{VARIATION SELECTOR-16}\N{VARIATION SELECTOR-15}\u200e\u200f")
"""Characters without a shape of their own."""


@cache
def families() -> tuple[str, ...]:
    """Return the installed sans-serif families; DejaVu Sans, which comes with matplotlib, is always the last."""
    from matplotlib.font_manager import fontManager

    known = set(fontManager.get_font_names())
    return tuple(name for name in _FAMILIES if name in known)


def families_for(text: str) -> tuple[str, ...]:
    """Return the families for ``text``: those of all texts, then fonts of this machine for the missing characters."""
    lacking = frozenset(character for character in text if not _is_set(character))
    return (*families(), *_others(lacking)) if lacking else families()


def drawable(text: str) -> str:
    """Return ``text`` with a box for every character that no font of this machine has, without invisible marks."""
    if all(map(_is_set, text)):
        return text
    kept = [character for character in text if character not in _CONTROLS]
    return "".join(character if _is_set(character) or _fonts_with(character) else _BOX for character in kept)


def missing_glyphs(texts: Iterable[str]) -> str:
    """List the characters of ``texts`` that no font of this machine has, as a sentence; empty where there are none."""
    characters = dict.fromkeys(character for text in texts for character in text if character not in _CONTROLS)
    missing = [character for character in characters if not _is_set(character) and not _fonts_with(character)]
    if not missing:
        return ""
    shown = f"{''.join(missing[:_SHOWN])}{'…' if len(missing) > _SHOWN else ''}"
    return f"No font of this machine has {shown}: the figure shows a box for each. Install a font that has them, such as Noto Sans."


_SHOWN = 12
"""Number of characters that the sentence lists."""


@cache
def _is_set(character: str) -> bool:
    """Return whether the common families have a glyph for the character, or it is a break or a space."""
    return character.isspace() or any(ord(character) in _glyphs(path) for path in _base())


@cache
def _base() -> tuple[str, ...]:
    from matplotlib.font_manager import FontProperties, findfont

    return tuple(findfont(FontProperties(family=[name])) for name in families())


@cache
def _glyphs(path: str) -> frozenset[int]:
    """Return the characters of a font; none where matplotlib cannot draw it, such as coloured bitmaps."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (RuntimeError, OSError, ValueError):
        return frozenset()


def _installed() -> list[tuple[str, str]]:
    """Return name and path of the upright, regular fonts of this machine, those without serifs first."""
    from matplotlib.font_manager import fontManager

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # matplotlib would warn that a font has no bold weight
    regular = [entry for entry in fontManager.ttflist if entry.style == "normal" and entry.weight in (400, "normal", "regular", "book")]
    entries = [entry for entry in regular if not entry.name.startswith(_BOXES)]
    entries.sort(key=lambda entry: ("Sans" not in entry.name and "Gothic" not in entry.name, "Mono" in entry.name, entry.name, entry.fname))
    return [(entry.name, entry.fname) for entry in entries]


@cache
def _fonts_with(character: str) -> tuple[str, ...]:
    """Return the families that have a glyph for the character, the first being the one that is used; empty where there is none."""
    return next(((name,) for name, path in _installed() if ord(character) in _glyphs(path)), ())


def _others(characters: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted({name for character in characters for name in _fonts_with(character)}))


def forget_fonts() -> None:
    """Search the fonts of this machine again, after new ones were installed."""
    for known in (families, _is_set, _base, _fonts_with):
        known.cache_clear()
