"""Picture: one of the images that the canvas shows, with its name, colour and caption. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from gui import theme

if TYPE_CHECKING:
    import numpy as np

ViewName = Literal["side", "wipe", "blink", "difference"]


VIEWS: tuple[ViewName, ...] = get_args(ViewName)
"""The ways to show two pictures: beside each other, or in one place by a divider, in turn, or as their difference."""


class Caption(NamedTuple):
    """A prediction: the class's name, and its probability as text."""

    label: str = ""
    share: str = ""

    @property
    def text(self) -> str:
        """Both in one line."""
        return " · ".join(filter(None, self))


NO_CAPTION = Caption()


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of the canvas, with what stands above it."""

    name: str
    colour: str
    pixels: np.ndarray | None = None
    """``(H, W, 3)`` uint8; None while there is no image."""
    caption: Caption = NO_CAPTION
    run: int | None = None
    """The number of the finished run that made it; None for a picture of the pair."""
    clean: np.ndarray | None = None
    """The clean image that belongs to it, which is shown while B is held; None if there is none."""
    shorter: tuple[str, ...] = ()
    """Shorter forms of the name for a narrow place, the longest first."""
    letter: str = ""
    """The letter of a compared run; empty for a picture of the pair."""
    size: str = ""
    """The norm of a compared run's perturbation, such as ``L∞ 8/255``; empty for a picture of the pair."""


def pair(
    clean: np.ndarray | None, adversarial: np.ndarray | None, captions: tuple[Caption, Caption] = (NO_CAPTION, NO_CAPTION)
) -> tuple[Picture, Picture]:
    """Return the clean and the adversarial image as pictures."""
    return (
        Picture("Clean", theme.CLEAN, clean, captions[0], clean=clean),
        Picture("Adversarial", theme.ADVERSARIAL, adversarial, captions[1], clean=clean),
    )
