"""The base of all searches among transformations: the ranges, the landscape, and the artifacts."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.artifacts import Artifact, Table
from engine.attacks.toolkit.losses import LossName
from engine.attacks.toolkit.worst import Tried, Worst
from engine.attacks.transformation.landscape import Sides
from engine.attacks.transformation.space import UNITS, Name, Space
from engine.batching import rows_per_pass
from engine.errors import GibbonError, WrongField
from engine.images.warping import Outside
from engine.operation import Attack, AttackStep, JoinsChunks, Problem, Step
from engine.parameters import Preset, budget, method, result

_FIXED = "does not vary"
_RANGES: Mapping[str, float] = {
    "rotation": 0.0,
    "translation": 0.0,
    "scale": 1.0,
    "shear": 0.0,
    "perspective": 0.0,
    "brightness": 0.0,
    "contrast": 1.0,
    "gamma": 1.0,
    "shading": 0.0,
    "hue": 0.0,
    "saturation": 1.0,
}
"""The fields that bound a parameter, with the value at which it does not vary."""
ENGSTROM: Mapping[str, float | str | None] = {"rotation": 30.0, "translation": 3 / 32, "outside": "black"}
"""The ranges of Engstrom et al. on CIFAR-10: 30 degrees, and 3 of 32 pixels."""
ZENG: Mapping[str, float | str | None] = {
    "rotation": None,
    "translation": None,
    "brightness": 0.2,
    "contrast": 1.4,
    "gamma": 1.6,
    "shading": 0.4,
    "hue": 18.0,
    "saturation": 1.5,
}
"""Light and colour alone. Zeng et al. move the lamps, normals and materials of a rendered scene; this is what a photograph allows of it."""
CAMERA: Mapping[str, float | str | None] = {
    "rotation": 15.0,
    "translation": 0.05,
    "scale": 1.2,
    "shear": 0.1,
    "perspective": 0.3,
    "brightness": 0.1,
    "contrast": 1.2,
    "gamma": 1.3,
}
"""Another stand and another light, as between two photographs of one thing."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TransformationStep(AttackStep):
    """The worst transformation of every image so far."""

    points: Tensor
    """The worst points of the box, ``(N, P)``; 0 is the identity."""
    margins: Tensor
    """Margins at the points of the landscape, ``(N, L)``: NaN where nothing was tried yet; L is 0 where there is no landscape."""

    @property
    def whole(self) -> bool:
        """Whether every point of the landscape was tried."""
        return not bool(self.margins.isnan().any())

    @classmethod
    def of(cls, index: int, total: int, worst: Worst, margins: Tensor) -> TransformationStep:
        """Return the step that shows the worst so far."""
        return cls(index, total, worst.images, worst.loss, worst.logits, points=worst.points, margins=margins)


