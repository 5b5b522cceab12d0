"""AnimationPlan: every choice that makes an animation of an attack, as one frozen value, and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import GibbonError
from engine.figures.fonts import Font
from engine.perturbation_view import View

Format = Literal["gif", "apng", "webp", "mp4"]
SUFFIXES: dict[str, Format] = {".gif": "gif", ".apng": "apng", ".png": "apng", ".webp": "webp", ".mp4": "mp4"}
"""Formats by the suffix of the file."""
PANELS = ("clean", "adversarial", "perturbation", "bars", "loss")
"""The panels that an animation can show, in the order of a figure."""
MOST_FRAMES = 3000
MOST_BYTES = 256 * 10**6


class AnimationPlan(BaseModel):
    """The panels of an animation, its size and its times."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    panels: tuple[str, ...] = ("clean", "adversarial", "perturbation", "bars", "loss")
    """Names among `PANELS`."""
    view: View = "strongest"
    """View of the perturbation of a colour image."""
    gain: float | None = Field(None, ge=0.1, le=10_000)
    """Factor by which the perturbation is amplified; None: the scale ends at the largest change of all frames."""
    top: int = Field(3, ge=1)
    """Number of classes in the bars."""
    width_px: int = Field(960, ge=320, le=1920)
    """Width of the picture in pixels."""
    fps: float = Field(10.0, ge=1, le=50)
    """Frames per second."""
    every: int = Field(1, ge=1)
    """Distance between shown iterates, in kept steps. The first, the flip and the last are always shown."""
    hold_flip: float = Field(1.0, ge=0, le=10)
    """Seconds for which the flip is held."""
    hold_end: float = Field(2.0, ge=0, le=10)
    """Seconds for which the last frame is held."""
    loop: bool = True
    """Whether it begins again at the end; MP4 leaves that to the player."""
    dark: bool = False
    note: bool = True
    """Whether model, attack and norms stand in small print at the bottom."""
    font: Font = "sans"
    anonymous: bool = False
    """Whether names of files and their paths are left out."""

    def check(self) -> None:
        """Refuse panels that there are not, or none.

        Raises
        ------
        GibbonError
            A panel of that name does not exist for animations, or no panel is named.
        """
        if not self.panels:
            raise GibbonError(f"An animation needs at least one panel. Choose among {', '.join(PANELS)}.")
        for name in self.panels:
            if name not in PANELS:
                raise GibbonError(f"There is no moving panel “{name}”. Choose among {', '.join(PANELS)}.")


def format_of(path: Path) -> Format:
    """Return the format of a file by its suffix.

    Raises
    ------
    GibbonError
        The suffix is none of an animation.
    """
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise GibbonError(f"“{path.name}” does not end in .gif, .apng, .webp or .mp4. Choose one of these.")
    return found


def check_frames(frames: int, plan: AnimationPlan) -> None:
    """Refuse more frames than anybody watches.

    Raises
    ------
    GibbonError
        There are too many frames.
    """
    if frames > MOST_FRAMES:
        every = plan.every * -(-frames // MOST_FRAMES)
        raise GibbonError(
            f"An animation of {frames:,} frames is too long: the limit is {MOST_FRAMES:,}, {MOST_FRAMES / plan.fps / 60:.0f} minutes. "
            f"Show every {every}th step, or fewer."
        )


def check_bytes(estimate: float, kind: Format) -> None:
    """Refuse a file that would be too large, before the work starts.

    Raises
    ------
    GibbonError
        The file would be too large.
    """
    if estimate > MOST_BYTES:
        other = "" if kind == "mp4" else " or WebP" if kind != "webp" else " or MP4"
        raise GibbonError(
            f"The file would have about {estimate / 1e6:,.0f} MB; the limit is {MOST_BYTES / 1e6:,.0f} MB. Choose a smaller width, fewer "
            f"steps{other}."
        )
