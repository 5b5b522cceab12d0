"""Readiness of the planned attack: the first obstacle, if any, and a hint on doubtful settings. Pure functions of the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from gui.session.data_choice import DataSource
from gui.session.stand_in import is_stand_in

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.state import State


class Sources(Protocol):
    """The part of `DataSources` that readiness needs."""

    @property
    def sources(self) -> Sequence[DataSource]: ...
    def shape_of(self, name: str) -> tuple[int, int, int] | None: ...


_NO_STICKER = "Draw a sticker on the image and set its content to “optimised”: that is where the attack may paint."
_NO_STICKER_YET = "Draw a sticker and set its content to “optimised”: that is where the attack may paint on every image."
_HIDDEN = "Every sticker to be optimised is hidden. Show one by its eye in the Stickers dock: that is where the attack may paint."


@dataclass(frozen=True)
class Obstacle:
    """The reason why an attack cannot start."""

    sentence: str
    is_mistake: bool = False
    """Whether a setting is wrong; otherwise one is only missing."""
    about_goal: bool = False
    """Whether the true label or the target has to be set otherwise."""


def obstacle(state: State, sources: Sources) -> Obstacle | None:
    """Return the first obstacle to starting the planned attack; None if it can start."""
    if not state.ready or not state.plan.slug:
        return Obstacle("The engine is still loading.")
    attack, error = state.plan.built
    if attack is None:
        return Obstacle(error, is_mistake=True)
    if missing := _nothing_to_attack(attack, state):
        return Obstacle(missing)
    if mistyped := _mistyped(attack, state):
        return Obstacle(mistyped, is_mistake=True, about_goal=True)
    if "targets" in attack.needs and state.target is None:
        return Obstacle(f"Choose a target class in the bar at the top (Ctrl+L): {attack.title} works towards one.", about_goal=True)
    if missing := _missing(attack, state):
        return Obstacle(missing)
    if wrong := _wrong_data(attack, state, sources):
        return Obstacle(wrong, is_mistake=True)
    wrong = _wrong_target(attack, state)
    return Obstacle(wrong, is_mistake=True, about_goal=True) if wrong else None


def plan_obstacle(state: State, sources: Sources) -> Obstacle | None:
    """Return the first obstacle to attacking other images than the one on the canvas as planned; None if there is none."""
    if not state.ready or not state.plan.slug:
        return Obstacle("The engine is still loading.")
    attack, error = state.plan.built
    if attack is None:
        return Obstacle(error, is_mistake=True)
    if state.classifier is None:
        return Obstacle("Load a model first: the Model dock lists what there is.")
    on_stickers = "stickers" in attack.uses or (state.region == "stickers" and attack.masked)
    if on_stickers and not state.paintable:
        return Obstacle(_HIDDEN if state.hides_paintable else _NO_STICKER_YET)
    if missing := _missing(attack, state):  # each image gets a target of its own
        return Obstacle(missing)
    wrong = _wrong_data(attack, state, sources)
    return Obstacle(wrong, is_mistake=True) if wrong else None


def hint(state: State, base: int | None = None) -> str:
    """Return a sentence on a doubtful setting that does not keep the attack from starting; empty if there is none.

    ``base`` is the model's prediction for the image that the attack would begin at, with its stickers; None while it is not known.
    """
    attack, _ = state.plan.built
    if attack is None:
        return ""
    return (
        _aimless(attack, state)
        or _misread(attack, state, base)
        or _boundless(attack, state)
        or _useless_start(attack, state)
        or _small_eps(attack, state)
    )


def takes_start(attack: type[Attack]) -> bool:
    """Return whether the user may choose a start image; a sticker attack begins at the stickers' content instead."""
    return "start" in attack.uses and "stickers" not in attack.uses


# ---------------------------------------------------------------------- obstacles


def _nothing_to_attack(attack: Attack, state: State) -> str:
    if state.classifier is None:
        return "Load a model first: the Model dock lists what there is."
    if state.classifier is not None and is_stand_in(state.classifier):
        return f"The model “{state.classifier.name}” of this study is not loaded: open it in the Model dock, or choose another."
    if state.clean is None:
        return "Open an image first: there is nothing to attack."
    on_stickers = "stickers" in attack.uses or (state.region == "stickers" and attack.masked)
    if on_stickers and not state.paintable:
        return _HIDDEN if state.hides_paintable else _NO_STICKER
    return ""


