"""The catalogue of preprocessing defenses, in the order of lists."""

from engine.catalogue import catalogue
from engine.defenses.preprocessing.bit_depth import BitDepth
from engine.defenses.preprocessing.gradient_smoothing import GradientSmoothing
from engine.defenses.preprocessing.jpeg import JPEG
from engine.defenses.preprocessing.median import Median
from engine.defenses.preprocessing.noise_averaging import NoiseAveraging
from engine.defenses.preprocessing.non_local_means import NonLocalMeans
from engine.defenses.preprocessing.preprocessing import Preprocessing

CATALOGUE: dict[str, type[Preprocessing]] = catalogue(BitDepth, Median, NonLocalMeans, JPEG, NoiseAveraging, GradientSmoothing)
