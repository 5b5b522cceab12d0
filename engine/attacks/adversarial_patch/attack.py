"""Content of stickers that holds when the camera moves and the light changes: expectation over transformation, for these images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, StickerContent, Unit
from engine.attacks.adversarial_patch.course import Course, PatchStep
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.directions import direction
from engine.attacks.toolkit.expectation import images_together
from engine.attacks.toolkit.losses import LossName
from engine.attacks.toolkit.printed import Printed
from engine.attacks.toolkit.sticker_content import Begin, composed, first_content
from engine.attacks.toolkit.survival import Survival
from engine.attacks.toolkit.transformed import CAMERA, IDENTITY, Transformed
from engine.balls import Norm
from engine.operation import AttackStep, JoinsChunks, Problem, Step, Use
from engine.parameters import Preset, budget, method, result
from engine.randomness import RowRandom
from engine.stickers.transforms import Transforms, draw, photographed
from engine.text.parsing import Number


class AdversarialPatch(JoinsChunks, Transformed, Printed):
    """Optimise the colours of stickers so that they fool the classifier wherever the camera stands (EOT).

    ``content <- clamp(content + step_size * direction(gradient), 0, 1)`` inside the mask, where ``gradient`` is that of the mean loss over
    the image itself and ``samples`` transformations of the whole image, drawn afresh in every step: ``mean over b of loss(logits(t_b((1 -
    mask) * images + mask * content)))`` with ``t_0`` the identity. With Adam its step takes the place of the direction. With a ``radius``
    the content also stays within ``radius`` of its beginning in every value, as camouflage.

    The adversarial image is the composition before any transformation. At the end it is judged on ``fresh`` new transformations.
    Transformations of one image are one batch; where they take more than 0.1 s they are divided, and each part counts as a step. Without
    transformations this is the attack Sticker content, to the same bits.

    Brown, Mané, Roy, Abadi, Gilmer 2017, arXiv 1712.09665, for one place; Athalye, Engstrom, Ilyas, Kwok 2017, arXiv 1707.07397.
    """

    slug: ClassVar[str] = "adversarial-patch"
    title: ClassVar[str] = "Adversarial patch"
    also: ClassVar[tuple[str, ...]] = ("EOT", "expectation over transformation", "robust sticker", "physical sticker")
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "Brown et al. 2017, arXiv 1712.09665; Athalye et al. 2017, arXiv 1707.07397"
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    averages: ClassVar[str] = "transformations"
    follows_objective: ClassVar[bool] = True
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "start", "stickers"})
    needs: ClassVar[frozenset[Use]] = frozenset({"mask"})
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"success rate under transformations": "share"})
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "Geometry and light (Athalye 2017, ranges of the 2-D case)", {"smallest": 0.9, "largest": 1.4, "rotation": 22.5, "noise": 0.1}
        ),
        Preset("Camera: geometry, light, lens, sensor and file", CAMERA),
        Preset("Upright: no transformation", IDENTITY),
        Preset(
            "To be printed: 27 colours, smooth", {"palette": "27 colours", "palette_weight": 10.0, "smoothness": 2.0, "eight_bit": True}
        ),
    )

    steps: int = budget(100, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    step_size: Number = budget(0.05, gt=0, le=1, unit="of [0, 1]")
    """Length of one step in pixel units."""
    radius: Number | None = budget(None, gt=0, le=1, none="any colour", unit="of [0, 1]", title="camouflage radius")
    """Largest change of each value of the content from its beginning, as camouflage. None: no limit."""
    samples: int = method(32, ge=1, le=1024, unit="per step", title="transformations")
    """Number of transformations that are drawn in every step; 16 to 64 are usual."""
    optimizer: Literal["sign", "adam"] = method("sign", choices={"sign": "sign of the gradient"})
    """Steps along the sign of the gradient, or those of Adam."""
    begin: Begin = method("grey")
    """Initial content: middle grey, the image below, random colours, or the present content of the stickers."""
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
    def iterate(self, problem: Problem) -> Iterator[PatchStep]:
        """Yield the initial content as iterate 0, the content after k steps as iterate k, and last the best one while it is judged."""
        self.check_channels(problem)
        mask, random = problem.mask, problem.random
        assert mask is not None  # the attack needs a mask, so the driver has refused a run without
        inside = (mask > 0).expand(len(problem.images), -1, -1, -1)
        beginning = content = first_content(self.begin, problem.images, random, problem.start)
        adam = Adam(problem.images) if self.optimizer == "adam" else None
        course = Course(problem, self.steps, self._samples, self.fresh)
        for number in range(self.steps + 1):
            images = composed(problem.images, mask, self.shown(content))
            seen = yield from course.look(images, self._draw(random, self.samples, problem), self.loss, last=number == self.steps)
            yield course.step(images, seen)
            if number < self.steps:
                gradient = mask * seen.gradient
                slope = self.penalty_slope(content, inside)
                gradient = gradient if slope is None else gradient - slope
                along = direction("steepest", gradient, "linf", 0.0) if adam is None else -adam(-gradient)
                content = self._limited(content + self.step_size * along, beginning)
        if self.fresh and self._samples:
            yield from course.judge(draw(self.ranges, random, self.fresh, tuple(problem.images.shape[1:])))

    def _draw(self, random: RowRandom, count: int, problem: Problem) -> Transforms | None:
        return draw(self.ranges, random, count, tuple(problem.images.shape[1:])) if self._samples else None

    def _limited(self, content: Tensor, beginning: Tensor) -> Tensor:
        if self.radius is not None:
            content = content.clamp(beginning - self.radius, beginning + self.radius)
        return content.clamp(0, 1)

    def preview(self, images: Tensor, mask: Tensor, start: Tensor | None = None, *, seed: int = 0, first_row: int = 0) -> Tensor:
        """Return the pictures ``(samples, N, C, H, W)`` of the first step, which a run with these inputs looks at before any change.

        Parameters
        ----------
        images, mask, start, seed, first_row
            As for `engine.start`; the mask is ``(N or 1, 1, H, W)``.
        """
        random = RowRandom(seed, range(first_row, first_row + len(images)), images.device)
        content = self.shown(first_content(self.begin, images, random, start))
        shown = composed(images, mask, content).repeat(self.samples, 1, 1, 1)
        drawn = draw(self.ranges, random, self.samples, tuple(images.shape[1:]))
        return photographed(shown, drawn).detach().reshape(self.samples, *images.shape)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the content of the kept images, and their success under fresh transformations."""
        assert isinstance(last, PatchStep)
        assert problem.mask is not None
        made: dict[str, Artifact] = {"content": StickerContent.under(problem.mask, problem.images, last.adversarial)}
        if last.survival is not None:
            made["survival"] = last.survival.table()
        return made

    def joined(self, lasts: Sequence[AttackStep]) -> AttackStep:
        """Join the last steps of all chunks; without the survival of all there is none."""
        known = [step.survival for step in lasts if isinstance(step, PatchStep) and step.survival is not None]
        adversarial, loss, logits = (torch.cat([getattr(step, name) for step in lasts]) for name in ("adversarial", "loss", "logits"))
        found = Survival.joined(known) if len(known) == len(lasts) else None
        return PatchStep(lasts[-1].index, lasts[-1].total, adversarial, loss, logits, survival=found)
