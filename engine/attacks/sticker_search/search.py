"""The loop that the searches for stickers and for shadows share."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, PlacedStickers, Table
from engine.attacks.sticker_search.candidates import BestPlaced, tried
from engine.attacks.sticker_search.space import Space
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.searches import Search
from engine.batching import images_per_step, rows_per_pass
from engine.operation import Attack, AttackStep, JoinsChunks, Problem, Step
from engine.parameters import budget, result
from engine.stickers.rendering import coverage
from engine.stickers.sticker import Sticker


@dataclass(frozen=True, eq=False)
class PlacedStep(AttackStep):
    """The best image so far, with the stickers on it."""

    stickers: tuple[tuple[Sticker, ...], ...] = field(kw_only=True)
    """The stickers of each image; none where nothing was better than the clean image."""


class PlacementSearch(Attack, JoinsChunks):
    """A search for the place of something that is painted over the image: base of the searches for stickers and shadows.

    A subclass says by `space` what the genes of a candidate mean, and by `begin` how they are searched. All candidates of a generation are
    painted at once and pass the model together.
    """

    knows: ClassVar[Knowledge] = "scores"
    raises: ClassVar[str] = "margin"

    queries: int = budget(1280, ge=1, le=10_000_000, unit="candidates")
    """Number of candidates for each image at most, each one forward pass; one more passes the clean image. Painted over by the canvas'
    own renderer, a rotated sticker or a shadow may differ in the last digit: the best one is then queried once more.
    """
    stop: Literal["flip", "never"] = result("flip")
    """End of the search for an image: at its first flip, or after all candidates."""

    @property
    @abstractmethod
    def together(self) -> int:
        """Number of candidates of a generation."""

    @abstractmethod
    def space(self, problem: Problem) -> Space:
        """Return the space of candidates.

        Raises
        ------
        GibbonError
            The region is too small.
        """

    @abstractmethod
    def begin(self, problem: Problem, space: Space) -> Search:
        """Return the search with its first generation."""

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes a few passes."""
        return images_per_step(images, self.together)

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[PlacedStep]:
        """Yield the clean image as step 0; then each generation, some of its candidates per step where all would take too long."""
        space = self.space(problem)
        active, most = ActiveRows(problem), rows_per_pass(problem.images)
        search = self.begin(problem, space)
        logits = problem.classifier(problem.images)
        best = BestPlaced(problem, logits)
        total = sum(math.ceil(size / most) for size in self._generations(search))
        yield _step(0, total, best)
        index = 0
        left: Tensor | None = self._left(active, best)
        for size in self._generations(search):
            if left is not None:
                search, space = search.select(left), space.select(left)
            if not len(active):
                return
            fitness = []
            for part in torch.split(search.genes[:, :size], most, dim=1):
                found = tried(active.problem, space, space.placed(part))
                best.keep(active.problem, space, active.rows, found)
                fitness.append(found.loss)
                index += 1
                yield _step(index, total, best)
                if self.stop == "flip" and bool(best.success.all()):
                    return
            if size == search.genes.shape[1]:  # else it was the last generation, cut to the queries that were left
                search = search.told(torch.cat(fitness, 1), active.problem.random)
            left = self._left(active, best)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the stickers, for the canvas, and a table of them."""
        assert isinstance(last, PlacedStep)
        placed = PlacedStickers(last.stickers, "Stickers found")
        return {"stickers": placed, "places": table_of(placed.stickers, problem.images.shape[2:])} if any(last.stickers) else {}

    def joined(self, lasts: Sequence[AttackStep]) -> PlacedStep:
        """Join the stickers of all chunks."""
        steps = [step for step in lasts if isinstance(step, PlacedStep)]
        images, loss = torch.cat([step.adversarial for step in steps]), torch.cat([step.loss for step in steps])
        stickers = tuple(each for step in steps for each in step.stickers)
        return replace(steps[-1], adversarial=images, loss=loss, logits=None, first_row=0, stickers=stickers)

    def _left(self, active: ActiveRows, best: BestPlaced) -> Tensor | None:
        """Drop the images that are done, and return which remain; None: all."""
        return active.drop(best.success[active.rows]) if self.stop == "flip" else None

    def _generations(self, search: Search) -> Iterator[int]:
        """Yield the number of candidates of each generation, which together are ``queries``, or all that there are."""
        left = min(self.queries, self.candidates(search))
        while left > 0:
            yield min(self.together, left)
            left -= self.together

    def candidates(self, search: Search) -> int:
        """Return how many candidates there are, where they are listed."""
        return self.queries


def _step(index: int, total: int, best: BestPlaced) -> PlacedStep:
    return PlacedStep(index, total, best.images, best.loss, best.logits, stickers=tuple(best.stickers))


def table_of(stickers: Sequence[Sequence[Sticker]], size: Sequence[int]) -> Table:
    """Return a table of stickers, with the share of the image that all of an image's stickers cover together."""
    rows = []
    for image, each in enumerate(stickers):
        free = torch.ones(1, *size)
        for sticker in each:
            free = free * (1 - coverage(sticker, *size))
        for sticker in each:
            places = (sticker.x, sticker.y, sticker.width, sticker.height, sticker.angle)
            rows.append((image, sticker.id, *places, 1 - float(free.mean())))
    columns = ("image", "sticker", "x", "y", "width", "height", "angle", "covered by all")
    return Table(columns, tuple(rows), "Stickers found", units={"covered by all": "share"})
