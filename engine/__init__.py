"""Gibbon's engine: attacks, stickers, explanations and defenses for image classifiers. Knows no Qt.

>>> import engine
>>> from engine import attacks
>>> classifier = engine.models.load("signs")
>>> image = engine.images.read("stop.png", classifier)
>>> result = engine.run(attacks.PGD(norm="linf", eps=8 / 255, steps=40), classifier, image[None], seed=0)

Names are imported when they are first used, so that ``gibbon --help`` need not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import attacks, data, defenses, evaluate, explain, images, models, object_detection, reproduce, stickers, study
    from engine.classifier import Classifier
    from engine.driver import Run, run, start
    from engine.errors import GibbonError
    from engine.operation import Attack, AttackStep, Operation, Problem, Step
    from engine.record.saving import save_adversarial
    from engine.result import AttackResult, Reason, Result
    from engine.study.showing import show
    from engine.timeline import Timeline

_HOMES = {
    "Attack": "operation",
    "AttackResult": "result",
    "AttackStep": "operation",
    "Classifier": "classifier",
    "GibbonError": "errors",
    "Operation": "operation",
    "Problem": "operation",
    "Reason": "result",
    "Result": "result",
    "Run": "driver",
    "Step": "operation",
    "Timeline": "timeline",
    "run": "driver",
    "save_adversarial": "record.saving",
    "show": "study.showing",
    "start": "driver",
}
_ROOMS = ("attacks", "data", "defenses", "evaluate", "explain", "images", "models", "object_detection", "reproduce", "stickers", "study")

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
    "data",
    "defenses",
    "evaluate",
    "explain",
    "images",
    "models",
    "object_detection",
    "reproduce",
    "run",
    "save_adversarial",
    "show",
    "start",
    "stickers",
    "study",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"engine.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"engine.{_HOMES[name]}"), name)
    globals()[name] = value  # the next look-up finds it without this function
    return value


def __dir__() -> list[str]:
    return __all__
