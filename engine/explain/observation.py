"""Observations: everything that the panels show of one pair of images, computed together so that it is consistent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.before import Before
from engine.classifier import Classifier
from engine.errors import in_words
from engine.explain.activations import LayerActivity, Spike, compare, find_spikes
from engine.explain.base import ExplainedPair, Explanation, explain_pair
from engine.explain.saliency import GradientSaliency
from engine.result import norms


@dataclass(frozen=True, eq=False)
class Changed:
    """Predictions of a changed classifier for the same pair of images."""

    clean: Tensor
    """Probabilities of the clean image, ``(K,)``."""
    adversarial: Tensor


@dataclass(frozen=True, eq=False)
class Bounded(Changed):
    """Predictions of the classifier with its rectifiers clamped from above."""

    bounds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Defended(Changed):
    """Predictions of the classifier behind preprocessing, and the images that it makes. The bounds are not applied."""

    steps: tuple[Before, ...]
    """The preprocessing, in its order."""
    clean_image: Tensor
    """The clean image after the preprocessing, ``(C, H, W)``; of several noisy copies the first."""
    adversarial_image: Tensor
    seconds: float
    """Seconds of the calling thread that it took, without the derivation of the classifier."""

    @property
    def clean_prediction(self) -> int:
        """Class that is predicted for the clean image."""
        return int(self.clean.argmax())

    @property
    def adversarial_prediction(self) -> int:
        """Class that is predicted for the adversarial image."""
        return int(self.adversarial.argmax())


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
    defended: Defended | None = None
    """Predictions behind preprocessing, which `with_defense` adds."""
    explanations: Mapping[str, ExplainedPair] = field(default_factory=dict)
    """Maps by the explanation's slug, of those that were requested and succeeded."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Reasons of failures, as sentences, by an explanation's slug, or by "activations", "bounds" and "defense"."""

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
    return Bounded(p[0], p[1], dict(bounds))


def with_defense(seen: Observation, steps: Sequence[Before], behind: Callable[[], Classifier]) -> Observation:
    """Return the observation with the predictions behind preprocessing: one more forward pass of two rows.

    Anything that fails is left out, with the reason in ``failures``.

    Parameters
    ----------
    seen
        An observation of the model, with another defense or without one.
    steps
        The preprocessing; none takes the defense away.
    behind
        Derives the classifier behind the preprocessing. It is called here so that its errors count as failures of the defense.
    """
    failures = {name: reason for name, reason in seen.failures.items() if name != "defense"}
    if not steps:
        return replace(seen, defended=None, failures=failures)
    try:
        classifier, begun = behind(), time.thread_time()  # deriving it is done once, and other programs do not count
        looked = classifier.look(torch.stack([seen.clean_image, seen.adversarial_image]))
    except (RuntimeError, ValueError) as error:
        failures["defense"] = in_words(error, "The defense", "Take it away, or change its parameters.")
        return replace(seen, defended=None, failures=failures)
    p, images = looked.logits.softmax(1).cpu(), looked.images.cpu()
    defended = Defended(
        p[0],
        p[1],
        steps=tuple(steps),
        clean_image=images[0],
        adversarial_image=images[1],
        seconds=time.thread_time() - begun,
    )
    return replace(seen, defended=defended, failures=failures)
