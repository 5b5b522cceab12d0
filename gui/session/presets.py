"""Published settings of an attack, applied to the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gui.session.state import AttackSettings

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.state import Plan


def with_preset(plan: Plan, attack: type[Attack], title: str) -> dict[str, Any]:
    """Return the fields of the plan that change when an attack is chosen with the published setting of that title."""
    from engine.parameters import parameters_of

    values = attack.preset(title).values
    changed = {name: value for name, value in values.items() if value != parameters_of(attack)[name].default}
    return {**plan.choosing(attack.slug), "settings": AttackSettings(changed, title)}
