"""Ranges of transformations, and draws from them. A draw is a value, which can be shown, kept and applied again.

Athalye, Engstrom, Ilyas, Kwok 2017, arXiv 1707.07397: expectation over transformation (EOT).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.randomness import RowRandom

NUMBERS = 12
"""Uniform numbers that determine one transformation, apart from its noise. All are drawn, so that no range changes the draws of another."""


@dataclass(frozen=True)
class Ranges:
    """Ranges of transformations; the defaults change nothing.

    A draw is uniform in each range; scale and gamma are uniform in their logarithm.
    """

    smallest: float = 1.0
    """Smallest factor on the size."""
    largest: float = 1.0
    """Largest factor on the size."""
    rotation: float = 0.0
    """Largest rotation to either side, in degrees."""
    perspective: float = 0.0
    """Largest foreshortening: the difference between two opposite edges as a share of their length."""
    shift: float = 0.0
    """Largest translation along each axis, as a share of the image's side."""
    brightness: float = 0.0
    """Largest shift of all values to either side, in [0, 1]."""
    contrast: float = 0.0
    """Largest change of the factor on the contrast: 0.3 draws it from 0.7 to 1.3."""
    gamma: float = 1.0
    """Largest exponent on the values: 1.4 draws it from 1/1.4 to 1.4."""
    noise: float = 0.0
    """Largest standard deviation of Gaussian noise, in [0, 1]; each draw has one from 0 to it."""
    blur: float = 0.0
    """Largest standard deviation of a Gaussian blur in pixels; each draw has one from 0 to it."""
    quality: int | None = None
    """Smallest quality of JPEG, from 1 to 100; each draw has one from it to 100. None: no compression."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0
            ):
                raise GibbonError(f"The range of {field.name} is {value!r}. Give a number that is not negative.")
        if not 0 < self.smallest <= self.largest:
            raise GibbonError(
                f"The scale cannot range from {self.smallest} to {self.largest}. Give two numbers above 0, the smaller one first."
            )
        if self.perspective >= 1 or self.contrast > 1:
            raise GibbonError("A perspective must be below 1, and a change of contrast at most 1. Choose a smaller range.")
        if self.gamma < 1 or (self.quality is not None and not 1 <= self.quality <= 100):
            raise GibbonError("The largest exponent of gamma is 1 or more, and a quality of JPEG is from 1 to 100. Choose another range.")

    @property
    def moves(self) -> bool:
        """Whether a draw can move pixels: by scale, rotation, perspective or shift."""
        return self.smallest != 1 or self.largest != 1 or any((self.rotation, self.perspective, self.shift))

    @property
    def relights(self) -> bool:
        """Whether values change where they are: light, noise, blur or compression."""
        return any((self.brightness, self.contrast, self.gamma != 1, self.noise, self.blur)) or self.quality is not None

    @property
    def is_identity(self) -> bool:
        """Whether every draw leaves an image as it is."""
        return not self.moves and not self.relights

    def transforms(self, uniform: Tensor, normal: Tensor | None = None) -> Transforms:
        """Return the transformations that uniform numbers ``(R, NUMBERS)`` in [0, 1) determine.

        ``normal`` are standard normal numbers ``(R, C, H, W)`` for the noise, where there is one.
        """
        u = uniform.unbind(1)
        either = [2 * number - 1 for number in u]
        low, high = math.log(self.smallest), math.log(self.largest)
        return Transforms(
            ranges=self,
            scale=torch.exp(low + (high - low) * u[0]),
            angle=math.radians(self.rotation) * either[1],
            tilt=0.5 * self.perspective * torch.stack([either[2], either[3]], 1),
            shift=self.shift * torch.stack([either[4], either[5]], 1),
            brightness=self.brightness * either[6],
            contrast=1 + self.contrast * either[7],
            gamma=torch.exp(math.log(self.gamma) * either[8]),
            sigma=self.noise * u[9],
            blur=self.blur * u[10],
            quality=(100 if self.quality is None else self.quality) + ((101 - (self.quality or 100)) * u[11]).floor(),
            normal=normal,
        )


@dataclass(frozen=True, eq=False)
class Transforms:
    """Drawn transformations, one for each of R rows."""

    ranges: Ranges
    """The ranges that they were drawn from; what these leave alone is not applied."""
    scale: Tensor
    """Factors on the size, ``(R,)``."""
    angle: Tensor
    """Rotations in radians, ``(R,)``."""
    tilt: Tensor
    """Foreshortenings along x and y, ``(R, 2)``."""
    shift: Tensor
    """Translations along x and y as shares of the image's sides, ``(R, 2)``."""
    brightness: Tensor
    contrast: Tensor
    gamma: Tensor
    sigma: Tensor
    """Standard deviations of the noise, ``(R,)``."""
    blur: Tensor
    """Standard deviations of the blur in pixels, ``(R,)``."""
    quality: Tensor
    """Qualities of JPEG, ``(R,)``."""
    normal: Tensor | None = None
    """Standard normal numbers ``(R, C, H, W)`` of the noise; None: there is none."""

    def __len__(self) -> int:
        return len(self.scale)

    def rows(self, part: slice) -> Transforms:
        """Return the transformations of some rows."""
        tensors = {name: value[part] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **tensors)  # type: ignore[arg-type]  # the names are those of tensors


def draw(ranges: Ranges, random: RowRandom, count: int, shape: tuple[int, ...]) -> Transforms:
    """Draw ``count`` transformations for each row of a batch of images of ``shape`` (C, H, W).

    The rows come in blocks, as of `Problem.repeat`: row ``block * N + n`` belongs to image n. Every image draws from its own generator, so
    a batch equals its single images.
    """
    uniform = random.uniform((count, NUMBERS)).transpose(0, 1).flatten(0, 1)
    normal = random.normal((count, *shape)).transpose(0, 1).flatten(0, 1) if ranges.noise else None
    return ranges.transforms(uniform, normal)
