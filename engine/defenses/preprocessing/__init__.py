"""Preprocessing defenses, one file each: steps before any network that can be combined. ``CATALOGUE`` maps a slug to its class."""

from engine.defenses.preprocessing.bit_depth import BitDepth
from engine.defenses.preprocessing.catalogue import CATALOGUE
from engine.defenses.preprocessing.gradient_smoothing import GradientSmoothing
from engine.defenses.preprocessing.jpeg import JPEG
from engine.defenses.preprocessing.median import Median
from engine.defenses.preprocessing.noise_averaging import NoiseAveraging
from engine.defenses.preprocessing.non_local_means import NonLocalMeans
from engine.defenses.preprocessing.preprocessing import Preprocessing
from engine.defenses.preprocessing.recipe import RECIPES, defended, read, words

__all__ = [
    "CATALOGUE",
    "JPEG",
    "RECIPES",
    "BitDepth",
    "GradientSmoothing",
    "Median",
    "NoiseAveraging",
    "NonLocalMeans",
    "Preprocessing",
    "defended",
    "read",
    "words",
]
