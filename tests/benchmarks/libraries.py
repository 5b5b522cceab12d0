"""Foolbox, torchattacks and ART behind one signature: ``attack(task) -> adversarial``, counted and seeded."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import engine


class Counting(nn.Module):
    """The network as a library's user has it, a plain module with its normalisation, that counts rows forwards and backwards.

    The weights are the classifier's, frozen as there (weight gradients would only make a library slower), in PyTorch's usual layout.
    """

    def __init__(self, classifier: engine.Classifier) -> None:
        super().__init__()
        self.inner = copy.deepcopy(classifier.module).to(memory_format=torch.contiguous_format)
        mean, std = (torch.tensor(v, dtype=classifier.dtype, device=classifier.device) for v in classifier.normalisation)
        self.mean, self.std = mean[:, None, None], std[:, None, None]
        self.forwards = self.backwards = 0
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        self.forwards += len(images)
        logits: Tensor = self.inner((images.to(self.mean.dtype) - self.mean) / self.std)
        if logits.requires_grad:
            logits.register_hook(self._on_gradient)
        return logits

    def _on_gradient(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)


@dataclass(frozen=True, eq=False)
class Task:
    """What is attacked."""

    classifier: engine.Classifier
    images: Tensor
    labels: Tensor
    targets: Tensor | None = None

    @property
    def rows(self) -> int:
        """Number of images."""
        return len(self.images)


Library = Callable[[Task, Counting], Tensor]


def quietly(work: Callable[[], Any]) -> Any:
    """Without progress bars, warnings and log lines of libraries."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            return work()
    finally:
        logging.disable(logging.NOTSET)


# ---------------------------------------------------------------------- Foolbox


def foolbox(make: Callable[[Any], Any], eps: float | None = None) -> Library:
    """``make(foolbox.attacks)`` gives the attack; ``eps`` the radius, None for minimal-norm attacks."""

    def attack(task: Task, model: Counting) -> Tensor:
        import foolbox as fb

        wrapped = fb.PyTorchModel(model, bounds=(0, 1), device=str(task.images.device))
        criterion = task.labels if task.targets is None else fb.criteria.TargetedMisclassification(task.targets)
        clipped: Tensor = make(fb.attacks)(wrapped, task.images, criterion, epsilons=eps)[1]
        return clipped

    return attack


# ---------------------------------------------------------------------- torchattacks


def torchattacks(make: Callable[[Any, nn.Module], Any]) -> Library:
    """``make(torchattacks, model)`` gives the attack."""

    def attack(task: Task, model: Counting) -> Tensor:
        import torchattacks as ta

        made = make(ta, model)
        if task.targets is not None:
            made.set_mode_targeted_by_label(quiet=True)
        adversarial: Tensor = made(task.images, task.labels if task.targets is None else task.targets)
        return adversarial

    return attack


# ---------------------------------------------------------------------- ART


def art(make: Callable[[Any, Any], Any], *, labels: bool = True) -> Library:
    """``make(art.attacks.evasion, classifier)`` gives the attack; ``labels``: it takes them."""

    def attack(task: Task, model: Counting) -> Tensor:
        from art.attacks import evasion

        attack = make(evasion, art_classifier(task, model))
        goals = task.labels if task.targets is None else task.targets
        hot = np.eye(task.classifier.num_classes, dtype=np.float32)[goals.cpu().numpy()]
        made = attack.generate(task.images.cpu().numpy(), hot) if labels else attack.generate(task.images.cpu().numpy())
        return torch.from_numpy(made).to(task.images)

    return attack


def art_classifier(task: Task, model: Counting) -> Any:
    """ART's view of a torch model."""
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        model=model,
        loss=nn.CrossEntropyLoss(),
        input_shape=task.classifier.input_shape,
        nb_classes=task.classifier.num_classes,
        clip_values=(0.0, 1.0),
        device_type="gpu" if task.images.is_cuda else "cpu",
    )
