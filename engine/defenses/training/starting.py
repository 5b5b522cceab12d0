"""The network that a training starts from, and whether it fits the images."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn

from engine.classifier import Classifier
from engine.defenses.rectifiers import MakeActivation, swap_rectifiers
from engine.errors import GibbonError
from engine.text.formatting import counted

if TYPE_CHECKING:
    from engine.data import DataSet


def network_of(classifier: Classifier, rectifier: MakeActivation | None, fresh: bool, seed: int) -> nn.Module:
    """Return a copy of the classifier's network that can be trained.

    Parameters
    ----------
    classifier
        The classifier, which stays as it is.
    rectifier
        A function that makes the module in place of each rectifier; None: they are kept.
    fresh
        Whether new weights are drawn from ``seed``.

    Raises
    ------
    GibbonError
        The network calls rectifiers as functions, which cannot be exchanged.
    """
    network = copy.deepcopy(classifier.module).requires_grad_(True)
    if rectifier is not None:
        swapped = swap_rectifiers(network, rectifier)
        called = {site.name.partition("#")[0] for site in classifier.sites} - set(swapped)
        if called:
            raise GibbonError(
                f"“{classifier.name}” calls rectifiers as functions (in {', '.join(sorted(called))}), which training cannot exchange: "
                "choose activation “keep”, or make them modules in the network's code."
            )
        network.to(classifier.device)
    if fresh:
        _reset(network, seed)
    return network


def check_fit(classifier: Classifier, data: DataSet) -> None:
    """Refuse a classifier that cannot be trained on these images and their classes, in a `GibbonError`."""
    shape = data.shape
    if classifier.activations or classifier.bounds or classifier.before:
        raise GibbonError(f"“{classifier.name}” is derived: its bounds and preprocessing cannot be trained. Train the model it comes from.")
    if classifier.head == "log":
        raise GibbonError(f"“{classifier.name}” ends in probabilities: load it with head='strip' to train it on logits.")
    if shape[0] != classifier.native_shape[0]:
        raise GibbonError(
            f"The images have {counted(shape[0], 'channel')}, but “{classifier.name}” takes {classifier.native_shape[0]}: "
            f"give data.with_channels({classifier.native_shape[0]})."
        )
    if shape != classifier.native_shape:
        (_, height, width), (_, high, wide) = shape, classifier.native_shape
        raise GibbonError(
            f"The images of {data.name} are {height} × {width} pixels, but “{classifier.name}” takes {high} × {wide}. Choose another "
            "data set or network, or load a folder of images at that size."
        )
    data.targets_for(classifier.labels, classifier.name)


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
