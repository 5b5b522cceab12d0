"""How many images go through the model together where an attack makes many of each."""

from __future__ import annotations

from torch import Tensor

_CPU_VALUES = 2**17
"""Pixels that one pass holds on the CPU: 128 images of 32 x 32 take about 0.03 s on a small network, and stay near its caches."""
_DEVICE_VALUES = 2**24


def rows_per_pass(images: Tensor) -> int:
    """How many images one forward pass should hold: by their size and device alone, so that a batch is cut as its single images are."""
    height, width = images.shape[2:]
    return max(1, (_CPU_VALUES if images.device.type == "cpu" else _DEVICE_VALUES) // (height * width))
