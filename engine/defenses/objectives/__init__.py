"""Training objectives, one file each: parts of a recipe that can be combined. ``CATALOGUE`` maps a slug to its class."""

from engine.defenses.objectives.advprop import AdvProp, DualBatchNorm
from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.catalogue import CATALOGUE
from engine.defenses.objectives.covers import CoveredSquares
from engine.defenses.objectives.fgsm import FGSMTraining
from engine.defenses.objectives.gaussian import GaussianAugmentation
from engine.defenses.objectives.gradient_penalty import GradientRegularisation
from engine.defenses.objectives.label_smoothing import LabelSmoothing
from engine.defenses.objectives.n_fgsm import NFGSM
from engine.defenses.objectives.objective import Objective
from engine.defenses.objectives.pgd import PGDTraining
from engine.defenses.objectives.recipe import RECIPES, read, words
from engine.defenses.objectives.standard import Standard
from engine.defenses.objectives.stickers import AdversarialStickers
from engine.defenses.objectives.trades import TRADES
from engine.defenses.objectives.transformations import WorstTransformation
from engine.defenses.objectives.vat import VirtualAdversarial

__all__ = [
    "CATALOGUE",
    "NFGSM",
    "RECIPES",
    "TRADES",
    "AdvProp",
    "AdversarialStickers",
    "Batch",
    "CoveredSquares",
    "DualBatchNorm",
    "FGSMTraining",
    "GaussianAugmentation",
    "GradientRegularisation",
    "LabelSmoothing",
    "Objective",
    "PGDTraining",
    "Standard",
    "Trainee",
    "VirtualAdversarial",
    "WorstTransformation",
    "read",
    "words",
]
