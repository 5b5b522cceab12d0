"""The landscape of a sticker: what the classifier says for it at every place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch
from pydantic import field_validator
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, Axis, Curve, Map, PlacedStickers, Table
from engine.attacks.sticker_search.candidates import BestPlaced, Tried, tried
from engine.attacks.sticker_search.places import Places
from engine.attacks.sticker_search.region import Region
from engine.attacks.sticker_search.search import PlacedStep
from engine.attacks.sticker_search.slid import Slid
from engine.batching import images_per_step, rows_per_pass
from engine.devices import precise
from engine.errors import GibbonError
from engine.operation import Attack, AttackStep, JoinsChunks, Problem, Step
from engine.parameters import Preset, budget, method, result
from engine.stickers.colours import colour_of
from engine.stickers.sticker import WIDEST_BLUR, Colour, Shadow

_SIDE = 28
"""Centres along the shorter side of an image, if no stride is given."""


@dataclass(frozen=True, eq=False)
class LandscapeStep(PlacedStep):
    """The best place so far, with everything that is known of the others."""

    margins: Tensor = field(kw_only=True)
    """Margins, ``(N, K, rows, columns)``; NaN where not tried."""
    shares: Tensor = field(kw_only=True)
    """Probability of the attacker's success, likewise: of any class but the label, or of the target."""


