"""Simulated photography of a drawn sign: ageing, perspective, light, lens and sensor."""

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
    "grey": (0.28, 0.28, 0.29),
    "green": (0.08, 0.50, 0.36),
}
FADED: dict[str, tuple[float, float, float]] = {
    **INK_COLOURS,
    "white": (0.84, 0.81, 0.74),
    "red": (0.78, 0.36, 0.27),
    "black": (0.22, 0.21, 0.22),
    "blue": (0.28, 0.48, 0.76),
    "yellow": (0.88, 0.72, 0.36),
    "grey": (0.41, 0.41, 0.41),
    "green": (0.30, 0.58, 0.50),
}


@dataclass(frozen=True)
class Pose:
    """Pose of a sign in a frame: its centre and half extents as shares of the frame, its rotation and its perspective."""

    x: float
    y: float
    half_width: float
    half_height: float
    degrees: float
    yaw: float
    pitch: float

    @staticmethod
    def draw(rng: Random) -> Pose:
        """Draw a pose like those in a sign data set's crops: nearly filling the frame, nearly upright."""
        half = rng.uniform(0.35, 0.435)
        aspect = rng.uniform(0.95, 1.05)
        x, y = 0.5 + rng.uniform(-0.35, 0.35, 2) * (0.5 - half)
        degrees = np.clip(rng.normal(0.0, 3.0), -9.0, 9.0)
        yaw, pitch = np.clip(rng.normal(0.0, (0.07, 0.05)), -0.15, 0.15)
        return Pose(*(float(v) for v in (x, y, half * aspect, half / aspect, degrees, yaw, pitch)))

    def to_sign(self, side: int, resolution: int, reach: float) -> tuple[float, ...]:
        """Return the eight numbers of the homography from a frame of ``side`` pixels to a face of ``resolution`` pixels."""
        angle, half = math.radians(self.degrees), 0.5 * resolution
        cos, sin = math.cos(angle), math.sin(angle)
        scale = half * 100.0 / reach
        ax, ay = scale / (self.half_width * side), scale / (self.half_height * side)
        x, y = self.x * side, self.y * side
        matrix = np.array(
            [
                [cos * ax, sin * ax, 0.0],
                [-sin * ay, cos * ay, 0.0],
                [self.yaw / (self.half_width * side), self.pitch / (self.half_height * side), 1.0],
            ]
        )
        matrix[:, 2] -= matrix[:, 0] * x + matrix[:, 1] * y
        matrix[2, 2] = 1.0 - (matrix[2, 0] * x + matrix[2, 1] * y)
        matrix[:2] += half * matrix[2]
        matrix /= matrix[2, 2]
        return tuple(float(v) for v in matrix.ravel()[:8])


@dataclass(frozen=True)
class Light:
    """Conditions of a picture: wear of the sign, light, haze, lens and sensor."""

    wear: float
    exposure: float
    backlight: float
    cast: NDArray[np.float32]
    haze: float
    softness: tuple[float, float]
    noise: float
    fair_weather: bool

    @staticmethod
    def draw(rng: Random) -> Light:
        """Draw conditions of any weather: dull, sunny or against the light, sharp or blurred."""
        wear, haze = float(rng.random()) ** 2.5, 0.35 * float(rng.random()) ** 4
        kind = rng.random()
        if kind < 0.2:
            exposure, backlight = rng.uniform(0.25, 0.45), rng.uniform(1.5, 4.0)
        elif kind < 0.45:
            exposure, backlight = rng.uniform(0.25, 0.6), rng.uniform(0.4, 1.0)
        else:
            exposure, backlight = rng.uniform(0.6, 1.3), rng.uniform(0.4, 1.1)
        softness, noise = rng.uniform(0.25, 1.0, 2), rng.uniform(0.004, 0.025)
        return Light(
            wear, float(exposure), float(backlight), daylight(rng), haze, (float(softness[0]), float(softness[1])), float(noise), False
        )

    @staticmethod
    def fair(rng: Random) -> Light:
        """Draw good conditions: a clear day, a clean sign, a good lens."""
        exposure, backlight, noise = rng.uniform(0.95, 1.05), rng.uniform(0.75, 1.0), rng.uniform(0.003, 0.005)
        return Light(
            0.1 * float(rng.random()), float(exposure), float(backlight), daylight(rng, 0.03), 0.02, (0.25, 0.25), float(noise), True
        )


