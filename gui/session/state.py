"""State and Plan: everything that a person has set up, as frozen values; and how two of them differ. No Qt, no torch.

A field is replaced, never edited: whoever holds a state holds it as it was. States share their tensors, so keeping one costs little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from gui.session.building import build
from gui.session.data_choice import Choice
from gui.session.scene import Scene

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack, Classifier
    from engine.images import Photograph
    from engine.stickers import Sticker
    from gui.session.start_image import StartImage

Region = Literal["image", "stickers"]
"""Where a pixel attack may change the image: everywhere, or under the stickers to be optimised."""
NewContent = Literal["optimised", "colour"]
"""What a sticker is drawn with: content that an attack is to paint, or one colour."""


@dataclass(frozen=True)
class Settings:
    """The parameters of one attack as they stand in its form."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """By name: a number, or the text of a row that holds no number. A name that is missing stands at its default."""
    preset: str = ""
    """The title of the preset that filled them in; empty: none did."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The attack that is set up: what the next run will do."""

    slug: str = ""
    """The attack's name in the catalogue; empty until the engine is there."""
    settings: Settings = Settings()
    """The parameters of that attack."""
    kept: Mapping[str, Settings] = field(default_factory=dict)
    """By slug, the parameters of attacks that were set up before: they wait until the attack is chosen again."""
    seed: int = 0
    data: Choice | None = None
    """The images that the attack works on beside the one on the canvas."""
    start: StartImage | None = None
    """The image that the attack begins at, where it takes one."""
    live: bool = True
    """Whether the iterates of a run are shown; a run is faster without."""

    def choosing(self, slug: str) -> dict[str, Any]:
        """The fields that change when another attack is chosen; each attack keeps its own parameters."""
        if slug == self.slug:
            return {}
        kept = {**self.kept, self.slug: self.settings} if self.slug else dict(self.kept)
        return {"slug": slug, "settings": kept.pop(slug, Settings()), "kept": kept}

    @cached_property
    def built(self) -> tuple[Attack | None, str]:
        """The attack that the parameters make, or None and the sentence that says why they make none."""
        from engine.attacks import CATALOGUE

        if self.slug not in CATALOGUE:
            return None, ""
        made = build(CATALOGUE[self.slug], self.settings.parameters)
        return cast("Attack | None", made.operation), made.error


@dataclass(frozen=True, eq=False)
class State:
    """What is open, what is wished for, and what is set up."""

    ready: bool = False
    """The engine is loaded."""
    classifier: Classifier | None = None
    photograph: Photograph | None = None
    """The picture that the clean image was cropped from."""
    clean: Tensor | None = None
    """``(C, H, W)`` on the CPU: the image as cropped."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Where the clean image came from: name, path, sha256, size, crop, notes."""
    prediction: int | None = None
    """The class that the classifier takes the clean image for; None until that is known."""
    label: int | None = None
    """The true label; None: unknown, attacks take the prediction."""
    target: int | None = None
    """The class that an attack is to reach; None: any other."""
    label_text: str = ""
    """What was typed as the true label and names no class; empty: nothing is amiss."""
    target_text: str = ""
    """What was typed as the target and names no class."""
    region: Region = "image"
    stickers: tuple[Sticker, ...] = ()
    """In z-order: the last lies on top."""
    selected: int | None = None
    """The id of the selected sticker."""
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
    bounds: Mapping[str, float] = field(default_factory=dict)
    """By site, the value that its activations are clamped to from above."""
    saliency: bool = False
    """Whether frames hold saliency maps."""
    plan: Plan = Plan()

    @cached_property
    def scene(self) -> Scene | None:
        """What is on the canvas; None until there are a classifier and an image."""
        if self.classifier is None or self.clean is None:
            return None
        return Scene(self.classifier, self.clean, self.stickers, self.delta, self.bounds, self.saliency, self.grown)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes."""
        return () if self.classifier is None else self.classifier.labels

    def name_of(self, label: int) -> str:
        """The name of a class, or its number where the classifier has no such class."""
        return self.labels[label] if 0 <= label < len(self.labels) else str(label)

    @property
    def assumed_label(self) -> int | None:
        """The label that an attack works with: the true one, else the prediction."""
        return self.prediction if self.label is None else self.label

    @cached_property
    def paintable(self) -> bool:
        """Whether there is a sticker that an attack may paint."""
        from engine.stickers import Optimised

        return any(isinstance(sticker.content, Optimised) for sticker in self.stickers)

    def is_current(self, scene: Scene) -> bool:
        """Whether a scene is of this image under this classifier."""
        return scene.classifier is self.classifier and scene.clean is self.clean

    def with_fields(self, **values: Any) -> State:
        """The state with other values of some fields; fields of the plan are named like those of the state.

        A sticker that is gone is not selected any more, and the prediction for another image is not known yet.
        """
        planned = {name: values.pop(name) for name in list(values) if name in PLAN_FIELDS}
        plan = values.get("plan", self.plan)
        after = replace(self, **values, **({"plan": replace(plan, **planned)} if planned else {}))
        if after.selected is not None and after.selected not in {sticker.id for sticker in after.stickers}:
            after = replace(after, selected=None)
        if not (after.classifier is self.classifier and after.clean is self.clean) and "prediction" not in values:
            after = replace(after, prediction=None)
        return after


PLAN_FIELDS = tuple(each.name for each in fields(Plan))
STATE_FIELDS = tuple(each.name for each in fields(State) if each.name != "plan")
SCENE_FIELDS = frozenset({"classifier", "clean", "stickers", "delta", "grown", "bounds", "saliency"})
"""A change of one of these needs a new frame."""
UNDOABLE = frozenset(
    {
        *("classifier", "photograph", "clean", "image", "label", "target", "region", "stickers", "bounds"),
        *("delta", "grown", "run", "removed"),
        *("slug", "settings", "kept", "seed", "data", "start"),
    }
)
"""What undo brings back. The selection, the preview and the like are no work of anybody's."""

_PLAIN = (bool, int, float, str, tuple, frozenset, Mapping, Choice, Settings)


def same(one: object, other: object) -> bool:
    """Whether two values of a field are the same: plain ones by value, tensors and the like by identity."""
    return one is other or (isinstance(one, _PLAIN) and isinstance(other, _PLAIN) and one == other)


def value_of(state: State, name: str) -> Any:
    """A field of the state or of its plan."""
    return getattr(state.plan if name in PLAN_FIELDS else state, name)


def differences(before: State, after: State, among: Iterable[str] = (*STATE_FIELDS, *PLAN_FIELDS)) -> frozenset[str]:
    """The names of the fields that differ."""
    if before is after:
        return frozenset()
    return frozenset(name for name in among if not same(value_of(before, name), value_of(after, name)))
