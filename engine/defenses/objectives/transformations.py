"""Training on the worst of several small rotations and translations."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against
from engine.defenses.objectives.objective import Family, Objective
from engine.images.warping import linear_part, warped
from engine.parameters import Preset, budget, method


class WorstTransformation(Objective):
    """Replace each image by the one of ``tried`` random rotations and translations with the largest cross-entropy ("worst of 10")."""

    slug: ClassVar[str] = "worst-transformation"
    title: ClassVar[str] = "Worst rotation and translation"
    also: ClassVar[tuple[str, ...]] = ("adversarial augmentation", "spatial", "worst of 10")
    family: ClassVar[Family] = "Adversarial images"
    paper: ClassVar[str] = "Engstrom et al. 2017, arXiv 1712.02779"
    adversarial: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (Preset("Engstrom et al. 2017: 30 degrees and a tenth of the side, worst of 10", {}),)

    rotation: float = budget(30.0, ge=0.0, le=180.0, unit="degrees")
    """Largest rotation, to either side."""
    translation: float = budget(0.1, ge=0.0, le=0.5, unit="of the side")
    """Largest translation along each axis."""
    tried: int = budget(10, ge=1, le=1000, unit="transformations")
    """Number of transformations that are tried for each image."""
    share: float = method(1.0, gt=0.0, le=1.0, unit="of the batch")
    """The share of each batch that is replaced."""

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Replace the leading rows by their worst transformation."""
        count = batch.leading(max(1, round(self.share * batch.total)))
        drawn = 2.0 * trainee.random.uniform((self.tried, 3))[:count].to(batch.images) - 1.0
        if not count:
            return batch
        images, labels = batch.images[:count], batch.labels[:count]
        losses, views = [], []
        with torch.no_grad(), trainee.evaluating():
            for place in range(self.tried):  # one pass each, so that memory does not grow with the number tried
                view = self._transformed(images, drawn[:, place])
                views.append(view)
                losses.append(against(labels)(trainee.logits(view)))
        worst = torch.stack(losses).argmax(0)
        chosen = torch.stack(views)[worst, torch.arange(count, device=worst.device)]
        return replace(batch, images=torch.cat([chosen, batch.images[count:]]))

    def _transformed(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Rotate and move images ``(N, C, H, W)`` by ``drawn`` ``(N, 3)`` in [-1, 1]: angle, x, y. What comes in from outside is black."""
        linear = linear_part(drawn[:, 0] * math.radians(self.rotation), images.shape[2] / images.shape[3])
        return warped(images, linear, drawn[:, 1:] * 2.0 * self.translation)