class OfTransformations(Attack, JoinsChunks, ABC):
    """A search among the transformations of an image within ranges, whose one criterion of the worst is the same for all of them."""

    family: ClassVar[str] = "Transformations"
    masked: ClassVar[bool] = False

    rotation: float | None = budget(30.0, none=_FIXED, ge=0, le=180, unit="degrees")
    """Largest rotation about the middle, to either side."""
    translation: float | None = budget(0.1, none=_FIXED, ge=0, le=1, unit="of the side")
    """Largest translation along each axis."""
    scale: float | None = budget(None, none=_FIXED, ge=1, le=8, unit="times the size")
    """Largest factor on the size: 1.25 allows 1/1.25 to 1.25."""
    shear: float | None = budget(None, none=_FIXED, ge=0, le=2, unit="pixels for each row")
    """Largest shear: by how many pixels a row moves against the one above it."""
    perspective: float | None = budget(None, none=_FIXED, ge=0, le=0.9, unit="of the length of an edge")
    """Largest foreshortening along each axis: the difference in length of two opposite edges."""
    brightness: float | None = budget(None, none=_FIXED, ge=0, le=1, unit="of [0, 1]")
    """Largest shift of all values, darker or lighter."""
    contrast: float | None = budget(None, none=_FIXED, ge=1, le=10, unit="times the distance to the mean")
    """Largest factor on the contrast: 1.4 allows 1/1.4 to 1.4."""
    gamma: float | None = budget(None, none=_FIXED, ge=1, le=10, unit="as an exponent", title="gamma correction")
    """Largest exponent on the values: 1.6 allows 1/1.6 (lighter) to 1.6 (darker)."""
    shading: float | None = budget(None, none=_FIXED, ge=0, le=1, unit="of the light in the middle")
    """Largest difference of the light at an edge from that in the middle, along each axis: a light from one side."""
    hue: float | None = budget(None, none=_FIXED, ge=0, le=180, unit="degrees")
    """Largest turn of all colours, to either side; it means nothing on grey images."""
    saturation: float | None = budget(None, none=_FIXED, ge=1, le=10, unit="times the chroma")
    """Largest factor on the colourfulness: 1.5 allows 1/1.5 to 1.5; it means nothing on grey images."""
    outside: Outside = method("reflect", choices={"reflect": "mirrored at the edge"})
    """The content of places beyond the image: black, as in the paper, or the image mirrored at its edge. Black corners are a cue, too."""
    loss: Literal["ce", "margin"] = method("ce")
    """Loss by which transformations of the same outcome are compared. ce: cross-entropy. margin: best other logit minus the label's."""
    landscape: int = result(0, ge=0, le=512, title="landscape's points")
    """Points along each side of a landscape, which shows the margin over two parameters through the worst transformation; its square is the
    number of further forward rows for each image. 0: none, or that of the grid, which needs no further rows.
    """
    across: Name | None = result(None, none="the first that varies", title="landscape's columns")
    """The parameter along the columns of the landscape."""
    down: Name | None = result(None, none="the next that varies", title="landscape's rows")
    """The parameter along the rows of the landscape."""

    @model_validator(mode="after")
    def _something_varies(self) -> Self:
        if not self._space(3).names:
            raise WrongField("rotation", "Nothing varies: all ranges allow the unchanged image alone. Allow a rotation, or another range.")
        if self.across is not None and self.across == self.down:
            raise WrongField("down", f"The landscape has “{self.down}” along both sides. Choose two parameters.")
        return self

    def _space(self, channels: int) -> Space:
        given = {name: getattr(self, name) for name in _RANGES}
        return Space.of({name: _RANGES[name] if value is None else value for name, value in given.items()}, channels, self.outside)

    def space(self, problem: Problem) -> Space:
        """Return the space that is searched for the problem's images.

        Raises
        ------
        GibbonError
            Only the colours vary, and the images are grey.
        """
        space = self._space(problem.images.shape[1])
        if not space.names:
            raise GibbonError("Only hue and saturation vary, and the image is grey. Allow a rotation, or another range.")
        return space

    def joined(self, lasts: Sequence[AttackStep]) -> TransformationStep:
        """Join the worst transformations of all chunks."""
        steps = [step for step in lasts if isinstance(step, TransformationStep)]
        images, loss = torch.cat([step.adversarial for step in steps]), torch.cat([step.loss for step in steps])
        points, margins = torch.cat([step.points for step in steps]), torch.cat([step.margins for step in steps])
        return replace(steps[-1], adversarial=images, loss=loss, logits=None, first_row=0, points=points, margins=margins)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the worst transformations as a table and, where it was asked for, the landscape."""
        assert isinstance(last, TransformationStep)
        space = self.space(problem)
        found: dict[str, Artifact] = {"phi": _table(space, last.points)}
        if self.landscape:
            values = last.margins.view(len(last.margins), -1, self.landscape)
            found["landscape"] = self._sides(space).map_of(space, values, "the others as at the worst", whole=last.whole)
        return found

    def _sides(self, space: Space) -> Sides:
        return Sides.of(space, self.across, self.down)

    def _listed(self, space: Space) -> int:
        """Return the number of points of the landscape through the worst transformation."""
        return self.landscape * (self.landscape if self._sides(space).down is not None else 1)

    def _slice_steps(self, problem: Problem, space: Space) -> int:
        return ceil(self._listed(space) / rows_per_pass(problem.images))

    @torch.no_grad()
    def _slice(self, problem: Problem, space: Space, worst: Worst, index: int, total: int) -> Iterator[TransformationStep]:
        """Yield the steps that fill the landscape through the worst transformations, from number ``index`` on."""
        if not self.landscape:
            return
        points = self._sides(space).slice_through(worst.points, self.landscape)
        margins = points.new_full(points.shape[:2], torch.nan)
        for places in torch.split(torch.arange(points.shape[1], device=points.device), rows_per_pass(problem.images)):
            found = evaluated(problem, space, points[:, places], self.loss)
            margins = margins.index_copy(1, places, found.margins(problem))
            yield TransformationStep.of(index, total, worst, margins)
            index += 1


def evaluated(problem: Problem, space: Space, points: Tensor, loss: LossName) -> Tried:
    """Evaluate the points ``(N, m, P)``, some of each image, by one forward pass."""
    flat = points.flatten(0, 1)
    made = space.transformed(problem.images.repeat_interleave(points.shape[1], 0), flat)
    return Tried.of(problem, made, flat, problem.classifier(made), loss)


def _table(space: Space, points: Tensor) -> Table:
    values = [value.tolist() for value in space.values(points.cpu().double()).values()]
    names = [f"{name} ({UNITS[name]})" if name in UNITS else name for name in space.names]
    rows = [(image, *row) for image, row in enumerate(zip(*values, strict=True))]
    first = 1 if len(points) == 1 else 0  # a single image needs no column for its number
    return Table(("image", *names)[first:], tuple(row[first:] for row in rows), "The worst transformation")


def presets(**fields: float | str | None) -> tuple[Preset, ...]:
    """Return the published ranges as presets, each with further ``fields`` of the attack."""
    return (
        Preset("Engstrom et al. 2017: 30 degrees and 3 pixels of CIFAR-10", {**ENGSTROM, **fields}),
        Preset("Light and colour, after Zeng et al. 2017", {**ZENG, **fields}),
        Preset("Another stand and light of the camera", {**CAMERA, **fields}),
    )
