"""Training with adversarial stickers at random places."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import budget, method


class AdversarialStickers(Objective):
    """Paste a square sticker at a random place of each image, with a content that ``steps`` sign steps make adversarial.

    ``x' = (1 - m) x + m content`` with ``content <- clip(content + step_size * sign(grad CE(x')), 0, 1)`` from a random content.
    """

    slug: ClassVar[str] = "stickers"
    title: ClassVar[str] = "Adversarial stickers"
    also: ClassVar[tuple[str, ...]] = ("patches", "occlusion attack", "DOA")
    family: ClassVar[Family] = "Adversarial images"
    paper: ClassVar[str] = "Wu, Tong, Vorobeychik 2019, arXiv 1909.09552"
    adversarial: ClassVar[bool] = True

    size: float = budget(0.2, gt=0.0, le=1.0, unit="of the side")
    """Side of the sticker."""
    steps: int = budget(5, ge=1, le=1000, unit="steps")
    """Number of steps for each batch."""
    step_size: float = method(0.2, gt=0.0, le=1.0, unit="of [0, 1]")
    """Change of each value in a step."""
    share: float = method(0.5, gt=0.0, le=1.0, unit="of the batch")
    """The share of each batch that is replaced; the others stay clean."""

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Paste stickers on the leading rows."""
        count = batch.leading(max(1, round(self.share * batch.total)))
        places = trainee.random.uniform((2,)).to(batch.images)[:count]
        content = trainee.random.uniform(batch.images.shape[1:]).to(batch.images)[:count]
        if not count:
            return batch
        images, labels = batch.images[:count].detach(), batch.labels[:count]
        mask = self._mask(images, places)
        with trainee.evaluating():
            for _ in range(self.steps):
                gradient = trainee.gradient(torch.where(mask, content, images), against(labels))
                content = (content + self.step_size * gradient.sign()).clamp(0.0, 1.0)
        return replace(batch, images=torch.cat([torch.where(mask, content, images), batch.images[count:]]))

    def _mask(self, images: Tensor, places: Tensor) -> Tensor:
        """Return where the stickers lie, ``(N, 1, H, W)`` bool."""
        height, width = images.shape[2:]
        side = max(1, round(self.size * min(height, width)))
        top, left = ((places[:, axis, None] * (length - side + 1)).floor() for axis, length in enumerate((height, width)))
        y, x = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
        down, across = (y >= top) & (y < top + side), (x >= left) & (x < left + side)
        return down[:, None, :, None] & across[:, None, None, :]
