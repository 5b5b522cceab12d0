"""A patch for many images: learned from a data set at random places, sizes and angles, as Brown et al. did."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, Axis, Curve, Picture, StickerContent, Table, Unit
from engine.attacks.adversarial_patch.learning import Learning, LearningStep, Placing
from engine.attacks.adversarial_patch.region import Region
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.losses import LossName
from engine.attacks.toolkit.printed import Printed
from engine.attacks.toolkit.sticker_content import first_content
from engine.attacks.toolkit.transformed import Transformed
from engine.balls import Norm
from engine.intervals import wilson
from engine.operation import Problem, Step, Use
from engine.parameters import Preset, budget, data, method, result
from engine.randomness import RowRandom, generator
from engine.text.parsing import Number


class UniversalPatch(Transformed, Printed):
    """Learn one patch from a data set that fools the classifier on any image, wherever it lies, then put it on these.

    ``content <- clamp(content + step_size * direction(gradient), 0, 1)``, where ``gradient`` is that of the mean over a batch of
    ``loss(logits(light(images * (1 - covered) + painted)))``; ``covered`` and ``painted`` are the patch's coverage and its content times
    it, both read through one grid of a scale, rotation and place drawn for each image. With Adam its step takes the place of the direction.

    Size and shape of the patch are those of the mask, and it lies there in the adversarial images. Its success is the share of images held
    out whose prediction is the target, at each of several scales; images of the target class are left out. Without a target it is the
    share whose prediction differs from that of the clean image. The labels of the data set are not used.

    Brown, Mané, Roy, Abadi, Gilmer 2017, arXiv 1712.09665. ImageNet-Patch: Pintor et al. 2022, arXiv 2203.04412.
    """

    slug: ClassVar[str] = "universal-patch"
    title: ClassVar[str] = "Adversarial patch for many images"
    also: ClassVar[tuple[str, ...]] = ("Brown's patch", "toaster patch", "universal patch")
    family: ClassVar[str] = "Universal"
    paper: ClassVar[str] = "Brown et al. 2017, arXiv 1712.09665"
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "start", "stickers", "data"})
    needs: ClassVar[frozenset[Use]] = frozenset({"mask", "data"})
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"
    by_rows: ClassVar[bool] = False
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"success rate": "share", "held-out success rate": "share"})
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "ImageNet-Patch: shifts 0.2, rotation 45, scale 0.5 to 1 (Pintor 2022)",
            {"place": "as drawn", "shift": 0.2, "rotation": 45.0, "smallest": 0.5, "largest": 1.0, "perspective": 0.0},
            needs=frozenset({"targets"}),
        ),
        Preset("Anywhere, rotation 22.5, scale 0.5 to 2 (after ART's defaults)", {"rotation": 22.5, "smallest": 0.5, "largest": 2.0}),
    )

    steps: int = budget(300, ge=1, le=100_000, unit="steps")
    """Number of training batches."""
    step_size: Number = budget(0.05, gt=0, le=1, unit="of [0, 1]")
    """Length of one step in pixel units."""
    radius: Number | None = budget(None, gt=0, le=1, none="any colour", unit="of [0, 1]", title="camouflage radius")
    """Largest change of each value of the content from its beginning, as camouflage. None: no limit."""
    batch_size: int = method(32, ge=1, le=8192, unit="images")
    """Number of images in one batch; each has a transformation of its own."""
    place: Literal["anywhere", "as drawn"] = method("anywhere")
    """Place of the patch in training. anywhere: all of it on the image. as drawn: where the mask is, moved by the largest shift."""
    optimizer: Literal["sign", "adam"] = method("adam", choices={"sign": "sign of the gradient"})
    """Steps of Adam, or along the sign of the gradient."""
    begin: Literal["grey", "random", "current"] = method("grey")
    """Initial content: middle grey, random colours, or the present content of the stickers."""
    loss: LossName = method("ce")
    """Loss to maximise. ce: cross-entropy. stable-ce: the same direction without float32's rounding on confident images. margin: best other
    logit minus the label's. dlr: the margin over the spread of the logits.
    """
    count: int = data(1000, ge=1, le=1_000_000, unit="images")
    """Number of training images from the data set; where there are too few, in proportion to those held out."""
    held_out: int = data(200, ge=1, le=1_000_000, unit="images")
    """Number of other images of the data set, on which the patch is judged at the end."""
    scales: int = result(5, title="scales to judge", ge=0, le=100)
    """Number of scales, from the smallest to the largest, at which the patch is judged at the end. 0: no judgement."""

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[LearningStep]:
        """Yield steps while the clean images are predicted, then batch after batch, then while the patch is judged."""
        self.check_channels(problem)
        assert problem.mask is not None  # the attack needs a mask, so the driver has refused a run without
        region = Region.of(problem.mask)
        beginning = content = self._first(region, problem.images, problem.random.seed, problem.start)
        adam = Adam(content) if self.optimizer == "adam" else None
        learning = Learning(problem, region, self._placing(region, problem.random.seed), self.count, self.held_out)
        learning.show(self.shown(content))
        yield learning.step()
        yield from learning.begin()
        learning.remaining(self.steps, self.batch_size, len(self._judged_scales))
        for _ in range(self.steps):
            gradient = yield from learning.slope(self.shown(content), self.batch_size, self.loss)
            content = self._moved(content, gradient, beginning, region.coverage[None] > 0, adam)
            learning.show(self.shown(content))
            yield learning.step()
        if self.scales:
            yield from learning.judge(self._judged_scales)

    def _moved(self, content: Tensor, gradient: Tensor, beginning: Tensor, inside: Tensor, adam: Adam | None) -> Tensor:
        """Return the content after one step."""
        slope = self.penalty_slope(content, inside)
        gradient = gradient if slope is None else gradient - slope
        content = content + self.step_size * (gradient.sign() if adam is None else -adam(-gradient))
        if self.radius is not None:
            content = content.clamp(beginning - self.radius, beginning + self.radius)
        return content.clamp(0, 1)

    def _first(self, region: Region, images: Tensor, seed: int, start: Tensor | None) -> Tensor:
        """Return the initial patch ``(1, C, h, w)``, which depends on no image."""
        if self.begin == "random":
            random = generator(seed, "patch", "content")
            return torch.rand(1, images.shape[1], *region.coverage.shape[1:], generator=random).to(images)
        return region.cut(first_content(self.begin, images[:1], RowRandom(seed, [0]), start)[:1])

    def _placing(self, region: Region, seed: int) -> Placing:
        return Placing(region, self.ranges, anywhere=self.place == "anywhere", random=generator(seed, "patch", "places"))

    @property
    def _judged_scales(self) -> tuple[float, ...]:
        if not self.scales:
            return ()
        if self.smallest == self.largest or self.scales == 1:
            return (math.sqrt(self.smallest * self.largest),)
        step = math.log(self.largest / self.smallest) / (self.scales - 1)
        return tuple(self.smallest * math.exp(step * place) for place in range(self.scales))

    def preview(self, images: Tensor, mask: Tensor, start: Tensor | None = None, *, seed: int = 0) -> Tensor:
        """Return the initial patch on ``images`` ``(B, C, H, W)``, each with a transformation, as the first batch of a run draws them.

        ``mask``, ``start`` and ``seed`` are as for `engine.start`; the mask is ``(1, 1, H, W)``.
        """
        region = Region.of(mask)
        content = self.shown(self._first(region, images, seed, start))
        placing = self._placing(region, seed)
        return placing.apply(images, content, *placing.draw(len(images), tuple(images.shape[1:])))

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the content on the canvas, the patch alone, and its success over the scales."""
        assert isinstance(last, LearningStep)
        assert problem.mask is not None
        canvas = Region.of(problem.mask).on_canvas(last.content)
        made: dict[str, Artifact] = {
            "content": StickerContent(canvas, problem.mask[:1]),
            "patch": Picture(last.content[0], "Adversarial patch"),
        }
        judged = last.judged
        if judged is not None:
            ends = [wilson(hits, judged.images) for hits in judged.hits]
            shares = [hits / judged.images for hits in judged.hits]
            lines = {"held out": shares, "held out, low": [low for low, _ in ends], "held out, high": [high for _, high in ends]}
            curves = {name: torch.tensor(values) for name, values in lines.items()}
            title = "Success on images held out"
            made["scale"] = Curve(torch.tensor(judged.scales), curves, title, Axis("scale"), Axis("share of images", "share"))
            rows = [
                (scale, hits, judged.images, share, *end)
                for scale, hits, share, end in zip(judged.scales, judged.hits, shares, ends, strict=True)
            ]
            columns = ("scale", "successes", "images", "share", "from", "to")
            made["scales"] = Table(columns, tuple(rows), title, units=dict.fromkeys(columns[3:], "share"))
        return made
