"""A patch from a file, put on the images: made elsewhere, for many images and a target class of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, Picture, StickerContent
from engine.attacks.adversarial_patch.region import Region
from engine.attacks.toolkit.losses import value
from engine.attacks.toolkit.sticker_content import composed
from engine.errors import GibbonError
from engine.operation import Attack, AttackStep, Problem, Step, Use
from engine.parameters import budget, method
from engine.stickers.ready import ReadyPatch, load_patches


class ReadyPatchOnImage(Attack):
    """Put a patch from a file on the images, in the middle or where the mask is.

    ``adversarial = (1 - mask) * images + mask * patch``, the patch stretched over the mask's bounding box, or at its own size in the middle
    without a mask. The classifier is only queried for the result. The class that the file names, if it names one, is reported as the goal.

    Files: tensors (.pt, .pth), arrays (.npy), gzip of pickled tensors as ImageNet-Patch has it, and pictures. No code of a file is run.

    ImageNet-Patch: Pintor, Angioni, Sotgiu, Demetrio, Demontis, Biggio, Roli 2022, arXiv 2203.04412.
    """

    slug: ClassVar[str] = "ready-patch"
    title: ClassVar[str] = "Ready patch"
    also: ClassVar[tuple[str, ...]] = ("ImageNet-Patch", "saved patch", "patch from a file")
    family: ClassVar[str] = "Universal"
    paper: ClassVar[str] = "Pintor et al. 2022, arXiv 2203.04412"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "mask"})
    knows: ClassVar[Knowledge] = "labels"
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"

    file: str = budget("", file=True)
    """The file with the patch or patches."""
    number: int = method(1, title="number in the file", ge=1, le=1000)
    """Number of the patch in its file, counted from 1."""

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean images, then the images with the patch."""
        patch = self._patch()
        mask, content = self._placed(problem, patch)
        goals = None
        if patch.target is not None and patch.target < problem.classifier.num_classes:
            goals = torch.full_like(problem.labels, patch.target)
        for index, images in enumerate((problem.images, composed(problem.images, mask, content))):
            logits = problem.classifier.verdict(images)
            loss = value("ce", logits, problem.labels, goals)
            yield AttackStep(index, 1, images, loss, logits, goals=goals)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the content on the canvas, and the patch as it is in the file."""
        patch = self._patch()
        mask, content = self._placed(problem, patch)
        return {"content": StickerContent(content, mask), "patch": Picture(patch.image, patch.name)}

    def _patch(self) -> ReadyPatch:
        if not self.file:
            raise GibbonError("Which patch? Name the file that holds it, in the field “file”.")
        found = load_patches(self.file)
        if self.number > len(found):
            raise GibbonError(f"“{self.file}” holds {len(found)} patches, so there is no number {self.number}. Choose a smaller one.")
        return found[self.number - 1]

    def _placed(self, problem: Problem, patch: ReadyPatch) -> tuple[Tensor, Tensor]:
        """Return the mask ``(1, 1, H, W)``, and the patch at its place on a grey canvas, ``(1, C, H, W)``."""
        mask = self._middle(problem, patch) if problem.mask is None else problem.mask
        region = Region.of(mask)
        channels, size = problem.images.shape[1], (region.coverage.shape[1], region.coverage.shape[2])
        image = patch.image.to(problem.images)[None]
        if image.shape[1] != channels:
            image = image.mean(1, keepdim=True).expand(-1, channels, -1, -1)
        if image.shape[2:] != size:
            image = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True).clamp(0, 1)
        return mask[:1], region.on_canvas(image)

    def _middle(self, problem: Problem, patch: ReadyPatch) -> Tensor:
        """Return a mask of the patch's own size in the middle of the images."""
        (height, width), (tall, wide) = problem.images.shape[2:], patch.image.shape[1:]
        if tall > height or wide > width:
            raise GibbonError(
                f"The patch has {wide} × {tall} pixels, but the images have {width} × {height}. Draw a sticker where it belongs: the patch "
                "is fitted to that."
            )
        mask, top, left = torch.zeros_like(problem.images[:1, :1]), (height - tall) // 2, (width - wide) // 2
        mask[..., top : top + tall, left : left + wide] = 1
        return mask
