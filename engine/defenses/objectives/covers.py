"""Covered squares: the network learns to read an object of which a part is hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import data


class CoveredSquares(Objective):
    """Cover ``count`` squares at random places of each image by the image's mean colour.

    Detection by occlusion needs a network that has seen covers: on others a cover alone changes the answer to clean images.
    """

    slug: ClassVar[str] = "covered-squares"
    title: ClassVar[str] = "Covered squares"
    also: ClassVar[tuple[str, ...]] = ("cutout", "random erasing", "occlusion")
    family: ClassVar[Family] = "Data"
    paper: ClassVar[str] = "DeVries, Taylor 2017, arXiv 1708.04552"

    count: int = data(2, ge=1, le=100, unit="squares")
    """Number of squares in each image."""
    smallest: float = data(0.25, gt=0.0, le=1.0, unit="of the side")
    """Least side of a square."""
    largest: float = data(0.375, gt=0.0, le=1.0, unit="of the side")
    """Largest side of a square."""
    share: float = data(1.0, gt=0.0, le=1.0, unit="of the images")
    """The share of images that are covered."""

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Cover squares at random places of the images."""
        images = batch.images
        height, width = images.shape[2:]
        drawn = trainee.random.uniform((self.count, 3)).to(images)[..., None]
        covered_rows = trainee.random.uniform((1, 1)).to(images)[..., None] < self.share
        low, high = sorted((self.smallest, self.largest))
        side = ((low + (high - low) * drawn[:, :, 0]) * min(height, width)).round()
        top, left = (drawn[:, :, 1] * (height - side + 1)).floor(), (drawn[:, :, 2] * (width - side + 1)).floor()
        y, x = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
        down, across = (y >= top) & (y < top + side), (x >= left) & (x < left + side)
        squares = (down[:, :, :, None] & across[:, :, None, :]).any(1, keepdim=True) & covered_rows
        return replace(batch, images=torch.where(squares, images.mean((2, 3), keepdim=True), images))
