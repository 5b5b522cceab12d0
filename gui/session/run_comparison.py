"""Comparison of a finished attack with the state: what was changed since, and the fields that take its parameters over. No Qt.

`changed_since` lists the differences between what a run was made from and what the next run would be made from. The run chip, the canvas,
the Runs dock and the Attack dock read it through `gui.session.staleness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.building import build_operation
from gui.session.defense import defense_words
from gui.session.readiness import takes_start
from gui.session.setting_words import REGIONS, bounds_words, crop_words, image_words, model_words, stickers_words
from gui.session.start_image import StartImage
from gui.session.state import AttackSettings
from gui.session.sticker_content import same_look, same_places

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack
    from engine.parameters import Parameter
    from gui.session.history import AttackRun
    from gui.session.state import Plan, State

_NONE = "none"


@dataclass(frozen=True)
class Difference:
    """One thing that is set otherwise now than it was for a run."""

    name: str
    """The name for programs: a parameter's own, or one of model, image, crop, stickers, label, target, attack, region, seed, data, start,
    defense and bounds."""
    title: str
    """The name for people."""
    then: str
    """The run's value."""
    now: str
    """The value that the next run would use."""
    weighs: bool = True
    """Whether another run could give another result. A bound does not count: attacks do not see it."""

    @property
    def words(self) -> str:
        """The difference in a few words, such as ``eps 8/255 → 2/255``."""
        return f"{self.title} {self.then} → {self.now}"


def changed_since(state: State, run: AttackRun) -> tuple[Difference, ...]:
    """Return the differences between a run and the state, the model first; none if the next run would be the same."""
    return (*_surroundings(state, run), *_classes(state, run), *_planned(state, run), *_attacker(state, run), *_bounds(state, run))


def sentence(differences: Sequence[Difference]) -> str:
    """Return the differences as a sentence for a caption or a tool tip; empty if there are none."""
    return f"Changed since this run: {', '.join(each.words for each in differences)}." if differences else ""


# ---------------------------------------------------------------------- model, image, stickers, classes


def _surroundings(state: State, run: AttackRun) -> Iterator[Difference]:
    before, classifier = run.before, state.classifier
    if classifier is None or classifier.fingerprint != before.classifier.fingerprint:
        yield Difference("model", "model", model_words(before.classifier, classifier), model_words(classifier, before.classifier))
    if not same_image(state, run):
        yield from _image(state, run)
    painted = "stickers" in run.planned.uses
    if not (same_places if painted else same_look)(before.stickers, state.stickers):
        now, then = state.stickers, before.stickers
        yield Difference("stickers", "stickers", stickers_words(then, now), stickers_words(now, then))


def same_image(state: State, run: AttackRun) -> bool:
    """Return whether the clean image is the run's, even if it was opened again."""
    return _equal(state.clean, run.before.clean)


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or (one.shape == other.shape and bool(one.equal(other)))


def _image(state: State, run: AttackRun) -> Iterator[Difference]:
    """Name the crop alone where another part of the same photograph is open."""
    then, now = image_words(run.image), image_words(state.image) if state.clean is not None else _NONE
    crops = crop_words(run.image), crop_words(state.image)
    same_file = then == now and run.image.get("sha256") == state.image.get("sha256")
    if same_file and crops[0] != crops[1]:
        yield Difference("crop", "crop", crops[0] or _NONE, crops[1] or _NONE)
    else:
        yield Difference("image", "image", then, f"another {now}" if then == now else now)


def _classes(state: State, run: AttackRun) -> Iterator[Difference]:
    """Compare the true label and the target, by their names. An assumed label follows from model and image, which are compared apart."""
    uses, result = run.planned.uses, run.result
    names = result.classifier.labels
    if "labels" in uses or result.targets is None:
        then = None if result.labels_assumed else names[int(result.labels[0])]
        now = None if state.label is None else state.name_of(state.label)
        assumed = names[int(result.labels[0])] if now is not None else None if state.prediction is None else state.name_of(state.prediction)
        if then != now and not _same_assumed(then, now, assumed):
            yield Difference("label", "true label", then or "assumed", now or "assumed")
    if "targets" in _uses(state.plan, run):
        then = None if result.targets is None else names[int(result.targets[0])]
        now = None if state.target is None else state.name_of(state.target)
        if then != now:
            yield Difference("target", "target", then or _NONE, now or _NONE)


def _same_assumed(then: str | None, now: str | None, assumed: str | None) -> bool:
    """Return whether a label that is given in one case only is the one that is assumed in the other."""
    return (then is None) != (now is None) and (then or now) == assumed


def _uses(plan: Plan, run: AttackRun) -> frozenset[str]:
    from engine.attacks import CATALOGUE

    return frozenset(CATALOGUE[plan.slug].uses if plan.slug in CATALOGUE else run.planned.uses)


# ---------------------------------------------------------------------- the planned attack


def _planned(state: State, run: AttackRun) -> Iterator[Difference]:
    from engine.attacks import CATALOGUE

    plan, attack, inputs = state.plan, run.planned, run.inputs
    if plan.slug != attack.slug:
        yield Difference("attack", "attack", attack.title, CATALOGUE[plan.slug].title if plan.slug in CATALOGUE else _NONE)
        return
    yield from _parameters(plan, attack)
    if attack.masked and "stickers" not in attack.uses and inputs.region != state.region:
        yield Difference("region", "where", REGIONS[inputs.region], REGIONS[state.region])
    if inputs.seed != plan.seed:
        yield Difference("seed", "seed", str(inputs.seed), str(plan.seed))
    if "data" in attack.uses and inputs.data != plan.data:
        then, now = (_NONE if data is None else data.description for data in (inputs.data, plan.data))
        yield Difference("data", "data", then, now)
    start = None if plan.start is None else plan.start.image
    if takes_start(type(attack)) and not _equal(inputs.begin, start):
        then, now = (_NONE if inputs.begin is None else inputs.begin_name or "given"), (_NONE if plan.start is None else plan.start.name)
        yield Difference("start", "start image", then, f"another {now}" if then == now else now)


