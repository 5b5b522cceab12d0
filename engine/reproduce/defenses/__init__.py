"""The experiments of the lectures on defenses: they train networks once, and attack them as the lectures did and as they did not."""

from engine.reproduce.defenses.advprop import AdvPropTraining
from engine.reproduce.defenses.base import DefenseExperiment
from engine.reproduce.defenses.batch_norm import BatchNorm
from engine.reproduce.defenses.depth import Depth
from engine.reproduce.defenses.maxout import MaxoutTraining
from engine.reproduce.defenses.penalties import Penalties
from engine.reproduce.defenses.perturbation import Perturbation
from engine.reproduce.defenses.schedules import Schedules
from engine.reproduce.defenses.step_ll import StepLeastLikely
from engine.reproduce.defenses.stickers import StickersOnBounded
from engine.reproduce.defenses.transfer import TransferTable
from engine.reproduce.defenses.white_box import WhiteBoxDigits, WhiteBoxObjects

__all__ = [
    "AdvPropTraining",
    "BatchNorm",
    "DefenseExperiment",
    "Depth",
    "MaxoutTraining",
    "Penalties",
    "Perturbation",
    "Schedules",
    "StepLeastLikely",
    "StickersOnBounded",
    "TransferTable",
    "WhiteBoxDigits",
    "WhiteBoxObjects",
]
