"""Learning of a patch from a data set: batches with drawn transformations, and the judgement on images held out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.attacks.adversarial_patch.region import Region
from engine.attacks.toolkit.data_split import needed, split
from engine.attacks.toolkit.expectation import succeeding
from engine.attacks.toolkit.losses import LossName, ascent, value
from engine.attacks.toolkit.sticker_content import composed
from engine.batching import rows_per_pass
from engine.errors import GibbonError
from engine.operation import AttackStep, Problem
from engine.stickers.transforms import NUMBERS, Ranges, Transforms, lit, placed

WHAT = "An adversarial patch for many images"
DRAWS = NUMBERS + 2
"""Uniform numbers of one placement: those of its transformation, and its place along x and y."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Successes on images held out, at each scale."""

    scales: tuple[float, ...]
    hits: tuple[int, ...]
    images: int
    """Number of images at each scale."""


@dataclass(frozen=True, eq=False)
class LearningStep(AttackStep):
    """A step with the patch so far, on the images of the problem."""

    content: Tensor = field(kw_only=True)
    """The patch, ``(1, C, h, w)``."""
    judged: Judged | None = field(default=None, kw_only=True)


class Placing:
    """Drawing and applying of placements of a patch on images."""

    def __init__(self, region: Region, ranges: Ranges, *, anywhere: bool, random: torch.Generator) -> None:
        self._region, self._anywhere, self._random = region, anywhere, random
        self._ranges = replace(ranges, shift=0.0) if anywhere else ranges

    def draw(self, count: int, shape: tuple[int, ...], scale: float | None = None) -> tuple[Transforms, Tensor]:
        """Return ``count`` transformations, and the patch's centre in each image, ``(count, 2)``; with ``scale`` all have that size."""
        like = self._region.coverage
        ranges = self._ranges if scale is None else replace(self._ranges, smallest=scale, largest=scale)
        uniform = torch.rand(count, DRAWS, generator=self._random).to(like)
        normal = torch.randn(count, *shape, generator=self._random).to(like) if ranges.noise else None
        drawn = ranges.transforms(uniform[:, :NUMBERS], normal)
        places = uniform[:, NUMBERS:]
        return drawn, self._region.anywhere(drawn.scale, places) if self._anywhere else self._region.centres(count)

    def apply(self, images: Tensor, content: Tensor, drawn: Transforms, centres: Tensor, *, exact: bool = False) -> Tensor:
        """Return the images with the patch ``(1, C, h, w)`` on them, under the light of the transformations."""
        return lit(placed(images, content[0], self._region.coverage, drawn, centres), drawn, exact=exact)


