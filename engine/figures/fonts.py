"""Fonts of a figure's texts: a family with or without serifs, and other fonts of this machine for characters that it lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import Literal

Font = Literal["sans", "serif"]
FONTS: Mapping[Font, str] = MappingProxyType({"sans": "Sans serif, as Helvetica", "serif": "Serif, as Times"})
"""The two kinds of type that papers are set in, with their titles."""
_FAMILIES: Mapping[Font, tuple[str, ...]] = {
    "sans": ("Helvetica", "Arial", "Liberation Sans", "Nimbus Sans", "DejaVu Sans"),
    "serif": ("Times New Roman", "Times", "Liberation Serif", "Nimbus Roman", "STIXGeneral", "DejaVu Serif"),
}
"""Families in the order in which they are tried. The last ones come with matplotlib, so each kind has a font everywhere."""
_font: ContextVar[Font] = ContextVar("font", default="sans")
"""The kind of type of the figure that is being composed."""
_BOX = "\N{WHITE SQUARE}"
"""Replacement for a character that no font has."""
_BOXES = "Last Resort"
"""Name of matplotlib's own font of boxes, which covers every character and so proves nothing."""
_CONTROLS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{VARIATION SELECTOR-16}\N{VARIATION SELECTOR-15}\u200e\u200f")
"""Characters without a shape of their own."""


@contextmanager
def set_in(font: Font) -> Iterator[None]:
    """Measure and set all texts in this kind of type."""
    token = _font.set(font)
    try:
        yield
    finally:
        _font.reset(token)


def families(font: Font | None = None) -> tuple[str, ...]:
    """Return the installed families of a kind of type; None: that of the figure that is being composed."""
    return _families(font or _font.get())


@cache
def _families(font: Font) -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    # Only TrueType can be embedded as it is in a PDF; outlines of other kinds become pictures of letters there.
    known = {entry.name for entry in fontManager.ttflist if entry.fname.lower().endswith((".ttf", ".ttc"))}
    return tuple(name for name in _FAMILIES[font] if name in known)


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


def _is_set(character: str) -> bool:
    """Return whether the figure's families have a glyph for the character, or it is a break or a space."""
    return character.isspace() or _has(character, _font.get())


@cache
def _has(character: str, font: Font) -> bool:
    return any(ord(character) in _glyphs(path) for path in _base(font))


@cache
def _base(font: Font) -> tuple[str, ...]:
    from matplotlib.font_manager import FontProperties, findfont

    return tuple(findfont(FontProperties(family=[name])) for name in families(font))


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
    for known in (_families, _base, _has, _fonts_with):
        known.cache_clear()
