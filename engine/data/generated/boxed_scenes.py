"""Scenes with one to three drawn signs before a background, each with its box: data for detectors of objects, from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.generated import backgrounds, photo
from engine.data.generated.backgrounds import Image, Random
from engine.data.generated.canvas import REACH
from engine.data.generated.checks import checked
from engine.data.generated.faces import FACES, face
from engine.data.generated.signs import RESOLUTIONS, over
from engine.data.labels import SIGN_LABELS

SIDE = 96
"""Height and width of a scene in pixels."""
SIGNS = (14, 13, 17, 12, 2, 18, 33, 40)
"""The signs that are drawn, by their number in `SIGN_LABELS`; a box has the place in this tuple for its class."""
SCENE_LABELS = tuple(SIGN_LABELS[sign] for sign in SIGNS)
"""Names of the classes of boxes."""
MOST = 3
SIZES = (18.0, 40.0)
"""Smallest and largest side of a sign, in pixels of the scene."""
_TIMES = 2
"""Drawn pixels per pixel of the scene, along each side."""
_GAP = 2.0
"""Least distance between two boxes, in pixels of the scene."""
_TRIES = 20


@dataclass(frozen=True, eq=False)
class BoxedScene:
    """A scene and the boxes of its signs."""

    pixels: NDArray[np.uint8]
    """The scene, ``(96, 96, 3)``."""
    boxes: NDArray[np.float32]
    """Left, top, right and bottom of each sign in pixels, ``(n, 4)``."""
    classes: NDArray[np.int64]
    """Place of each sign in `SIGNS`, ``(n,)``."""


def draw_boxed_scene(index: int, seed: int) -> BoxedScene:
    """Draw scene ``index`` of ``seed``: one to three signs of 18 to 40 pixels, apart from each other, in any weather.

    A box is the smallest one around the pixels that the sign covers by half or more. Everything follows from
    ``np.random.default_rng([seed, index, 2])``, so the same arguments give the same bits.

    Raises
    ------
    GibbonError
        The seed or the index is negative.
    """
    checked(0, len(FACES), seed, SIDE, (SIDE, SIDE), index)
    rng = np.random.default_rng([seed, index, 2])
    light = photo.Light.draw(rng)
    scene = backgrounds.background(rng, SIDE * _TIMES) * np.float32(light.backlight)
    boxes: list[NDArray[np.float32]] = []
    classes: list[int] = []
    for _ in range(int(rng.integers(1, MOST + 1))):
        kind = int(rng.integers(len(SIGNS)))
        painted = _sign(rng, SIGNS[kind], light)
        own = _box_of(painted)
        corner = _free_place(rng, painted.shape[0], own, boxes)
        if corner is not None:
            scene = _pasted(scene, painted, corner)
            boxes.append((own + np.tile(corner[::-1], 2)) / np.float32(_TIMES))
            classes.append(kind)
    pixels = photo.developed(rng, scene, SIDE, light)
    return BoxedScene(pixels, np.stack(boxes).astype(np.float32), np.array(classes, np.int64))


def _sign(rng: Random, label: int, light: photo.Light) -> Image:
    """Paint a sign that fills its square nearly: float32 ``(side, side, 4)``, premultiplied."""
    side = round(float(rng.uniform(*SIZES)) * _TIMES)
    aspect = rng.uniform(0.95, 1.05)
    degrees = np.clip(rng.normal(0.0, 3.0), -9.0, 9.0)
    yaw, pitch = np.clip(rng.normal(0.0, (0.07, 0.05)), -0.15, 0.15)
    pose = photo.Pose(*(float(value) for value in (0.5, 0.5, 0.45 * aspect, 0.45 / aspect, degrees, yaw, pitch)))
    resolution = next(each for each in RESOLUTIONS if each >= side)
    painted = photo.painted(rng, *face(label, resolution), light.wear)
    painted[..., :3] = np.minimum(painted[..., :3] * photo.weathered(rng, resolution, light.fair_weather), 1.0)
    return photo.warped(painted, pose, side, REACH)


def _box_of(painted: Image) -> NDArray[np.float32]:
    """Return left, top, right and bottom of the pixels that are covered by half or more."""
    covered = painted[..., 3] >= 0.5
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def _free_place(rng: Random, side: int, own: NDArray[np.float32], taken: list[NDArray[np.float32]]) -> NDArray[np.int64] | None:
    """Draw the top and left of a square that keeps its box away from those taken; None where some tries found no such place."""
    for _ in range(_TRIES):
        corner = rng.integers(0, SIDE * _TIMES - side + 1, 2)
        box = (own + np.tile(corner[::-1], 2)) / _TIMES
        if all(np.any(box[:2] >= other[2:] + _GAP) or np.any(box[2:] + _GAP <= other[:2]) for other in taken):
            return corner
    return None


def _pasted(scene: Image, painted: Image, corner: NDArray[np.int64]) -> Image:
    (top, left), side = corner, painted.shape[0]
    scene = scene.copy()
    scene[top : top + side, left : left + side] = over(painted, scene[top : top + side, left : left + side])
    return scene
