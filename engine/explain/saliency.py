"""Gradient saliency: where a small change of the image changes a class's score the most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Artifact, Map
from engine.classifier import Classifier
from engine.operation import Operation, Problem, Step, Use
from engine.views import View


@dataclass(frozen=True, eq=False)
class SaliencyStep(Step):
    """The maps."""

    values: Tensor
    """``(N, H, W)``."""


class GradientSaliency(Operation):
    """``values[y, x] = max_channel |d logits[label] / d images[channel, y, x]|``, of the logit, not of the probability.

    Simonyan, Vedaldi, Zisserman 2013, arXiv 1312.6034.
    """

    slug: ClassVar[str] = "saliency"
    title: ClassVar[str] = "Gradient saliency"
    family: ClassVar[str] = "Gradient"
    paper: ClassVar[str] = "Simonyan et al. 2013, arXiv 1312.6034"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels"})

    def iterate(self, problem: Problem) -> Iterator[Step]:
        """One step: one forward and one backward pass."""
        yield SaliencyStep(0, 0, saliency(problem.classifier, problem.images, problem.labels))

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """The map."""
        assert isinstance(last, SaliencyStep)
        return {"saliency": Map(last.values, "Saliency")}


@torch.enable_grad()
def saliency(classifier: Classifier | View, images: Tensor, labels: Tensor) -> Tensor:
    """The saliency maps ``(N, H, W)`` of ``labels`` ``(N,)``; see `GradientSaliency`."""
    images = images.detach().clone().requires_grad_()
    scores = classifier(images).gather(1, labels[:, None]).sum()
    gradient = classifier.gradient(scores, images) if isinstance(classifier, View) else torch.autograd.grad(scores, images)[0]
    return gradient.abs().amax(1)
