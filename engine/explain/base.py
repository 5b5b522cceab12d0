"""Explanations: operations that give every pixel of an image a value for one class of the classifier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from engine.access import ModelAccess
from engine.artifacts import Artifact, Map
from engine.classifier import Classifier
from engine.errors import in_words
from engine.operation import Operation, Problem, Step, Use


@dataclass(frozen=True, eq=False)
class ExplanationStep(Step):
    """The step with the maps of a batch."""

    maps: Tensor
    """The maps, ``(N, H, W)``."""


class Explanation(Operation, ABC):
    """An operation whose one method, `maps`, gives a value for every pixel: how much the pixel matters for a class.

    A subclass declares the attributes of every operation (slug, title, family, paper, fields), states with ``signed`` whether its values
    have a sign, and implements `maps`. Once it is in ``engine.explain.CATALOGUE``, the window, the command line and the figures offer it.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"labels"})
    signed: ClassVar[bool] = False
    """Whether its values have a sign: they are then shown on a diverging scale around zero, else on one from zero upwards."""
    caption: ClassVar[str] = ""
    """One sentence on how to read the values, with their unit; shown under the maps."""

    @abstractmethod
    def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
        """Compute the value of every pixel for a class.

        Parameters
        ----------
        model
            Access to the classifier: ``model(images)`` returns logits, ``model.gradient`` a gradient, ``model.activations`` a layer's
            activations with their graph. Queries are counted.
        images
            ``(N, C, H, W)`` in [0, 1].
        classes
            ``(N,)``: the class for which each image is explained.

        Returns
        -------
        Tensor
            ``(N, H, W)``, detached.
        """

    def iterate(self, problem: Problem) -> Iterator[ExplanationStep]:
        """Yield one step with the maps of all images, each for its label."""
        with torch.enable_grad():
            maps = self.maps(problem.classifier, problem.images, problem.labels)
        yield ExplanationStep(0, 0, maps.detach())

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the maps under the slug."""
        assert isinstance(last, ExplanationStep)
        return {self.slug: Map(last.maps, self.title, self.signed)}


@dataclass(frozen=True, eq=False)
class ExplainedPair:
    """An explanation of a clean and an adversarial image, each for its predicted class. On the CPU."""

    explanation: Explanation
    clean: Tensor
    """The map of the clean image, ``(H, W)``."""
    adversarial: Tensor


@dataclass(frozen=True, eq=False)
class Explained:
    """Results of several explanations of one pair of images. One that fails leaves the others intact."""

    pairs: Mapping[str, ExplainedPair] = field(default_factory=dict)
    """Pairs of maps by the explanation's slug."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Reasons of failures by the explanation's slug, as sentences."""


def explain_pair(classifier: Classifier, pair: Tensor, classes: Tensor, explanations: Sequence[Explanation]) -> Explained:
    """Explain a batch of two, the clean image in row 0 and the adversarial one in row 1, each for its class in ``classes`` ``(2,)``."""
    pairs: dict[str, ExplainedPair] = {}
    failures: dict[str, str] = {}
    for explanation in explanations:
        try:
            with torch.enable_grad():
                maps = explanation.maps(ModelAccess(classifier, explanation.knows), pair, classes).detach().cpu()
            expected = (len(pair), *pair.shape[2:])
            if tuple(maps.shape) != expected:
                raise ValueError(f"its maps are of shape {tuple(maps.shape)} in place of {expected}")
        except Exception as error:  # a user's explanation may raise anything, and must not take bars, layers and other maps with it
            failures[explanation.slug] = in_words(error, explanation.title, "Choose another explanation.")
        else:
            pairs[explanation.slug] = ExplainedPair(explanation, maps[0], maps[1])
    return Explained(pairs, failures)
