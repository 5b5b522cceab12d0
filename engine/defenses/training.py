"""Training of a classifier's network as an operation: one step is one batch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from engine.artifacts import Artifact, Axis, Curve, Model
from engine.class_matching import check_known
from engine.classifier import Classifier
from engine.defenses.augmentation import COLOURS, STROKES
from engine.defenses.fitting import Epoch, Fit, Schedule
from engine.defenses.rectifiers import bounds_of, maker, normalises, swap_rectifiers
from engine.devices import versions
from engine.errors import GibbonError
from engine.operation import Operation, Problem, Step, Use
from engine.parameters import data, network, result, schedule

_OF_THE_NETWORK = frozenset({"architecture", "activation", "slope", "sign", "transform_input"})
"""Entries of a card that describe the network itself, which training does not change."""


@dataclass(frozen=True, eq=False)
class TrainStep(Step):
    """The step of one batch. A resumed training first repeats the last step of the saved epoch."""

    epoch: int
    """Number of the batch's epoch, counted from 1."""
    history: tuple[Epoch, ...]
    """The finished epochs, the batch's own included where this is its last batch."""

    @property
    def loss(self) -> Tensor:
        """Mean cross-entropy of the batch, a scalar on the device."""
        return self.readings["loss"]

    @property
    def accuracy(self) -> Tensor:
        """Accuracy on the batch before the update of the weights, after augmentation, a scalar on the device."""
        return self.readings["accuracy"]


