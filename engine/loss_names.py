"""Names of the losses that attacks report: on an axis, a reader must see what is plotted, and with which sign."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.operation import Operation
from engine.result import AttackResult

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ce": "cross-entropy",
        "stable-ce": "cross-entropy",
        "margin": "margin",
        "dlr": "DLR loss",
        "targeted-dlr": "DLR loss",
        "prob_linear": "swapped cross-entropy",
    }
)
"""Names by the value of a field ``loss``."""
_LOWERED = ("cross-entropy", "swapped cross-entropy")
"""Losses that an attacker lowers towards a class, so that minus the loss is reported."""


def loss_name(attack: Operation, target: str = "", *, chosen: bool = False) -> str:
    """Return the name of what the ``loss`` of an attack's steps is, such as “−cross-entropy towards Yield”. The attack maximises it.

    Parameters
    ----------
    attack
        The attack with its parameters.
    target
        Name of the class that it goes towards; empty for none.
    chosen
        Whether the attack chooses that class itself, of a name that is not known or not given.
    """
    raised = str(getattr(attack, "raises", "loss"))
    if raised.startswith("−"):
        return raised
    name = NAMES.get(str(getattr(attack, "loss", "")), raised)
    chosen = chosen or getattr(attack, "towards", "label or target") != "label or target"
    towards = f" towards {target}" if target else " towards the chosen class" if chosen else ""
    over = f", mean over {averages}" if (averages := getattr(attack, "averages", "")) else ""
    return f"{'−' if towards and name in _LOWERED else ''}{name}{towards}{over}"


def loss_name_of(result: AttackResult, row: int = 0) -> str:
    """Return `loss_name` of a row of a result, with the target that was given or that the attack chose."""
    labels, goal = result.classifier.labels, result.goal(row)
    aim = goal if result.targets is None else int(result.targets[row])
    return loss_name(result.operation, "" if aim is None else labels[aim])
