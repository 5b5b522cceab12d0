"""Further results of an operation, named in ``result.artifacts``: maps, curves, pictures, tables, models, perturbations and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from engine.stickers import Sticker


@dataclass(frozen=True)
class Span:
    """A quantity along a side of a map."""

    label: str
    values: tuple[float, ...]
    """Its value in every column or row; those of a factor are spaced by a ratio."""


@dataclass(frozen=True, eq=False)
class Map:
    """A map with one value per pixel, or with one per combination of two quantities."""

    values: Tensor
    """The values, ``(N, H, W)``."""
    title: str
    signed: bool = False
    """Whether it is shown on a diverging scale around zero."""
    across: Span | None = None
    """The quantity along the columns; None: they are those of the image."""
    down: Span | None = None
    """The quantity along the rows, likewise."""


Unit = Literal["", "step", "share", "eps", "queries"]
"""Unit of a number: a count of steps, a share in [0, 1] shown as percent, a radius in pixel units, a count of queries, or none."""


@dataclass(frozen=True)
class Axis:
    """An axis of a plot: its label and the unit of its numbers."""

    label: str = ""
    unit: Unit = ""


STEPS = Axis("step", "step")


@dataclass(frozen=True, eq=False)
class Curve:
    """Curves y over a common x, one line per name."""

    x: Tensor
    """The common abscissae, ``(T,)``."""
    lines: Mapping[str, Tensor]
    """The lines by name, each ``(T,)``."""
    title: str
    x_axis: Axis = STEPS
    y_axis: Axis = Axis()


@dataclass(frozen=True, eq=False)
class Picture:
    """A single picture with values in [0, 1]."""

    image: Tensor
    """The picture's pixels, ``(C, H, W)``."""
    title: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table: rows under named columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str
    units: Mapping[str, Unit] = field(default_factory=dict, kw_only=True)
    """Units of the columns whose numbers are shares, radii or counts."""


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with a card of facts about it."""

    module: nn.Module
    card: Mapping[str, Any] = field(default_factory=dict)
    history: Curve | None = None


@dataclass(frozen=True, eq=False)
class StickerContent:
    """The optimised pixels inside a mask."""

    pixels: Tensor
    """The pixels, ``(N, C, H, W)`` in [0, 1]; meaningful where the mask is above 0."""
    mask: Tensor
    """The mask, ``(N or 1, 1, H, W)``."""

    @classmethod
    def under(cls, mask: Tensor, images: Tensor, adversarial: Tensor) -> Self:
        """Solve ``adversarial = (1 - mask) * images + mask * pixels`` for the pixels where the mask is above 0; elsewhere they are 0.5."""
        pixels = (adversarial - (1 - mask) * images) / mask.clamp_min(1e-6)
        return cls(torch.where(mask > 0, pixels, 0.5).clamp(0, 1), mask)


@dataclass(frozen=True, eq=False)
class Perturbation:
    """A perturbation that is added to images: a universal one, or the direction of a step."""

    values: Tensor
    """The perturbation, ``(N or 1, C, H, W)``; 1: the same for every image."""
    title: str
    universal: bool = field(default=False, kw_only=True)
    """Whether it is meant to be added to any image."""


@dataclass(frozen=True, eq=False)
class PlacedStickers:
    """Stickers that an attack has placed: painted over the clean image, they give the adversarial one bit by bit.

    Of a shadow this holds within the attack's mask, which cuts it.
    """

    stickers: tuple[tuple[Sticker, ...], ...]
    """The stickers of each image, in z-order."""
    title: str


Value = TypeVar("Value")
Artifact = Map | Curve | Picture | Table | Model | StickerContent | Perturbation | PlacedStickers


class Lazy(Mapping[str, Value]):
    """Mapping from name to value, each made at its first reading: some take time that not every caller wants to spend."""

    def __init__(self, make: Callable[[], Mapping[str, Value]]) -> None:
        self._make: Callable[[], Mapping[str, Value]] | None = make
        self._made: Mapping[str, Value] = {}

    def _all(self) -> Mapping[str, Value]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    def __getitem__(self, name: str) -> Value:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        """Show the names alone, and none of a lazy mapping that is not filled yet, since looking must cost nothing."""
        return f"{type(self).__name__}({'not made yet' if self._make is not None else ', '.join(self._made)})"
