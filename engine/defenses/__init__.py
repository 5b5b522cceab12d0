"""Defenses: rectifiers with an upper limit, preprocessing, and training. ``CATALOGUE`` maps a slug to its operation."""

from engine.catalogue import catalogue
from engine.defenses import preprocessing
from engine.defenses.activations import Bounded, BoundedLeaky, bounded, bounded_leaky
from engine.defenses.cards import accuracy, classifier_of, save_model, weights_digest
from engine.defenses.training import Estimate, Train, TrainStep, estimate, estimating
from engine.operation import Operation

CATALOGUE: dict[str, type[Operation]] = catalogue(Train)

__all__ = [
    "CATALOGUE",
    "Bounded",
    "BoundedLeaky",
    "Estimate",
    "Train",
    "TrainStep",
    "accuracy",
    "bounded",
    "bounded_leaky",
    "classifier_of",
    "estimate",
    "estimating",
    "preprocessing",
    "save_model",
    "weights_digest",
]
