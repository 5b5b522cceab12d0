"""How many rows are worked on together.

Every rule looks at the size and the device of an image, never at how many images there are: a batch is cut as its single images are, and
gives their bits.

=====================  ==========================================  =====================================================
rule                   bound by                                    asked by
=====================  ==========================================  =====================================================
`rows_with_graph`      the memory of a pass with a graph           the driver, for a chunk of the batch; gradient attacks
`rows_per_pass`        the processor's caches                      attacks that ask about many images for each image
`rows_per_step`        0.1 s, the longest that a step may take     attacks by scores; labels that are asked for in bulk
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
"""A forward pass with a graph holds about so many times the input; measured: 60 to 120 for the shipped networks and SqueezeNet."""
_BYTES_ON_CPU, _BYTES_ELSEWHERE = 256 * 2**20, 4 * 2**30
_PIXELS_ON_CPU, _PIXELS_ELSEWHERE = 2**17, 2**24
"""Pixels of one pass. On the CPU, 128 images of 32 x 32 take about 0.03 s in a small network, and stay near its caches."""
_VALUES_OF_A_WALK = 600_000
"""Values of the images that a walk asks about, a few at a time, in about 0.1 s of a small network."""


def rows_with_graph(images: Tensor) -> int:
    """How many rows of the size of ``images`` ``(N, C, H, W)`` fit into memory with the graph of their forward pass."""
    room = _BYTES_ON_CPU if images.device.type == "cpu" else _BYTES_ELSEWHERE
    return max(1, room // (_ACTIVATIONS * math.prod(images.shape[1:]) * images.element_size()))


def rows_per_pass(images: Tensor) -> int:
    """How many rows of the size of ``images`` ``(N, C, H, W)`` one forward pass should hold."""
    height, width = images.shape[2:]
    return max(1, (_PIXELS_ON_CPU if images.device.type == "cpu" else _PIXELS_ELSEWHERE) // (height * width))


def rows_per_step(images: Tensor) -> int:
    """How many rows of the size of ``images`` ``(N, C, H, W)`` one step may ask about."""
    return PASSES_PER_STEP * rows_per_pass(images)


def images_per_step(images: Tensor, candidates: int) -> int:
    """How many images a chunk may hold where a step asks about a pass of each image's ``candidates``, or about all if these are fewer."""
    return rows_per_step(images) // min(rows_per_pass(images), candidates)


def questions_per_step(images: Tensor) -> int:
    """How many images of the size of ``images`` ``(N, C, H, W)`` a walk asks about, for one image, in one step."""
    return max(1, _VALUES_OF_A_WALK // math.prod(images.shape[1:]))
