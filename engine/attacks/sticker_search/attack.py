"""The search for the places and sizes of stickers in given colours."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from engine.attacks.sticker_search.boxes import Boxes
from engine.attacks.sticker_search.listed import ListedBoxes
from engine.attacks.sticker_search.region import Region
from engine.attacks.sticker_search.search import PlacementSearch
from engine.attacks.sticker_search.space import Space
from engine.attacks.toolkit.evolution import FEWEST
from engine.attacks.toolkit.searches import Evolution, RandomSearch, Search, Swarm, Sweep
from engine.errors import GibbonError, WrongField
from engine.operation import Problem
from engine.parameters import Preset, budget, method
from engine.stickers.colours import colour_of


class StickerSearch(PlacementSearch):
    """Search for the places and sizes of stickers in given colours that make the classifier err. The attack needs scores, no gradients.

    ``C = N(I + sum_i St_i(x, y, w, h) + sum_j St_j(x, y, w, h))``, i up to ``first`` and j up to ``second``: the sums are stickers of two
    colours, painted over the image one after the other, the last on top. Only ``(x, y, w, h)`` of each, and the angle if ``turn`` allows
    one, is searched for. ``margin``, the best other logit minus the label's (with a target: the target's minus the best other), is
    maximised. Stickers lie on whole pixels and within the mask; together they cover no more than ``max_area``.

    ``queries`` forward passes for each image at most, and one for the image itself; solved images cost nothing more.

    Horváth's lecture on adversarial images, which names no search and no sizes; the sum is read as painting over, since added colours would
    leave [0, 1]. Differential evolution is rand/1/bin of Storn, Price 1997.
    """

    slug: ClassVar[str] = "sticker-search"
    title: ClassVar[str] = "Sticker search"
    also: ClassVar[tuple[str, ...]] = ("fixed-colour stickers", "black and white stickers", "differential evolution", "particle swarm")
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "Horváth, lecture; Storn, Price 1997"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Two black and two white, 64 × 20", {}),
        Preset("One sticker, every place", {"first": 1, "second": 0, "smallest": 1 / 8, "largest": 1 / 8, "search": "grid"}),
        Preset("Random search", {"search": "random"}),
        Preset("Particle swarm", {"search": "swarm", "population": 32}),
        Preset("Rotated stickers", {"turn": 45}),
    )

    first: int = budget(2, ge=0, le=8, unit="stickers", title="stickers of the first colour")
    """Number of stickers of the first colour: k."""
    second: int = budget(2, ge=0, le=8, unit="stickers", title="stickers of the second colour")
    """Number of stickers of the second colour, painted over the first ones: l."""
    max_area: float = budget(0.15, gt=0, le=1, unit="of the image", title="largest area")
    """Limit of the sum of their areas. Larger candidates shrink. Success depends strongly on it."""
    first_colour: str = method("black")
    """A name such as black, white or red, or #rrggbb. A grey model sees the mean of the channels."""
    second_colour: str = method("white")
    """Colour of the stickers painted last."""
    smallest: float = method(1 / 16, gt=0, le=1, unit="of the shorter side", title="smallest side")
    """Smallest width and height, rounded to whole pixels, at least one."""
    largest: float = method(1 / 4, gt=0, le=1, unit="of the shorter side", title="largest side")
    """Largest width and height, rounded to whole pixels."""
    turn: float = method(0.0, ge=0, le=180, unit="degrees", title="largest angle")
    """Largest angle by which a sticker may be rotated either way, in whole degrees; its edges are then antialiased. 0: upright."""
    search: Literal["evolution", "swarm", "random", "grid"] = method(
        "evolution",
        choices={"evolution": "differential evolution", "swarm": "particle swarm", "grid": "every place and size"},
    )
    """How places are searched for. grid: every place and size of a single sticker, in an order that is scattered over the image."""
    population: int = method(64, ge=FEWEST, le=100_000, unit="candidates")
    """Number of candidates of a generation, which pass the model together."""
    factor: float = method(0.5, title="factor on differences", gt=0, le=2, when={"search": "evolution"})
    """Factor F on the difference of two members."""
    crossover: float = method(0.9, title="crossover rate", ge=0, le=1, when={"search": "evolution"})
    """Probability CR that a gene is the mutant's and not the parent's."""
    inertia: float = method(0.73, ge=0, le=1, when={"search": "swarm"})
    """Share of a particle's velocity that is kept."""
    pull: float = method(1.5, ge=0, le=4, when={"search": "swarm"})
    """Pull towards the particle's own best place, and as strong towards the swarm's."""
    speed: float = method(0.25, gt=0, le=1, unit="of the range", title="largest speed", when={"search": "swarm"})
    """Largest change of a gene in one generation."""
    stride: int = method(1, ge=1, le=1000, unit="pixels", when={"search": "grid"})
    """Distance of the places that are tried."""

    @field_validator("first_colour", "second_colour")
    @classmethod
    def _is_colour(cls, text: str) -> str:
        try:
            colour_of(text)
        except GibbonError as error:
            raise ValueError(str(error)) from None
        return text

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.first + self.second == 0:
            raise WrongField("first", "There is no sticker of either colour. Allow at least one.")
        if self.smallest > self.largest:
            raise WrongField("smallest", f"It is {self.smallest:.3g}, more than the largest side of {self.largest:.3g}. Make it smaller.")
        if self.search == "grid" and (self.first + self.second > 1 or self.turn):
            raise WrongField("search", "Every place can be tried for one upright sticker only. Choose one sticker, or another search.")
        return self

    @property
    def together(self) -> int:
        """Number of candidates of a generation."""
        return self.population

    def space(self, problem: Problem) -> Space:
        """Return the space of the stickers' places and sizes."""
        height, width = problem.images.shape[2:]
        side = min(height, width)
        low, high = (max(1, round(share * side)) for share in (self.smallest, self.largest))
        colours = [colour_of(self.first_colour)] * self.first + [colour_of(self.second_colour)] * self.second
        most = int(self.max_area * height * width + 1e-6)
        boxes = Boxes(Region.of(problem), colours, low, high, self.turn, most)
        return ListedBoxes.of(boxes, self.stride, self.queries) if self.search == "grid" else boxes

    def begin(self, problem: Problem, space: Space) -> Search:
        """Return the search with its first generation."""
        random = problem.random
        if isinstance(space, ListedBoxes):
            return Sweep.over(space.order(len(problem.images)), self.population)
        if self.search == "random":
            return RandomSearch.begin(random, self.population, space.genes)
        if self.search == "evolution":
            return Evolution.begin(random, self.population, space.genes, self.factor, self.crossover)
        return Swarm.begin(
            random,
            self.population,
            space.genes,
            inertia=self.inertia,
            pull=self.pull,
            speed=self.speed,
            factors="each",
            lives=self.queries,  # once
        )

    def candidates(self, search: Search) -> int:
        """Return how many places there are on a grid; else as many as may be queried."""
        return search.order.shape[1] if isinstance(search, Sweep) else self.queries
