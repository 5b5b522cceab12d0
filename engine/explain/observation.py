"""Observations: everything that the panels show of one pair of images, computed together so that it is consistent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import in_words
from engine.explain.activations import LayerActivity, Spike, compare, find_spikes
from engine.explain.base import ExplainedPair, Explanation, explain_pair
from engine.explain.saliency import GradientSaliency
from engine.result import norms


@dataclass(frozen=True, eq=False)
class Bounded:
    """Predictions of the classifier with its rectifiers clamped from above."""

    bounds: Mapping[str, float]
    clean: Tensor
    """Probabilities of the clean image, ``(K,)``."""
    adversarial: Tensor


@dataclass(frozen=True, eq=False)
class Observation:
    """Predictions, layers and explanations of one pair of images. All tensors are on the CPU."""

    clean_image: Tensor
    """The clean image, ``(C, H, W)``."""
    adversarial_image: Tensor
    clean: Tensor
    """Probabilities of the clean image, ``(K,)``."""
    adversarial: Tensor
    clean_logits: Tensor
    adversarial_logits: Tensor
    norms: Mapping[str, float]
    layers: tuple[LayerActivity, ...]
    spikes: tuple[Spike, ...]
    bounded: Bounded | None = None
    explanations: Mapping[str, ExplainedPair] = field(default_factory=dict)
    """Maps by the explanation's slug, of those that were requested and succeeded."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Reasons of failures, as sentences, by an explanation's slug, or by "activations" and "bounds"."""

    @property
    def clean_prediction(self) -> int:
        """Predicted class of the clean image."""
        return int(self.clean_logits.argmax())

    @property
    def adversarial_prediction(self) -> int:
        """Predicted class of the adversarial image."""
        return int(self.adversarial_logits.argmax())

    @property
    def perturbation(self) -> Tensor:
        """The perturbation, adversarial minus clean, ``(C, H, W)``."""
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
    with_saliency: bool = False,
    most_spikes: int = 20,
) -> Observation:
    """Observe a pair of images ``(C, H, W)``: one forward pass of two rows, one more under ``bounds``, and the passes of explanations.

    An error in the logits is raised. Anything else that fails is left out, with the reason in ``failures``.

    Parameters
    ----------
    classifier
        The model.
    clean, adversarial
        Images in [0, 1], of the classifier's input shape.
    bounds
        Site name to the upper bound of its activations; None or empty: no bound.
    layers
        Whether to record activations.
    explanations
        Explanations to compute, each for the image's predicted class.
    with_saliency
        Short for ``GradientSaliency()`` among the ``explanations``.
    most_spikes
        How many spikes to list.
    """
    pair = torch.stack([clean, adversarial]).to(classifier.device, classifier.dtype)
    failures: dict[str, str] = {}
    logits, recorded, spikes = _seen(classifier, pair, layers, most_spikes, failures)
    wanted = (*explanations, GradientSaliency()) if with_saliency else explanations
    explained = explain_pair(classifier, pair, logits.argmax(1), wanted)
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
    """Return logits ``(2, K)``, layers and spikes; where activations cannot be recorded or compared, the logits alone."""
    if layers:
        try:
            seen = classifier.record(pair)
            activities = compare(classifier.sites, seen.activations)
            return seen.logits, activities, find_spikes(classifier.sites, seen.activations, most_spikes)
        except (RuntimeError, ValueError, IndexError) as error:
            failures["activations"] = in_words(error, "Recording the activations", "The prediction does not depend on it.")
    return classifier(pair), (), ()


def _bounded(classifier: Classifier, pair: Tensor, bounds: Mapping[str, float], failures: dict[str, str]) -> Bounded | None:
    """Return the probabilities under ``bounds``; None where there are no bounds, or where the classifier fails under them."""
    if not bounds:
        return None
    try:
        p = classifier.derive(bounds=bounds)(pair).softmax(1).cpu()
    except (RuntimeError, ValueError) as error:
        failures["bounds"] = in_words(error, "The classifier under the bounds", "Remove the bounds.")
        return None
    return Bounded(dict(bounds), p[0], p[1])
