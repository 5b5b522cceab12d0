"""Scene: what is on the canvas, frozen; and Frame: all that is shown of it, made in the engine thread in one go."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.explain import Observation
    from engine.stickers import Sticker


@dataclass(frozen=True, eq=False)
class Scene:
    """Clean image, stickers and perturbation under one classifier."""

    classifier: Classifier
    clean: Tensor
    """``(C, H, W)`` on the CPU: the image as cropped."""
    stickers: tuple[Sticker, ...] = ()
    delta: Tensor | None = None
    """``(C, H, W)``: what a pixel attack added to the image with its stickers."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    saliency: bool = False
    grown: bool = False
    """Whether the adversarial image was grown from noise: then it is no change of the clean one, and its distance means nothing."""

    def adversarial(self) -> Tensor:
        """The image with its stickers painted over it and the perturbation added."""
        from engine.stickers import paint

        painted = paint(self.clean, self.stickers)
        return painted if self.delta is None else (painted + self.delta).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class Frame:
    """Everything the panels paint. All of it belongs to one scene."""

    scene: Scene
    observation: Observation
    clean_pixels: np.ndarray
    """``(H, W, 3)`` uint8, contiguous."""
    adversarial_pixels: np.ndarray
    asked_at: float
    """``time.perf_counter()`` when the scene came to be, for measuring latency."""
    step: int | None = None
    """Of the attack that it was seen in, while one runs."""


def look(scene: Scene, adversarial: Tensor | None = None, *, asked_at: float | None = None, step: int | None = None) -> Frame:
    """Observe a scene. Called in the engine thread.

    ``adversarial`` is the image to show instead of the scene's own: an attack's iterate.
    """
    from engine.explain import GradientSaliency, observe

    shown = scene.adversarial() if adversarial is None else adversarial
    explanations = (GradientSaliency(),) if scene.saliency else ()
    observation = observe(scene.classifier, scene.clean, shown, bounds=scene.bounds, explanations=explanations)
    return Frame(
        scene=scene,
        observation=observation,
        clean_pixels=to_pixels(observation.clean_image),
        adversarial_pixels=to_pixels(observation.adversarial_image),
        asked_at=time.perf_counter() if asked_at is None else asked_at,
        step=step,
    )


def to_pixels(image: Tensor) -> np.ndarray:
    """``(C, H, W)`` in [0, 1] as contiguous ``(H, W, 3)`` uint8."""
    import torch

    from engine.images import levels

    eight = levels(image.detach()).to(torch.uint8).cpu()
    pixels: np.ndarray = eight.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    return pixels
