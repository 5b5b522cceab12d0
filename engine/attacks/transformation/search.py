"""The worst transformation by trying many: those of a grid, or some that are drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact
from engine.attacks.toolkit.scattering import scattered
from engine.attacks.toolkit.worst import Worst
from engine.attacks.transformation.base import OfTransformations, TransformationStep, evaluated, presets
from engine.attacks.transformation.space import Space, grid_of
from engine.batching import images_per_step, rows_per_pass
from engine.errors import GibbonError
from engine.operation import Problem, Step
from engine.parameters import Preset, budget, method


class Transformation(OfTransformations):
    """Turn, move, light or colour the image otherwise, within ranges, and keep the worst of those tried; this needs scores alone.

    ``adversarial = T_phi(images)`` with ``phi = argmax over the tried (misclassified, loss(T_phi(images)))``: a misclassified image before
    a correctly classified one, then the larger loss. The unchanged image is always among them. Tried are the points of a grid with
    ``points`` values of every parameter (``rotation_points`` of the rotation), or ``draws`` points drawn evenly in the ranges. One forward
    row for each, and one for the image itself. Grids are tried in a scattered order, so that a cancelled one covers the ranges coarsely.

    The artifact ``landscape`` of a grid is, over two of the parameters, the largest margin over all others.

    Engstrom, Tran, Tsipras, Schmidt, Madry 2017, arXiv 1712.02779: grids of 5 x 5 translations and 31 rotations, and the worst of 10. Light
    and colour as a restricted space: Zeng et al. 2017, arXiv 1711.07183, who search it by gradients in a rendered scene.
    """

    slug: ClassVar[str] = "transformation"
    title: ClassVar[str] = "Transformation"
    also: ClassVar[tuple[str, ...]] = ("spatial", "rotation and translation", "worst of k", "restricted transformations")
    paper: ClassVar[str] = "Engstrom et al. 2017, arXiv 1712.02779"
    knows: ClassVar[Knowledge] = "scores"
    presets: ClassVar[tuple[Preset, ...]] = (
        *presets(mode="worst of k", draws=10),
        Preset("Engstrom et al. 2017: the grid of 775", {"translation": 3 / 32, "outside": "black"}),
    )

    mode: Literal["grid", "worst of k"] = method("grid")
    """grid: all points of a regular grid. worst of k: points drawn at random."""
    points: int = budget(5, ge=1, le=1000, unit="values", when={"mode": "grid"}, title="values of a parameter")
    """Values of each parameter in the grid, evenly spaced over its range; an odd number contains the identity."""
    rotation_points: int = budget(31, ge=1, le=1000, unit="values", when={"mode": "grid"}, title="values of the rotation")
    """Values of the rotation in the grid."""
    at_most: int = budget(20_000, ge=1, unit="forward passes", when={"mode": "grid"}, title="passes at most")
    """Limit of forward passes for one image, beyond which a grid is refused before it begins: it grows by a factor with every parameter."""
    draws: int = budget(10, ge=1, le=100_000, unit="transformations", when={"mode": "worst of k"})
    """Number of random transformations, k."""

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes a few passes."""
        space = self._space(images.shape[1])
        return max(1, images_per_step(images, self.draws if self.mode == "worst of k" else prod(self._counts(space))))

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[TransformationStep]:
        """Yield the images as they are, then the worst so far after some of the transformations, then the landscape, if it is wanted."""
        space = self.space(problem)
        points = self._points(problem, space)
        listed = self._listed(space) if self.landscape else points.shape[1] if self.mode == "grid" else 0
        order = scattered(points.shape[1]).to(points.device)
        parts = torch.split(order, rows_per_pass(problem.images))
        total = len(parts) + self._slice_steps(problem, space)
        worst, margins = Worst.begun(problem, len(space.names), self.loss), points.new_full((len(problem.images), listed), torch.nan)
        yield TransformationStep.of(0, total, worst, margins)
        for index, places in enumerate(parts, 1):
            found = evaluated(problem, space, points[:, places].expand(len(problem.images), -1, -1), self.loss)
            worst = worst.after(problem, found)
            if listed and not self.landscape:
                margins = margins.index_copy(1, places, found.margins(problem))
            yield TransformationStep.of(index, total, worst, margins)
        yield from self._slice(problem, space, worst, len(parts) + 1, total)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the worst transformations as a table, and the landscape of the grid, or the one that was asked for."""
        found = dict(super().artifacts(problem, last))
        assert isinstance(last, TransformationStep)
        if self.mode == "grid" and not self.landscape:
            space = self.space(problem)
            sides = self._sides(space)
            values = sides.folded(last.margins, self._counts(space))
            found["landscape"] = sides.map_of(space, values, "the largest over the others", whole=last.whole)
        return found

    def _counts(self, space: Space) -> list[int]:
        return [self.rotation_points if name == "rotation" else self.points for name in space.names]

    def _points(self, problem: Problem, space: Space) -> Tensor:
        """Return the points ``(1 or N, m, P)`` to be tried."""
        if self.mode == "worst of k":
            return (2 * problem.random.uniform((self.draws, len(space.names))) - 1).to(problem.images)
        size = prod(self._counts(space))
        if size > self.at_most:
            raise GibbonError(
                f"The grid over {', '.join(space.names)} has {size:,} points, and at most {self.at_most:,} are allowed. Let fewer "
                "parameters vary, take fewer values, choose the worst of k, or raise at_most."
            )
        return grid_of(self._counts(space), problem.images)[None]
