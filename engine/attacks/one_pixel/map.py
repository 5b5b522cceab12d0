"""Exhaustive map of single-pixel changes: every pixel in every colour of a palette."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, Map, Table
from engine.attacks.one_pixel.candidates import BestCandidate, Candidates, Tried
from engine.attacks.toolkit.scattering import scattered
from engine.balls import L0, Ball, Norm
from engine.batching import images_per_step
from engine.errors import GibbonError
from engine.operation import Attack, AttackStep, JoinsChunks, Problem, Step
from engine.parameters import Preset, budget, method

_LISTED = 20
"""Rows in the table of the best pixels, for each image."""


@dataclass(frozen=True, eq=False)
class Known:
    """The best colour of every pixel so far, with places in one line: ``(N, H * W)``."""

    margins: Tensor
    """Margins: above 0 where the pixel flips the prediction; that of the clean image where nothing was tried."""
    classes: Tensor
    """Predicted class with that colour."""
    colours: Tensor
    """Index of that colour in the palette, -1 where nothing was tried."""

    @classmethod
    def nothing(cls, problem: Problem, loss: Tensor, logits: Tensor) -> Known:
        """Return the state before anything was tried."""
        empty = torch.zeros_like(problem.images[:, 0].flatten(1))
        classes = empty.long()
        return cls(empty + loss[:, None], classes + logits.argmax(1)[:, None], classes - 1)

    def learn(self, found: Tried, pixels: Tensor, colours: int) -> Known:
        """Return the state with the results at ``pixels``, each in all colours."""
        margins, chosen = found.loss.view(len(found.loss), -1, colours).max(2)
        classes = found.logits.argmax(2).view(len(found.loss), -1, colours).gather(2, chosen[..., None])[..., 0]
        return Known(
            *(
                old.index_copy(1, pixels, new)
                for old, new in zip((self.margins, self.classes, self.colours), (margins, classes, chosen), strict=True)
            )
        )


@dataclass(frozen=True, eq=False)
class MapStep(AttackStep):
    """The best image so far, with the state of the map."""

    known: Known = field(kw_only=True)


class OnePixelMap(Attack, JoinsChunks):
    """Try every pixel in every colour of a palette, one at a time, to map which pixels can flip the prediction.

    ``margins[row, column] = max over colours of margin(image with that pixel in that colour)``, where the margin is the best other logit
    minus the label's (with a target: the target's minus the best other): above 0 the pixel flips. The adversarial image is the best of all;
    where none flips, no single pixel can do so in these colours.

    There are ``levels^C`` colours, so ``H * W * levels^C`` forward passes for each image (27,648 for 32 x 32 pixels in 27 colours), one or
    two for the image itself, and a few more that confirm flips found by windows: see `OnePixel`. The order of pixels is scattered over the
    image, so that a cancelled map covers all of it coarsely.

    An exhaustive form of Su, Vargas, Sakurai 2017, arXiv 1710.08864: no differential evolution over the same colours can find more.
    """

    slug: ClassVar[str] = "one-pixel-map"
    title: ClassVar[str] = "One-pixel map"
    family: ClassVar[str] = "Few pixels"
    paper: ClassVar[str] = "after Su et al. 2017, arXiv 1710.08864"
    knows: ClassVar[Knowledge] = "scores"
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    raises: ClassVar[str] = "margin"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Black and white", {"levels": 2, "greys": True}),
        Preset("Corners of the colour cube", {"levels": 2}),
        Preset("27 colours", {"levels": 3}),
    )

    levels: int = method(3, ge=2, le=256, unit="levels", title="levels per channel")
    """Evenly spaced levels of each channel, black and full included: 2 gives the eight corners of the colour cube, 3 gives 27 colours."""
    greys: bool = method(False, title="greys only")
    """Use only colours whose channels are equal: with 2 levels black and white."""
    at_most: int = budget(120_000, ge=1, unit="forward passes", title="passes at most")
    """Limit of forward passes for one image, beyond which a map is refused before it begins: a photograph of 224 x 224 in 27 colours takes
    1,354,752, which are hours.
    """

    def ball(self) -> Ball:
        """Return the set of at most one changed pixel."""
        return L0(1)

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes a few passes."""
        return images_per_step(images, images[0, 0].numel() * len(self.palette(images[:1])))

    def joined(self, lasts: Sequence[AttackStep]) -> MapStep:
        """Join the maps of all chunks."""
        steps = [step for step in lasts if isinstance(step, MapStep)]
        known = Known(*(torch.cat([getattr(step.known, each.name) for step in steps]) for each in fields(Known)))
        images, loss = torch.cat([step.adversarial for step in steps]), torch.cat([step.loss for step in steps])
        return replace(steps[-1], adversarial=images, loss=loss, logits=None, first_row=0, known=known)

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[MapStep]:
        """Yield the clean image as step 0; then some pixels per step, in all colours."""
        palette, places = self.palette(problem.images), _scattered(problem)
        self._refuse_too_many(problem, len(places) * len(palette))
        candidates = Candidates(problem, "margin")
        some = max(1, candidates.of_an_image // len(palette))
        total = math.ceil(len(places) / some)
        best, known = BestCandidate(problem, candidates), Known.nothing(problem, candidates.loss, candidates.clean)
        rows = torch.arange(len(problem.images), device=problem.images.device)
        yield MapStep(0, total, problem.images, best.loss, best.logits, known=known)
        for index, pixels in enumerate(torch.split(places, some), 1):
            pairs = torch.cartesian_prod(pixels, torch.arange(len(palette), device=pixels.device))
            found = candidates.ask(problem, rows, _each(pairs[:, :1], rows), _each(palette[pairs[:, 1:]], rows))
            found = candidates.confirmed(problem, found, *_flips(found, len(palette)))
            best.keep(problem, rows, found)
            known = known.learn(found, pixels, len(palette))
            yield MapStep(index, total, best.images, best.loss, best.logits, known=known)

    def palette(self, images: Tensor) -> Tensor:
        """Return the palette, ``(colours, C)``, in levels of 8 bits."""
        levels = (torch.arange(self.levels, device=images.device, dtype=images.dtype) * 255 / (self.levels - 1)).round() / 255
        channels = images.shape[1]
        if self.greys or channels == 1:
            return levels[:, None].repeat(1, channels)
        return torch.cartesian_prod(*[levels] * channels)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the map, NaN where nothing was tried, and a table of the pixels that come nearest to flipping or flip best."""
        assert isinstance(last, MapStep)
        margins = last.known.margins.masked_fill(last.known.colours < 0, torch.nan).view(-1, *problem.images.shape[2:])
        return {
            "flips": Map(margins, _map_title(problem, last.known), signed=True),
            "pixels": self._table(problem, last),
        }

    def _table(self, problem: Problem, last: MapStep) -> Table:
        known, width, palette = last.known, problem.images.shape[3], self.palette(problem.images)
        listed = known.margins.masked_fill(known.colours < 0, -torch.inf).topk(min(_LISTED, known.margins.shape[1]), dim=1).indices
        rows = []
        for image, places in enumerate(listed.tolist()):
            for place in places:
                colour, margin = int(known.colours[image, place]), float(known.margins[image, place])
                if colour < 0:
                    continue
                levels = " ".join(str(round(255 * level)) for level in palette[colour].tolist())
                name = problem.classifier.labels[int(known.classes[image, place])]
                rows.append((image, place % width, place // width, levels, margin, name, margin > 0))
        columns = ("image", "x", "y", "levels", "margin", "prediction", "flips")
        first = 1 if len(problem.images) == 1 else 0  # a single image needs no column for its number
        return Table(columns[first:], tuple(row[first:] for row in rows), "The most effective pixels")

    def _refuse_too_many(self, problem: Problem, each: int) -> None:
        if each > self.at_most:
            height, width = problem.images.shape[2:]
            raise GibbonError(
                f"Every pixel of {height} × {width} in every colour takes {each:,} forward passes for an image, "
                f"at most {self.at_most:,} are allowed. Take fewer levels or greys only, limit the region to a sticker, or raise at_most."
            )


def _map_title(problem: Problem, known: Known) -> str:
    """Return the title of the map, with a remark where it is incomplete."""
    shows, wanted, tried_places = "margin with the best colour, above 0 the pixel flips", len(_scattered(problem)), known.colours >= 0
    made = int(tried_places.any(0).sum())
    if made < wanted:
        return f"Incomplete, {made:,} of {wanted:,} pixels: {shows}"
    if not bool((tried_places & (known.margins > 0)).any()):
        return "Margin with the best colour: no pixel flips, all are at most 0"
    return "Margin with the best colour: above 0 the pixel flips"


def _each(values: Tensor, rows: Tensor) -> Tensor:
    """Repeat values for every image."""
    return values.expand(len(rows), *values.shape)


def _flips(found: Tried, colours: int) -> tuple[Tensor, Tensor]:
    """Return images and candidates of the flips that are the best colour of their pixel."""
    loss = found.loss.view(len(found.loss), -1, colours)
    worth, chosen = loss.max(2)
    image, pixel = (worth > 0).nonzero(as_tuple=True)
    return image, pixel * colours + chosen[image, pixel]


def _scattered(problem: Problem) -> Tensor:
    """Return the allowed places in a scattered order."""
    height, width = problem.images.shape[2:]
    places = torch.arange(height * width, device=problem.images.device)
    if problem.mask is not None:
        places = places[(problem.mask > 0).any(0).flatten()]
    return places[scattered(len(places)).to(places.device)]
