"""The box of transformations that an attack searches, and the image that a point of it makes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from engine.images.colours import recoloured
from engine.images.distortions import brightness, contrast, gamma
from engine.images.warping import Outside, depth, linear_part, warped

Name = Literal[
    "rotation",
    "x",
    "y",
    "scale",
    "shear",
    "tilt x",
    "tilt y",
    "brightness",
    "contrast",
    "gamma",
    "light x",
    "light y",
    "hue",
    "saturation",
]
"""Parameters of a transformation, in the order in which a point of the box lists them."""
_FIELDS: Mapping[Name, str] = {
    "x": "translation",
    "y": "translation",
    "tilt x": "perspective",
    "tilt y": "perspective",
    "light x": "shading",
    "light y": "shading",
}
"""The attack's field that bounds a parameter, where it has another name."""
FACTORS = ("scale", "contrast", "gamma", "saturation")
"""Parameters that multiply: they are searched by their logarithm, between 1 / f and f."""
_PLACES: tuple[Name, ...] = ("rotation", "x", "y", "scale", "shear", "tilt x", "tilt y")
"""Parameters of the place from which the image is seen."""
_COLOURS = ("hue", "saturation")
"""Parameters that mean nothing on grey images."""
UNITS: Mapping[Name, str] = {"rotation": "°", "x": "of the width", "y": "of the height", "hue": "°"}


def field_of(name: Name) -> str:
    """Return the name of the field that bounds a parameter."""
    return _FIELDS.get(name, name)


@dataclass(frozen=True, eq=False)
class Space:
    """The box ``[-1, 1]^P`` of the parameters that vary; 0 is the identity in each.

    A point u means ``largest * u`` for a parameter that adds, and ``largest ** u`` for one that multiplies.
    """

    names: tuple[Name, ...]
    """The parameters that vary."""
    largest: tuple[float, ...]
    """The end of each one's range."""
    outside: Outside
    """The content of places beyond the image."""

    @classmethod
    def of(cls, ends: Mapping[str, float], channels: int, outside: Outside) -> Space:
        """Return the space of the fields ``ends`` for images of that many channels, without parameters that cannot change anything."""
        names = [name for name in get_args(Name) if ends[field_of(name)] != float(name in FACTORS)]
        varied = tuple(name for name in names if channels == 3 or name not in _COLOURS)
        return cls(varied, tuple(ends[field_of(name)] for name in varied), outside)

    def value(self, place: int, u: Tensor) -> Tensor:
        """Return the values of the parameter at ``place`` for coordinates ``u`` of any shape."""
        return self.largest[place] ** u if self.names[place] in FACTORS else self.largest[place] * u

    def values(self, points: Tensor) -> dict[Name, Tensor]:
        """Return the parameters of points ``(M, P)`` by name, each ``(M,)``."""
        return {name: self.value(place, points[:, place]) for place, name in enumerate(self.names)}

    def transformed(self, images: Tensor, points: Tensor) -> Tensor:
        """Return ``T_phi(images)`` for ``images`` ``(M, C, H, W)`` and ``points`` ``(M, P)``; the point 0 returns the bits of the image.

        The light changes first, then the colours, then the place from which the image is seen.
        """
        return moved(lit(images, self.values(points)), self.values(points), self.outside)


def lit(images: Tensor, phi: Mapping[Name, Tensor]) -> Tensor:
    """Return images in another light: brightness, contrast, gamma, light from one side, hue and saturation, in this order."""
    if "brightness" in phi:
        images = brightness(images, phi["brightness"])
    if "contrast" in phi:
        images = contrast(images, phi["contrast"])
    if "gamma" in phi:
        images = gamma(images, phi["gamma"])
    if "light x" in phi:
        slopes = torch.stack([phi["light x"], phi["light y"]], dim=1)
        images = (images * depth(images, slopes)[:, None]).clamp(0, 1)
    if "hue" in phi or "saturation" in phi:
        one = torch.ones_like(next(iter(phi.values())))
        images = recoloured(images, phi.get("hue", 0 * one) * (math.pi / 180), phi.get("saturation", one))
    return images


def moved(images: Tensor, phi: Mapping[Name, Tensor], outside: Outside) -> Tensor:
    """Return images seen from elsewhere: scaled, sheared and turned about the middle, then shifted, then foreshortened."""
    parts = {name: phi[name] for name in _PLACES if name in phi}
    if not parts:
        return images
    still = torch.stack([value == float(name in FACTORS) for name, value in parts.items()]).all(0)
    none = torch.zeros_like(next(iter(parts.values())))
    x, y, tilt_x, tilt_y = (parts.get(name, none) for name in ("x", "y", "tilt x", "tilt y"))
    aspect = images.shape[2] / images.shape[3]
    angle = parts.get("rotation", none) * (math.pi / 180)
    linear = linear_part(angle, aspect, parts.get("scale", 1.0), parts.get("shear", 0.0))
    offset = -2 * (linear @ torch.stack([x, y], dim=1)[..., None])[..., 0]
    tilt = torch.stack([tilt_x, tilt_y], dim=1) / 2 if "tilt x" in parts else None
    view = warped(images, linear, offset, tilt, outside).clamp(0, 1)  # weights may sum to a little more than 1
    # Interpolation changes the last bits even where nothing moves. The added zero keeps the gradient.
    return torch.where(still[:, None, None, None], images + (view - view.detach()), view)


def grid_of(counts: Sequence[int], like: Tensor) -> Tensor:
    """Return all points ``(G, P)`` of a grid with as many evenly spaced coordinates from -1 to 1; a count of 1 stands for 0 alone."""
    sides = [torch.linspace(-1, 1, count, dtype=like.dtype, device=like.device) if count > 1 else like.new_zeros(1) for count in counts]
    return torch.stack(torch.meshgrid(*sides, indexing="ij"), dim=-1).reshape(-1, len(counts))
