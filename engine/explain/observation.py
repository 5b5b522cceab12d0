"""Observation: everything the panels show of one pair of images, made in one go so that all of it belongs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import in_words
from engine.explain.activations import LayerActivity, Spike, compare, find_spikes
from engine.explain.base import ExplainedPair, Explanation, explain_pair
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
    explanations: Mapping[str, ExplainedPair] = field(default_factory=dict)
    """Slug of an explanation to its maps, those that were asked for and could be made."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """What could not be observed, by an explanation's slug, or "activations" and "bounds", to the sentence that says why."""

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
    explanations: Sequence[Explanation] = (),
    most_spikes: int = 20,
) -> Observation:
    """Look at a pair of images ``(C, H, W)``: one forward pass of two rows, one more under ``bounds``, and the passes of explanations.

    The logits must be had, or the error is raised. Whatever else fails is left out, and ``failures`` says why.

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
    explanations
        Those that are wanted, each made for the class that is predicted for the image.
    most_spikes
        How many spikes to list.
    """
    pair = torch.stack([clean, adversarial]).to(classifier.device, classifier.dtype)
    failures: dict[str, str] = {}
    logits, recorded, spikes = _seen(classifier, pair, layers, most_spikes, failures)
    explained = explain_pair(classifier, pair, logits.argmax(1), explanations)
    sizes = norms((pair[1:] - pair[:1]).cpu())
    logits = logits.cpu()
    probabilities = logits.softmax(1)
    return Observation(
        clean_image=clean.cpu(),
        adversarial_image=adversarial.cpu(),
        clean=probabilities[0],
        adversarial=probabilities[1],
        clean_logits=logits[0],
        adversarial_logits=logits[1],
        norms={name: float(value[0]) for name, value in sizes.items()},
        layers=recorded,
        spikes=spikes,
        bounded=_bounded(classifier, pair, bounds or {}, failures),
        explanations=explained.pairs,
        failures={**failures, **explained.failures},
    )


def _seen(
    classifier: Classifier, pair: Tensor, layers: bool, most_spikes: int, failures: dict[str, str]
) -> tuple[Tensor, tuple[LayerActivity, ...], tuple[Spike, ...]]:
    """Logits ``(2, K)``, layers and spikes; where the activations cannot be recorded or compared, the logits alone."""
    if layers:
        try:
            seen = classifier.record(pair)
            activities = compare(classifier.sites, seen.activations)
            return seen.logits, activities, find_spikes(classifier.sites, seen.activations, most_spikes)
        except (RuntimeError, ValueError, IndexError) as error:
            failures["activations"] = in_words(error, "Recording the activations", "The prediction does not depend on it.")
    return classifier(pair), (), ()


def _bounded(classifier: Classifier, pair: Tensor, bounds: Mapping[str, float], failures: dict[str, str]) -> Bounded | None:
    """The probabilities under ``bounds``; None where there are none, or where the classifier fails under them."""
    if not bounds:
        return None
    try:
        p = classifier.derive(bounds=bounds)(pair).softmax(1).cpu()
    except (RuntimeError, ValueError) as error:
        failures["bounds"] = in_words(error, "The classifier under the bounds", "Remove the bounds.")
        return None
    return Bounded(dict(bounds), p[0], p[1])