class Learning:
    """Course of a run: the patch, its data, and the steps."""

    def __init__(self, problem: Problem, region: Region, placing: Placing, count: int, held_out: int) -> None:
        self._problem, self._model, self._region, self._placing = problem, problem.classifier, region, placing
        self._data = needed(problem.data, WHAT)
        self._random = problem.random.shared("patch", "data")
        self._learning, self._held = split(self._data, self._model.input_shape, count, held_out, self._random, WHAT)
        self._target = _one_target(problem)
        self._queue = torch.empty(0, dtype=torch.int64)
        self._index, self._shown = -1, dict[str, Tensor]()
        self._rate: Tensor | None = None
        self.total: int | None = None
        """Index of the last step, once it is known."""

    # ------------------------------------------------------------------ steps

    def show(self, content: Tensor) -> None:
        """Take a patch for the present one."""
        images = composed(self._problem.images, self._problem.mask, self._region.on_canvas(content))  # type: ignore[arg-type]
        logits = self._model.verdict(images)
        loss = value("ce", logits, self._problem.labels, self._problem.targets)
        self._shown = {"adversarial": images, "loss": loss, "logits": logits, "content": content}

    def step(self, judged: Judged | None = None, news: str = "") -> LearningStep:
        """Return the next step, with the present patch."""
        self._index += 1
        readings = {} if self._rate is None else {"success rate": self._rate}
        if judged is not None:
            readings["held-out success rate"] = self._shown["loss"].new_full((), sum(judged.hits) / (judged.images * len(judged.hits)))
        return LearningStep(self._index, self.total, **self._shown, readings=readings, judged=judged, news=news)  # type: ignore[arg-type]

    def begin(self) -> Iterator[LearningStep]:
        """Yield steps while the clean images are predicted, and leave out those that are of the target class already.

        Raises
        ------
        GibbonError
            No image is left to learn from, or none to judge by.
        """
        self._clean = torch.full((len(self._data),), -1, device=self._problem.images.device)
        for part in torch.split(torch.cat([self._learning, self._held]), rows_per_pass(self._problem.images)):
            self._clean[part.to(self._clean.device)] = self._model.predict(self._images(part))
            yield self.step(news="predicting the clean images")
        if self._target is not None:
            clean = self._clean.cpu()
            self._learning, self._held = (some[clean[some] != int(self._target)] for some in (self._learning, self._held))
            if not len(self._learning) or not len(self._held):
                raise GibbonError("All images of the data set are of the target class already. Choose another target, or a larger set.")

    def slope(self, content: Tensor, batch_size: int, loss: LossName) -> Generator[LearningStep, None, Tensor]:
        """Return the gradient of the mean loss over a batch, ``(1, C, h, w)``, and yield steps between its passes."""
        chosen = self._next(min(batch_size, len(self._learning)))
        drawn, centres = self._placing.draw(len(chosen), tuple(self._problem.images.shape[1:]))
        total, hits = torch.zeros_like(content), list[Tensor]()
        most = rows_per_pass(self._problem.images)
        for first in range(0, len(chosen), most):
            if first:
                yield self.step()
            part = slice(first, first + most)
            watched = content.detach().clone().requires_grad_()
            with torch.enable_grad():
                rows = self._placing.apply(self._images(chosen[part]), watched, drawn.rows(part), centres[part])
                logits = self._model(rows)
                labels, targets = self._goals(chosen[part])
                raised = ascent(loss, logits, labels, targets).sum() / len(chosen)
                total = total + self._model.gradient(raised, watched, copies=None)
            self._model.backwards += len(rows) - 1
            hits.append(succeeding(logits.detach(), labels, targets))
        self._rate = torch.cat(hits).to(content.dtype).mean()
        return total

    def judge(self, scales: tuple[float, ...]) -> Iterator[LearningStep]:
        """Yield steps while the images held out are tried at each scale, each with a draw of its own; the last step has the counts."""
        content, most, found = self._shown["content"], rows_per_pass(self._problem.images), list[int]()
        for scale in scales:
            hits = torch.zeros((), dtype=torch.int64, device=content.device)
            for part in torch.split(self._held, most):
                drawn, centres = self._placing.draw(len(part), tuple(self._problem.images.shape[1:]), scale)
                with torch.no_grad():
                    logits = self._model(self._placing.apply(self._images(part), content, drawn, centres, exact=True))
                hits = hits + succeeding(logits, *self._goals(part)).sum()
                yield self.step(news=f"judging it at {scale:.2g} times its size")
            found.append(int(hits))
        yield self.step(Judged(scales, tuple(found), len(self._held)))

    def remaining(self, steps: int, batch_size: int, scales: int) -> None:
        """Set the index of the last step, given what is still to be done."""
        most = rows_per_pass(self._problem.images)
        batch, held = min(batch_size, len(self._learning)), -(-len(self._held) // most)
        self.total = self._index + steps * -(-batch // most) + (scales * held + 1 if scales else 0)

    # ------------------------------------------------------------------ data

    def _images(self, indices: Tensor) -> Tensor:
        return self._data.batch(indices)[0].to(self._problem.images)

    def _goals(self, indices: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the clean predictions of these images, which count as labels, and their targets."""
        labels = self._clean[indices.to(self._clean.device)]
        return labels, None if self._target is None else self._target.expand(len(labels))

    def _next(self, size: int) -> Tensor:
        if len(self._queue) < size:
            self._queue = torch.cat([self._queue, self._learning[torch.randperm(len(self._learning), generator=self._random)]])
        chosen, self._queue = self._queue[:size], self._queue[size:]
        return chosen


def _one_target(problem: Problem) -> Tensor | None:
    targets = problem.targets
    if targets is None or bool((targets == targets[:1]).all()):
        return None if targets is None else targets[0]
    raise GibbonError("A patch for many images leads all of them to one target. Give the same target for all.")
