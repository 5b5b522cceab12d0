"""Parameters of attacks whose content is meant to be printed, and the slope of their penalties."""

from __future__ import annotations

from abc import ABC
from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.errors import GibbonError, WrongField
from engine.images import lattice
from engine.operation import Attack
from engine.parameters import method
from engine.stickers.printable import Nearness, non_printability, palette_of, total_variation
from engine.text.parsing import Number


class Printed(Attack, ABC):
    """Mixin for attacks whose content can be held printable: near a palette, smooth, on 8-bit levels.

    The attack maximises ``loss - palette_weight * non_printability(content) - smoothness * total_variation(content)``.
    """

    palette: str = method("")
    """Printable colours: “black and white”, “8 colours”, “27 colours”, or colours such as “#ffffff #c1121f”. Empty: every colour."""
    palette_weight: Number = method(1.0, title="weight of the palette", ge=0, le=10_000)
    """Weight of the non-printability score: the mean distance of the content's pixels to the nearest colour of the palette."""
    nearness: Nearness = method("nearest", title="distance to the palette")
    """nearest: the distance to the nearest colour. smooth: a smooth minimum of the distances, which pulls towards several colours."""
    smoothness: Number = method(0.0, title="weight of smoothness", ge=0, le=10_000)
    """Weight of the total variation: the mean difference between neighbouring pixels of the content. 0: none."""
    eight_bit: bool = method(False, title="8-bit content")
    """Round the content to 8-bit levels in every step, as a file of it holds; the gradient passes through unchanged."""

    @model_validator(mode="after")
    def _check_palette(self) -> Self:
        if self.palette.strip():
            try:
                palette_of(self.palette)
            except GibbonError as error:
                raise WrongField("palette", str(error)) from error
        return self

    def shown(self, content: Tensor) -> Tensor:
        """Return the content as it is seen: on 8-bit levels where that was chosen."""
        return lattice(content) if self.eight_bit else content

    @torch.enable_grad()
    def penalty_slope(self, content: Tensor, inside: Tensor) -> Tensor | None:
        """Return the gradient ``(N, C, H, W)`` of the penalties, which the attack goes down; None where there are none."""
        has_palette = bool(self.palette.strip()) and self.palette_weight > 0
        if not has_palette and not self.smoothness:
            return None
        watched = content.detach().requires_grad_()
        total = watched.new_zeros(())
        if has_palette:
            total = total + self.palette_weight * non_printability(watched, inside, palette_of(self.palette), self.nearness).sum()
        if self.smoothness:
            total = total + self.smoothness * total_variation(watched, inside).sum()
        return torch.autograd.grad(total, watched)[0]
