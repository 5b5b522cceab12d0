"""The trust lights of a run as a part of a study, and back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.errors import GibbonError
from engine.evaluate.trust import SIGNS, Light
from engine.intervals import Share
from engine.record.packing import Part

_Count = Annotated[int, Field(ge=0, le=2**53)]


class ShareEntry(Part):
    """A share of images, as the two numbers that were counted for it."""

    hits: _Count
    of: _Count


class LightEntry(Part):
    """A light: the sign, whether it was seen, and the figures that say so."""

    light: str
    """The slug of its sign, see `engine.evaluate.trust.SIGNS`."""
    state: Literal["on", "off", "not measured"]
    figures: dict[str, ShareEntry | float] = Field(default_factory=dict)
    why: str = ""
    """Reason why it was not measured."""


def entry_of(light: Light) -> LightEntry:
    """Make the entry of a light."""
    figures = {
        name: ShareEntry(hits=figure.hits, of=figure.of) if isinstance(figure, Share) else figure for name, figure in light.figures.items()
    }
    return LightEntry(light=light.sign.slug, state=light.state, figures=figures, why=light.why)


def light_of(entry: LightEntry) -> Light:
    """Make the light of an entry.

    Raises
    ------
    GibbonError
        There is no such sign, or a share counts more than there is.
    """
    if entry.light not in SIGNS:
        raise GibbonError(f"it has the trust light “{entry.light}”, which is none of the signs")
    shares = [figure for figure in entry.figures.values() if isinstance(figure, ShareEntry)]
    if any(share.hits > share.of for share in shares):
        raise GibbonError(f"its trust light “{entry.light}” counts more images than there are")
    figures = {name: Share(figure.hits, figure.of) if isinstance(figure, ShareEntry) else figure for name, figure in entry.figures.items()}
    return Light(SIGNS[entry.light], entry.state, figures, entry.why)
