"""What keeps an attack from starting, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gui.panels.attack.goal import Goal, takes_start

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.session import Session


def obstacle(attack: Attack, session: Session, goal: Goal) -> tuple[str, bool]:
    """Why an attack cannot start, and whether that is a mistake (or something that is still missing). Empty: it can."""
    if session.classifier is None:
        return "Load a model first: the Model dock lists what there is.", False
    if session.clean is None:
        return "Open an image first: there is nothing to attack.", False
    on_stickers = "stickers" in attack.uses or (session.region == "stickers" and attack.masked)
    if on_stickers and not paintable(session):
        return "Draw a sticker on the image and set its content to “optimised”: that is where the attack may paint.", False
    if mistyped := _mistyped(attack, goal):
        return mistyped, True
    wanted = _missing(attack, session, goal)
    return (wanted, False) if wanted else (_wrong_data(attack, session, goal) or _wrong_target(attack, session), True)


def paintable(session: Session) -> bool:
    """Whether there is a sticker that an attack may paint."""
    from engine.stickers import Optimised

    return any(isinstance(sticker.content, Optimised) for sticker in session.stickers)


def _mistyped(attack: Attack, goal: Goal) -> str:
    """Text in a field that names no class: the one from before would be taken silently."""
    for use, combo, what in (("labels", goal.label, "true label"), ("targets", goal.target, "target")):
        if use in attack.uses and combo.unknown:
            return f"“{combo.unknown}” is no class of this model, or several: choose the {what} from its list."
    return ""


def _missing(attack: Attack, session: Session, goal: Goal) -> str:
    """What the attack cannot do without, and does not have."""
    from engine.parameters import parameters_of

    if "targets" in attack.needs and session.target is None:
        return f"Choose a target class: {attack.title} works towards one."
    if "start" in attack.needs and takes_start(type(attack)) and goal.start.begin is None:
        return f"Choose a start image: {attack.title} goes on from one."
    if "data" in attack.needs and goal.data.choice is None:
        return f"Choose a data set: {attack.title} works on many images."
    if any(parameter.is_file and not getattr(attack, name) for name, parameter in parameters_of(type(attack)).items()):
        return "Choose the file of a perturbation: the field “file” takes one that was saved."
    return ""


def _wrong_data(attack: Attack, session: Session, goal: Goal) -> str:
    """A data set whose images the model does not take."""
    choice, classifier, sources = goal.data.choice, session.classifier, session.data_sources
    if "data" not in attack.uses or choice is None or classifier is None:
        return ""
    shape, wanted = sources.shape_of(choice.name), classifier.input_shape
    if shape in (None, wanted):
        return ""
    fitting = [replace(choice, name=source.name).title for source in sources.sources if sources.shape_of(source.name) == wanted]
    cure = f"Choose {' or '.join(fitting)}." if fitting else "Add a folder of such images: “Image folder…” in the list."
    return f"The images of {choice.title} are {_size(shape)}, but “{classifier.name}” takes {_size(wanted)}. {cure}"


def _size(shape: tuple[int, ...] | None) -> str:
    return " × ".join(map(str, shape or ()))


def _wrong_target(attack: Attack, session: Session) -> str:
    if session.target is None or session.classifier is None or "targets" not in attack.uses or not attack.from_image:
        return ""
    name = session.classifier.labels[session.target]
    if session.target == session.label:
        return f"The target “{name}” is the image's own label, so there is nothing to reach. Choose another class."
    predicted = session.frame.observation.clean_prediction if session.frame is not None else None
    if session.label is None and session.target == predicted:
        return f"The image is already taken for the target “{name}”. Choose another class, or name the true label."
    return ""
