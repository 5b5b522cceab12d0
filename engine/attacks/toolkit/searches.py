"""Black-box searches over genes in [0, 1]: random, differential evolution, particle swarm, and a sweep over a list.

All ask for a generation of candidates, and are told how good those are. They search for every image of a batch at once, and draw from the
generators of its rows, so that a batch finds what its single images find.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor

from engine.attacks.toolkit.evolution import children, crossed, reflected, survivors
from engine.attacks.toolkit.swarm import velocities
from engine.randomness import RowRandom

Factors = Literal["each", "one"]


@dataclass(frozen=True, eq=False)
class Search(ABC):
    """The state of a search for each image: frozen, so that `told` and `select` return another one."""

    genes: Tensor
    """The candidates of the present generation, ``(n, P, d)`` in [0, 1]."""

    @abstractmethod
    def told(self, fitness: Tensor, random: RowRandom) -> Self:
        """Return the search with its next generation, given the fitness ``(n, P)`` of the present one."""

    def select(self, rows: Tensor) -> Self:
        """Return the search of the images at ``rows`` (indices)."""
        chosen = {name: value[rows] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **chosen)


@dataclass(frozen=True, eq=False)
class RandomSearch(Search):
    """Uniform candidates, each generation drawn again."""

    @classmethod
    def begin(cls, random: RowRandom, members: int, count: int) -> Self:
        """Draw the first generation of ``members`` candidates with ``count`` genes."""
        return cls(random.uniform((members, count)))

    def told(self, fitness: Tensor, random: RowRandom) -> Self:
        """Draw the next generation of candidates."""
        return replace(self, genes=random.uniform(self.genes.shape[1:]))


@dataclass(frozen=True, eq=False)
class Evolution(Search):
    """Differential evolution, rand/1/bin: ``p_r1 + factor (p_r2 - p_r3)``, crossed with the parent, which it replaces if it is fitter."""

    parents: Tensor
    fitness: Tensor
    factor: float = 0.5
    rate: float = 0.9

    @classmethod
    def begin(cls, random: RowRandom, members: int, count: int, factor: float, rate: float) -> Self:
        """Draw the first population of parents."""
        genes = random.uniform((members, count))
        return cls(genes, genes, torch.full_like(genes[..., 0], -torch.inf), factor, rate)

    def told(self, fitness: Tensor, random: RowRandom) -> Self:
        """Keep the fitter of parent and child, and breed the next children; genes beyond [0, 1] are folded back."""
        parents, best = survivors(self.parents, self.fitness, self.genes, fitness)
        members, count = parents.shape[1:]
        draws = random.uniform((members, 3 + count + 1))
        mutants = children(parents, draws[..., :3], self.factor)
        tried = crossed(parents, mutants, draws[..., 3:-1], draws[..., -1], self.rate)
        zero = torch.zeros((), device=tried.device)
        return replace(self, genes=reflected(tried, zero, zero + 1), parents=parents, fitness=best)


@dataclass(frozen=True, eq=False)
class Swarm(Search):
    """A particle swarm, which begins again after a number of generations and keeps nothing then."""

    speeds: Tensor
    own: Tensor
    own_fitness: Tensor
    inertia: float
    pull: float
    speed: float
    factors: Factors
    """Random factors: one number in [0, 1) for each gene, or one from 1 to 6 for all genes of a generation."""
    lives: int
    """Number of generations after which the swarm begins again."""
    age: int = 0

    @classmethod
    def begin(
        cls,
        random: RowRandom,
        members: int,
        count: int,
        *,
        inertia: float,
        pull: float,
        speed: float,
        factors: Literal["each", "one"],
        lives: int,
    ) -> Self:
        """Draw the first positions and velocities."""
        genes, own, speeds = _drawn(random, members, count, speed)
        return cls(genes, speeds, genes, own, inertia, pull, speed, factors, lives)

    def told(self, fitness: Tensor, random: RowRandom) -> Self:
        """Move every particle, or begin from new positions."""
        members, count = self.genes.shape[1:]
        if self.age + 1 >= self.lives:
            genes, own, speeds = _drawn(random, members, count, self.speed)
            return replace(self, genes=genes, speeds=speeds, own=genes, own_fitness=own, age=0)
        own, own_fitness = survivors(self.own, self.own_fitness, self.genes, fitness)
        best = own[torch.arange(len(own), device=own.device), own_fitness.argmax(1)]
        if self.factors == "each":
            draws = random.uniform((2, members, count))
            factors = draws[:, 0], draws[:, 1]
        else:
            draws = 1 + 5 * random.uniform((2, 1, 1))
            factors = draws[:, 0], draws[:, 1]
        speeds = velocities(self.genes, self.speeds, own, best, factors, self.inertia, self.pull, self.speed)
        genes = (self.genes + speeds).clamp(0, 1)
        return replace(self, genes=genes, speeds=speeds, own=own, own_fitness=own_fitness, age=self.age + 1)


@dataclass(frozen=True, eq=False)
class Sweep(Search):
    """Every entry of a list once, in an order scattered over it: the only gene is the entry's index, as a number."""

    order: Tensor
    """The indices in their order, ``(n, M)``."""
    place: int
    members: int

    @classmethod
    def over(cls, order: Tensor, members: int) -> Self:
        """Begin at the first ``members`` of the indices ``(n, M)``."""
        return cls(order[:, :members, None], order, 0, members)

    def told(self, fitness: Tensor, random: RowRandom) -> Self:
        """Go on to the next entries of the list."""
        place = self.place + self.members
        return replace(self, genes=self.order[:, place : place + self.members, None], place=place)


def _drawn(random: RowRandom, members: int, count: int, speed: float) -> tuple[Tensor, Tensor, Tensor]:
    draws = random.uniform((2, members, count))
    return draws[:, 0], torch.full_like(draws[:, 0, :, 0], -torch.inf), speed * (2 * draws[:, 1] - 1)
