"""The search for a shadow that makes the classifier err."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.attacks.sticker_search.search import PlacementSearch
from engine.attacks.sticker_search.space import Space
from engine.attacks.sticker_search.triangles import Triangles
from engine.attacks.toolkit.evolution import FEWEST
from engine.attacks.toolkit.searches import Evolution, Factors, RandomSearch, Search, Swarm
from engine.operation import Problem
from engine.parameters import Preset, budget, method
from engine.stickers.sticker import WIDEST_BLUR, Shadow


class ShadowSearch(PlacementSearch):
    """Search for a triangle whose shadow makes the classifier err. The attack needs scores and no gradients.

    Inside the triangle ``L* <- kappa L*`` in CIE LAB, with a soft edge of ``blur / 2`` pixels; outside of it no bit changes. The margin,
    the best other logit minus the label's (with a target: the target's minus the best other), is maximised over the six coordinates of the
    corners by a particle swarm, ``v <- clamp(inertia v + pull r1 (own best - x) + pull r2 (swarm's best - x), -speed, speed)``. It begins
    again after ``iterations`` generations. A mask, such as the face of a sign, cuts the shadow.

    ``queries`` forward passes for each image at most, and a few for the image itself and for improvements: see ``queries``.

    Zhong et al. 2022, arXiv 2203.03818: kappa 0.43, 10 particles, 100 generations, 5 starts, w = 1, c1 = c2 = 2, a speed of at most 1.5 of
    32 pixels, corners up to half a side beyond the image. Differences: the margin in place of the label's probability, which rounds to 1
    on confident images; the edge is softened inside the triangle, so that no pixel beyond it changes.
    """

    slug: ClassVar[str] = "shadow"
    title: ClassVar[str] = "Shadow"
    also: ClassVar[tuple[str, ...]] = ("shadow attack", "particle swarm", "natural shadow")
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "Zhong et al. 2022, arXiv 2203.03818"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("As Zhong et al. 2022: kappa 0.43, 10 × 100 × 5", {}),
        Preset("With the random factors of its code", {"factors": "one"}),
        Preset("Faint: kappa 0.7", {"kappa": 0.7}),
        Preset("Dark: kappa 0.2", {"kappa": 0.2}),
    )

    queries: int = budget(5000, ge=1, le=10_000_000, unit="candidates")
    """Number of candidates for each image at most, each one forward pass; one more passes the clean image. Where the canvas' own renderer
    differs in the last digit from that of the search, the best candidate is queried once more.
    """
    kappa: float = budget(0.43, ge=0, le=1, unit="of the lightness")
    """Factor on the lightness inside the shadow: 0.2 to 0.7 are those of real ones. 1: no shadow."""
    blur: float = method(3.0, ge=0, le=WIDEST_BLUR, unit="pixels", title="soft edge")
    """Twice the width of the soft edge. Up to 1: sharp."""
    beyond: float = method(0.5, ge=0, le=5, unit="of the side", title="room beyond the image")
    """How far beyond the image corners may lie."""
    search: Literal["swarm", "evolution", "random"] = method(
        "swarm", choices={"evolution": "differential evolution", "swarm": "particle swarm"}
    )
    """How corners are searched for."""
    population: int = method(10, ge=FEWEST, le=100_000, unit="candidates")
    """Number of candidates of a generation, which pass the model together."""
    iterations: int = method(100, ge=1, le=100_000, unit="generations", title="generations of a start", when={"search": "swarm"})
    """Number of generations after which the swarm begins again from new corners."""
    inertia: float = method(1.0, ge=0, le=1, when={"search": "swarm"})
    """Share of a particle's velocity that is kept: w."""
    pull: float = method(2.0, ge=0, le=4, when={"search": "swarm"})
    """Pull towards the particle's own best corners, and as strong towards the swarm's: c1 = c2."""
    speed: float = method(1.5 / 32, gt=0, le=1, unit="of the side", title="largest speed", when={"search": "swarm"})
    """Largest change of a coordinate in one generation."""
    factors: Factors = method(
        "each",
        title="random factors",
        choices={"each": "from 0 to 1 for each gene", "one": "one from 1 to 6 for all"},
        when={"search": "swarm"},
    )
    """Random factors r1 and r2. each: uniform in [0, 1) for each gene, as in the paper. one: a single number from 1 to 6 for all genes and
    particles, as the paper's code draws by a slip (``numpy.random.uniform(6)``).
    """

    @property
    def together(self) -> int:
        """Number of candidates of a generation."""
        return self.population

    def space(self, problem: Problem) -> Space:
        """Return the space of the triangle's corners."""
        return Triangles.of(problem, Shadow(self.kappa, self.blur), self.beyond)

    def begin(self, problem: Problem, space: Space) -> Search:
        """Return the search with its first generation."""
        if self.search == "random":
            return RandomSearch.begin(problem.random, self.population, space.genes)
        if self.search == "evolution":
            return Evolution.begin(problem.random, self.population, space.genes, 0.5, 0.9)
        speed = self.speed / (1 + 2 * self.beyond)
        return Swarm.begin(
            problem.random,
            self.population,
            space.genes,
            inertia=self.inertia,
            pull=self.pull,
            speed=speed,
            factors=self.factors,
            lives=self.iterations,
        )
