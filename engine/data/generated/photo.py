"""From a drawn sign to a photograph of it: ageing, perspective, light, lens and sensor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.generated.backgrounds import Image, Random, fractal, mix, smooth

INK_COLOURS: dict[str, tuple[float, float, float]] = {
    "white": (0.90, 0.90, 0.89),
    "red": (0.69, 0.09, 0.12),
    "black": (0.07, 0.07, 0.08),
    "blue": (0.06, 0.27, 0.62),
    "yellow": (0.94, 0.71, 0.11),
    "grey": (0.36, 0.36, 0.37),
    "green": (0.08, 0.50, 0.36),
}
FADED: dict[str, tuple[float, float, float]] = {
    **INK_COLOURS,
    "white": (0.84, 0.81, 0.74),
    "red": (0.78, 0.36, 0.27),
    "black": (0.22, 0.21, 0.22),
    "blue": (0.28, 0.48, 0.76),
    "yellow": (0.88, 0.72, 0.36),
    "grey": (0.46, 0.46, 0.46),
    "green": (0.30, 0.58, 0.50),
}


@dataclass(frozen=True)
class Pose:
    """Where a sign lies in a frame: its centre and its half extents as shares of the frame, its turn and its perspective."""

    x: float
    y: float
    half_width: float
    half_height: float
    degrees: float
    yaw: float
    pitch: float

    @staticmethod
    def draw(rng: Random) -> Pose:
        """A pose as in a sign data set's crops: nearly filling the frame, nearly upright."""
        half = rng.uniform(0.36, 0.45)
        aspect = rng.uniform(0.95, 1.05)
        room = 0.5 - half
        x, y = 0.5 + rng.uniform(-0.5, 0.5, 2) * room
        degrees, yaw, pitch = rng.normal(0.0, 3.0), rng.normal(0.0, 0.07), rng.normal(0.0, 0.05)
        return Pose(float(x), float(y), half * aspect, half / aspect, *(float(np.clip(v, -9, 9)) for v in (degrees, yaw, pitch)))

    def to_sign(self, side: int, resolution: int, reach: float) -> tuple[float, ...]:
        """The eight numbers of the homography from a frame of ``side`` pixels to a face of ``resolution`` pixels."""
        angle, half = math.radians(self.degrees), 0.5 * resolution
        cos, sin = math.cos(angle), math.sin(angle)
        scale = half * 100.0 / reach
        ax, ay = scale / (self.half_width * side), scale / (self.half_height * side)
        x, y = self.x * side, self.y * side
        matrix = np.array([[cos * ax, sin * ax, 0.0], [-sin * ay, cos * ay, 0.0], [self.yaw / (self.half_width * side), self.pitch / (self.half_height * side), 1.0]])
        matrix[:, 2] -= matrix[:, 0] * x + matrix[:, 1] * y
        matrix[2, 2] = 1.0 - (matrix[2, 0] * x + matrix[2, 1] * y)
        matrix[:2] += half * matrix[2]
        matrix /= matrix[2, 2]
        return tuple(float(v) for v in matrix.ravel()[:8])


def painted(rng: Random, inks: tuple[str, ...], shares: NDArray[np.uint8], wear: float) -> Image:
    """Colour a face's inks, faded by ``wear`` in [0, 1]: float32 ``(n, n, 4)``, premultiplied."""
    colours = [np.asarray(INK_COLOURS[ink]) * (1.0 - wear) + np.asarray(FADED[ink]) * wear for ink in inks]
    colours = [np.clip(colour * (rng.uniform(0.94, 1.06) + rng.uniform(-0.02, 0.02, 3)), 0.0, 1.0) for colour in colours]
    image = np.zeros((*shares.shape[1:], 4), np.float32)
    for colour, share in zip(colours, shares, strict=True):
        image += share[..., None].astype(np.float32) * np.append(colour / 255.0, 1.0 / 255.0).astype(np.float32)
    return np.minimum(image, 1.0)


def warped(face: Image, pose: Pose, side: int, reach: float) -> Image:
    """The face as it lies in a frame of ``side`` pixels: float32 ``(side, side, 4)``, premultiplied."""
    from PIL import Image as pillow

    source = pillow.fromarray((face * np.float32(255.0) + np.float32(0.5)).astype(np.uint8), "RGBA")
    data = pose.to_sign(side, face.shape[0], reach)
    turned = source.transform((side, side), pillow.Transform.PERSPECTIVE, data, pillow.Resampling.BICUBIC)
    return np.asarray(turned, dtype=np.float32) / np.float32(255.0)


def weathered(rng: Random, n: int) -> Image:
    """What light and dirt do to a sign, a factor ``(n, n, 1)``: a gradient, sometimes shadows of leaves."""
    factor = np.float32(0.82) + np.float32(0.36) * smooth(rng, n, (2, 2))
    if rng.random() < 0.25:
        leaves = np.clip((fractal(rng, n, 3, 3) - np.float32(0.42)) * np.float32(8.0), 0.0, 1.0)
        factor = factor * (np.float32(1.0) - np.float32(rng.uniform(0.1, 0.4)) * leaves)
    return factor


def daylight(rng: Random) -> NDArray[np.float32]:
    """The light's colour, from warm to blue."""
    warm, green = rng.normal(0.0, 0.05), rng.normal(0.0, 0.015)
    return np.array([1.0 + warm, 1.0 + green, 1.0 - 1.4 * warm], np.float32)


def lit(scene: Image, exposure: float, cast: NDArray[np.float32], haze: float) -> Image:
    """Exposure, the light's colour and haze; what is too bright will clip at the sensor."""
    return mix(scene * (cast * np.float32(exposure)), (0.75, 0.77, 0.80), np.full((1, 1, 1), haze * min(1.0, exposure), np.float32))


def reduced(image: Image, factor: int) -> Image:
    """Mean over blocks of ``factor`` by ``factor`` pixels."""
    if factor == 1:
        return image
    n = image.shape[0] // factor
    blocks = image.reshape(n, factor, n, factor, -1)
    total = np.zeros((n, n, image.shape[2]), np.float32)
    for i in range(factor):
        for j in range(factor):
            total += blocks[:, i, :, j]
    return total / np.float32(factor * factor)


def blurred(image: Image, sigma_y: float, sigma_x: float) -> Image:
    """A separable Gaussian blur, in pixels; the border repeats."""
    return _blurred(_blurred(image, sigma_y, 0), sigma_x, 1)


def _blurred(image: Image, sigma: float, axis: int) -> Image:
    if sigma < 0.15:
        return image
    radius = max(1, math.ceil(2.5 * sigma))
    weights = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(-radius, radius + 1)]
    padding = [(radius, radius) if k == axis else (0, 0) for k in range(image.ndim)]
    padded, n = np.pad(image, padding, mode="edge"), image.shape[axis]
    total = np.zeros_like(image)
    for k, weight in enumerate(weights):
        part = padded[k : k + n] if axis == 0 else padded[:, k : k + n]
        total += part * np.float32(weight / sum(weights))
    return total


def sensed(rng: Random, image: Image, noise: float) -> NDArray[np.uint8]:
    """Shot and read-out noise, then 8 bits."""
    image = np.clip(image, 0.0, 1.0)
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    noisy = image + grain * np.float32(noise) * (np.float32(0.5) + image)
    return (np.clip(noisy, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
