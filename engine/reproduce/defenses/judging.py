"""Attacks and predictions of an experiment, a tenth of a second at a time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.attacks import DeepFool
from engine.classifier import Classifier
from engine.operation import Attack, AttackStep, Problem
from engine.reproduce.defenses.stages import Stage
from engine.reproduce.experiment import attacking, outcome

TOGETHER = 50
"""Images that are attacked together, and whose gradients are taken together."""
_FEWER = 10
"""The same for DeepFool, which takes a gradient for each of ten classes."""
_JUDGED = 100
"""Images that a network classifies between two steps."""


def attacked(problem: Problem, attack: Attack, classifier: Classifier, images: Tensor, labels: Tensor) -> Stage[Tensor]:
    """Attack ``classifier`` on ``images`` ``(N, C, H, W)`` away from ``labels`` ``(N,)``; return the adversarial images on the CPU."""
    labels = labels.to(classifier.device)
    together = _FEWER if isinstance(attack, DeepFool) else TOGETHER
    with attacking(problem, attack, images, labels, classifier=classifier, together=together) as run:
        for step in run:
            first = step.first_row if isinstance(step, AttackStep) else 0
            part = (step.index + 1) / (step.total + 1) if step.total is not None else 0.5
            done = first + part * min(together, len(images) - first)
            yield done / len(images), f"{attack.title} on “{classifier.name}”, {int(done):,} of {len(images):,} images"
        return outcome(run).adversarial.detach().cpu()


def logits_of(problem: Problem, classifier: Classifier, images: Tensor, what: str) -> Stage[Tensor]:
    """Return the logits ``(N, K)`` of ``images`` on the CPU, some per step."""
    found = []
    for first in range(0, len(images), _JUDGED):
        found.append(classifier.score(images[first : first + _JUDGED]).cpu())
        problem.classifier.forwards += len(found[-1])
        yield (first + _JUDGED) / len(images), f"“{classifier.name}” on {what}, {min(first + _JUDGED, len(images)):,} of {len(images):,}"
    return torch.cat(found)


def judged(problem: Problem, classifier: Classifier, images: Tensor, labels: Tensor, what: str) -> Stage[Tensor]:
    """Return which of ``images`` the classifier predicts as ``labels``: ``(N,)`` bool on the CPU."""
    logits = yield from logits_of(problem, classifier, images, what)
    return logits.argmax(1) == labels.cpu()


def gradients_of(problem: Problem, classifier: Classifier, images: Tensor, labels: Tensor) -> Stage[Tensor]:
    """Return ``d CE(logits, labels) / d images`` of each image ``(N, C, H, W)`` on the CPU."""
    found = []
    for first in range(0, len(images), TOGETHER):
        part = slice(first, first + TOGETHER)
        with torch.enable_grad():
            some = images[part].to(classifier.device, classifier.dtype).requires_grad_()
            loss = F.cross_entropy(classifier(some), labels[part].to(classifier.device), reduction="sum")
            found.append(torch.autograd.grad(loss, some)[0].cpu())
        problem.classifier.forwards += len(some)
        problem.classifier.backwards += len(some)
        yield (
            (first + TOGETHER) / len(images),
            f"gradient of “{classifier.name}”, {min(first + TOGETHER, len(images)):,} of {len(images):,}",
        )
    return torch.cat(found)


def signs_of(problem: Problem, classifier: Classifier, images: Tensor, labels: Tensor) -> Stage[Tensor]:
    """Return the signs of `gradients_of`: the direction of FGSM, without any clipping."""
    gradients = yield from gradients_of(problem, classifier, images, labels)
    return gradients.sign()
