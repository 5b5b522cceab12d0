"""The sentence that belongs beside a robustness number."""

from __future__ import annotations

from collections.abc import Iterable

from engine.evaluate.trust.light import Light
from engine.evaluate.trust.yardsticks import is_one_step
from engine.operation import Attack


def caveat(attack: Attack, lights: Iterable[Light] | None = None) -> str:
    """Return the sentence that has to stand where a number of this attack is printed; empty where nothing speaks against the number.

    Parameters
    ----------
    attack
        The attack behind the number.
    lights
        Its trust lights; None: they were not measured, and the sentence names only what the attack itself rules out.
    """
    said = []
    if is_one_step(attack):
        said.append(f"{attack.title} takes one step, and no model is called robust on a one-step attack: attack it with PGD or APGD, too.")
    elif attack.knows != "gradients":
        said.append(f"{attack.title} uses no gradients, so a model that holds against it may fall to PGD or APGD.")
    seen = [light for light in lights or () if light.on]
    if seen:
        masked = any(light.sign.kind == "gradient masking" for light in seen)
        names = ", ".join(f"“{light.sign.title}”" for light in seen)
        why = "Do not trust this number, the gradient seems masked" if masked else "The attack may be too weak for this number"
        first = next(light for light in seen if masked == (light.sign.kind == "gradient masking"))
        said.append(f"{why}: {names} {'is' if len(seen) == 1 else 'are'} on. {first.sign.cure}")
    return " ".join(said)
