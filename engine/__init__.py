"""Gibbon's engine: attacks, stickers, explanations and defenses for image classifiers. Knows no Qt.

>>> import engine
>>> from engine import attacks
>>> classifier = engine.models.load("signs")
>>> image = engine.images.read("stop.png", classifier)
>>> result = engine.run(attacks.PGD(norm="linf", eps=8 / 255, steps=40), classifier, image[None], seed=0)
"""

from engine import attacks, images
from engine.classifier import Classifier
from engine.driver import Run, run, start
from engine.errors import GibbonError
from engine.operation import Attack, AttackStep, Operation, Problem, Step
from engine.result import AttackResult, Reason, Result
from engine.timeline import Timeline

__all__ = [
    "Attack",
    "AttackResult",
    "AttackStep",
    "Classifier",
    "GibbonError",
    "Operation",
    "Problem",
    "Reason",
    "Result",
    "Run",
    "Step",
    "Timeline",
    "attacks",
    "images",
    "run",
    "start",
]
