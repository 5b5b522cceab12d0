"""Scene: the contents of the canvas, frozen; Frame: everything that the panels show of a scene, made together in the engine thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gui.session.defense import Steps, behind, is_slow, note_seconds

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.explain import Explanation, Observation
    from engine.stickers import Sticker


@dataclass(frozen=True, eq=False)
class Scene:
    """A clean image, its stickers and its perturbation, under one classifier."""

    classifier: Classifier
    clean: Tensor
    """``(C, H, W)`` on the CPU: the image as cropped."""
    stickers: tuple[Sticker, ...] = ()
    delta: Tensor | None = None
    """``(C, H, W)``: the perturbation that a pixel attack added to the image with its stickers."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    defense: Steps = ()
    """The preprocessing behind which the classifier is shown, too."""
    explanations: tuple[Explanation, ...] = ()
    """The explanations whose maps a frame holds."""
    grown: bool = False
    """Whether the adversarial image was grown from noise: then its distance to the clean image has no meaning."""

    def adversarial(self) -> Tensor:
        """Return the clean image with its stickers painted over it and the perturbation added."""
        from engine.stickers import paint

        painted = paint(self.clean, self.stickers)
        return painted if self.delta is None else (painted + self.delta).clamp(0, 1)


def same_view(one: Scene, other: Scene) -> bool:
    """Return whether two scenes are looked at in the same way: with the same bounds, defense and explanations."""
    return (one.bounds, one.defense, one.explanations) == (other.bounds, other.defense, other.explanations)


def same_surroundings(one: Scene, other: Scene | None) -> bool:
    """Return whether two scenes differ in nothing but the perturbation.

    A preview of a perturbation takes its time. Where a sticker was drawn or a bound set meanwhile, a frame of that has been asked for and
    may have come already: the preview is out of date, and nothing would replace it.
    """
    return (
        other is not None
        and one.classifier is other.classifier
        and one.clean is other.clean
        and one.stickers == other.stickers
        and same_view(one, other)
    )


@dataclass(frozen=True, eq=False)
class Frame:
    """Everything that the panels show of one scene."""

    scene: Scene
    observation: Observation
    clean_pixels: np.ndarray
    """``(H, W, 3)`` uint8, contiguous."""
    adversarial_pixels: np.ndarray
    requested_at: float
    """``time.perf_counter()`` at the request, for measuring latency."""
    step: int | None = None
    """The number of the attack's step, for a frame of an iterate."""
    run: int | None = None
    """The number of the finished run that the iterate is of; None for an iterate of the attack in progress, and for no iterate."""


@dataclass(frozen=True, eq=False)
class Iterate:
    """An image that an attack made on its way, to be shown in place of the scene's own."""

    image: Tensor
    """``(C, H, W)``."""
    step: int
    run: int | None = None
    """The number of the finished run; None for the attack in progress."""
    grown: bool = False
    """Whether the attack grows the image from noise; see `Scene`."""


def observe_scene(scene: Scene, iterate: Iterate | None = None, *, requested_at: float | None = None) -> Frame:
    """Make the frame of a scene, or of an attack's iterate on it. Called in the engine thread.

    The effect of a slow defense is left out; `defended_frame` adds it.
    """
    from engine.explain import observe

    shown = scene.adversarial() if iterate is None else iterate.image
    if iterate is not None:
        scene = replace(scene, grown=iterate.grown)
    observation = observe(scene.classifier, scene.clean, shown, bounds=scene.bounds, explanations=scene.explanations)
    frame = Frame(
        scene=scene,
        observation=observation,
        clean_pixels=to_pixels(observation.clean_image),
        adversarial_pixels=to_pixels(observation.adversarial_image),
        requested_at=time.perf_counter() if requested_at is None else requested_at,
        step=None if iterate is None else iterate.step,
        run=None if iterate is None else iterate.run,
    )
    fast = bool(scene.defense) and not is_slow(scene.classifier, scene.defense)
    return defended_frame(frame) if fast else frame


def defended_frame(frame: Frame) -> Frame:
    """Return the frame with the effect of its scene's defense. Called in an engine thread."""
    from engine.explain import with_defense

    scene = frame.scene
    seen = with_defense(frame.observation, scene.defense, lambda: behind(scene.classifier, scene.defense))
    if seen.defended is not None:
        note_seconds(behind(scene.classifier, scene.defense), seen.defended.seconds)
    return replace(frame, observation=seen)


def lacks_defense(frame: Frame) -> bool:
    """Return whether the effect of its scene's defense is still missing in a frame."""
    seen = frame.observation
    return bool(frame.scene.defense) and seen.defended is None and "defense" not in seen.failures


def same_pictures(one: Frame, other: Frame) -> bool:
    """Return whether two frames are of the same images, and may differ in the defense alone."""
    mine, theirs = one.observation, other.observation
    return mine.clean_image is theirs.clean_image and mine.adversarial_image is theirs.adversarial_image


def to_pixels(image: Tensor) -> np.ndarray:
    """Convert ``(C, H, W)`` in [0, 1] to contiguous ``(H, W, 3)`` uint8."""
    import torch

    from engine.images import levels

    eight = levels(image.detach()).to(torch.uint8).cpu()
    pixels: np.ndarray = eight.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    return pixels
