"""What is worth knowing before an attack runs and keeps it from nothing, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gui.panels.attack.goal import Goal, takes_start

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.session import Session


def hint(attack: Attack, session: Session, goal: Goal, preset: str) -> str:
    """The first that applies; ``preset``: the title of the one that filled in the parameters."""
    return _aimless(attack, session, preset) or _useless_start(attack, session, goal) or _small_eps(attack, session)


def _aimless(attack: Attack, session: Session, preset: str) -> str:
    if session.target is None and preset and "targets" in attack.preset(preset).needs:
        return "This preset works towards a class: choose a target. Without one it runs untargeted."
    return ""


def _useless_start(attack: Attack, session: Session, goal: Goal) -> str:
    """A start image that the attack cannot begin at."""
    begin, classifier = goal.start.begin, session.classifier
    if begin is None or classifier is None or not takes_start(type(attack)):
        return ""
    name = classifier.labels[begin.prediction]
    if session.target is not None and "targets" in attack.uses:
        if begin.prediction == session.target:
            return ""
        wanted = classifier.labels[session.target]
        return f"The model takes the start image for “{name}”, not for the target “{wanted}”. Choose a start image of that class."
    own = session.label if session.label is not None else None if session.frame is None else session.frame.observation.clean_prediction
    if begin.prediction != own:
        return ""
    return f"The model takes the start image for “{name}”, the image's own class. Choose one that it takes for something else."


def _small_eps(attack: Attack, session: Session) -> str:
    """The usual radius for colour images, on digits."""
    if session.classifier is None or session.classifier.input_shape[0] != 1 or getattr(attack, "norm", "") != "linf":
        return ""
    if getattr(attack, "eps", None) != _usual(attack).get("linf"):
        return ""
    presets = "; see Presets" if attack.presets else ""
    return f"This eps is usual for colour images. On digits such as MNIST 0.1 to 0.3 is{presets}."


def _usual(attack: Attack) -> dict[Any, Any]:
    """The usual values of ``eps`` by norm, as the field declares them."""
    from engine.parameters import parameters_of

    eps = parameters_of(type(attack)).get("eps")
    return {} if eps is None else {value: mine for other, value, mine in eps.usual if other == "norm"}