class StickerLandscape(Attack, JoinsChunks):
    """Put a sticker at every place, to map where it makes the classifier err.

    ``probability[place] = 1 - softmax(N(paint(image, sticker at place)))[label]`` (with a target: that of the target), and the margin, the
    best other logit minus the label's (the target's minus the best other). The map shows at each pixel the value of the sticker whose
    middle is nearest; over several sizes and angles the largest. A coarse grid of places comes first and is refined, so that a cancelled
    map covers the whole image. The adversarial image is the best of all.

    One forward pass for each place, size and angle, and one for the image. Within a mask the sticker lies on it. An exhaustive form of the
    lecture's formula for a single sticker: see `StickerSearch`.
    """

    slug: ClassVar[str] = "sticker-landscape"
    title: ClassVar[str] = "Sticker landscape"
    also: ClassVar[tuple[str, ...]] = ("heat map of places", "sticker map", "location map")
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "after Horváth, lecture"
    knows: ClassVar[Knowledge] = "scores"
    raises: ClassVar[str] = "margin"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("White, 6 × 6", {"colour": "white"}),
        Preset("A dark shadow, 12 × 12", {"content": "shadow", "kappa": 0.3, "width": 12, "height": 12}),
        Preset("Three sizes and four angles", {"sizes": 3, "angles": 4, "stride": 2}),
    )

    width: int = budget(6, ge=1, le=10_000, unit="pixels")
    """Width of the sticker."""
    height: int = budget(6, ge=1, le=10_000, unit="pixels")
    """Height of the sticker."""
    content: Literal["colour", "shadow"] = method("colour")
    """The content of the sticker: one colour, or the image below it, darkened."""
    colour: str = method("black", when={"content": "colour"})
    """A name such as black, white or red, or #rrggbb."""
    kappa: float = method(0.43, ge=0, le=1, unit="of the lightness", when={"content": "shadow"})
    """Factor on the lightness of the image below."""
    blur: float = method(3.0, ge=0, le=WIDEST_BLUR, unit="pixels", title="soft edge", when={"content": "shadow"})
    """Twice the width of the soft edge of the shadow."""
    stride: int | None = method(None, ge=1, le=10_000, unit="pixels", none="a 28th of the image's shorter side")
    """Distance of the places. 1: every pixel."""
    sizes: int = method(1, ge=1, le=20, unit="sizes")
    """Number of sizes at every place, from half of width and height to twice of it, evenly by factors; 1: the size itself."""
    angles: int = method(1, ge=1, le=180, unit="angles")
    """Number of angles at every place, evenly over half a turn; 1: upright."""
    shows: Literal["probability", "margin", "success"] = result("probability", title="value of the map")
    """Value of the map: the attacker's probability, the margin, or 1 where the classifier errs and 0 elsewhere."""
    at_most: int = budget(120_000, ge=1, unit="forward passes", title="passes at most")
    """Limit of forward passes for one image, beyond which a landscape is refused before it begins."""

    @field_validator("colour")
    @classmethod
    def _is_colour(cls, text: str) -> str:
        try:
            colour_of(text)
        except GibbonError as error:
            raise ValueError(str(error)) from None
        return text

    @property
    def factors(self) -> list[float]:
        """Factors on the size at every place."""
        return [1.0] if self.sizes == 1 else [2 ** (2 * place / (self.sizes - 1) - 1) for place in range(self.sizes)]

    @property
    def turns(self) -> list[float]:
        """Angles at every place in degrees."""
        return [180 * place / self.angles - (180 if 180 * place / self.angles > 90 else 0) for place in range(self.angles)]

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes a few passes."""
        places = images[0, 0].numel() // (self.stride or 1) ** 2
        return images_per_step(images, max(1, places) * self.sizes * self.angles)

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[LandscapeStep]:
        """Yield the clean image as step 0; then some places per step, coarsely over the image first."""
        places = self._places(problem)
        space = Slid.of(problem, self.filling)
        best = BestPlaced(problem, problem.classifier(problem.images))
        empty = torch.full((len(problem.images), *places.frames.shape[:3]), torch.nan, dtype=torch.float32)
        margins, shares = empty, empty
        parts = torch.split(places.order, rows_per_pass(problem.images))
        yield _step(0, len(parts), best, margins, shares)
        frames, inside = places.frames.view(-1, 5), places.inside.flatten(1)
        rows = torch.arange(len(problem.images), device=problem.images.device)
        for index, part in enumerate(parts, 1):
            placed = frames[part].to(problem.images.device, precise(problem.images.device)).expand(len(rows), -1, -1)[:, :, None]
            found = self._within(tried(problem, space, placed), inside[:, part].to(rows.device))
            best.keep(problem, space, rows, found)
            margins, shares = (
                before.flatten(1).index_copy(1, part, new.float().cpu()).view_as(before)
                for before, new in ((margins, _known(found, found.loss)), (shares, self._shares(problem, found)))
            )
            yield _step(index, len(parts), best, margins, shares)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the map, the best sticker, a table of all places, and curves over sizes and angles where there are several."""
        assert isinstance(last, LandscapeStep)
        places = self._places(problem)
        known = self._shown(last).nan_to_num(nan=-torch.inf).amax(1)
        known = known.masked_fill(known == -torch.inf, torch.nan)
        several = ", the best of all sizes and angles" if len(self.factors) * len(self.turns) > 1 else ""
        title = {"probability": "Probability of success", "margin": "Margin, above 0 it succeeds", "success": "Success"}[self.shows]
        made: dict[str, Artifact] = {
            "landscape": Map(places.over_image(known), f"{title} by place of the sticker{several}", signed=self.shows == "margin"),
            "places": self._table(places, last),
        }
        if any(last.stickers):
            made["stickers"] = PlacedStickers(last.stickers, "The sticker at its best place")
        for name, values, axis in (("size", self.factors, 1), ("angle", self.turns, 2)):
            if len(values) > 1:
                made[f"by {name}"] = self._curve(last, name, values, axis)
        return made

    def joined(self, lasts: Sequence[AttackStep]) -> LandscapeStep:
        """Join the landscapes of all chunks."""
        steps = [step for step in lasts if isinstance(step, LandscapeStep)]
        images, loss, margins, shares = (
            torch.cat([getattr(step, name) for step in steps]) for name in ("adversarial", "loss", "margins", "shares")
        )
        stickers = tuple(each for step in steps for each in step.stickers)
        return replace(
            steps[-1], adversarial=images, loss=loss, logits=None, first_row=0, stickers=stickers, margins=margins, shares=shares
        )

    @property
    def filling(self) -> Colour | Shadow:
        """Content of the sticker that is put at every place."""
        return Colour(colour_of(self.colour)) if self.content == "colour" else Shadow(self.kappa, self.blur)

    def _places(self, problem: Problem) -> Places:
        height, width = problem.images.shape[2:]
        stride = self.stride or max(1, min(height, width) // _SIDE)
        allowed = Region.of(problem).allowed.cpu()
        places = Places.of(allowed, (self.width, self.height), self.factors, self.turns, stride)
        if len(places.order) > self.at_most:
            raise GibbonError(
                f"There are {len(places.order):,} places, sizes and angles for each image, more than the {self.at_most:,} passes that are "
                "allowed. Choose a larger stride, or allow more."
            )
        return places

    def _within(self, found: Tried, inside: Tensor) -> Tried:
        """Return candidates with those off an image's own region as if they had not been tried."""
        off = ~inside
        return found._replace(loss=found.loss.masked_fill(off, -torch.inf), success=found.success & ~off)

    def _shares(self, problem: Problem, found: Tried) -> Tensor:
        shares = found.logits.softmax(-1)
        classes = problem.labels if problem.targets is None else problem.targets
        own = shares.gather(2, classes[:, None, None].expand(-1, shares.shape[1], 1))[..., 0]
        own = 1 - own if problem.targets is None else own
        return _known(found, own)

    def _shown(self, step: LandscapeStep) -> Tensor:
        if self.shows == "probability":
            return step.shares
        return step.margins if self.shows == "margin" else torch.where(step.margins.isnan(), torch.nan, (step.margins > 0).float())

    def _curve(self, step: LandscapeStep, name: str, values: list[float], axis: int) -> Curve:
        sides = (len(step.shares), len(self.factors), len(self.turns), *step.shares.shape[2:])
        shares, margins = step.shares.view(sides), step.margins.view(sides)
        errs = torch.where(shares.isnan(), torch.nan, (margins > 0).float())
        means = [each.movedim(axis, 0).flatten(1).nanmean(1) for each in (shares, errs)]
        known = ~means[0].isnan()  # nothing was tried where no place lies on the region
        lines = {"probability of success": means[0][known].clamp(0, 1), "share of places that succeed": means[1][known]}
        unit = "factor on the size" if name == "size" else "angle (degrees)"
        return Curve(torch.tensor(values)[known], lines, f"The mean over all places by {name}", Axis(unit), Axis("share", "share"))

    def _table(self, places: Places, last: LandscapeStep) -> Table:
        rows: list[tuple[Any, ...]] = []
        frames = places.frames.view(-1, 5)
        for image, (margins, shares) in enumerate(zip(last.margins.flatten(1), last.shares.flatten(1), strict=True)):
            tried_there = (~margins.isnan()).nonzero()[:, 0]
            best_first = tried_there[margins[tried_there].argsort(descending=True, stable=True)].tolist()
            rows += [(image, *frames[place].tolist(), float(shares[place]), float(margins[place])) for place in best_first]
        columns = ("image", "x", "y", "width", "height", "angle", "probability", "margin")
        return Table(columns, tuple(rows), "Places, the best first", units={"probability": "share"})


def _step(index: int, total: int, best: BestPlaced, margins: Tensor, shares: Tensor) -> LandscapeStep:
    return LandscapeStep(index, total, best.images, best.loss, best.logits, stickers=tuple(best.stickers), margins=margins, shares=shares)


def _known(found: Tried, values: Tensor) -> Tensor:
    """Return values with NaN in place of candidates that do not count."""
    return values.masked_fill(found.loss == -torch.inf, torch.nan)
