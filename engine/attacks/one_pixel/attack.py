"""The one-pixel attack: differential evolution over the place and the colour of a few pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.attacks.one_pixel.candidates import BestCandidate, Candidates, Tried
from engine.attacks.one_pixel.genes import Repair, Space
from engine.attacks.toolkit.evolution import FEWEST, children, survivors
from engine.balls import L0, Ball, Norm
from engine.batching import images_per_step
from engine.operation import Attack, AttackStep, Problem
from engine.parameters import Preset, budget, method, result


class OnePixel(Attack):
    """Change one pixel, or ``pixels`` of them, so that the prediction flips. The attack needs scores and no gradients.

    A member of the population is ``(row, column, levels of the channels)`` for each pixel. In every generation each member has one child,
    ``p_r1 + factor * (p_r2 - p_r3)`` of three other members, without crossover, which replaces its own parent if it is fitter: fitness is
    the cross-entropy of the label (minus that of the target), which orders members as ``p_label`` does without the rounding near 1. The
    first population has uniform places and levels from N(128, 127). Rows and columns are rounded down and levels are those of 8 bits, so a
    solution survives in a file.

    ``population * (generations + 1)`` forward passes for each image at most, one for the image, and one for each flip that is kept; images
    run together, and solved ones cost nothing more. With a single pixel the first layers of a network that is a chain of convolutions and
    pools are evaluated around the pixel only, for which the image is looked at a second time; a flip is confirmed by the whole network
    before it is kept.

    Su, Vargas, Sakurai 2017, arXiv 1710.08864. Population, factor and start are the paper's; that its runs end after 100 generations or at
    a probability of the label below 5 % (of the target above 90 %) is the usual account, unconfirmed. Differences: genes that leave
    their range are folded back or drawn again, never clamped, and the attack may end at the first flip.
    """

    slug: ClassVar[str] = "one-pixel"
    title: ClassVar[str] = "One pixel"
    also: ClassVar[tuple[str, ...]] = ("differential evolution",)
    family: ClassVar[str] = "Few pixels"
    paper: ClassVar[str] = "Su et al. 2017, arXiv 1710.08864"
    knows: ClassVar[Knowledge] = "scores"
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("As Su et al. 2017 is usually told: 400 × 100, confident", {"stop": "confidence"}),
        Preset("Gallery: 400 × 75, confident", {"generations": 75, "stop": "confidence"}),
        Preset("Quick: 100 × 40", {"population": 100, "generations": 40}),
        Preset("Five pixels", {"pixels": 5}),
    )

    pixels: int = budget(1, ge=1, le=1000, unit="pixels")
    """Number of pixels that may change: 1, 3 and 5 in the paper."""
    population: int = budget(400, ge=FEWEST, le=100_000, unit="members")
    """Number of members per image."""
    generations: int = budget(100, ge=0, le=100_000, unit="generations")
    """Number of generations after the random start. 0: the start alone."""
    factor: float = method(0.5, title="factor on differences", gt=0, le=2)
    """Factor on the difference of two members in a child."""
    repair: Repair = method("reflect")
    """Repair of a gene outside its range: folded back at the edge, or drawn again."""
    stop: Literal["flip", "confidence", "never"] = result("flip")
    """End of the search for an image: at its first flip, once the classifier is confident of a wrong class, or after all generations."""
    label_below: float = result(0.05, gt=0, le=1, when={"stop": "confidence"})
    """Probability of the label below which an untargeted image is finished."""
    target_above: float = result(0.9, ge=0, lt=1, when={"stop": "confidence"})
    """Probability of the target above which a targeted image is finished."""

    def ball(self) -> Ball:
        """Return the set of at most ``pixels`` changed pixels."""
        return L0(self.pixels)

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes a few passes, and a generation no more than that at a time."""
        return images_per_step(images, self.population)

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as step 0; then the first population and its generations, some of the members per step."""
        candidates = Candidates(problem, "ce", self.pixels)
        best = BestCandidate(problem, candidates)
        parts = math.ceil(self.population / candidates.of_an_image)
        total = parts * (self.generations + 1)
        yield AttackStep(0, total, problem.images, best.loss, best.logits)
        herd = _Herd.drawn(problem, self).without(self._done(problem, best.loss, best.success))
        for generation in range(self.generations + 1):
            if generation > 0 and len(herd.rows) > 0:
                herd = herd.select_and_breed(self)
            for part, members in enumerate(torch.arange(self.population, device=problem.images.device).tensor_split(parts)):
                if len(herd.rows) == 0:
                    return
                found = herd.evaluate(candidates, members)
                herd = herd.learn(found)
                best.keep(herd.problem, herd.rows, found)
                yield AttackStep(generation * parts + part + 1, total, best.images, best.loss, best.logits)
                herd = herd.without(self._done(herd.problem, best.loss[herd.rows], best.success[herd.rows]))

    def _done(self, problem: Problem, loss: Tensor, success: Tensor) -> Tensor:
        if self.stop == "never":
            return torch.zeros_like(success)
        if self.stop == "flip":
            return success
        limit = -math.log(self.label_below) if problem.targets is None else math.log(max(self.target_above, 1e-12))
        return success & (loss > limit)


@dataclass(frozen=True, eq=False)
class _Herd:
    """The populations of the images that are not finished."""

    problem: Problem
    rows: Tensor
    """Indices of the images in the whole batch, ``(n,)``."""
    space: Space
    genes: Tensor
    """Genes of the members, ``(n, P, d, 2 + C)``: row, column and levels of each pixel."""
    fitness: Tensor
    """Fitness of ``genes``, ``(n, P)``."""
    tried: Tensor
    """Members evaluated in this generation, in the shape of ``genes``."""
    found: Tensor
    """Fitness of ``tried``, as far as it is known, ``(n, 0 to P)``."""

    @classmethod
    def drawn(cls, problem: Problem, attack: OnePixel) -> _Herd:
        """Draw the first population of every image."""
        space = Space.of(problem)
        genes = space.start(problem, attack.population, attack.pixels, attack.repair)
        fitness = torch.full(genes.shape[:2], -torch.inf, device=genes.device, dtype=genes.dtype)
        return cls(problem, torch.arange(len(genes), device=genes.device), space, genes, fitness, genes, fitness[:, :0])

    def select_and_breed(self, attack: OnePixel) -> _Herd:
        """Keep the fitter of parent and child, and create the next children."""
        genes, fitness = survivors(self.genes, self.fitness, self.tried, self.found)
        draws = self.problem.random.uniform((attack.population, 3))
        tried = self.space.repaired(children(genes, draws, attack.factor), self.problem, attack.repair)
        return replace(self, genes=genes, fitness=fitness, tried=tried, found=fitness[:, :0])

    def evaluate(self, candidates: Candidates, members: Tensor) -> Tried:
        """Evaluate some of the members."""
        genes = self.tried[:, members]
        return candidates.ask(self.problem, self.rows, self.space.places(genes, self.problem), self.space.colours(genes))

    def learn(self, found: Tried) -> _Herd:
        """Return the populations with the fitness of the next members."""
        return replace(self, found=torch.cat([self.found, found.loss], dim=1))

    def without(self, done: Tensor) -> _Herd:
        """Return the populations without the finished images."""
        if not bool(done.any()):
            return self
        left = (~done).nonzero().flatten()
        return _Herd(
            self.problem.select(left),
            self.rows[left],
            self.space.select(left),
            *(tensor[left] for tensor in (self.genes, self.fitness, self.tried, self.found)),
        )
