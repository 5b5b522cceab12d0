"""Trust lights in words, for the place where the number stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.evaluate.trust.light import Light
from engine.evaluate.trust.signs import SIGNS

MARK = "▲"
"""The mark beside a number that violates a rule, in texts, tables and legends."""


def sentences_of(seen: Iterable[tuple[str, Light]]) -> list[str]:
    """Return a sentence for each sign that is seen: its name, where it is seen with which figures, its meaning, and the cure.

    Parameters
    ----------
    seen
        Lights, each with the place that it concerns, such as ``“signs” under PGD, L∞ 8/255``. Those that are not on are left out.
    """
    places: dict[str, list[str]] = {}
    for place, light in seen:
        if light.on:
            places.setdefault(light.sign.slug, []).append(f"{place} ({light.measured})")
    found = [(sign, places[slug]) for slug, sign in SIGNS.items() if slug in places]
    return [f"{MARK} {sign.title}: {'; '.join(where)}. {sign.meaning} {sign.cure}" for sign, where in found]


def marked(text: str, seen: Sequence[Light]) -> str:
    """Return a text with the mark behind it where a light is on."""
    return f"{text} {MARK}" if any(light.on for light in seen) else text
