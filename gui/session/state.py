"""State and Plan: everything that the user has set up, as frozen values, and the comparison of two states. No Qt, no torch.

A state never changes: `State.with_fields` returns a new one. States share their tensors, so keeping one costs little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from gui.session.building import build_operation
from gui.session.data_choice import Choice
from gui.session.defense import Steps
from gui.session.scene import Scene

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack, Classifier
    from engine.explain import Explanation
    from engine.images import Photograph
    from engine.perturbation_view import PerturbationView
    from engine.stickers import Sticker
    from gui.session.start_image import StartImage

Region = Literal["image", "stickers"]
"""Where a pixel attack may change the image: everywhere, or under the stickers to be optimised."""
NewContent = Literal["optimised", "colour"]
"""The content of a new sticker: to be optimised by an attack, or one colour."""


@dataclass(frozen=True)
class AttackSettings:
    """The parameters of one attack, as its form shows them."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values by name, or the text of a row that is not a number. A missing name means the default."""
    preset: str = ""
    """The title of the preset that set the parameters; empty if none did."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The attack that the next run will carry out."""

    slug: str = ""
    """The attack's name in the catalogue; empty until the engine is loaded."""
    settings: AttackSettings = AttackSettings()
    """The parameters of the attack."""
    kept: Mapping[str, AttackSettings] = field(default_factory=dict)
    """The parameters of attacks that were chosen before, by slug, for when they are chosen again."""
    seed: int = 0
    data: Choice | None = None
    """The data set that the attack works on beside the image on the canvas."""
    start: StartImage | None = None
    """The image that the attack begins at, if it takes one."""
    knows_defense: bool = False
    """Whether the attacker knows the defense that is switched on: the attack then goes through it, with its adaptive gradient."""
    live: bool = True
    """Whether the iterates of a run are shown while it is in progress; a run is faster without."""

    def choosing(self, slug: str) -> dict[str, Any]:
        """Return the fields that change when another attack is chosen; each attack keeps its own parameters."""
        if slug == self.slug:
            return {}
        kept = {**self.kept, self.slug: self.settings} if self.slug else dict(self.kept)
        return {"slug": slug, "settings": kept.pop(slug, AttackSettings()), "kept": kept}

    @cached_property
    def built(self) -> tuple[Attack | None, str]:
        """The attack built from the parameters and an empty text, or None and the sentence that says why they were refused."""
        from engine.attacks import CATALOGUE

        if self.slug not in CATALOGUE:
            return None, ""
        made = build_operation(CATALOGUE[self.slug], self.settings.parameters)
        return cast("Attack | None", made.operation), made.error


