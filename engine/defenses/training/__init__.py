"""Training: the operation, its state, its measurements and its checkpoints."""

from engine.defenses.training.epoch_files import EpochFiles
from engine.defenses.training.history import Epoch
from engine.defenses.training.probe import Estimate, estimate, estimating
from engine.defenses.training.train import Train, TrainStep

__all__ = ["Epoch", "EpochFiles", "Estimate", "Train", "TrainStep", "estimate", "estimating"]
