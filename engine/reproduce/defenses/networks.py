"""The networks of the lecture by Nicolae and Rawat: one CNN for each defense, each trained as their code does."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import torch

from engine.classifier import Classifier
from engine.data import DataSet
from engine.defenses.preprocessing import BitDepth
from engine.operation import Problem
from engine.reproduce.defenses.added import Added
from engine.reproduce.defenses.base import DefenseExperiment
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.trained import Recipe, by_adam

CNN, SQUEEZING, SMOOTHING, FGSM_TRAINING, VAT = "CNN", "feature squeezing", "label smoothing", "FGSM adv. training", "VAT"
GDA, GDA_BRELU, BRELU = "GDA + ReLU", "GDA + BReLU", "BReLU alone"
LECTURED = (CNN, SQUEEZING, SMOOTHING, FGSM_TRAINING, VAT, GDA, GDA_BRELU)
"""The rows of the lecture's table."""
ALL = (*LECTURED, BRELU)
"""These, and the control that tells whether the bound does anything without the noise."""
WEIGHTS = {FGSM_TRAINING: 2.3, VAT: 3.9}
"""Rough times of the trainings on twice as many images, half of which are made first, in those of one CNN."""


@dataclass(frozen=True)
class Setting:
    """The settings of the defenses for one data set."""

    architecture: str
    bits: int
    """Bits that squeezing leaves of each value."""
    sigma: float
    """Standard deviation of the noise of Gaussian data augmentation."""
    fgsm_eps: float
    """Size of the FGSM images that adversarial training appends, L∞."""
    vat_eps: float
    """Size of the virtual adversarial images that are appended, L2."""


DIGITS = Setting("digits-cnn", bits=1, sigma=0.3, fgsm_eps=0.3, vat_eps=2.1)
OBJECTS = Setting("objects-cnn", bits=3, sigma=0.05, fgsm_eps=0.05, vat_eps=2.1)


def recipe_of(name: str, setting: Setting, epochs: int, plain: Classifier | None = None) -> Recipe:
    """Return the training of one of `ALL`, or of the network that attacks them; ``plain`` is the CNN that adversarial images are made on.

    As in the authors' code: the best epoch on held-out images is kept, and five epochs without a better one end the training.
    """
    recipe = {SMOOTHING: "label-smoothing confidence=0.9", GDA: f"gaussian sigma={setting.sigma} copies=10"}
    recipe[GDA_BRELU] = recipe[GDA]
    bounded = {"activation": "bounded", "bound": 1.0} if name in (GDA_BRELU, BRELU) else {}
    training = by_adam(recipe.get(name, "standard"), epochs, held_out=None, keep="best", patience=5, **bounded)
    added: Added | None = None
    if name in (FGSM_TRAINING, VAT):
        assert plain is not None
        added = Added("fgsm", setting.fgsm_eps, plain) if name == FGSM_TRAINING else Added("vat", setting.vat_eps, plain)
    return Recipe(name, setting.architecture, training, added=added, seed=0 if name in ALL else 1)


def squeezed(data: DataSet, bits: int) -> DataSet:
    """Return the images with ``2^bits`` levels."""
    levels = 2**bits - 1
    images = ((data.images.float() / 255 * levels).round() / levels * 255).round().to(torch.uint8)
    return replace(data, images=images, name=f"{data.name} in {bits} bits")


def networks(
    experiment: DefenseExperiment, problem: Problem, stages: Stages, train: DataSet, setting: Setting, names: Sequence[str] = ALL
) -> Generator[str, None, dict[str, Classifier]]:
    """Return the trained networks by name, the CNN first. That of squeezing was trained on squeezed images, and is `behind` nothing yet."""
    found: dict[str, Classifier] = {}
    for name in names:
        recipe = recipe_of(name, setting, experiment.amount.epochs, found.get(CNN))
        images = squeezed(train, setting.bits) if name == SQUEEZING else train
        network = yield from stages.within(WEIGHTS.get(name, 1.0), experiment.network(problem, recipe, images))
        found[name] = network
    return found


def behind(network: Classifier, setting: Setting, *, known: bool) -> Classifier:
    """Return the network behind its squeezing. An attacker who does not know that differentiates the network without it."""
    return network.derive(before=[BitDepth(bits=setting.bits, gradient="adaptive" if known else "none")])


def weight_of(names: Sequence[str] = ALL) -> float:
    """Return the sum of the weights of `networks`."""
    return sum(WEIGHTS.get(name, 1.0) for name in names)