def _parameters(plan: Plan, attack: Attack) -> Iterator[Difference]:
    """Compare the parameters that matter. None counts as the value that it stands for; refused values are compared as they were typed."""
    from engine.parameters import parameters_of

    built, _ = plan.built
    known = parameters_of(type(attack))
    typed = plan.settings.parameters
    then = {name: getattr(attack, name) for name in known}
    now = {name: typed.get(name, field.default) if built is None else getattr(built, name) for name, field in known.items()}
    for name, field in known.items():
        same = _read(field, now[name]) == then[name] or (built is not None and _as_used(built, field) == _as_used(attack, field))
        if not same and field.recorded and (field.applies(then) or field.applies(now)):
            refused = built is None and not _fits_field(field, now[name], type(attack))
            yield Difference(name, field.title, _shown(field, then[name]), _refused(now[name]) if refused else _shown(field, now[name]))


def _fits_field(field: Parameter, typed: Any, kind: type[Attack]) -> bool:
    """Return whether a value alone is one that the form takes."""
    return field.name not in build_operation(kind, {field.name: typed}).wrong


def _refused(typed: Any) -> str:
    return f"“{typed}”, which is refused"


def _as_used(attack: Attack, field: Parameter) -> Any:
    """Return the value that an attack uses."""
    value = getattr(attack, field.name)
    return getattr(attack, field.automatic) if value is None and field.automatic else value


def _read(field: Parameter, typed: Any) -> Any:
    """Return a typed value as a number where it is one."""
    from engine.errors import GibbonError

    try:
        return field.read(typed)
    except GibbonError:
        return typed


def _shown(field: Parameter, value: Any) -> str:
    return (Path(value).name if field.is_file and value else field.shown(value)) or _NONE


def _attacker(state: State, run: AttackRun) -> Iterator[Difference]:
    """Compare the defenses that the attackers know. One that only the canvas shows is no difference."""
    then, now = run.inputs.defense, state.defense if state.plan.knows_defense else ()
    if then != now:
        yield Difference("defense", "through", defense_words(then), defense_words(now))


def _bounds(state: State, run: AttackRun) -> Iterator[Difference]:
    if run.before.bounds != state.bounds:
        yield Difference("bounds", "bound", bounds_words(run.before.bounds), bounds_words(state.bounds), weighs=False)


# ---------------------------------------------------------------------- taking the parameters over


def plan_of(state: State, run: AttackRun) -> dict[str, Any]:
    """Return the fields for `Session.change` that take a run's parameters over for the next run on the present image.

    Classes are found by their names where the model is another one. What does not fit stays as it is: the true label belongs to its image,
    the start image to the size of its model.
    """
    attack, inputs = run.planned, run.inputs
    fields: dict[str, Any] = {**state.plan.choosing(attack.slug), "settings": settings_of(attack), "seed": inputs.seed}
    if attack.masked and "stickers" not in attack.uses:
        fields["region"] = inputs.region
    if "data" in attack.uses:
        fields["data"] = inputs.data
    fields["knows_defense"] = bool(inputs.defense)
    if inputs.defense:
        fields["defense"] = inputs.defense
    if "targets" in attack.uses:
        fields |= _class("target", state, run, inputs.target)
    if same_image(state, run):
        fields |= _class("label", state, run, inputs.label)
    if takes_start(type(attack)) and (inputs.begin is None or _fits(state, inputs.begin)):
        fields["start"] = _start(state, run)
    return fields


def settings_of(attack: Attack) -> AttackSettings:
    """Return the parameters of an attack that differ from their defaults, as its form keeps them."""
    from engine.parameters import parameters_of

    known = parameters_of(type(attack))
    values = {name: getattr(attack, name) for name, field in known.items() if getattr(attack, name) != field.default}
    return AttackSettings({name: str(value) if isinstance(value, Path) else value for name, value in values.items()})


def _class(name: str, state: State, run: AttackRun, index: int | None) -> dict[str, Any]:
    """Return the fields of a label or target: the class of the same name in the present model; none if there is no such class, or two."""
    if index is not None and run.before.classifier.labels != state.labels:
        wanted = run.before.classifier.labels[index]
        if state.labels.count(wanted) != 1:
            return {}
        index = state.labels.index(wanted)
    return {name: index, f"{name}_text": ""}


def _fits(state: State, begin: Tensor) -> bool:
    return state.classifier is not None and tuple(begin.shape) == state.classifier.input_shape


def _start(state: State, run: AttackRun) -> StartImage | None:
    """Return the run's start image: the present one where it is the same, else one without its photograph."""
    from gui.session.scene import to_pixels

    begin, present = run.inputs.begin, state.plan.start
    if begin is None or (present is not None and _equal(begin, present.image)):
        return None if begin is None else present
    same_model = state.classifier is run.before.classifier
    prediction = run.inputs.begin_prediction if same_model else None
    return StartImage(begin, to_pixels(begin), run.inputs.begin_name or f"start of {run.title}", prediction)
