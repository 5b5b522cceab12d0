"""A light: one sign, whether it was seen, and the figures that say so. Differences within the noise of counting turn no light on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from engine.artifacts import Table
from engine.evaluate.trust.signs import SIGNS, Sign
from engine.intervals import Share, wilson
from engine.text.formatting import short

State = Literal["on", "off", "not measured"]
Figure = Share | float
FEW = 0.05
"""Share of images that may show a sign that a single image shows: the light is on where more do, with 97.5 % confidence."""
ENOUGH = 0.99
"""Share of images that an attack without a limit has to fool: the light is on where Wilson's interval is below it."""
NO_LIMIT = ("no-limit-no-success", "unbounded-fails")
"""The signs of an attack without a limit."""


@dataclass(frozen=True)
class Light:
    """A sign with its state: seen, not seen, or not looked for."""

    sign: Sign
    state: State
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """The measured figures by name: shares with their counts, or numbers."""
    why: str = ""
    """Reason why it was not measured."""

    @property
    def on(self) -> bool:
        """Whether the sign was looked for and seen."""
        return self.state == "on"

    @property
    def measured(self) -> str:
        """The figures in words, or why there are none."""
        return "; ".join(_figure(name, value) for name, value in self.figures.items()) or self.why

    def plain(self) -> dict[str, Any]:
        """Return the light as plain values for JSON."""
        figures = {name: _plain(value) for name, value in self.figures.items()}
        about = {"name": self.sign.title, "kind": self.sign.kind, "state": self.state, "figures": figures, "why": self.why}
        return {"light": self.sign.slug, **about, "meaning": self.sign.meaning, "cure": self.sign.cure}


def unmeasured(slug: str, why: str) -> Light:
    """Return the light of a sign that was not looked for."""
    return Light(SIGNS[slug], "not measured", why=why)


def compared(slug: str, weaker: tuple[str, Tensor], stronger: tuple[str, Tensor], *, margin: float = 0.0, both_ways: bool = False) -> Light:
    """Return a light that is on where the ``weaker`` attack fools more images than the ``stronger``.

    Both are ``(N,)`` bool over the same images. Only images that one of them fools and the other does not tell them apart: the light is on
    where Wilson's interval of the weaker one's share among these is above 1/2, and the shares differ by more than ``margin``. Of a single
    image the outcome itself decides.

    Parameters
    ----------
    slug
        The sign.
    weaker, stronger
        The attacks' names and the rows that each fools.
    margin
        Difference of the shares up to which the light stays off.
    both_ways
        Whether the light is on as well where the stronger one fools more.
    """
    first, second = weaker[1], stronger[1]
    count = len(first)
    ahead, behind = torch.stack([first & ~second, second & ~first]).sum(1).tolist()
    if both_ways and behind > ahead:
        ahead, behind = behind, ahead
    clear = ahead > behind if count == 1 else wilson(ahead, ahead + behind)[0] > 0.5
    state: State = "on" if clear and ahead - behind > margin * count else "off"
    shares = {name: Share(int(won.sum()), count) for name, won in (weaker, stronger)}
    return Light(SIGNS[slug], state, shares)


def share_of(rows: Tensor) -> Share:
    """Return the share of ``rows`` ``(N,)`` bool that hold."""
    return Share(int(rows.sum()), len(rows))


def frequent(slug: str, name: str, seen: Tensor, most: float = FEW, **more: Figure) -> Light:
    """Return a light that is on where Wilson's interval of the share of images that show the sign, ``(N,)`` bool, is above ``most``.

    A single image turns it on if it shows the sign.
    """
    share = share_of(seen)
    on = share.hits == 1 if share.of == 1 else share.of > 0 and share.interval[0] > most
    return Light(SIGNS[slug], "on" if on else "off", {name: share, **more})


def unlimited(won: Tensor) -> list[Light]:
    """Return the lights of an attack that nothing limits, by the rows ``(N,)`` bool that it fools: on where it misses some."""
    share = share_of(won)
    state: State = "on" if share.interval[1] < ENOUGH else "off"
    return [Light(SIGNS[slug], state, {"fooled without a limit": share}) for slug in NO_LIMIT]


def table_of(lights: tuple[Light, ...]) -> Table:
    """Return the lights as rows of a table; meaning and cure stand where one is on."""
    said = ((each, (each.sign.meaning, each.sign.cure) if each.on else ("", "")) for each in lights)
    rows = tuple((each.sign.title, each.sign.kind, each.state, each.measured, *texts) for each, texts in said)
    return Table(("light", "sign of", "state", "measured", "meaning", "cure"), rows, "Can the number be trusted?")


def _figure(name: str, value: Figure) -> str:
    """Return a figure in words: ``PGD 40.0 % (…), 8 of 20``; of a single image ``PGD: yes``."""
    if isinstance(value, Share):
        return f"{name}: {'yes' if value.hits else 'no'}" if value.of == 1 else f"{name} {value.text()}"
    return f"{name} {short(value)}"


def _plain(value: Figure) -> Any:
    if isinstance(value, Share):
        return {"share": value.value, "hits": value.hits, "of": value.of, "interval_95": list(value.interval)}
    return value