class Train(Operation):
    """Train the classifier's network on a labelled data set with cross-entropy, AdamW and a one-cycle learning rate.

    The classifier itself stays unchanged: the artifact "model" is a new network with its card and its history.
    """

    slug: ClassVar[str] = "train"
    title: ClassVar[str] = "Train"
    family: ClassVar[str] = "Training"
    uses: ClassVar[frozenset[Use]] = frozenset({"data"})

    activation: Literal["keep", "relu", "bounded", "bounded-leaky"] = network(
        "keep", title="rectifiers", choices={"keep": "kept as they are"}
    )
    """Replace the network's rectifiers by this one: plain, limited to [0, bound] (Liew et al. 2016, arXiv 1707.06728), or leaky with
    a trainable upper bound. Bounds start at 1 where a layer normalises, else at the 99.5 % quantile of the first batch.
    """
    slope: float = network(0.01, title="slope of the leak", ge=0.0, le=0.3)
    """Slope of the bounded leaky ReLU below 0, and size of its slope above the bound."""
    sign: Literal[-1, 1] = network(-1, title="above the bound", choices={-1: "falls (-1)", 1: "rises (+1)"})
    """Sign of the bounded leaky ReLU's slope above the bound: -1 decreases (it is not monotone then), +1 rises slowly."""
    fresh: bool = network(True, title="new weights")
    """Start from new random weights. Off: continue from the classifier's own."""
    epochs: int = schedule(20, ge=1, le=1000)
    """Number of passes over all images."""
    batch_size: int = schedule(128, ge=2, le=8192, unit="images")
    """Number of images per step."""
    learning_rate: float = schedule(3e-3, gt=0.0, le=1.0)
    """The highest learning rate, reached after a fifth of all steps."""
    weight_decay: float = schedule(0.02, ge=0.0, le=1.0)
    """Decay of kernels towards 0; biases, normalisation and bounds are left alone."""
    augment: Literal["auto", "none", "strokes", "colours"] = data("auto", title="augmentation", choices={"auto": "automatic"})
    """Random changes of each image in place, size, slant and noise, and in stroke width for grey images ("strokes") or in light and colour
    ("colours"). "auto" takes the one that fits the number of channels.
    """
    checkpoint: Path | None = result(None, none="nothing is kept")
    """File for the state after every epoch (.safetensors). If it exists, training continues from it and ends with the same weights as
    without the interruption.
    """

    def iterate(self, problem: Problem) -> Iterator[TrainStep]:
        """Train batch after batch, epoch after epoch. The network in training is in ``problem.scratch["fit"]``, for `artifacts`."""
        fit, about = self._prepare(problem)
        problem.scratch["fit"] = fit
        if fit.history:
            last = fit.history[-1]
            yield self._step(fit, fit.epoch * fit.batches - 1, fit.epoch, torch.tensor(last.loss), torch.tensor(last.accuracy))
        while fit.epoch < self.epochs:
            epoch, first = fit.epoch + 1, fit.epoch * fit.batches
            for index, (loss, accuracy) in enumerate(fit.epoch_steps()):
                if fit.epoch == epoch and self.checkpoint is not None:
                    fit.save(self.checkpoint, about)  # before the epoch's last step, so that a run that stops there has the file
                yield self._step(fit, first + index, epoch, loss, accuracy)

    def _step(self, fit: Fit, index: int, epoch: int, loss: Tensor, accuracy: Tensor) -> TrainStep:
        steps = self.epochs * fit.batches
        return TrainStep(
            index,
            steps - 1,
            epoch,
            fit.history,
            readings={"loss": loss, "accuracy": accuracy},
            news=f"epoch {epoch} of {self.epochs}",
            share_done=(index + 1) / steps,
        )

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the present network in evaluation mode, with its card and the curve of its epochs."""
        fit: Fit = problem.scratch["fit"]
        module = copy.deepcopy(fit.network).to(memory_format=torch.contiguous_format).eval().requires_grad_(False)
        lines = {name: torch.tensor([getattr(epoch, name) for epoch in fit.history]) for name in ("loss", "accuracy")}
        x = torch.tensor([epoch.epoch for epoch in fit.history])
        history = Curve(x, lines, "Training", Axis("epoch", "step"))
        return {"model": Model(module, self._card(problem, fit, module), history)}

    def _prepare(self, problem: Problem) -> tuple[Fit, dict[str, Any]]:
        classifier, data = problem.classifier.whole, problem.data
        if data is None:
            raise GibbonError("Training needs images: give a data set, data=engine.data.load(...).")
        _check_fit(classifier, data.shape, data.labels)
        seed = int(problem.random.integers(2**31 - 1)[0])
        network = self._network(classifier, seed)
        mean, std = classifier.normalisation
        fit = Fit(
            network,
            data.images,
            data.targets_for(classifier.labels, classifier.name),
            mean=mean,
            std=std,
            schedule=Schedule(self.epochs, self.batch_size, self.learning_rate, self.weight_decay),
            augment=self._augmentation(data.shape[0]),
            seed=seed,
        )
        about = {
            "parameters": self.model_dump(mode="json", exclude={"checkpoint"}),
            "seed": seed,
            "classifier": classifier.fingerprint,
            "data": [data.name, len(data), data.sha256],  # with other images held out, the test would contain training images
        }
        if self.checkpoint is not None and not self.checkpoint.parent.is_dir():  # found after an epoch otherwise
            raise GibbonError(f"There is no folder “{self.checkpoint.parent}” for the checkpoint. Make it, or choose another one.")
        if self.checkpoint is not None and self.checkpoint.exists():
            fit.load(self.checkpoint, about)
        elif (self.fresh or self.activation != "keep") and not normalises(network):
            fit.set_bounds()
        return fit, about

    def _network(self, classifier: Classifier, seed: int) -> nn.Module:
        network = copy.deepcopy(classifier.module).requires_grad_(True)
        if self.activation != "keep":
            swapped = swap_rectifiers(network, maker(self.activation, slope=self.slope, sign=self.sign))
            called = {site.name.partition("#")[0] for site in classifier.sites} - set(swapped)
            if called:
                raise GibbonError(
                    f"“{classifier.name}” calls rectifiers as functions (in {', '.join(sorted(called))}), which training cannot exchange: "
                    "choose activation “keep”, or make them modules in the network's code."
                )
            network.to(classifier.device)
        if self.fresh:
            _reset(network, seed)
        return network

    def _augmentation(self, channels: int) -> Any:
        kind = self.augment if self.augment != "auto" else ("colours" if channels == 3 else "strokes")
        return {"none": None, "strokes": STROKES, "colours": COLOURS}[kind]

    def _card(self, problem: Problem, fit: Fit, module: nn.Module) -> dict[str, Any]:
        classifier, data = problem.classifier.whole, problem.data
        assert data is not None
        mean, std = classifier.normalisation
        network: dict[str, Any] = {key: value for key, value in classifier.card.items() if key in _OF_THE_NETWORK}
        if self.activation != "keep":
            network |= {"activation": self.activation, "slope": self.slope, "sign": self.sign}
        return {
            "name": classifier.name,
            **network,
            "data_set": data.name,
            "attribution": data.source,
            "licence": data.licence,
            "images": len(data),
            "epochs": fit.epoch,
            "training": self.model_dump(mode="json", exclude={"checkpoint"}),
            "parameters": sum(parameter.numel() for parameter in module.parameters()),
            "bounds": bounds_of(module),
            "labels": list(classifier.labels),
            "input_shape": list(classifier.native_shape),
            "mean": list(mean),
            "std": list(std),
            "versions": versions(),
        }


def _check_fit(classifier: Classifier, shape: tuple[int, int, int], labels: tuple[str, ...]) -> None:
    if classifier.activations or classifier.bounds or classifier.before:
        raise GibbonError(f"“{classifier.name}” is derived: its bounds and preprocessing cannot be trained. Train the model it comes from.")
    if classifier.head == "log":
        raise GibbonError(f"“{classifier.name}” ends in probabilities: load it with head='strip' to train it on logits.")
    if shape != classifier.native_shape:
        raise GibbonError(f"The images are {shape}, but “{classifier.name}” takes {classifier.native_shape}: load them at that size.")
    check_known(labels, classifier.labels, classifier.name)


def _reset(network: nn.Module, seed: int) -> None:
    """Draw new weights for every layer that can draw its own: the same for the same seed, on every device."""
    home = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    network.cpu()  # layers draw on their own device, and devices draw different numbers
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in network.modules():
            if callable(draw := getattr(module, "reset_parameters", None)):
                draw()
    network.to(home)