def daylight(rng: Random, spread: float = 0.05) -> NDArray[np.float32]:
    """Draw the colour of the light, from warm to blue."""
    warm, green = rng.normal(0.0, spread), rng.normal(0.0, 0.3 * spread)
    return np.array([1.0 + warm, 1.0 + green, 1.0 - 1.4 * warm], np.float32)


def painted(rng: Random, inks: tuple[str, ...], shares: NDArray[np.uint8], wear: float) -> Image:
    """Colour a face's inks, faded by ``wear`` in [0, 1]: float32 ``(n, n, 4)``, premultiplied."""
    colours = [np.asarray(INK_COLOURS[ink]) * (1.0 - wear) + np.asarray(FADED[ink]) * wear for ink in inks]
    colours = [np.clip(colour * (rng.uniform(0.94, 1.06) + rng.uniform(-0.02, 0.02, 3)), 0.0, 1.0) for colour in colours]
    image = np.zeros((*shares.shape[1:], 4), np.float32)
    for colour, share in zip(colours, shares, strict=True):
        image += share[..., None].astype(np.float32) * np.append(colour / 255.0, 1.0 / 255.0).astype(np.float32)
    return np.minimum(image, 1.0)


def warped(face: Image, pose: Pose, side: int, reach: float) -> Image:
    """Project the face into a frame of ``side`` pixels: float32 ``(side, side, 4)``, premultiplied."""
    from PIL import Image as pillow

    # Pillow treats "CMYK" as four plain channels; "RGBA" would be premultiplied once more
    pixels = np.ascontiguousarray((face * np.float32(255.0) + np.float32(0.5)).astype(np.uint8))
    source = pillow.frombytes("CMYK", (face.shape[1], face.shape[0]), pixels.tobytes())
    data = pose.to_sign(side, face.shape[0], reach)
    turned = source.transform((side, side), pillow.Transform.PERSPECTIVE, data, pillow.Resampling.BICUBIC)
    return np.asarray(turned, dtype=np.float32) / np.float32(255.0)


def weathered(rng: Random, n: int, fair: bool) -> Image:
    """Return the factor ``(n, n, 1)`` of light and dirt on a sign: a gradient, and shadows of leaves in some pictures that are not fair."""
    factor = np.float32(0.82) + np.float32(0.36) * smooth(rng, n, (2, 2))
    if rng.random() < 0.25 and not fair:
        leaves = np.clip((fractal(rng, n, 3, 3) - np.float32(0.42)) * np.float32(8.0), 0.0, 1.0)
        factor = factor * (np.float32(1.0) - np.float32(rng.uniform(0.1, 0.4)) * leaves)
    return factor


def developed(rng: Random, scene: Image, size: int, light: Light) -> NDArray[np.uint8]:
    """Expose a scene as a camera: exposure, haze, a frame of ``size`` pixels, blur, noise, 8 bits."""
    haze = np.full((1, 1, 1), light.haze * min(1.0, light.exposure), np.float32)
    seen = reduced(mix(scene * (light.cast * np.float32(light.exposure)), (0.75, 0.77, 0.80), haze), scene.shape[0] // size)
    # larger frames show finer detail and average more photons
    growth = (size / 32.0) ** 0.35
    return sensed(
        rng, blurred(np.minimum(seen, np.float32(1.15)), light.softness[0] * growth, light.softness[1] * growth), light.noise / growth
    )


def reduced(image: Image, factor: int) -> Image:
    """Average over blocks of ``factor`` by ``factor`` pixels."""
    if factor == 1:
        return image
    n = image.shape[0] // factor
    blocks = image.reshape(n, factor, n, factor, -1)
    total = np.zeros((n, n, image.shape[2]), np.float32)
    for i in range(factor):
        for j in range(factor):
            total += blocks[:, i, :, j]
    return np.divide(total, np.float32(factor * factor))


def blurred(image: Image, sigma_y: float, sigma_x: float) -> Image:
    """Blur with a separable Gaussian, in pixels; the border is repeated."""
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
    """Add shot and read-out noise, and convert to 8 bits."""
    image = np.clip(image, 0.0, 1.0)
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    noisy = image + grain * np.float32(noise) * (np.float32(0.5) + image)
    return (np.clip(noisy, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
