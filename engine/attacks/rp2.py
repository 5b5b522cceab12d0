"""Robust physical perturbations: where to put stickers on a sign, and what to print on them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, Map, StickerContent, Unit
from engine.attacks.adversarial_patch.course import Course, PatchStep
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.expectation import Expected, images_together
from engine.attacks.toolkit.losses import LossName
from engine.attacks.toolkit.printed import Printed
from engine.attacks.toolkit.rectangles import as_mask, hottest_rectangles
from engine.attacks.toolkit.survival import Survival
from engine.attacks.toolkit.transformed import Transformed, inside_of
from engine.balls import TINY, Norm, column
from engine.operation import AttackStep, JoinsChunks, Problem, Step, Use
from engine.parameters import Preset, budget, method, result
from engine.stickers.transforms import draw
from engine.text.parsing import Number

_NOWHERE = "The search for a mask found no pixel that matters, so all that may change was used. Lower its weight, or give it more steps."


@dataclass(frozen=True, eq=False)
class RP2Step(PatchStep):
    """A step with the mask that the search found."""

    region: Tensor | None = field(default=None, kw_only=True)
    """The pixels of the stickers, ``(N, 1, H, W)``; None while they are searched for."""
    heat: Tensor | None = field(default=None, kw_only=True)
    """Magnitude of the perturbation at the end of the search, ``(N, H, W)``."""


class RP2(JoinsChunks, Transformed, Printed):
    """Find a few rectangles where stickers matter most, then what is on them, under transformations of the image.

    Both stages maximise ``mean over b of loss(logits(t_b(clamp(images + mask * delta, 0, 1)))) - weight * ||mask * delta||_p`` by Adam,
    with ``t_0`` the identity and the other transformations drawn in every step, less the penalties of what cannot be printed.

    - Search, ``p = 1``: the mask is all that may change. The sum norm leaves a perturbation of few pixels; the rectangles with most of its
      magnitude, at most ``rectangles`` of them with at most ``area`` of the allowed pixels, become the mask.
    - Stickers, ``p = 2``: from the clean image again, inside these rectangles. The best image is kept, and judged on ``fresh``
      transformations.

    Without a search the stickers are where the mask is. Differences from the paper: several images of one object are transformations of one
    image here. The non-printability is the distance to the nearest colour, not the product of all distances, and it is taken of the printed
    pixels, not of the perturbation as in the authors' code.

    Eykholt, Evtimov, Fernandes, Li, Rahmati, Xiao, Prakash, Kohno, Song 2017, arXiv 1707.08945.
    """

    slug: ClassVar[str] = "rp2"
    title: ClassVar[str] = "RP2"
    also: ClassVar[tuple[str, ...]] = ("robust physical perturbations", "EOT", "stop sign stickers", "mask search")
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "Eykholt et al. 2017, arXiv 1707.08945"
    norms: ClassVar[tuple[Norm, ...]] = ("l1", "l2")
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"
    averages: ClassVar[str] = "transformations"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask"})
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"success rate under transformations": "share"})
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "GTSRB, weight 0.001, 1000 steps of 0.25 (Eykholt 2017)",
            {"steps": 1000, "step_size": 0.25, "weight": 0.001, "search": False},
            needs=frozenset({"targets"}),
        ),
        Preset("Black and white stickers", {"palette": "black and white", "palette_weight": 5.0, "eight_bit": True}),
    )

    steps: int = budget(200, ge=1, le=100_000, unit="steps")
    """Number of steps on the stickers."""
    step_size: Number = budget(0.1, gt=0, le=1, unit="of [0, 1]")
    """Length of one step of Adam in pixel units."""
    weight: Number = method(0.01, title="weight of the norm", ge=0, le=1000)
    """Weight of the perturbation's L2 norm: larger weights give fainter stickers."""
    search: bool = method(True, title="search for a mask")
    """Whether the places of the stickers are searched for. Otherwise the whole mask is one sticker."""
    search_steps: int = method(60, ge=1, le=100_000, unit="steps", title="steps of the search", when={"search": True})
    """Number of steps before the rectangles are chosen."""
    search_weight: Number = method(0.01, ge=0, le=1000, title="weight of the norm in the search", when={"search": True})
    """Weight of the L1 norm in the search: larger weights leave fewer pixels."""
    rectangles: int = method(4, ge=1, le=20, unit="stickers", when={"search": True})
    """Largest number of rectangles."""
    area: Number = method(0.15, gt=0, le=1, unit="of the mask", when={"search": True})
    """Largest share of the pixels that may change in all rectangles together."""
    samples: int = method(16, ge=1, le=1024, unit="per step", title="transformations")
    """Number of transformations that are drawn in every step."""
    loss: LossName = method("ce")
    """Loss to maximise. ce: cross-entropy. stable-ce: the same direction without float32's rounding on confident images. margin: best other
    logit minus the label's. dlr: the margin over the spread of the logits.
    """
    fresh: int = result(100, title="fresh transformations", ge=0, le=10_000)
    """Number of new draws on which the result is judged at the end; none of them was trained on. 0: no judgement."""

    def rows_together(self, images: Tensor) -> int | None:
        """Return how many images, each with its transformations, one pass holds."""
        return images_together(images, self._samples)

    @property
    def _samples(self) -> int:
        return 0 if self.ranges.is_identity else self.samples

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[RP2Step]:
        """Yield the iterates of the search, then those of the stickers, both from the clean image; last the best one while it is judged."""
        self.check_channels(problem)
        steps = self.steps + (self.search_steps + 1 if self.search else 0)
        course = Course(problem, steps, self._samples, self.fresh, ends_with_best=True)
        heat, region, notes = None, inside_of(problem).expand(len(problem.images), -1, -1, -1), tuple[str, ...]()
        if self.search:
            delta = yield from self._ascend(course, problem, self.search_steps, self.search_weight, 1)
            heat = (delta if problem.mask is None else problem.mask * delta).abs().sum(1)
            region, notes = self._found(heat, region)
            course.forget()
        stickers = replace(problem, mask=region.to(problem.images) if problem.mask is None else region * problem.mask)
        for step in self._steps(course, stickers):
            yield _with(step, region, heat, notes)

    def _steps(self, course: Course, stickers: Problem) -> Iterator[PatchStep]:
        yield from self._ascend(course, stickers, self.steps, self.weight, 2)
        if self.fresh and self._samples:
            yield from course.judge(draw(self.ranges, stickers.random, self.fresh, tuple(stickers.images.shape[1:])))
        else:
            yield course.best()

    def _ascend(self, course: Course, problem: Problem, steps: int, weight: float, p: int) -> Generator[RP2Step, None, Tensor]:
        """Run Adam for ``steps`` steps, and return the perturbation."""
        inside = inside_of(problem).expand(len(problem.images), -1, -1, -1)
        low, high = -problem.images * inside, (1 - problem.images) * inside
        delta, adam = torch.zeros_like(problem.images), Adam(problem.images)
        for number in range(steps + 1):
            images = self._composed(problem, delta)
            drawn = draw(self.ranges, problem.random, self.samples, tuple(images.shape[1:])) if self._samples else None
            last = number == steps
            looking: Generator[PatchStep, None, Expected] = course.look(images, drawn, self.loss, last=last)
            while True:
                try:
                    yield _with(next(looking), None, None, ())
                except StopIteration as end:
                    seen: Expected = end.value
                    break
            yield _with(course.step(images, seen), None, None, ())
            if not last:
                delta = (delta + self.step_size * -adam(-self._slope(problem, delta, images, seen, inside, weight, p))).clamp(low, high)
        return delta

    def _slope(self, problem: Problem, delta: Tensor, images: Tensor, seen: Expected, inside: Tensor, weight: float, p: int) -> Tensor:
        """Return the gradient of the objective with respect to the perturbation, zero outside of the mask."""
        mask = inside if problem.mask is None else problem.mask
        norm = delta.sign() if p == 1 else delta / column(delta.flatten(1).norm(dim=1).clamp_min(TINY), delta)
        slope = self.penalty_slope(images, inside)
        gradient = seen.gradient if slope is None else seen.gradient - slope
        return mask * gradient - weight * inside * norm

    def _composed(self, problem: Problem, delta: Tensor) -> Tensor:
        """Return the image with the perturbation, its printed pixels on 8-bit levels where that was chosen."""
        images = problem.compose(delta)
        return torch.where(inside_of(problem), self.shown(images), problem.images) if self.eight_bit else images

    def _found(self, heat: Tensor, allowed: Tensor) -> tuple[Tensor, tuple[str, ...]]:
        """Return the mask of the hottest rectangles of each image, ``(N, 1, H, W)``, and a note where there are none. Waits once."""
        maps, places, masks, notes = heat.cpu(), allowed.cpu(), list[Tensor](), tuple[str, ...]()
        for row, warm in enumerate(maps):
            found = hottest_rectangles(warm, places[row, 0], self.rectangles, self.area)
            notes = notes if found else (_NOWHERE,)
            masks.append(as_mask(found, *warm.shape) > 0 if found else places[row])
        return torch.stack(masks).to(heat.device), notes

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the stickers, the heat map of the search, and the success under fresh transformations."""
        assert isinstance(last, RP2Step)
        made: dict[str, Artifact] = {}
        if last.region is not None:
            mask = last.region.to(problem.images)
            made["content"] = StickerContent(torch.where(last.region, last.adversarial, 0.5), mask)
        if last.heat is not None:
            made["search"] = Map(last.heat, "Magnitude of the perturbation in the search")
        if last.survival is not None:
            made["survival"] = last.survival.table()
        return made

    def joined(self, lasts: Sequence[AttackStep]) -> AttackStep:
        """Join the last steps of all chunks; what one of them lacks is left out."""
        adversarial, loss, logits = (torch.cat([getattr(step, name) for step in lasts]) for name in ("adversarial", "loss", "logits"))
        known = [step.survival for step in lasts if isinstance(step, RP2Step) and step.survival is not None]
        regions = [step.region for step in lasts if isinstance(step, RP2Step) and step.region is not None]
        heats = [step.heat for step in lasts if isinstance(step, RP2Step) and step.heat is not None]
        return RP2Step(
            lasts[-1].index,
            lasts[-1].total,
            adversarial,
            loss,
            logits,
            survival=Survival.joined(known) if len(known) == len(lasts) else None,
            region=torch.cat(regions) if len(regions) == len(lasts) else None,
            heat=torch.cat(heats) if len(heats) == len(lasts) else None,
        )


def _with(step: PatchStep, region: Tensor | None, heat: Tensor | None, notes: tuple[str, ...]) -> RP2Step:
    return RP2Step(**vars(step) | {"region": region, "heat": heat, "notes": notes})
