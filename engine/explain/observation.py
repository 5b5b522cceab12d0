"""Observation: everything the panels show of one pair of images, made in one go so that all of it belongs together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.explain.activations import LayerActivity, Spike, compare, find_spikes
from engine.explain.saliency import saliency
from engine.result import norms


@dataclass(frozen=True, eq=False)
class Bounded:
    """What the classifier says when rectifiers are clamped from above."""

    bounds: Mapping[str, float]
    clean: Tensor
    """``(K,)`` probabilities of the clean image."""
    adversarial: Tensor


@dataclass(frozen=True, eq=False)
class Observation:
    """One pair of images as the classifier sees it. All tensors lie on the CPU."""

    clean_image: Tensor
    """``(C, H, W)``."""
    adversarial_image: Tensor
    clean: Tensor
    """``(K,)`` probabilities."""
    adversarial: Tensor
    clean_logits: Tensor
    adversarial_logits: Tensor
    norms: Mapping[str, float]
    layers: tuple[LayerActivity, ...]
    spikes: tuple[Spike, ...]
    bounded: Bounded | None = None
    clean_saliency: Tensor | None = None
    """``(H, W)`` of the class predicted for the clean image."""
    adversarial_saliency: Tensor | None = None
    """``(H, W)`` of the class predicted for the adversarial image."""

    @property
    def clean_prediction(self) -> int:
        """The class predicted for the clean image."""
        return int(self.clean_logits.argmax())

    @property
    def adversarial_prediction(self) -> int:
        """The class predicted for the adversarial image."""
        return int(self.adversarial_logits.argmax())

    @property
    def perturbation(self) -> Tensor:
        """Adversarial minus clean, ``(C, H, W)``."""
        return self.adversarial_image - self.clean_image


@torch.no_grad()
def observe(
    classifier: Classifier,
    clean: Tensor,
    adversarial: Tensor,
    *,
    bounds: Mapping[str, float] | None = None,
    layers: bool = True,
    with_saliency: bool = False,
    most_spikes: int = 20,
) -> Observation:
    """Look at a pair of images ``(C, H, W)``: one forward pass of two rows, one more under ``bounds``, one more for saliency.

    Parameters
    ----------
    classifier
        The model.
    clean, adversarial
        In [0, 1], of the classifier's input shape.
    bounds
        Site name to the value at which its activations are clamped from above; None or empty: no bound.
    layers
        Whether to record activations.
    with_saliency
        Whether to make the saliency maps, each of its own prediction.
    most_spikes
        How many spikes to list.
    """
    pair = torch.stack([clean, adversarial]).to(classifier.device, classifier.dtype)
    recording = classifier.record(pair, None if layers else ())
    probabilities = recording.logits.softmax(1).cpu()
    logits = recording.logits.cpu()
    bounded = None
    if bounds:
        p = classifier.derive(bounds=bounds)(pair).softmax(1).cpu()
        bounded = Bounded(dict(bounds), p[0], p[1])
    maps = saliency(classifier, pair, recording.logits.argmax(1)).cpu() if with_saliency else None
    sizes = norms((pair[1:] - pair[:1]).cpu())
    return Observation(
        clean_image=clean.cpu(),
        adversarial_image=adversarial.cpu(),
        clean=probabilities[0],
        adversarial=probabilities[1],
        clean_logits=logits[0],
        adversarial_logits=logits[1],
        norms={name: float(value[0]) for name, value in sizes.items()},
        layers=compare(classifier.sites, recording.activations),
        spikes=find_spikes(classifier.sites, recording.activations, most_spikes),
        bounded=bounded,
        clean_saliency=None if maps is None else maps[0],
        adversarial_saliency=None if maps is None else maps[1],
    )
