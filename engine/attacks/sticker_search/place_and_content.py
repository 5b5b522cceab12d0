"""Place and content of a sticker together: many places at once, the worse half of which is given up again and again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, PlacedStickers, Table
from engine.attacks.sticker_search.candidates import shown
from engine.attacks.sticker_search.region import Region
from engine.attacks.sticker_search.search import PlacedStep, table_of
from engine.attacks.toolkit.losses import LossName, ascent, value
from engine.attacks.toolkit.scattering import scattered
from engine.batching import images_per_step
from engine.operation import Attack, AttackStep, JoinsChunks, Problem, Step
from engine.parameters import Preset, budget, method
from engine.ranking import beats, best_of
from engine.stickers.sticker import Pixels, Sticker
from engine.text.parsing import Number

_WITH_GRADIENT = 4
"""Factor on the rows of a step, since a row takes about three times as long with its gradient."""


class PlaceAndContent(Attack, JoinsChunks):
    """Optimise what a sticker shows at many places at once, and keep the better half of the places until one is left.

    ``content <- clamp(content + step_size * sign(gradient), 0, 1)`` inside each place's box; all places of an image are rows of one batch.
    After ``round_steps`` steps the half of the places with the smaller loss is given up (successive halving); the last one takes ``steps``
    steps more. With one place it is a sticker at a fixed place, as in `StickerPGD`.

    Places are spread over the region: the mask, or the whole image. ``places * round_steps * 2`` forward and backward rows or so for each
    image, and those of the winner.

    Successive halving is that of Jamieson, Talwalkar 2016, arXiv 1502.07943; the content is optimised as in Brown et al. 2017, arXiv
    1712.09665, for one image.
    """

    slug: ClassVar[str] = "place-and-content"
    title: ClassVar[str] = "Place and content"
    also: ClassVar[tuple[str, ...]] = ("successive halving", "joint location and content")
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "Jamieson, Talwalkar 2016, arXiv 1502.07943"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Small: 3 × 3 pixels", {"width": 3, "height": 3}),
        Preset("Thorough: 128 places", {"places": 128, "round_steps": 10, "steps": 80}),
    )

    width: int = budget(6, ge=1, le=10_000, unit="pixels")
    """Width of the sticker."""
    height: int = budget(6, ge=1, le=10_000, unit="pixels")
    """Height of the sticker."""
    steps: int = budget(40, ge=0, le=100_000, unit="steps", title="steps of the winner")
    """Number of gradient steps of the place that is left."""
    places: int = method(32, ge=1, le=100_000, unit="places")
    """Number of places at first, spread over the region; fewer where it has fewer."""
    round_steps: int = method(5, ge=1, le=10_000, unit="steps", title="steps of a round")
    """Number of gradient steps between two halvings."""
    step_size: Number = method(0.1, gt=0, le=1, unit="of [0, 1]")
    """Length of a step in every colour value."""
    begin: Literal["grey", "image", "random"] = method("grey", title="content at first")
    """Content at the first step."""
    loss: LossName = method("margin")
    """Loss to maximise, and by which places are compared."""

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes one pass or so."""
        return max(1, images_per_step(images, _WITH_GRADIENT * self.places))

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[PlacedStep]:
        """Yield the clean image as step 0, then the best place after every gradient step."""
        boxes = self._boxes(problem)
        left = boxes.shape[1]
        rounds = math.ceil(math.log2(left)) if left > 1 else 0
        total = rounds * self.round_steps + self.steps + 1
        with torch.no_grad():
            logits = problem.classifier(problem.images)
        best = _Best(problem, self.loss, logits)
        yield best.step(0, total)
        content = self._start(problem, left)
        for index in range(1, total + 1):
            inside = _inside(boxes, problem.images)
            seen, raised, loss, logits = self._evaluated(problem, content, inside)
            best.keep(boxes, seen.detach(), loss, logits)
            yield best.step(index, total)
            if index == total:
                return
            gradient = problem.classifier.gradient(raised.sum(), seen).view_as(content)
            content = (content + self.step_size * gradient.sign() * inside).clamp(0, 1)
            if boxes.shape[1] > 1 and index % self.round_steps == 0:
                kept = loss.nan_to_num(nan=-torch.inf).argsort(dim=1, descending=True, stable=True)[:, : math.ceil(boxes.shape[1] / 2)]
                rows = torch.arange(len(boxes), device=boxes.device)[:, None]
                boxes, content = boxes[rows, kept], content[rows, kept]

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the sticker, for the canvas, and a table of its place."""
        assert isinstance(last, PlacedStep)
        if not any(last.stickers):
            return {}
        table: Table = table_of(last.stickers, problem.images.shape[2:])
        return {"stickers": PlacedStickers(last.stickers, "The sticker found"), "places": table}

    def joined(self, lasts: Sequence[AttackStep]) -> PlacedStep:
        """Join the stickers of all chunks."""
        steps = [step for step in lasts if isinstance(step, PlacedStep)]
        images, loss = torch.cat([step.adversarial for step in steps]), torch.cat([step.loss for step in steps])
        stickers = tuple(each for step in steps for each in step.stickers)
        return replace(steps[-1], adversarial=images, loss=loss, logits=None, first_row=0, stickers=stickers)

    def _boxes(self, problem: Problem) -> Tensor:
        """Return left, top, width and height of the places of each image, ``(n, P, 4)``, spread over its region."""
        region = Region.of(problem)
        region.require(self.width, self.height)
        lists = []
        for image in range(len(region.bounds)):
            corners = region.corners(image, self.width, self.height)
            chosen = corners[scattered(len(corners)).to(corners.device)[: self.places]]
            lists.append(torch.cat([chosen, torch.tensor([self.width, self.height], device=chosen.device).expand(len(chosen), 2)], 1))
        most = max(map(len, lists))
        padded = torch.stack([each[torch.arange(most, device=each.device) % len(each)] for each in lists])
        return padded.expand(len(problem.images), -1, -1)

    def _start(self, problem: Problem, places: int) -> Tensor:
        images = problem.images[:, None].expand(-1, places, -1, -1, -1)
        if self.begin == "image":
            return images
        if self.begin == "random":
            return problem.random.uniform(images.shape[1:]).to(images)
        return torch.full_like(images, 0.5)

    def _evaluated(self, problem: Problem, content: Tensor, inside: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the painted rows, what is raised, the losses ``(n, P)`` and the logits ``(n, P, K)``."""
        n, places = content.shape[:2]
        painted = shown(problem, torch.where(inside, content, problem.images[:, None]))
        seen = painted.flatten(0, 1).requires_grad_()
        logits = problem.classifier(seen)
        labels, targets = (None if each is None else each.repeat_interleave(places) for each in (problem.labels, problem.targets))
        assert labels is not None
        raised = ascent(self.loss, logits, labels, targets)
        loss = value(self.loss, logits.detach(), labels, targets).view(n, places)
        return seen, raised, loss, logits.detach().view(n, places, -1)


