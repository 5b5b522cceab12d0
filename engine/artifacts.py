"""What else an operation gives, named in ``result.artifacts``: maps, curves, pictures, tables, models, perturbations and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Map:
    """One value per pixel."""

    values: Tensor
    """``(N, H, W)``."""
    title: str
    signed: bool = False
    """Shown on a diverging scale around zero."""


Unit = Literal["", "step", "share", "eps", "queries"]
"""What numbers are: counted steps, shares in [0, 1] that people read as percent, a radius in pixel units, counted queries, or other."""


@dataclass(frozen=True)
class Axis:
    """What stands along an axis, and what its numbers are."""

    label: str = ""
    unit: Unit = ""


STEPS = Axis("step", "step")


@dataclass(frozen=True, eq=False)
class Curve:
    """y against x, one line per name."""

    x: Tensor
    """``(T,)``."""
    lines: Mapping[str, Tensor]
    """Name to ``(T,)``."""
    title: str
    x_axis: Axis = STEPS
    y_axis: Axis = Axis()


@dataclass(frozen=True, eq=False)
class Picture:
    """An image in [0, 1]."""

    image: Tensor
    """``(C, H, W)``."""
    title: str


@dataclass(frozen=True, eq=False)
class Table:
    """Rows under named columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str
    units: Mapping[str, Unit] = field(default_factory=dict, kw_only=True)
    """Columns whose numbers are shares, radii or counts."""


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with what is known about it."""

    module: nn.Module
    card: Mapping[str, Any] = field(default_factory=dict)
    history: Curve | None = None


@dataclass(frozen=True, eq=False)
class StickerContent:
    """The optimised pixels inside a mask."""

    pixels: Tensor
    """``(N, C, H, W)`` in [0, 1]; meaningful where the mask is above 0."""
    mask: Tensor
    """``(N or 1, 1, H, W)``."""


@dataclass(frozen=True, eq=False)
class Perturbation:
    """What is added to images: a universal perturbation, or the direction of a step."""

    values: Tensor
    """``(N or 1, C, H, W)``; 1: the same for every image."""
    title: str
    universal: bool = field(default=False, kw_only=True)
    """Whether it is made to be added to any image."""


Value = TypeVar("Value")
Artifact = Map | Curve | Picture | Table | Model | StickerContent | Perturbation


class Lazy(Mapping[str, Value]):
    """Values by name, made when first asked for: some take time that not everybody wants to spend."""

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
        """The names only; of what has not been made yet not even these, since looking must not cost."""
        return f"{type(self).__name__}({'not made yet' if self._make is not None else ', '.join(self._made)})"
