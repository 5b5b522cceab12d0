"""The distortions that an adversarial image meets in real life, each at growing strengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from torch import Tensor

from engine.errors import GibbonError
from engine.images import camera, distortions
from engine.text.formatting import short
from engine.text.nearest import did_you_mean
from engine.text.parsing import parse_number

Draw = Callable[[], Tensor]
"""Draws standard normal numbers of the images' shape, the same at every call."""
Apply = Callable[[Tensor, float, Draw], Tensor]
"""From images ``(N, C, H, W)``, a strength and a draw to distorted images."""


@dataclass(frozen=True)
class Distortion:
    """One kind of distortion with the strengths at which it is tried."""

    slug: str
    title: str
    strengths: tuple[float, ...]
    """From the weakest on."""
    form: str
    """The text of a strength, with a place for the number, such as “{} px”."""
    low: float
    high: float
    """Ends of the range of strengths that make sense."""
    nothing: float | None
    """The strength that returns the same bits; None: there is none."""
    apply: Apply
    whole: bool = False
    """Whether its strengths are whole numbers."""

    def __call__(self, images: Tensor, strength: float, normal: Draw) -> Tensor:
        """Distort images. Noise alone calls ``normal``, which gives a clean image and its adversarial one the same numbers."""
        return self.apply(images, strength, normal)

    def shown(self, strength: float) -> str:
        """Format a strength as it is said of this kind."""
        return self.form.format(short(strength))


def _plain(change: Callable[[Tensor, float], Tensor]) -> Apply:
    return lambda images, strength, normal: change(images, strength)


def _darker(images: Tensor, shift: float) -> Tensor:
    return distortions.brightness(images, -shift)


def _noisy(images: Tensor, sigma: float, normal: Draw) -> Tensor:
    return distortions.noise(images, sigma, normal()) if sigma else images


def _levels(images: Tensor, bits: float) -> Tensor:
    steps = float(2 ** round(bits) - 1)
    return (images * steps).round() / steps


def _jpeg(images: Tensor, quality: float) -> Tensor:
    return distortions.jpeg(images, round(quality))


_SHIFTS = (0.05, 0.1, 0.2, 0.3, 0.4)
_LIGHTER = (0.85, 0.7, 0.55, 0.4, 0.3)
KINDS: Mapping[str, Distortion] = MappingProxyType(
    {
        kind.slug: kind
        for kind in (
            Distortion("brighter", "Brighter", _SHIFTS, "+{}", 0, 1, 0, _plain(distortions.brightness)),
            Distortion("darker", "Darker", _SHIFTS, "−{}", 0, 1, 0, _plain(_darker)),
            Distortion("less-contrast", "Less contrast", (0.8, 0.6, 0.45, 0.3, 0.2), "× {}", 0, 1, 1, _plain(distortions.contrast)),
            Distortion("more-contrast", "More contrast", (1.2, 1.5, 2, 3, 4), "× {}", 1, 20, 1, _plain(distortions.contrast)),
            Distortion("gamma-lighter", "Gamma, lighter", _LIGHTER, "power {}", 0.05, 1, 1, _plain(distortions.gamma)),
            Distortion("gamma-darker", "Gamma, darker", (1.2, 1.4, 1.8, 2.4, 3.2), "power {}", 1, 20, 1, _plain(distortions.gamma)),
            Distortion("blur", "Blur", (0.4, 0.6, 0.8, 1.2, 2), "{} px", 0, 20, 0, _plain(distortions.blur)),
            Distortion("noise", "Added noise", (0.02, 0.05, 0.1, 0.15, 0.2), "σ {}", 0, 1, 0, _noisy),
            Distortion("jpeg", "JPEG", (90, 75, 50, 30, 10), "quality {}", 1, 100, None, _plain(_jpeg), whole=True),
            Distortion("distance", "Distance", (0.8, 0.65, 0.5, 0.35, 0.25), "size × {}", 0.02, 1, 1, _plain(camera.rescaled)),
            Distortion("bits", "Levels", (8, 6, 5, 4, 3), "{} bits", 1, 8, None, _plain(_levels), whole=True),
            Distortion("camera", "Print and camera", (0.2, 0.4, 0.6, 0.8, 1), "strength {}", 0, 1, 0, _plain(camera.photographed)),
        )
    }
)
"""Every kind by its slug, in the order in which they are shown."""


def kind_called(slug: str) -> Distortion:
    """Return the kind of that slug.

    Raises
    ------
    GibbonError
        There is none.
    """
    if slug not in KINDS:
        there = f"There are: {', '.join(KINDS)}."
        raise GibbonError(f"There is no distortion “{slug}”. {did_you_mean(slug, KINDS, there)}")
    return KINDS[slug]


def read(text: str) -> tuple[Distortion, ...]:
    """Parse ``all``, or kinds with a comma between, each perhaps with strengths of its own: ``blur, jpeg=90 50 10``.

    Raises
    ------
    GibbonError
        A kind is unknown or named twice, or a strength is no number or outside of the kind's range.
    """
    if text.strip().lower() == "all":
        return tuple(KINDS.values())
    found: dict[str, Distortion] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        slug, _, own = part.partition("=")
        kind = kind_called(slug.strip())
        if kind.slug in found:
            raise GibbonError(f"“{kind.slug}” is named twice. Name it once, with all of its strengths: {kind.slug}=1 2 3.")
        found[kind.slug] = _at(kind, own)
    if not found:
        raise GibbonError(f"No distortion is named. Say “all”, or some of: {', '.join(KINDS)}.")
    return tuple(found.values())


def _at(kind: Distortion, text: str) -> Distortion:
    """Return the kind at the strengths that a text lists, or at its own where the text is empty."""
    if not text.strip():
        return kind
    strengths = tuple(float(parse_number(word)) for word in text.split())
    for strength in strengths:
        check_strength(kind, strength)
    return replace(kind, strengths=strengths)


def check_strength(kind: Distortion, strength: float) -> None:
    """Refuse a strength outside of a kind's range, which the sentence names."""
    if not kind.low <= strength <= kind.high:
        raise GibbonError(f"{kind.title} at {short(strength)} makes no sense. Choose between {short(kind.low)} and {short(kind.high)}.")