def _mistyped(attack: Attack, state: State) -> str:
    """Refuse a label's text that names no class, since the attack would silently use the former label."""
    for use, text, what in (("labels", state.label_text, "true label"), ("targets", state.target_text, "target")):
        if use in attack.uses and text:
            found = state.labels.count(text)
            why = f"{found} classes of this model are called “{text}”" if found > 1 else f"No class of this model is called “{text}”"
            return f"{why}. Choose the {what} from its list."
    return ""


def _missing(attack: Attack, state: State) -> str:
    """Name a required input that is missing."""
    from engine.parameters import parameters_of

    if "start" in attack.needs and takes_start(type(attack)) and state.plan.start is None:
        return f"Choose a start image: {attack.title} goes on from one."
    if "data" in attack.needs and state.plan.data is None:
        return f"Choose a data set: {attack.title} works on many images."
    if any(parameter.is_file and not getattr(attack, name) for name, parameter in parameters_of(type(attack)).items()):
        return "Choose the file of a perturbation: the field “file” takes one that was saved."
    return ""


def _wrong_data(attack: Attack, state: State, sources: Sources) -> str:
    """Refuse a data set whose images have another shape than the model takes."""
    choice, classifier = state.plan.data, state.classifier
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


def _wrong_target(attack: Attack, state: State) -> str:
    if state.target is None or "targets" not in attack.uses or not attack.from_image:
        return ""
    name = state.name_of(state.target)
    if state.target == state.label:
        return f"The target “{name}” is the image's own label, so there is nothing to reach. Choose another class."
    if state.label is None and state.target == state.prediction:
        return f"The image is already taken for the target “{name}”. Choose another class, or name the true label."
    return ""


# ---------------------------------------------------------------------- hints


def _aimless(attack: Attack, state: State) -> str:
    """Hint at a targeted preset without a target, which a preset cannot set."""
    preset = state.plan.settings.preset
    if state.target is None and preset and "targets" in attack.preset(preset).needs:
        return "This preset works towards a class: choose a target. Without one it runs untargeted."
    return ""


def _misread(attack: Attack, state: State, base: int | None) -> str:
    """Hint at an image that the model already misreads, since no attack is needed to make it wrong."""
    label = state.assumed_label
    if "labels" not in attack.uses or not attack.from_image or base is None or label is None or base == label:
        return ""
    taken, true = state.name_of(base), state.name_of(label)
    image = "With its stickers the image" if state.stickers and state.prediction == label else "The image"
    if state.target is not None and "targets" in attack.uses:
        return f"{image} is already taken for the target “{taken}”: no attack is needed to reach it." if base == state.target else ""
    return f"{image} is already taken for “{taken}”, not for “{true}”: no attack is needed, and none will count as a success."


def _boundless(attack: Attack, state: State) -> str:
    """Hint at an empty eps, which lets an attack change every pixel as far as it likes, unless a published setting left it empty."""
    from engine.parameters import parameters_of

    if state.plan.settings.preset and "eps" in attack.preset(state.plan.settings.preset).values:
        return ""

    eps = parameters_of(type(attack)).get("eps")
    if eps is None or not eps.optional or eps.automatic or getattr(attack, "eps", None) is not None:
        return ""
    return "eps is empty, so nothing limits how far the attack may change the image. Enter a number such as 8/255 to limit it."


def _useless_start(attack: Attack, state: State) -> str:
    """Hint at a start image that the model does not take for a class that the attack could start from."""
    start = state.plan.start
    if start is None or start.prediction is None or not takes_start(type(attack)):
        return ""
    name = state.name_of(start.prediction)
    if state.target is not None and "targets" in attack.uses:
        if start.prediction == state.target:
            return ""
        wanted = state.name_of(state.target)
        return f"The model takes the start image for “{name}”, not for the target “{wanted}”. Choose a start image of that class."
    if start.prediction != state.assumed_label:
        return ""
    return f"The model takes the start image for “{name}”, the image's own class. Choose one that it takes for something else."


def _small_eps(attack: Attack, state: State) -> str:
    """Hint at the usual eps of colour images when the images are digits."""
    if state.classifier is None or state.classifier.input_shape[0] != 1 or getattr(attack, "norm", "") != "linf":
        return ""
    if getattr(attack, "eps", None) != _usual(attack).get("linf"):
        return ""
    presets = "; see Presets" if attack.presets else ""
    return f"This eps is usual for colour images. On digits such as MNIST 0.1 to 0.3 is{presets}."


def _usual(attack: Attack) -> dict[Any, Any]:
    """Return the usual values of ``eps`` by norm, as its parameter declares them."""
    from engine.parameters import parameters_of

    eps = parameters_of(type(attack)).get("eps")
    return {} if eps is None else {value: mine for other, value, mine in eps.usual if other == "norm"}
