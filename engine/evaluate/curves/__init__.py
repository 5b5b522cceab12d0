"""Robustness curves: accuracy over eps, from the smallest perturbation of each image."""

from engine.evaluate.curves.curve import CurveStep, RobustnessCurve
from engine.evaluate.curves.numbers import ModelNorms
from engine.evaluate.curves.search import Norms, smallest_norms

__all__ = ["CurveStep", "ModelNorms", "Norms", "RobustnessCurve", "smallest_norms"]
