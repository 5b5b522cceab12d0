"""Photograph-like pictures of drawn traffic signs, any number from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.bits import Bits
from engine.data.generated import backgrounds, photo
from engine.data.generated.backgrounds import Image, Random
from engine.data.generated.canvas import REACH
from engine.data.generated.checks import checked
from engine.data.generated.faces import FACES, face

SMALLEST, LARGEST = 16, 1024
RESOLUTIONS = (64, 128, 256, 512, 1024)
"""Resolutions at which faces are drawn and cached."""


def draw_sign(label: int, seed: int, size: int = 32) -> NDArray[np.uint8]:
    """Draw one traffic sign as a camera would have cropped it.

    The sign fills 70 to 90 % of the frame. Face, wear, pose, background, light, blur and noise follow from ``np.random.default_rng([seed,
    label])``, so the same arguments give the same bits.

    Parameters
    ----------
    label
        0 to 42, the German benchmark's class numbers: an index into `SIGN_LABELS`.
    seed
        Not negative.
    size
        Side in pixels, 16 to 1024.

    Returns
    -------
    (size, size, 3) uint8 array

    Raises
    ------
    GibbonError
        For a label, seed or size out of range.
    """
    checked(label, len(FACES), seed, size, (SMALLEST, LARGEST))
    return photographed(np.random.default_rng([seed, label]), label, size, fair=False)


def photographed(rng: Random, label: int, size: int, *, fair: bool) -> NDArray[np.uint8]:
    """Draw a sign that fills its frame, in any weather or in fair weather only."""
    side = size * oversampling(size)
    pose = photo.Pose.draw(rng)
    light = photo.Light.fair(rng) if fair else photo.Light.draw(rng)
    sign = placed_face(rng, label, pose, side, light)
    ground = backgrounds.background(rng, side) * np.float32(light.backlight)
    scene = over(sign, post(rng, ground, pose))
    return photo.developed(rng, scene, size, light)


@lru_cache(maxsize=4096)
def kept_sign(label: int, seed: int) -> NDArray[np.uint8]:
    """Return ``draw_sign(label, seed)``, from memory where it was drawn before: the same few are chosen again and again. Copy it."""
    return draw_sign(label, seed)


def generated_signs(n: int, seed: int, size: int = 32, classes: Sequence[int] = ()) -> Bits[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Draw ``n`` signs, the classes in turn: picture i, of class i % 43, is ``draw_sign(i % 43, seed * 2**20 + i // 43, size)``.

    With ``classes`` these alone take turns; the k-th picture of a class is the same as without.

    Returns
    -------
    images : (n, size, size, 3) uint8 array
    labels : (n,) int64 array
    """
    checked(0, len(FACES), seed, size, (SMALLEST, LARGEST), n)
    turns = np.array(classes or range(len(FACES)), np.int64)
    labels = turns[np.arange(n) % len(turns)]
    images = np.empty((n, size, size, 3), np.uint8)
    for i in range(n):
        label, own = int(labels[i]), (seed << 20) + i // len(turns)
        images[i] = kept_sign(label, own) if size == 32 else draw_sign(label, own, size)
        yield i + 1, n
    return images, labels


def oversampling(size: int) -> int:
    """Return the number of drawn pixels per pixel of the picture, along each side."""
    return 3 if size <= 64 else 2 if size <= 384 else 1


def placed_face(rng: Random, label: int, pose: photo.Pose, side: int, light: photo.Light) -> Image:
    """Return the painted and weathered sign in its frame, float32 ``(side, side, 4)``, premultiplied."""
    reach = 2.0 * side * max(pose.half_width, pose.half_height)
    resolution = next((r for r in RESOLUTIONS if r >= reach), RESOLUTIONS[-1])
    painted = photo.painted(rng, *face(label, resolution), light.wear)
    painted[..., :3] = np.minimum(painted[..., :3] * photo.weathered(rng, resolution, light.fair_weather), 1.0)
    return photo.warped(painted, pose, side, REACH)


def over(sign: Image, ground: Image) -> Image:
    """Blend the sign over its background."""
    return sign[..., :3] + ground * (np.float32(1.0) - sign[..., 3:])


def post(rng: Random, ground: Image, pose: photo.Pose) -> Image:
    """Draw a grey steel post below the sign, in two of three pictures also above."""
    n = ground.shape[0]
    width = pose.half_width * rng.uniform(0.10, 0.2)
    tone, centre, whole = rng.uniform(0.25, 0.7), pose.x + rng.normal(0.0, 0.01), rng.random() < 0.67
    left, right = int((centre - width) * n), int((centre + width) * n)
    top = 0 if whole else int(pose.y * n)
    if rng.random() < 0.8 and right > left:
        across = np.linspace(-1.0, 1.0, right - left, dtype=np.float32)[None, :, None]
        ground = ground.copy()
        ground[top:, left:right] = np.float32(tone) * (np.float32(1.15) - np.float32(0.6) * across * across)
    return ground
