"""The lecture's network: its accuracy on MNIST, as shipped and when trained like in the lecture."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import models
from engine.artifacts import Axis, Curve, Map, Model
from engine.classifier import Classifier
from engine.data import DataSet
from engine.devices import versions
from engine.errors import GibbonError
from engine.models import ARCHITECTURES
from engine.operation import Problem
from engine.parameters import schedule
from engine.reproduce.experiment import LECTURED, Experiment, Report, own_recipe, passes, right, share
from engine.reproduce.findings import at_least, between, exactly

PARAMETERS = 38_390
_BATCH = 128
_STEPS_SHOWN = 4
"""Batches between two steps of the run, in a tenth of a second."""


class Network(Experiment):
    """Test the convolutional network of the lecture as shipped, and with ``train`` once more with the lecture's settings.

    conv 10 @ 5x5, pool, conv 20 @ 5x5, pool, dense 100, dense 10: 38,390 parameters. The shipped weights were trained by this project's own
    recipe (AdamW, one cycle, augmentation), not by the lecture's: RMSprop (1e-3, decay 0.9, Keras' epsilon 1e-7), ten epochs in batches of
    128 on pixels in [0, 1], Glorot's initialisation, no augmentation. ``train`` uses the latter and returns the network as an artifact, on
    which the other experiments can be run.
    """

    slug: ClassVar[str] = "h5-network"
    title: ClassVar[str] = "The lecture's network on MNIST"
    source: ClassVar[str] = "Wang, “Data Evasion Attacks” (lecture), CNN for MNIST"
    tolerance: ClassVar[str] = "Test accuracy 98.8 to 99.3 %; training accuracy at least 99.3 %."
    model: ClassVar[str] = "digits"
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"

    train: bool = schedule(False)
    """Train the network again with the lecture's settings, too: a minute or two."""
    epochs: int = schedule(10, ge=1, le=1000, when={"train": True})
    """Number of passes over all training images."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Measure the accuracy, then train if requested."""
        whole = problem.classifier.whole
        train = yield from self.images(report, "train", 200)
        test = yield from self.images(report, "test", 200, seed=1)
        own_recipe(report, whole)
        other = LECTURED in models.shipped.names() and whole.name != LECTURED
        shipped = [models.load(LECTURED, device=whole.device)] if other else []
        report.expect(passes([train, test]) * (1 + len(shipped) + self.train) + (self.epochs * _yields(len(train)) if self.train else 0))
        for classifier in (whole, *shipped):
            yield from self._report(problem, report, classifier, (train, test), f"“{classifier.name}”")
        filters = next((m for m in whole.module.modules() if isinstance(m, nn.Conv2d)), None)
        if filters is not None and filters.in_channels == 1:
            for number, kernel in enumerate(filters.weight.detach().cpu()[:10]):
                report.show(f"filter {number}", Map(kernel, f"filter {number}", signed=True))
        if self.train:
            network, history = yield from train_as_lectured(train, self.epochs, problem.random.seed, whole.device)
            again = as_classifier(network, whole.device)
            accuracy = yield from self._report(problem, report, again, (train, test), f"trained again, {self.epochs} epochs")
            x = torch.arange(1, len(history) + 1)
            report.show(
                "history", Curve(x, {"loss": torch.tensor(history)}, "Training as lectured", Axis("epoch", "step"), Axis("cross-entropy"))
            )
            report.show("model", Model(network, _card(again, (train, test), self.epochs, accuracy)))

    def _report(
        self, problem: Problem, report: Report, classifier: Classifier, data: tuple[DataSet, DataSet], what: str
    ) -> Generator[str, None, float]:
        train, test = data
        count = sum(parameter.numel() for parameter in classifier.module.parameters())
        report.find(f"{what}: parameters", float(count), exactly(PARAMETERS), lecture=f"{PARAMETERS:,}", digits=0, comparable=True)
        tested = share((yield from right(problem, classifier, test, "test images")))
        report.find(f"{what}: test accuracy", tested, between(98.8, 99.3), lecture="99.1 %", unit="%")
        trained = share((yield from right(problem, classifier, train, "training images")))
        report.find(f"{what}: training accuracy", trained, at_least(99.3), lecture="99.5 %", unit="%")
        return tested / 100


@torch.enable_grad()
def train_as_lectured(data: DataSet, epochs: int, seed: int, device: torch.device) -> Generator[str, None, tuple[nn.Module, list[float]]]:
    """Train by RMSprop like Keras, and return the network and the mean loss of each epoch."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        network = ARCHITECTURES["digits"].build()  # its weights are drawn again below
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    network.to(device).train()
    parameters, history = list(network.parameters()), []
    squares = [torch.zeros_like(parameter) for parameter in parameters]
    for epoch in range(epochs):
        losses: list[Tensor] = []
        for number, chosen in enumerate(torch.split(torch.randperm(len(data), generator=generator), _BATCH)):
            images, targets = (tensor.to(device) for tensor in data.batch(chosen))
            loss = F.cross_entropy(network(images), targets)
            with torch.no_grad():  # written out, since torch.optim takes a second to load, for two lines
                for parameter, square, gradient in zip(parameters, squares, torch.autograd.grad(loss, parameters), strict=True):
                    square.mul_(0.9).addcmul_(gradient, gradient, value=1 - 0.9)
                    parameter.addcdiv_(gradient, square.sqrt().add_(1e-7), value=-1e-3)
            losses.append(loss.detach())
            if number % _STEPS_SHOWN == _STEPS_SHOWN - 1:
                yield f"epoch {epoch + 1} of {epochs}, loss {float(losses[-1]):.3f}"
        history.append(float(torch.stack(losses).mean()))
    if history[-1] != history[-1]:
        raise GibbonError("The training as lectured diverged: the loss is no longer a number. Choose another --seed.")
    return network.eval().requires_grad_(False), history


def _yields(images: int) -> int:
    """Return the number of the run's steps in one epoch of training."""
    return -(-images // _BATCH) // _STEPS_SHOWN


def as_classifier(network: nn.Module, device: torch.device) -> Classifier:
    """Make a classifier from a network that takes pixels in [0, 1] without normalisation."""
    about = ARCHITECTURES["digits"]
    return Classifier(copy.deepcopy(network), about.labels, about.input_shape, name="digits, trained as lectured", device=device)


def _card(classifier: Classifier, sets: tuple[DataSet, DataSet], epochs: int, accuracy: float) -> dict[str, object]:
    data, test = sets
    return {
        "name": LECTURED,
        "architecture": "digits",
        "activation": "relu",
        "slope": 0.01,
        "sign": -1,
        "data_set": data.name,
        "attribution": data.source,
        "licence": data.licence,
        "images": len(data),
        "epochs": epochs,
        "recipe": "as lectured",
        "training": {"optimiser": "RMSprop", "learning_rate": 1e-3, "batch_size": _BATCH, "augment": "none"},
        "parameters": PARAMETERS,
        "labels": list(classifier.labels),
        "input_shape": list(classifier.input_shape),
        "mean": [0.0],
        "std": [1.0],
        "versions": versions(),
        "accuracy": round(accuracy, 6),
        "tested_on": test.name,
    }