@dataclass(frozen=True, eq=False)
class State:
    """The model, the image, what is on the canvas, and the plan of the next attack."""

    ready: bool = False
    """Whether the engine is loaded."""
    classifier: Classifier | None = None
    photograph: Photograph | None = None
    """The photograph that the clean image was cropped from."""
    clean: Tensor | None = None
    """``(C, H, W)`` on the CPU: the image as cropped."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Where the clean image came from: name, path, sha256, size, crop, notes."""
    prediction: int | None = None
    """The classifier's prediction for the clean image; None until it is known."""
    label: int | None = None
    """The true label; None if unknown, and then attacks use the prediction."""
    target: int | None = None
    """The class that an attack is to reach; None for an untargeted attack."""
    label_text: str = ""
    """Text that was typed as the true label but names no class; empty otherwise."""
    target_text: str = ""
    """Text that was typed as the target but names no class; empty otherwise."""
    region: Region = "image"
    stickers: tuple[Sticker, ...] = ()
    """The stickers in z-order, the topmost last."""
    selected: int | None = None
    """The id of the selected sticker."""
    also_selected: frozenset[int] = frozenset()
    """The ids of further selected stickers."""
    new_content: NewContent = "optimised"
    new_colour: tuple[float, float, float] = (1.0, 0.85, 0.0)
    """The colour that a sticker is drawn with."""
    delta: Tensor | None = None
    """``(C, H, W)``: the perturbation on the canvas."""
    grown: bool = False
    """Whether the adversarial image was grown from noise; see `Scene`."""
    run: int | None = None
    """The number of the finished run that the perturbation and the stickers were taken from."""
    removed: frozenset[int] = frozenset()
    """The numbers of finished runs that were removed from the history."""
    compared: tuple[int, ...] = ()
    """The numbers of the finished attacks that are compared: A, B and further ones. Numbers of removed runs are ignored."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The upper limits of activations, by site."""
    defense: Steps = ()
    """The preprocessing defense that is switched on, in its order."""
    explanations: tuple[Explanation, ...] = ()
    """The explanations that are chosen, each with its parameters."""
    view: PerturbationView | None = None
    """How the perturbation is shown; None: as usual."""
    explaining: bool = False
    """Whether the explanations can be seen; frames hold their maps only then."""
    opened: int = 0
    """The number of the newest request to open an image that was carried out; see `gui.session.open_image.open_for`."""
    plan: Plan = Plan()

    @cached_property
    def scene(self) -> Scene | None:
        """The contents of the canvas; None until there are a classifier and an image."""
        if self.classifier is None or self.clean is None:
            return None
        return self.looking_at(Scene(self.classifier, self.clean, self.stickers, self.delta, grown=self.grown))

    def looking_at(self, scene: Scene) -> Scene:
        """Return the scene with the bounds, defense and explanations of this state in place of its own."""
        return replace(scene, bounds=self.bounds, defense=self.defense, explanations=self.explanations if self.explaining else ())

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes."""
        return () if self.classifier is None else self.classifier.labels

    def name_of(self, label: int) -> str:
        """Return the name of a class, or its number if the classifier has no such class."""
        return self.labels[label] if 0 <= label < len(self.labels) else str(label)

    @property
    def subject(self) -> str:
        """The image and the model that are open in words, such as “stop.png under signs”; empty if there is none."""
        image = "" if self.clean is None else str(self.image.get("name") or "unnamed image")
        model = "" if self.classifier is None else self.classifier.name
        return " under ".join(filter(None, (image, model)))

    @property
    def assumed_label(self) -> int | None:
        """The label that an attack uses: the true one, else the prediction."""
        return self.prediction if self.label is None else self.label

    @cached_property
    def paintable(self) -> bool:
        """Whether any visible sticker is to be optimised by an attack."""
        return any(sticker.visible for sticker in self._optimised)

    @property
    def hides_paintable(self) -> bool:
        """Whether there are stickers to be optimised, all of them hidden."""
        return bool(self._optimised) and not self.paintable

    @property
    def _optimised(self) -> list[Sticker]:
        from engine.stickers import Optimised

        return [sticker for sticker in self.stickers if isinstance(sticker.content, Optimised)]

    def is_current(self, scene: Scene) -> bool:
        """Whether a scene is of this image under this classifier."""
        return scene.classifier is self.classifier and scene.clean is self.clean

    def with_fields(self, **values: Any) -> State:
        """Return the state with new values of some fields, of its own or of its plan.

        Selected stickers that are gone are deselected, and the prediction for another image is unknown.
        """
        planned = {name: values.pop(name) for name in list(values) if name in PLAN_FIELDS}
        plan = values.get("plan", self.plan)
        after = replace(self, **values, **({"plan": replace(plan, **planned)} if planned else {}))
        if after.selected is not None or after.also_selected:
            there = {sticker.id for sticker in after.stickers}
            lead, also = after.selected if after.selected in there else None, after.also_selected & there
            if (lead, also) != (after.selected, after.also_selected):
                after = replace(after, selected=lead, also_selected=also)
        if not (after.classifier is self.classifier and after.clean is self.clean) and "prediction" not in values:
            after = replace(after, prediction=None)
        return after


PLAN_FIELDS = tuple(each.name for each in fields(Plan))
STATE_FIELDS = tuple(each.name for each in fields(State) if each.name != "plan")
SCENE_FIELDS = frozenset({"classifier", "clean", "stickers", "delta", "grown", "bounds", "explanations", "explaining"})
"""The fields whose change needs a new frame. Another defense is added to the frame that is there."""
UNDOABLE = frozenset(
    {
        *("classifier", "photograph", "clean", "image", "label", "target", "region", "stickers", "bounds", "defense"),
        *("delta", "grown", "run", "removed"),
        *("slug", "settings", "kept", "seed", "data", "start", "knows_defense"),
    }
)
"""The fields that undo restores. It leaves out the selection, the live preview and the like, which are no work of the user."""

_PLAIN = (bool, int, float, str, tuple, frozenset, Mapping, Choice, AttackSettings)


def same(one: object, other: object) -> bool:
    """Return whether two values of a field are the same: plain ones by value, tensors and other objects by identity."""
    return one is other or (isinstance(one, _PLAIN) and isinstance(other, _PLAIN) and one == other)


def value_of(state: State, name: str) -> Any:
    """Return the value of a field of the state or of its plan."""
    return getattr(state.plan if name in PLAN_FIELDS else state, name)


def differing_fields(before: State, after: State, among: Iterable[str] = (*STATE_FIELDS, *PLAN_FIELDS)) -> frozenset[str]:
    """Return the names of the fields in which two states differ."""
    if before is after:
        return frozenset()
    return frozenset(name for name in among if not same(value_of(before, name), value_of(after, name)))
