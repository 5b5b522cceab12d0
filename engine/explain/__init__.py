"""Explanations, activations, spikes, and the observation that joins them. ``CATALOGUE`` maps a slug to an explanation's class."""

from engine.catalogue import catalogue
from engine.explain.activations import LayerActivity, Spike, find_spikes
from engine.explain.base import ExplainedPair, Explanation
from engine.explain.observation import Bounded, Defended, Observation, observe, with_defense
from engine.explain.saliency import GradientSaliency

CATALOGUE: dict[str, type[Explanation]] = catalogue(GradientSaliency)

__all__ = [
    "CATALOGUE",
    "Bounded",
    "Defended",
    "ExplainedPair",
    "Explanation",
    "GradientSaliency",
    "LayerActivity",
    "Observation",
    "Spike",
    "find_spikes",
    "observe",
    "with_defense",
]
