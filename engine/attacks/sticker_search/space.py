"""Spaces of candidates: what the genes of a search mean, and how candidates are painted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from torch import Tensor

from engine.stickers.sticker import Sticker


class Space(ABC):
    """The candidates for each image of a problem."""

    @property
    @abstractmethod
    def genes(self) -> int:
        """Number of genes of a candidate, each in [0, 1]."""

    @property
    def exact(self) -> bool:
        """Whether `painted` gives bit by bit what `engine.stickers.paint` does."""
        return False

    @abstractmethod
    def placed(self, genes: Tensor) -> Tensor:
        """Return candidates as places ``(n, P, ...)`` for genes ``(n, P, d)``."""

    @abstractmethod
    def painted(self, images: Tensor, placed: Tensor) -> Tensor:
        """Paint candidates ``(n, P, ...)`` over images ``(n, C, H, W)``: ``(n, P, C, H, W)``."""

    @abstractmethod
    def stickers(self, placed: Tensor) -> tuple[Sticker, ...]:
        """Return the stickers of one candidate, in z-order."""

    @abstractmethod
    def select(self, rows: Tensor) -> Self:
        """Return the space of the images at ``rows`` (indices)."""
