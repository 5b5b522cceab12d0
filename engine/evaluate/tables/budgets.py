"""Budgets of attacks in words: they stand in the header of every column, so that unequal ones are never compared unseen."""

from __future__ import annotations

from dataclasses import dataclass

from engine.evaluate.batch.aims import Rule
from engine.operation import Attack
from engine.parameters import CHOICES, parameters_of
from engine.text.formatting import counted, format_number

_EXTRA = {"restarts": "restart", "draws": "draw"}
"""Fields that multiply the work, with the noun of one."""


@dataclass(frozen=True)
class Variant:
    """One attack at one eps: what a column of the table is about."""

    name: str
    attack: Attack
    aim: Rule = "away"
    group: str = ""
    """Name of the group that its specification gives; empty: the group of its norm and radius."""

    @property
    def label(self) -> str:
        """The name with the radius, unique within a table."""
        return f"{self.name}, {radius_of(self.attack)}"

    @property
    def grouped_by(self) -> str:
        """The name of its group: the given one, or norm and radius."""
        return self.group or radius_of(self.attack)

    @property
    def work(self) -> float:
        """Rough number of passes for each image, for the time left."""
        attack = self.attack
        steps = getattr(attack, "count", None) or getattr(attack, "steps", None) or 10
        return float(1 + steps * max(1, getattr(attack, "restarts", 1)) * max(1, getattr(attack, "draws", 1)))


def radius_of(attack: Attack) -> str:
    """Return norm and radius in words: ``L∞ 8/255``; without a radius what is minimised, or that nothing bounds the perturbation."""
    ball = attack.ball()
    norm = CHOICES.get(getattr(attack, "norm", None) or type(ball).__name__.lower(), "")
    eps = getattr(attack, "eps", None) if ball is None else ball.eps
    if isinstance(eps, float | int):
        return f"{norm} {format_number(float(eps))}".strip()
    return f"least {norm or 'L2'}" if attack.keeps == "norm" else "no bound"


def budget_of(attack: Attack) -> str:
    """Return everything that bounds the attack in words: ``L∞ 8/255, 40 steps, 5 restarts``."""
    values = attack.model_dump()
    words = [radius_of(attack)]
    for name, parameter in parameters_of(type(attack)).items():
        value = values[name]
        if name in _EXTRA:
            words += [counted(value, _EXTRA[name])] if value > 1 else []
        elif name == "steps":
            words.append(counted(value if value is not None else getattr(attack, "count", 0), "step"))
        elif name == "max_queries":
            words += [f"at most {counted(value, 'query', 'queries')}"] if value is not None else []
        elif parameter.group == "Budget" and name not in ("norm", "eps") and value is not None and parameter.applies(values):
            words.append(f"{parameter.title} {parameter.shown(value)}")
    return ", ".join(words)
