"""The worst transformation by gradients: projected ascent in the parameters of the transformation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.attacks.toolkit.losses import assess, check_classes
from engine.attacks.toolkit.worst import Tried, Worst
from engine.attacks.transformation.base import OfTransformations, TransformationStep, presets
from engine.attacks.transformation.space import Space
from engine.batching import rows_per_pass, rows_with_graph
from engine.operation import Problem
from engine.parameters import Preset, budget, method

_DEARER = 3
"""Time of a row with its gradient over that of a row without."""


class _Ascent(NamedTuple):
    """Transformed images with their logits, and the gradient of the loss in the points."""

    images: Tensor
    logits: Tensor
    gradient: Tensor


class TransformationGradient(OfTransformations):
    """Follow the gradient of the loss through the transformation: PGD on the parameters of a rotation, a light or a colour.

    ``u <- clamp(u + step_size * sign(grad_u loss(T_u(images))), -1, 1)``, ``steps`` times from each of ``restarts`` random points, where u
    are the parameters divided by their ranges (their logarithms, where they multiply). The worst transformation on the way is kept: a
    misclassified image before a correctly classified one, then the larger loss. The unchanged image is among them.
    ``1 + restarts * (steps + 1)`` forward rows and ``restarts * steps`` backward rows for each image.

    In rotation and translation it is known to be weaker than a grid, since the loss has many local maxima there. It suits many parameters,
    for which a grid is too large.

    Engstrom, Tran, Tsipras, Schmidt, Madry 2017, arXiv 1712.02779 (their first-order attack); Zeng et al. 2017, arXiv 1711.07183
    (gradients through a renderer). Step size, steps and restarts are our choice.
    """

    slug: ClassVar[str] = "transformation-gradient"
    title: ClassVar[str] = "Transformation by gradients"
    also: ClassVar[tuple[str, ...]] = ("spatial", "rotation and translation", "restricted transformations")
    paper: ClassVar[str] = "Engstrom et al. 2017, arXiv 1712.02779; Zeng et al. 2017, arXiv 1711.07183"
    presets: ClassVar[tuple[Preset, ...]] = presets()

    steps: int = budget(20, ge=1, le=100_000, unit="steps")
    """Number of steps from each starting point."""
    step_size: float = budget(0.1, gt=0, le=2, unit="of the range", title="step size")
    """Length of a step in every parameter; the range of each has length 2, from one end to the other."""
    restarts: int = method(4, ge=1, le=1000)
    """Number of random starting points, which are rows of one batch."""

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images whose restarts take one pass."""
        return max(1, rows_per_pass(images) // (_DEARER * self.restarts))

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[TransformationStep]:
        """Yield the images as they are, then the worst so far after each step of all restarts, then the landscape, if it is wanted."""
        space, model = self.space(problem), problem.classifier
        check_classes("ce", model.num_classes)
        total = self.steps + 1 + self._slice_steps(problem, space)
        worst = Worst.begun(problem, len(space.names), self.loss)
        margins = worst.points.new_full((len(problem.images), self._listed(space)), torch.nan)
        yield TransformationStep.of(0, total, worst, margins)
        points = (2 * problem.random.uniform((self.restarts, len(space.names))) - 1).to(problem.images)
        for index in range(1, self.steps + 2):
            seen = self._ascent(problem, space, points, gradient=index <= self.steps)
            worst = worst.after(problem, Tried.of(problem, seen.images, points, seen.logits, self.loss))
            yield TransformationStep.of(index, total, worst, margins)
            points = (points + self.step_size * seen.gradient.view_as(points).sign()).clamp(-1, 1)
        yield from self._slice(problem, space, worst, self.steps + 2, total)

    def _ascent(self, problem: Problem, space: Space, points: Tensor, *, gradient: bool) -> _Ascent:
        """Evaluate the points ``(N, restarts, P)``; without ``gradient`` that is zero."""
        flat, each = points.detach().flatten(0, 1), points.shape[1]
        images, labels = problem.images.repeat_interleave(each, 0), problem.labels.repeat_interleave(each)
        targets = None if problem.targets is None else problem.targets.repeat_interleave(each)

        def part(rows: slice) -> _Ascent:
            with torch.set_grad_enabled(gradient):
                own = flat[rows][..., None, None].requires_grad_(gradient)  # in the shape of an image, as the watch over gradients expects
                made = space.transformed(images[rows], own[..., 0, 0])
                logits = problem.classifier(made)
                if not gradient:
                    return _Ascent(made, logits, torch.zeros_like(own))
                raised, weights, _ = assess(self.loss, logits, labels[rows], None if targets is None else targets[rows])
                found = problem.classifier.gradient(raised, own, weights, copies=None)
            return _Ascent(made.detach(), logits.detach(), found)

        together = rows_with_graph(problem.images, problem.classifier.copies)
        parts = problem.classifier.in_chunks(len(flat), part, together)
        return parts[0] if len(parts) == 1 else _Ascent(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
