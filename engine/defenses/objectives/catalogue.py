"""The catalogue of training objectives by slug."""

from __future__ import annotations

from engine.catalogue import catalogue
from engine.defenses.objectives.advprop import AdvProp
from engine.defenses.objectives.covers import CoveredSquares
from engine.defenses.objectives.fgsm import FGSMTraining
from engine.defenses.objectives.gaussian import GaussianAugmentation
from engine.defenses.objectives.gradient_penalty import GradientRegularisation
from engine.defenses.objectives.label_smoothing import LabelSmoothing
from engine.defenses.objectives.n_fgsm import NFGSM
from engine.defenses.objectives.objective import Objective
from engine.defenses.objectives.pgd import PGDTraining
from engine.defenses.objectives.standard import Standard
from engine.defenses.objectives.stickers import AdversarialStickers
from engine.defenses.objectives.trades import TRADES
from engine.defenses.objectives.transformations import WorstTransformation
from engine.defenses.objectives.vat import VirtualAdversarial

CATALOGUE: dict[str, type[Objective]] = catalogue(
    Standard,
    GaussianAugmentation,
    CoveredSquares,
    LabelSmoothing,
    FGSMTraining,
    PGDTraining,
    NFGSM,
    AdvProp,
    WorstTransformation,
    AdversarialStickers,
    TRADES,
    VirtualAdversarial,
    GradientRegularisation,
)
