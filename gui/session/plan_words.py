"""An attack's main numbers in a few words, such as ``L∞ 8/255 · 40 steps``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gui.session.defense import Steps, defense_words

if TYPE_CHECKING:
    from engine import Operation
    from engine.parameters import Parameter

_BARE = ("norm", "eps")
"""Parameters whose value says by itself what it is."""


def main_numbers(attack: Operation) -> tuple[str, ...]:
    """Return an attack's budget in words, from the longest form to the shortest: with the names of the numbers, and without."""
    from engine.parameters import parameters_of

    values = {name: getattr(attack, name) for name in type(attack).model_fields}
    limits = [each for name, each in parameters_of(type(attack)).items() if each.group == "Budget" and _matters(each, values)]
    norm = " ".join(each.shown(values[each.name]) for each in limits if each.name in _BARE)
    others = [each for each in limits if each.name not in _BARE and each.kind in ("number", "integer")]
    named = [_counted(each, values[each.name]) for each in others]
    bare = [_value(each, values[each.name]) for each in others]
    eps = "".join(each.shown(values[each.name]) for each in limits if each.name == "eps")
    short = (_joined(eps, *bare[:1]), eps) if eps else (_joined(*named[:1]),)
    return tuple(dict.fromkeys(filter(None, (_joined(norm, *named), _joined(norm, *named[:1]), *short))))


def _matters(parameter: Parameter, values: dict[str, Any]) -> bool:
    value = values[parameter.name]
    return parameter.applies(values) and (value is not None or parameter.name == "eps")


def _value(parameter: Parameter, value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else parameter.shown(value)


def _counted(parameter: Parameter, value: Any) -> str:
    """Return a number with its name: ``40 steps`` where that is a count, else ``weight 30``."""
    name, shown = parameter.title, _value(parameter, value)
    if parameter.kind != "integer" or not name.endswith("s"):
        return f"{name} {shown}"
    return f"{shown} {name[:-1] if value == 1 else name}"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def with_defense(numbers: tuple[str, ...], defense: Steps | bool) -> tuple[str, ...]:
    """Return an attack's numbers, the longest form first, with the defense that it goes through; without one they stay as they are."""
    if not defense or isinstance(defense, bool):
        return numbers
    longest, shortest, through = numbers[0] if numbers else "", numbers[-1] if numbers else "", "through the defense"
    forms = (_joined(longest, f"through {defense_words(defense)}"), *(_joined(each, through) for each in (longest, shortest, "")), *numbers)
    return tuple(dict.fromkeys(forms))
