"""Division of a data set for attacks that learn one thing from many images: images to learn from, and images held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.data import DataSet


def needed(data: DataSet | None, what: str) -> DataSet:
    """Return the data set; ``what`` is learned from it, such as ``A universal perturbation``.

    Raises
    ------
    GibbonError
        There is none.
    """
    if data is None:
        raise GibbonError(f"{what} is learned from a data set. Choose one, or give data=engine.data.load(...).")
    return data


def split(data: DataSet, shape: tuple[int, ...], count: int, held_out: int, random: torch.Generator, what: str) -> tuple[Tensor, Tensor]:
    """Return the indices of ``count`` images to learn from and of ``held_out`` others; both shrink in proportion where there are too few.

    Raises
    ------
    GibbonError
        The images are not of the classifier's ``shape``, or there is only one.
    """
    if data.shape != shape:
        raise GibbonError(f"The data set holds images of {data.shape}, but the model takes {shape}. Choose one made for it.")
    if len(data) < 2:
        raise GibbonError(f"{what} needs at least two images: one to learn from and one held out. Choose a larger set.")
    if len(data) < count + held_out:
        count = min(max(1, round(len(data) * count / (count + held_out))), len(data) - 1)
        held_out = len(data) - count
    order = torch.randperm(len(data), generator=random)
    return order[:count], order[count : count + held_out]
