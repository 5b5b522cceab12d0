"""The experiments of the lectures as operations, one file each: our numbers beside the lecture's and the paper's.

``CATALOGUE`` maps a slug to its class. ``engine.run(Gallery(), Gallery.load())`` gives a result whose artifact "table" holds the verdicts
and whose other artifacts are the panels of its figure; ``engine.reproduce.writing.write`` puts both into files.
"""

from engine.catalogue import catalogue
from engine.reproduce.defenses import (
    AdvPropTraining,
    BatchNorm,
    Depth,
    MaxoutTraining,
    Penalties,
    Perturbation,
    Schedules,
    StepLeastLikely,
    StickersOnBounded,
    TransferTable,
    WhiteBoxDigits,
    WhiteBoxObjects,
)
from engine.reproduce.experiment import Experiment, ExperimentStep
from engine.reproduce.fake_zero import FakeZero
from engine.reproduce.findings import Finding, Tolerance, Verdicts
from engine.reproduce.fooling import FoolingImages
from engine.reproduce.gallery import Gallery
from engine.reproduce.linear import Linear
from engine.reproduce.logistic import LogisticRegression
from engine.reproduce.network import Network
from engine.reproduce.one_pixel import OnePixelGallery
from engine.reproduce.panda import Panda
from engine.reproduce.targets import Targets
from engine.reproduce.untargeted import Untargeted

CATALOGUE: dict[str, type[Experiment]] = catalogue(
    Gallery,
    FoolingImages,
    LogisticRegression,
    Linear,
    OnePixelGallery,
    Network,
    FakeZero,
    Untargeted,
    Targets,
    Panda,
    TransferTable,
    WhiteBoxDigits,
    WhiteBoxObjects,
    Perturbation,
    MaxoutTraining,
    StepLeastLikely,
    AdvPropTraining,
    Schedules,
    StickersOnBounded,
    BatchNorm,
    Penalties,
    Depth,
)

__all__ = [
    "CATALOGUE",
    "AdvPropTraining",
    "BatchNorm",
    "Depth",
    "Experiment",
    "ExperimentStep",
    "FakeZero",
    "Finding",
    "FoolingImages",
    "Gallery",
    "Linear",
    "LogisticRegression",
    "MaxoutTraining",
    "Network",
    "OnePixelGallery",
    "Panda",
    "Penalties",
    "Perturbation",
    "Schedules",
    "StepLeastLikely",
    "StickersOnBounded",
    "Targets",
    "Tolerance",
    "TransferTable",
    "Untargeted",
    "Verdicts",
    "WhiteBoxDigits",
    "WhiteBoxObjects",
]
