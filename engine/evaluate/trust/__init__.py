"""Trust lights: signs that a robustness number cannot be trusted, each with the figures, its meaning and the cure."""

from engine.evaluate.trust.at_once import lights_at_once, lights_of_image, merged
from engine.evaluate.trust.caveat import caveat
from engine.evaluate.trust.evaluation import TrustLights, TrustStep
from engine.evaluate.trust.light import Light, table_of
from engine.evaluate.trust.outcomes import Outcome, lights_among
from engine.evaluate.trust.signs import SIGNS, Sign
from engine.evaluate.trust.two_attackers import lights_of
from engine.evaluate.trust.words import MARK, marked, sentences_of
from engine.evaluate.trust.yardsticks import is_one_step

__all__ = [
    "MARK",
    "SIGNS",
    "Light",
    "Outcome",
    "Sign",
    "TrustLights",
    "TrustStep",
    "caveat",
    "is_one_step",
    "lights_among",
    "lights_at_once",
    "lights_of",
    "lights_of_image",
    "marked",
    "merged",
    "sentences_of",
    "table_of",
]