class _Best:
    """The best place and content of each image so far."""

    def __init__(self, problem: Problem, loss: LossName, logits: Tensor) -> None:
        self._problem = problem
        self._images, self._logits = problem.images, logits
        self._loss = value(loss, logits, problem.labels, problem.targets)
        self._success = problem.succeeds(logits)
        self._stickers: list[tuple[Sticker, ...]] = [()] * len(logits)

    @torch.no_grad()
    def keep(self, boxes: Tensor, seen: Tensor, loss: Tensor, logits: Tensor) -> None:
        """Keep the better of the best so far and of the rows of this step."""
        here = torch.arange(len(boxes), device=boxes.device)
        loss = loss.masked_fill(loss.isnan(), -torch.inf)
        success = self._problem.succeeds(logits.transpose(0, 1)).transpose(0, 1)
        chosen = best_of(success, loss, dim=1)
        loss, success, logits = (each[here, chosen] for each in (loss, success, logits))
        images = seen.view(*boxes.shape[:2], *seen.shape[1:])[here, chosen]
        better = beats(success, loss, self._success, self._loss)
        for row in better.nonzero()[:, 0].tolist():
            self._stickers[row] = (_sticker(boxes[row, chosen[row]], images[row]),)
        self._images = torch.where(better[:, None, None, None], images, self._images)
        self._logits = torch.where(better[:, None], logits, self._logits)
        self._loss, self._success = torch.where(better, loss, self._loss), torch.where(better, success, self._success)

    def step(self, index: int, total: int) -> PlacedStep:
        """Return the step with the best so far."""
        return PlacedStep(index, total, self._images, self._loss, self._logits, stickers=tuple(self._stickers))


def _inside(boxes: Tensor, images: Tensor) -> Tensor:
    """Return the pixels of boxes ``(n, P, 4)``: ``(n, P, 1, H, W)`` bool."""
    left, top, across, down = (each[..., None] for each in boxes.unbind(-1))
    rows, columns = (torch.arange(side, device=boxes.device) for side in images.shape[2:])
    in_rows, in_columns = (rows >= top) & (rows < top + down), (columns >= left) & (columns < left + across)
    return (in_rows[..., :, None] & in_columns[..., None, :])[:, :, None]


def _sticker(box: Tensor, image: Tensor) -> Sticker:
    left, top, width, height = (int(side) for side in box)
    content = image[:, top : top + height, left : left + width].detach().cpu().float().clone()
    return Sticker(1, left, top, width, height, Pixels(content, "optimised content"))
