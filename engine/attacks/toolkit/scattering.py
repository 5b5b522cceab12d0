"""A scattered order, in which any first part of a list covers all of it coarsely."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_GOLDEN = (math.sqrt(5) - 1) / 2


def scattered(count: int) -> Tensor:
    """Return the indices ``(count,)`` below ``count`` in the order of the fractions of ``k * golden section``, as uniform as possible."""
    turns = torch.arange(1, count + 1, dtype=torch.float64) * _GOLDEN  # computed on the CPU, since Apple's GPU lacks float64
    return (turns - turns.floor()).argsort()
