"""Parameters of attacks that hold under transformations (EOT): their ranges, and a preview of what the attack will see."""

from __future__ import annotations

from abc import ABC
from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.errors import GibbonError, WrongField
from engine.operation import Attack, Problem
from engine.parameters import method
from engine.stickers.transforms import Ranges
from engine.text.parsing import Number

CAMERA = {"gamma": 1.3, "noise": 0.03, "blur": 0.7, "quality": 50}
"""Ranges of a camera and its file, which the defaults leave out."""
IDENTITY = {"smallest": 1.0, "largest": 1.0, "rotation": 0.0, "perspective": 0.0, "shift": 0.0, "brightness": 0.0, "contrast": 0.0}
"""Values that take the default ranges back: nothing is transformed."""


class Transformed(Attack, ABC):
    """Mixin for attacks that are optimised over draws from ranges of transformations.

    The defaults cover a hand-held camera: distance, angle and light. `CAMERA` adds what its lens, sensor and file do.
    """

    smallest: Number = method(0.8, title="smallest scale", gt=0, le=10, unit="times the size")
    """Smallest factor on the size."""
    largest: Number = method(1.2, title="largest scale", gt=0, le=10, unit="times the size")
    """Largest factor on the size."""
    rotation: Number = method(20.0, ge=0, le=180, unit="degrees")
    """Largest rotation to either side."""
    perspective: Number = method(0.2, ge=0, lt=1, unit="of an edge")
    """Largest foreshortening: the difference between two opposite edges as a share of their length."""
    shift: Number = method(0.05, ge=0, le=1, unit="of the side")
    """Largest translation along each axis, as a share of the image's side."""
    brightness: Number = method(0.1, ge=0, le=1, unit="of [0, 1]")
    """Largest shift of all values to either side."""
    contrast: Number = method(0.2, ge=0, le=1)
    """Largest change of the factor on the contrast: 0.2 draws it from 0.8 to 1.2."""
    gamma: Number = method(1.0, title="gamma correction", ge=1, le=5)
    """Largest exponent on the values: 1.4 draws it from 1/1.4 to 1.4. 1: none."""
    noise: Number = method(0.0, ge=0, le=1, unit="of [0, 1]")
    """Largest standard deviation of Gaussian noise; each draw has one from 0 to it."""
    blur: Number = method(0.0, ge=0, le=50, unit="pixels")
    """Largest standard deviation of a Gaussian blur; each draw has one from 0 to it."""
    quality: int | None = method(None, title="JPEG quality", ge=1, le=100, none="no JPEG")
    """Smallest quality of JPEG; each draw has one from it to 100. Its gradient is that of a smooth stand-in. None: no compression."""

    @model_validator(mode="after")
    def _check_scale(self) -> Self:
        if self.smallest > self.largest:
            raise WrongField("smallest", f"{self.smallest:g} is larger than the largest scale, {self.largest:g}. Swap them.")
        return self

    @property
    def ranges(self) -> Ranges:
        """The ranges of all transformations as one value, for drawing."""
        return Ranges(**{name: getattr(self, name) for name in Ranges.__dataclass_fields__})

    def check_channels(self, problem: Problem) -> None:
        """Refuse images that JPEG cannot hold, where it is among the transformations.

        Raises
        ------
        GibbonError
            The images are neither grey nor RGB.
        """
        channels = problem.images.shape[1]
        if self.quality is not None and channels not in (1, 3):
            raise GibbonError(f"JPEG holds grey and RGB images, but these have {channels} channels. Leave JPEG out of the transformations.")


def inside_of(problem: Problem) -> Tensor:
    """Return the pixels that the mask lets change, ``(N or 1, 1, H, W)`` bool; all without a mask."""
    return torch.ones_like(problem.images[:1, :1], dtype=torch.bool) if problem.mask is None else problem.mask > 0
