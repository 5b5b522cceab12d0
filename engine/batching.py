"""Rules for the number of rows that are computed together.

Every rule depends on the size and the device of an image, never on the number of images: a batch is split exactly as its single images are,
and gives the same bits.

=====================  ==========================================  =====================================================
rule                   bound by                                    used by
=====================  ==========================================  =====================================================
`rows_with_graph`      the memory of a pass with a graph           the driver, for a chunk of the batch; gradient attacks
`rows_per_pass`        the processor's caches                      attacks with many candidates for each image
`rows_per_step`        0.1 s, the longest that a step may take     attacks by scores; labels queried in bulk
`questions_per_step`   0.1 s for a walk of one image               attacks by labels
`ROWS_SCORED`          the memory of a pass without a graph        scores of a whole data set
=====================  ==========================================  =====================================================
"""

from __future__ import annotations

import math

from torch import Tensor

ROWS_SCORED = 256
"""Rows of one forward pass without a graph, where nothing but memory limits them."""
PASSES_PER_STEP = 4
"""Forward passes of `rows_per_pass` rows in one step: with a small network on one core these take about 0.1 s."""
_ACTIVATIONS = 100
"""Factor between the memory of a forward pass with a graph and that of its input; measured: 60 to 120 for the shipped networks and
SqueezeNet.
"""
_BYTES_ON_CPU, _BYTES_ELSEWHERE = 256 * 2**20, 4 * 2**30
_PIXELS_ON_CPU, _PIXELS_ELSEWHERE = 2**17, 2**24
"""Pixels of one pass. On the CPU, 128 images of 32 x 32 take about 0.03 s in a small network, and stay near its caches."""
_VALUES_OF_A_WALK = 600_000
"""Number of values (rows times values of an image) that a walk queries, a few rows at a time, in about 0.1 s of a small network."""


def rows_with_graph(images: Tensor, copies: int = 1) -> int:
    """Return how many rows of the size of ``images`` ``(N, C, H, W)`` fit into memory with the graph of their forward pass.

    The network sees ``copies`` of each, as with a defense that averages noisy ones.
    """
    room = _BYTES_ON_CPU if images.device.type == "cpu" else _BYTES_ELSEWHERE
    return max(1, room // (_ACTIVATIONS * copies * math.prod(images.shape[1:]) * images.element_size()))


def rows_per_pass(images: Tensor) -> int:
    """Return how many rows of the size of ``images`` ``(N, C, H, W)`` one forward pass should hold."""
    height, width = images.shape[2:]
    return max(1, (_PIXELS_ON_CPU if images.device.type == "cpu" else _PIXELS_ELSEWHERE) // (height * width))


def rows_per_step(images: Tensor) -> int:
    """Return how many rows of the size of ``images`` ``(N, C, H, W)`` one step may query."""
    return PASSES_PER_STEP * rows_per_pass(images)


def images_per_step(images: Tensor, candidates: int) -> int:
    """Return how many images a chunk may hold where a step queries one pass of each image's ``candidates``, or all if they are fewer."""
    return rows_per_step(images) // min(rows_per_pass(images), candidates)


def questions_per_step(images: Tensor) -> int:
    """Return how many rows of the size of ``images`` ``(N, C, H, W)`` a walk may query for one image in one step."""
    return max(1, _VALUES_OF_A_WALK // math.prod(images.shape[1:]))
