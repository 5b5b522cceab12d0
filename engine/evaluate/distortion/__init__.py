"""Whether adversarial images survive real life: distortions at growing strength, the prediction at each, and the destruction rate."""

from engine.evaluate.distortion.counting import Seen, destruction_rate, is_fooled
from engine.evaluate.distortion.kinds import KINDS, Distortion, read
from engine.evaluate.distortion.live import Moment, moment
from engine.evaluate.distortion.looking import DistortionStep
from engine.evaluate.distortion.sheet import Cell, Sheet, sheet_of
from engine.evaluate.distortion.survival import DistortionSurvival

__all__ = [
    "KINDS",
    "Cell",
    "Distortion",
    "DistortionStep",
    "DistortionSurvival",
    "Moment",
    "Seen",
    "Sheet",
    "destruction_rate",
    "is_fooled",
    "moment",
    "read",
    "sheet_of",
]
