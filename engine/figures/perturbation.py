"""The panels of the perturbation, in one of several views of its channels."""

from __future__ import annotations

from typing import cast

from engine.channels import at_the_end, beyond, channel_names, limit_of, maps_of, view_of
from engine.figures.panels import Array, ColourMapPanel, FigurePanel, SignedMapPanel
from engine.figures.style import number, percent_of
from engine.figures.subject import Subject, array
from engine.figures.words import main_norms
from engine.perturbation_view import View

_WORDS: dict[View, str] = {
    "strongest": "strongest channel",
    "mean": "mean of channels",
    "channels": "",
    "colour": "grey: no change",
}
_MUCH = 0.5
"""Share of values at an end of the scale from which the caption mentions it: the picture then has few colours."""


def perturbation_panels(subject: Subject, view: str, gain: float | None = None, norms: bool = True) -> list[FigurePanel]:
    """Return the panels of the perturbation in one of `engine.perturbation_view.VIEWS`, all on one scale.

    The scale ends at the largest change, or at ``1 / gain``. The caption states what share of the values exceeds it, or lies at its ends.
    Without ``norms`` it does not repeat those that stand in the small print.
    """
    delta = array(subject.observation.perturbation)
    chosen = view_of(len(delta), cast(View, view or "strongest"))
    maps, limit = maps_of(delta, chosen), limit_of(delta, chosen, gain)
    shown = [_WORDS[chosen] if len(delta) > 1 else "", _share(maps, limit)]
    lines = [": ".join(filter(None, shown)), main_norms(subject.observation.norms) if norms else ""]
    caption = "\n".join(filter(None, lines))
    if chosen == "colour":
        return [ColourMapPanel(title="Perturbation", caption=caption, values=delta, limit=limit)]
    extent = (min(float(values.min()) for values in maps), max(float(values.max()) for values in maps))
    titles = [f"Perturbation, {name}" for name in channel_names(len(delta))] if chosen == "channels" else ["Perturbation"]
    return [
        SignedMapPanel(title=title, caption=caption, values=values, low=-limit, high=limit, extent=extent)
        for title, values in zip(titles, maps, strict=True)
    ]


def _share(maps: list[Array], limit: float) -> str:
    """Return the share of values that one cannot tell apart, where there are many: those beyond the scale, or at its ends."""
    if not any(one.any() for one in maps):
        return "nothing changed"
    if (over := beyond(maps, limit)) > 0:
        return f"{percent_of(over)} beyond the scale"
    most = at_the_end(maps, limit)
    return f"{percent_of(most)} at ±{number(limit)}" if most > _MUCH else ""
