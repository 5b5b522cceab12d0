"""Gaussian data augmentation: noisy copies of the images beside the clean ones."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from engine.balls import column
from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import data


class GaussianAugmentation(Objective):
    """Add Gaussian noise: ``images + sigma * N(0, I)``, which minimises the loss over a neighbourhood of each image.

    The paper appends ``copies`` noisy copies of the data set. Here an image is noisy with the probability ``copies / (copies + 1)`` each
    time it is seen, which is the same mixture without eleven times the memory.
    """

    slug: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "Gaussian data augmentation"
    also: ClassVar[tuple[str, ...]] = ("GDA", "noise")
    family: ClassVar[Family] = "Data"
    paper: ClassVar[str] = "Zantedeschi, Nicolae, Rawat 2017, arXiv 1707.06728"

    sigma: float = data(0.3, ge=0.0, le=2.0, unit="of [0, 1]", title="noise σ")
    """Standard deviation of the noise of each value."""
    copies: int = data(10, ge=1, le=1000, unit="noisy images for each clean one")
    """Number of noisy images for each clean one."""
    clip: bool = data(False)
    """Clip the noisy images to [0, 1]. The paper does not."""

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Add noise to all rows but the clean share."""
        noise = trainee.random.normal(batch.images.shape[1:]).to(batch.images)
        noisy = trainee.random.uniform(()).to(batch.images) < self.copies / (self.copies + 1)
        images = batch.images + column(self.sigma * noisy, noise) * noise
        return replace(batch, images=images.clamp(0.0, 1.0) if self.clip else images)
