"""A street with one traffic sign: larger pictures in which the sign is only a part, so that there is something to crop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.data.generated import backgrounds, photo
from engine.data.generated.backgrounds import Image, Random, contrast, fractal, mix, ramp, smooth
from engine.data.generated.checks import checked
from engine.data.generated.faces import FACES
from engine.data.generated.signs import over, oversampling, placed_face

Box = tuple[int, int, int, int]
SMALLEST, LARGEST = 128, 512
SIGN_IN_CROP = 0.8


def draw_scene(label: int, seed: int, size: int = 256) -> tuple[NDArray[np.uint8], Box]:
    """Draw a street in fair weather with one sign on its post, deterministic from ``label``, ``seed`` and ``size``.

    Returns
    -------
    image : (size, size, 3) uint8 array
    box : (x, y, width, height)
        The square, in pixels, of which the sign fills 80 %: the crop for a model of single signs.

    Raises
    ------
    GibbonError
        For a label or seed out of range, or a size outside 128 to 512.
    """
    checked(label, len(FACES), seed, size, (SMALLEST, LARGEST))
    rng = np.random.default_rng([seed, label, 1])
    side = size * oversampling(size)
    half = float(rng.uniform(0.29, 0.33))
    pose = photo.Pose(
        float(rng.uniform(0.42, 0.58)), float(rng.uniform(0.38, 0.46)), half, half, *(float(rng.normal(0.0, s)) for s in (1.2, 0.05, 0.03))
    )
    light = photo.Light.fair(rng)
    sign = placed_face(rng, label, pose, side, light)
    # out of focus anyway, so it needs no oversampling
    far = photo.blurred(street(rng, size), 0.006 * size, 0.006 * size).repeat(side // size, axis=0).repeat(side // size, axis=1)
    ground = _post(far, pose, float(rng.uniform(0.5, 0.62)))
    scene = over(sign, ground) * _vignette(side)
    return photo.developed(rng, scene, size, light), _box(pose, size)


def street(rng: Random, n: int) -> Image:
    """Draw sky, a row of trees, a verge and a road that runs to the horizon."""
    horizon = float(rng.uniform(0.62, 0.74))
    x, y = ((np.arange(n, dtype=np.float32) + 0.5) / n)[None, :, None], ramp(n)
    crowns = np.float32(horizon) - np.float32(0.42) * smooth(rng, n, (1, int(rng.integers(3, 6))))
    crowns = crowns + np.float32(0.10) * (fractal(rng, n, 8, 3) - np.float32(0.5))
    image = mix(backgrounds.sky(rng, n), _trees(rng, n), contrast(y - crowns, -0.01, 0.02))
    image = mix(image, _verge(rng, n), contrast(np.broadcast_to(y, (n, n, 1)), horizon - 0.005, horizon + 0.01))
    vanishing, spread = float(rng.uniform(-0.2, 1.2)), float(rng.uniform(0.9, 1.6))
    depth = np.maximum(y - np.float32(horizon), np.float32(1e-4))
    off = np.abs(x - np.float32(vanishing)) / depth
    road = np.float32(0.36) + np.float32(0.10) * (fractal(rng, n, 24, 3, 0.8) - np.float32(0.5))
    image = mix(image, np.repeat(road, 3, axis=2), contrast(np.float32(spread) - off, 0.0, 0.05) * (y > horizon))
    marking = contrast(np.float32(0.05) - off, 0.0, 0.02) * ((np.float32(0.15) / depth) % 1 < 0.55) * (y > horizon + 0.02)
    return np.clip(mix(image, (0.85, 0.85, 0.82), marking), 0.0, 1.0)


def _trees(rng: Random, n: int) -> Image:
    autumn = float(rng.random()) ** 2
    leaf = np.array([0.26 + 0.30 * autumn, 0.42 - 0.06 * autumn, 0.15], np.float32)
    return mix(leaf * np.float32(0.35), leaf, contrast(fractal(rng, n, 10, 4, 0.7), 0.3, 0.7))


def _verge(rng: Random, n: int) -> Image:
    return mix((0.22, 0.30, 0.12), (0.45, 0.52, 0.24), fractal(rng, n, 14, 4, 0.75))


def _post(ground: Image, pose: photo.Pose, tone: float) -> Image:
    n = ground.shape[0]
    middle, width = pose.x * n, 0.055 * pose.half_width * n * 2.0
    across = (np.arange(n, dtype=np.float32) + np.float32(0.5 - middle)) / np.float32(0.5 * width)
    shade = np.float32(tone) * (np.float32(1.1) - np.float32(0.5) * (across - np.float32(0.3)) ** 2)
    inside = np.clip((np.float32(1.0) - np.abs(across)) * np.float32(0.5 * width) + np.float32(0.5), 0.0, 1.0)[None, :, None]
    below = (ramp(n) > pose.y - 0.8 * pose.half_height).astype(np.float32)
    return mix(ground, shade[None, :, None] * np.array([0.97, 0.99, 1.02], np.float32), inside * below)


def _vignette(n: int) -> Image:
    away = (ramp(n)[:, 0, 0] - np.float32(0.5)) ** 2
    return (np.float32(1.0) - np.float32(0.35) * (away[:, None] + away[None, :]))[..., None]


def _box(pose: photo.Pose, size: int) -> Box:
    side = min(size, round(2.0 * pose.half_width * size / SIGN_IN_CROP))
    x, y = (min(max(0, round(v * size - 0.5 * side)), size - side) for v in (pose.x, pose.y))
    return x, y, side, side
