"""The laser beam: random search for the colour, place and width of a beam of light across the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import degrees
from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, Table
from engine.attacks.laser_beam.light import LONGEST, SHORTEST, half_turns, light
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.worst import Tried, Worst
from engine.batching import images_per_step, rows_per_pass
from engine.errors import WrongField
from engine.operation import Attack, AttackStep, JoinsChunks, Problem, Step
from engine.parameters import Preset, budget, method, result
from engine.ranking import beats

_NUMBERS = 4
"""Wavelength, angle, offset and width, each as a share of its range."""
_ANGLE = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class LaserStep(AttackStep):
    """The worst beam of every image so far."""

    beams: Tensor
    """Wavelength, angle, offset and width as shares of their ranges, ``(N, 4)``; meaningless where no beam was worse than none."""


class LaserBeam(Attack, JoinsChunks):
    """Shine a laser across the image: search its wavelength, angle, place and width so that the classifier errs; this needs scores alone.

    ``adversarial = clamp(images + mask * strength * light(theta), 0, 1)`` with ``theta`` = (wavelength, angle, offset, width) and the light
    of a Gaussian beam. ``restarts`` random beams take ``steps`` steps each: one of the four numbers, another in every step, moves by up
    to ``stride`` of its range, and the step stays if the loss grows. ``1 + restarts * (steps + 1)`` forward rows for each image at most;
    an image leaves the search at its first success. Restarts are rows of one batch, as many as one pass holds.

    Duan, Mao, Qin, Chen, Ye, He, Yang 2021, arXiv 2103.06504, who do the same with a real laser afterwards. Differences: the line is given
    by its distance from the middle, since the intercept of an upright line is infinite; the profile across the beam is Gaussian; a step has
    a random length. The ranges are theirs as they are usually told, unconfirmed: 380 to 750 nm, and 1 to 50 of 400 pixels.
    """

    slug: ClassVar[str] = "laser-beam"
    title: ClassVar[str] = "Laser beam"
    also: ClassVar[tuple[str, ...]] = ("AdvLB", "light")
    family: ClassVar[str] = "Transformations"
    paper: ClassVar[str] = "Duan et al. 2021, arXiv 2103.06504"
    knows: ClassVar[Knowledge] = "scores"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Quick: 20 beams of 10 steps", {"restarts": 20, "steps": 10}),
        Preset("Green pointer, 532 nm", {"shortest": 532.0, "longest": 532.0}),
        Preset("Many beams: 200 restarts, after Duan et al. 2021", {"restarts": 200, "steps": 20}),
    )

    restarts: int = budget(50, ge=1, le=100_000, unit="beams")
    """Number of random beams from which the search starts."""
    steps: int = budget(20, ge=0, le=100_000, unit="steps")
    """Steps from each of them. 0: the random beams alone."""
    shortest: float = budget(SHORTEST, ge=SHORTEST, le=LONGEST, unit="nm", title="shortest wavelength")
    """The shortest wavelength: 380 is violet."""
    longest: float = budget(LONGEST, ge=SHORTEST, le=LONGEST, unit="nm", title="longest wavelength")
    """The longest wavelength: 750 is dark red."""
    narrowest: float = budget(1 / 400, gt=0, le=1, unit="of the longer side", title="narrowest beam")
    """The smallest width of the beam, though no less than a pixel."""
    widest: float = budget(50 / 400, gt=0, le=1, unit="of the longer side", title="widest beam")
    """The largest width of the beam."""
    strength: float = budget(1.0, gt=0, le=1, unit="of white")
    """Brightness in the middle of the beam; less stands for a weak laser, or for daylight."""
    stride: float = method(0.2, gt=0, le=1, unit="of the range")
    """The largest step of a number."""
    loss: Literal["margin", "ce"] = method("margin")
    """Loss that grows. margin: best other logit minus the label's. ce: cross-entropy."""
    stop: Literal["flip", "never"] = result("flip")
    """End of the search for an image: at its first success, or after all beams."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.shortest > self.longest:
            raise WrongField("longest", f"{self.longest:g} nm is less than the shortest wavelength, {self.shortest:g} nm. Exchange them.")
        if self.narrowest > self.widest:
            raise WrongField("widest", f"{self.widest:g} is less than the narrowest beam, {self.narrowest:g}. Exchange them.")
        return self

    def rows_together(self, images: Tensor) -> int:
        """Return the number of images for which a step takes a few passes."""
        return max(1, images_per_step(images, self.restarts))

    def joined(self, lasts: Sequence[AttackStep]) -> LaserStep:
        """Join the beams of all chunks."""
        steps = [step for step in lasts if isinstance(step, LaserStep)]
        images, loss = torch.cat([step.adversarial for step in steps]), torch.cat([step.loss for step in steps])
        return replace(steps[-1], adversarial=images, loss=loss, logits=None, first_row=0, beams=torch.cat([step.beams for step in steps]))

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[LaserStep]:
        """Yield the images as they are, then the worst so far after each step of some of the beams."""
        together = min(self.restarts, rows_per_pass(problem.images))
        groups = torch.split(torch.arange(self.restarts, device=problem.images.device), together)
        total = len(groups) * (self.steps + 1)
        starts = problem.random.uniform((self.restarts, _NUMBERS)).to(problem.images)
        moves = problem.random.uniform((self.restarts, self.steps, 2)).to(problem.images)
        active, worst = ActiveRows(problem), Worst.begun(problem, _NUMBERS, self.loss)
        yield self._step(0, total, worst)
        index = 0
        for group in groups:
            rows = self._left(problem, active, worst)
            held: Tried | None = None
            for step in range(self.steps + 1):
                if not len(rows):
                    return
                index += 1
                if held is None:
                    held = self._shone(active.problem, starts[rows][:, group])
                else:
                    proposed = _moved(held.points, moves[rows][:, group, step - 1], self.stride)
                    held = _accepted(held, self._shone(active.problem, proposed))
                worst = worst.filled(rows, worst.select(rows).after(active.problem, held, ends_at_success=self.stop == "flip"))
                yield self._step(index, total, worst)
                asks = step % 8 == 7 or problem.images.device.type == "cpu"  # on an accelerator a check for the remaining rows waits
                if asks and self.stop == "flip" and len(left := self._left(problem, active, worst)) < len(rows):
                    held = _of_rows(held, torch.isin(rows, left).nonzero().flatten())
                    rows = left

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the worst beams as a table."""
        assert isinstance(last, LaserStep)
        wavelength, angle, offset, width = (each.tolist() for each in self.theta(last.beams.cpu().double()))
        shone = (last.adversarial != problem.images[: len(last.adversarial)]).flatten(1).any(1).tolist()
        rows = [
            (image, *((wavelength[image], degrees(angle[image]), offset[image], width[image]) if shone[image] else (None,) * _NUMBERS))
            for image in range(len(shone))
        ]
        first = 1 if len(rows) == 1 else 0  # a single image needs no column for its number
        columns = ("image", "wavelength (nm)", "angle (°)", "offset", "width")
        return {"beam": Table(columns[first:], tuple(row[first:] for row in rows), "The worst beam")}

    def theta(self, beams: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return wavelengths in nm, angles in radians, offsets in [-1, 1] and widths of ``beams`` ``(M, 4)``, shares of the ranges."""
        wavelength, angle, offset, width = beams.unbind(1)
        return (
            self.shortest + wavelength * (self.longest - self.shortest),
            half_turns(angle),
            2 * offset - 1,
            self.narrowest + width * (self.widest - self.narrowest),
        )

    def _step(self, index: int, total: int, worst: Worst) -> LaserStep:
        return LaserStep(index, total, worst.images, worst.loss, worst.logits, beams=worst.points)

    def _left(self, problem: Problem, active: ActiveRows, worst: Worst) -> Tensor:
        """Make the images that are not solved the active ones, and return their indices."""
        if self.stop == "flip":
            active.drop(problem.succeeds(worst.logits)[active.rows])
        return active.rows

    def _shone(self, problem: Problem, points: Tensor) -> Tried:
        """Evaluate beams ``(n, g, 4)``, several of each image, by one forward pass."""
        n, each = points.shape[:2]
        rays = self.strength * light(problem.images, *self.theta(points.flatten(0, 1)))
        shaped = rays.view(n, each, *rays.shape[1:])
        if problem.mask is not None:
            shaped = problem.mask[:, None] * shaped
        made = (problem.images[:, None] + shaped).clamp(0, 1).flatten(0, 1)
        return Tried.of(problem, made, points.flatten(0, 1), problem.classifier(made), self.loss)


def _moved(points: Tensor, draws: Tensor, stride: float) -> Tensor:
    """Move one number of each of the ``points`` ``(n, g, 4)``, by ``draws`` ``(n, g, 2)`` in [0, 1): which one, and how far.

    The angle goes round; the others stop at the ends of their ranges.
    """
    chosen = (draws[..., 0] * _NUMBERS).long().clamp_max(_NUMBERS - 1)
    steps = torch.nn.functional.one_hot(chosen, _NUMBERS) * (2 * draws[..., 1:] - 1) * stride
    moved = points + steps
    turned = moved[..., _ANGLE : _ANGLE + 1].remainder(1.0)
    return torch.cat([moved[..., :_ANGLE].clamp(0, 1), turned, moved[..., _ANGLE + 1 :].clamp(0, 1)], dim=-1)


def _accepted(held: Tried, proposed: Tried) -> Tried:
    """Return each beam after its step, if that is a success or its loss is larger, or else before."""
    taken = beats(proposed.success, proposed.loss, held.success, held.loss)
    return Tried(
        torch.where(taken[..., None, None, None], proposed.images, held.images),
        torch.where(taken[..., None], proposed.points, held.points),
        torch.where(taken[..., None], proposed.logits, held.logits),
        torch.where(taken, proposed.loss, held.loss),
        proposed.success | held.success,
    )


def _of_rows(held: Tried, rows: Tensor) -> Tried:
    """Return the beams of the images with these indices."""
    return Tried(held.images[rows], held.points[rows], held.logits[rows], held.loss[rows], held.success[rows])
