"""Backgrounds of signs: sky, foliage, trunks, bricks, plaster, asphalt, lights, drawn as float32 ``(n, n, 3)`` in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Random = np.random.Generator


def background(rng: Random, n: int) -> Image:
    """Draw one of the backgrounds, chosen and varied by ``rng``."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    return np.clip(kind(rng, n), 0.0, 1.0)


def smooth(rng: Random, n: int, cells: tuple[int, int], channels: int = 1) -> Image:
    """Return random values on a grid of ``cells`` (rows, columns), stretched smoothly over ``(n, n, channels)``, in [0, 1]."""
    grid = rng.random((cells[0], cells[1], channels), dtype=np.float32)
    return _stretch(_stretch(grid, n, 0), n, 1)


def _stretch(grid: Image, n: int, axis: int) -> Image:
    cells = grid.shape[axis]
    if cells == 1:
        return np.repeat(grid, n, axis=axis)
    at = (np.arange(n, dtype=np.float32) + 0.5) * (cells / n) - 0.5
    low = np.floor(at)
    t = (at - low).astype(np.float32)
    t = t * t * (3.0 - 2.0 * t)
    weight = t.reshape(-1, *([1] * (grid.ndim - 1 - axis)))
    first = np.take(grid, np.clip(low.astype(int), 0, cells - 1), axis=axis)
    second = np.take(grid, np.clip(low.astype(int) + 1, 0, cells - 1), axis=axis)
    mixed: Image = first + (second - first) * weight
    return mixed


def fractal(rng: Random, n: int, cells: int, octaves: int = 4, roughness: float = 0.55) -> Image:
    """Return the sum of ever finer smooth noise, ``(n, n, 1)`` in [0, 1]."""
    total, weight, scale = np.zeros((n, n, 1), np.float32), 1.0, 0.0
    for k in range(octaves):
        total += np.float32(weight) * smooth(rng, n, (min(n, cells << k),) * 2)
        scale += weight
        weight *= roughness
    return total / np.float32(scale)


def mix(low: tuple[float, ...] | Image, high: tuple[float, ...] | Image, share: Image) -> Image:
    """Interpolate between two colours by a share ``(n, n, 1)``."""
    a, b = np.asarray(low, np.float32), np.asarray(high, np.float32)
    return np.asarray(a + (b - a) * share, np.float32)


def contrast(noise: Image, low: float, high: float) -> Image:
    """Stretch noise so that ``low`` becomes 0 and ``high`` becomes 1."""
    stretched: Image = (noise - np.float32(low)) / np.float32(high - low)
    return np.clip(stretched, 0.0, 1.0)


def ramp(n: int) -> Image:
    """Return a ramp from 0 at the top to 1 at the bottom, ``(n, 1, 1)``."""
    return ((np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n))[:, None, None]


def sky(rng: Random, n: int) -> Image:
    """Draw a gradient with soft clouds, blue or overcast."""
    grey = float(rng.random())
    top = mix((0.25, 0.48, 0.80), (0.62, 0.66, 0.70), np.full((1, 1, 1), grey, np.float32))
    low = mix((0.66, 0.80, 0.93), (0.86, 0.88, 0.90), np.full((1, 1, 1), grey, np.float32))
    clouds = contrast(fractal(rng, n, 2), 0.45, 0.8)
    return mix(mix(top, low, ramp(n)), (0.97, 0.97, 0.98), clouds * np.float32(rng.uniform(0.1, 0.9)))


def foliage(rng: Random, n: int) -> Image:
    """Draw leaves with holes of sky between them, green to autumn."""
    autumn = float(rng.random()) ** 2
    dark = np.array([0.05 + 0.10 * autumn, 0.08 - 0.01 * autumn, 0.03], np.float32)
    leaf = np.array([0.30 + 0.35 * autumn, 0.45 - 0.10 * autumn, 0.14], np.float32)
    leaves = mix(dark, leaf, contrast(fractal(rng, n, int(rng.integers(4, 9)), 4, 0.8), 0.3, 0.7))
    holes = contrast(fractal(rng, n, int(rng.integers(3, 7)), 4, 0.8), rng.uniform(0.5, 0.8), 0.85)
    return mix(leaves, (0.85, 0.9, 0.95), holes)


