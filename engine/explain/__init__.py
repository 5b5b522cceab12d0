"""Explanations: saliency, activations, spikes, and the observation that joins them."""

from engine.catalogue import catalogue
from engine.explain.activations import LayerActivity, Spike, find_spikes
from engine.explain.observation import Bounded, Observation, observe
from engine.explain.saliency import GradientSaliency, saliency
from engine.operation import Operation

CATALOGUE: dict[str, type[Operation]] = catalogue(GradientSaliency)

__all__ = ["CATALOGUE", "Bounded", "GradientSaliency", "LayerActivity", "Observation", "Spike", "find_spikes", "observe", "saliency"]
