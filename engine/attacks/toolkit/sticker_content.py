"""Content of stickers as the variable of an attack: its composition with the images, and where it begins."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.randomness import RowRandom

Begin = Literal["grey", "image", "random", "current"]


def composed(images: Tensor, mask: Tensor, content: Tensor) -> Tensor:
    """Return ``clamp((1 - mask) * images + mask * content, 0, 1)``: the sticker covers what is below. Where the mask is 0 the bits stay.

    Images and content are ``(N, C, H, W)``, the mask is ``(N or 1, 1, H, W)``.
    """
    return torch.where(mask > 0, (1 - mask) * images + mask * content, images).clamp(0, 1)


def first_content(begin: Begin, images: Tensor, random: RowRandom, start: Tensor | None) -> Tensor:
    """Return the initial content ``(N, C, H, W)``: middle grey, the images below, random colours, or the present content ``start``.

    Raises
    ------
    GibbonError
        There is no present content.
    """
    if begin == "image":
        return images
    if begin == "random":
        return random.uniform(images.shape[1:]).to(images)
    if begin == "current":
        if start is None:
            raise GibbonError("There is no current content to begin with. Give start=, or choose grey.")
        return start
    return torch.full_like(images, 0.5)
