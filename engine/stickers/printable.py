"""Content that a printer can print: distance to a palette, and smoothness."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from engine.errors import GibbonError

Nearness = Literal["nearest", "smooth"]
_SHARPNESS = 20.0
"""Factor on distances in the smooth minimum: colours farther than the nearest by 0.1 count for a seventh."""
_EVEN, _MUTED = (0.0, 1.0), (0.1, 0.5, 0.9)
PALETTES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "black and white": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "8 colours": tuple(itertools.product(_EVEN, _EVEN, _EVEN)),
    "27 colours": tuple(itertools.product(_MUTED, _MUTED, _MUTED)),
}
"""Palettes by name: the corners of the colour cube, and a grid inside it, since no printer reaches the corners."""
_HEX = re.compile(r"#?([0-9a-f]{6})")


def palette_of(text: str) -> tuple[tuple[float, float, float], ...]:
    """Return the colours of a palette in [0, 1], given by a name of `PALETTES` or as colours such as ``#ffffff #c1121f``.

    Raises
    ------
    GibbonError
        The text is neither.
    """
    name = " ".join(text.casefold().split())
    if name in PALETTES:
        return PALETTES[name]
    codes = [_HEX.fullmatch(part) for part in re.split(r"[\s,;]+", name) if part]
    if not codes or not all(codes):
        names = ", ".join(f"“{known}”" for known in PALETTES)
        raise GibbonError(f"“{text}” is no palette. Give {names}, or colours such as “#ffffff #c1121f”.")
    return tuple(_rgb(code[1]) for code in codes if code)


def _rgb(code: str) -> tuple[float, float, float]:
    red, green, blue = (int(code[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return red, green, blue


def non_printability(content: Tensor, inside: Tensor, palette: Sequence[tuple[float, float, float]], nearness: Nearness) -> Tensor:
    """Return the non-printability score, ``(N,)``: the mean over the pixels inside of their distance to the nearest colour of the palette.

    - ``"nearest"``: ``min_c ||p - c||_2``.
    - ``"smooth"``: ``-log(sum_c exp(-20 ||p - c||_2)) / 20``, which pulls a pixel between two colours towards both; it may be below 0.

    The score of Sharif, Bhagavatula, Bauer, Reiter 2016 (doi 10.1145/2976749.2978392), as used in RP2, is the product of the distances.
    With dozens of colours that product ranges over dozens of orders of magnitude, so it is not offered.

    Parameters
    ----------
    content
        The pixels, ``(N, C, H, W)`` in [0, 1]. For one channel the colours are taken for greys.
    inside
        Pixels that count, ``(N or 1, 1, H, W)`` bool.
    palette
        The printable colours in [0, 1].
    nearness
        How the nearest colour is taken.
    """
    colours = torch.tensor(palette, dtype=content.dtype, device=content.device)
    if content.shape[1] != 3:
        colours = colours.mean(1, keepdim=True)
    distances = torch.linalg.vector_norm(content[:, None] - colours[None, :, :, None, None], dim=2)
    nearest = distances.amin(1) if nearness == "nearest" else -(-_SHARPNESS * distances).logsumexp(1) / _SHARPNESS
    return _mean(nearest[:, None], inside)


def total_variation(content: Tensor, inside: Tensor) -> Tensor:
    """Return the mean absolute difference between neighbouring pixels that are both inside, over rows, columns and channels, ``(N,)``.

    ``content`` is ``(N, C, H, W)`` and ``inside`` ``(N or 1, 1, H, W)`` bool.
    """
    down = _mean((content[:, :, 1:] - content[:, :, :-1]).abs(), inside[:, :, 1:] & inside[:, :, :-1])
    across = _mean((content[..., 1:] - content[..., :-1]).abs(), inside[..., 1:] & inside[..., :-1])
    return (down + across) / 2


def _mean(values: Tensor, inside: Tensor) -> Tensor:
    """Return the mean of values ``(N, C, H, W)`` over the pixels inside and the channels, ``(N,)``; 0 where there are none."""
    counted = inside.expand(len(values), -1, -1, -1)
    return torch.where(counted, values, 0).sum((1, 2, 3)) / (counted.sum((1, 2, 3)) * values.shape[1]).clamp_min(1)
