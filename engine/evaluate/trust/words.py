"""Trust lights in words, for the place where the number stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.evaluate.trust.light import Light
from engine.evaluate.trust.signs import SIGNS

MARK = "▲"
"""The mark beside a number that violates a rule, in texts, tables and legends."""


def sentences_of(seen: Iterable[tuple[str, Light]], *, where: bool = True) -> list[str]:
    """Return a sentence for each sign that is seen: its name, its meaning, the cure, and where it is seen with which figures.

    Parameters
    ----------
    seen
        Lights, each with the place that it concerns, such as ``“signs” under PGD, L∞ 8/255``. Those that are not on are left out.
    where
        Whether the places are told: beside numbers that carry the mark they need not be.
    """
    places: dict[str, list[str]] = {}
    for place, light in seen:
        if light.on:
            places.setdefault(light.sign.slug, []).append(f"{place} ({light.measured})")
    found = [(sign, places[slug]) for slug, sign in SIGNS.items() if slug in places]
    told = ((sign, f" Seen: {'; '.join(those)}." if where else "") for sign, those in found)
    return [f"{MARK} {sign.title}: {sign.meaning} {sign.cure}{those}" for sign, those in told]


def marked(text: str, seen: Sequence[Light]) -> str:
    """Return a text with the mark behind it where a light is on."""
    return f"{text} {MARK}" if any(light.on for light in seen) else text