def trunks(rng: Random, n: int) -> Image:
    """Draw a wood: vertical stems, dark or light, before a dim ground."""
    stems = contrast(smooth(rng, n, (2, int(rng.integers(7, 16)))), 0.4, 0.65)
    far = mix((0.10, 0.11, 0.07), (0.45, 0.46, 0.44), fractal(rng, n, 3) * np.float32(rng.uniform(0.4, 1.6)))
    return mix(far, (0.16, 0.12, 0.09), stems) + np.float32(0.12) * (fractal(rng, n, 16, 3) - np.float32(0.5))


def bricks(rng: Random, n: int) -> Image:
    """Draw a brick wall in stretcher bond."""
    rows = float(rng.uniform(7, 13))
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / np.float32(n)
    row = np.floor(y * np.float32(rows) + np.float32(rng.random()))
    along = x * np.float32(rows / 2.4) + np.float32(0.5) * (row % 2) + np.float32(rng.random())
    up = y * np.float32(rows) - np.floor(y * np.float32(rows))
    joint = (np.minimum(up, 1 - up) < 0.08) | (np.minimum(along % 1, 1 - along % 1) < 0.035)
    tone = rng.random((40, 40), dtype=np.float32)[row.astype(int) % 40, np.floor(along).astype(int) % 40][..., None]
    wall = mix((0.40, 0.18, 0.12), (0.66, 0.38, 0.28), tone)
    mortar = np.array([0.62, 0.58, 0.53], np.float32)
    return mix(mortar, wall, 1.0 - joint[..., None].astype(np.float32)) + np.float32(0.15) * (fractal(rng, n, 8) - np.float32(0.5))


def plaster(rng: Random, n: int) -> Image:
    """Draw a house: plaster of one colour, with a window or an edge."""
    wall = rng.uniform(0.35, 0.9) + rng.uniform(-0.12, 0.12, 3)
    image = np.broadcast_to(wall.astype(np.float32), (n, n, 3)) * (np.float32(0.85) + np.float32(0.3) * fractal(rng, n, 3))
    left, top = (int(v * n) for v in rng.uniform(-0.2, 0.9, 2))
    right, bottom = left + int(rng.uniform(0.2, 0.6) * n), top + int(rng.uniform(0.3, 0.8) * n)
    pane = rng.uniform(0.05, 0.35, 3).astype(np.float32)
    image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = pane
    return image


def asphalt(rng: Random, n: int) -> Image:
    """Draw a road that fades into a verge and a bright distance."""
    horizon = float(rng.uniform(0.2, 0.7))
    road = np.float32(rng.uniform(0.25, 0.5)) + np.float32(0.25) * (fractal(rng, n, 12, 3, 0.9) - np.float32(0.5))
    far = foliage(rng, n) if rng.random() < 0.6 else sky(rng, n)
    below = contrast(np.broadcast_to(ramp(n), (n, n, 1)), horizon, horizon + 0.08)
    return mix(far, np.repeat(road, 3, axis=2) * np.array([1.0, 1.0, 1.03], np.float32), below)


def gradient(rng: Random, n: int) -> Image:
    """Draw two or more colours that run into each other."""
    tint = smooth(rng, n, (2, 2), 3)
    grey = tint.mean(axis=2, keepdims=True)
    return mix(grey, tint, np.full((1, 1, 1), 0.3, np.float32)) * np.float32(rng.uniform(0.4, 1.2))


def lights(rng: Random, n: int) -> Image:
    """Draw a dark ground with blurred bright discs, as trees or a town out of focus."""
    image = mix((0.05, 0.05, 0.05), (0.30, 0.28, 0.24), fractal(rng, n, 3))
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / np.float32(n)
    for _ in range(int(rng.integers(4, 14))):
        cx, cy, radius = rng.random(), rng.random(), rng.uniform(0.03, 0.12)
        away = np.sqrt((x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2)
        disc = np.clip((np.float32(radius) - away) / np.float32(0.03) + np.float32(0.5), 0.0, 1.0)[..., None]
        tone = rng.uniform(0.5, 1.0) * rng.uniform(0.8, 1.0, 3).astype(np.float32)
        image = mix(image, tone, disc * np.float32(rng.uniform(0.3, 0.9)))
    return image


KINDS: tuple[Callable[[Random, int], Image], ...] = (
    sky, foliage, foliage, trunks, bricks, plaster, asphalt, gradient, lights,
)  # fmt: skip
