"""The JSON of a study as frozen values: what `study.json` and the entries of the runs may hold. Tensors stand there by their digest."""

from __future__ import annotations

import numbers
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from engine.record.migration import VERSION as OPERATIONS
from engine.record.packing import Part
from engine.record.schema import ModelEntry
from engine.record.stickers import ContentKind, ShadowEntry, ShapeEntry
from engine.study.lights import LightEntry

FORMAT = "gibbon-study"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The digest of a tensor; see `engine.study.tensors`."""
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31)]
Bounds = dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
"""Upper bounds of activations by the name of the site."""
Steps = tuple[dict[str, JsonValue], ...]
"""Preprocessing in its order, as `engine.defenses.preprocessing.read` reads it."""
Place = Annotated[float, Field(ge=-(2**31), le=2**31, allow_inf_nan=False)]
"""A place or a length in pixels."""
Share = Annotated[float, Field(ge=0, le=1)]
Room = Literal["attacks", "defenses", "explain", "reproduce"]
"""The package of the engine whose catalogue has an operation."""


class StudyModel(Part):
    """A classifier of the study, and how to load it again."""

    entry: ModelEntry
    """The classifier as records name it, but with the full path of its file."""
    labels: tuple[str, ...]


class PhotographEntry(Part):
    """A photograph: its pixels in the study, or its file beside it."""

    sha256: Sha256
    name: str
    path: str | None = None
    """Full path of the file; None where there is none."""
    notes: tuple[str, ...] = ()
    embedded: bool = True
    """Whether the study holds the pixels. Of a larger photograph it keeps the path and the hash alone."""


class StickerEntry(Part):
    """A sticker: geometry, content and shape."""

    id: Whole
    x: Place
    y: Place
    width: float = Field(ge=1, le=2**31)
    height: float = Field(ge=1, le=2**31)
    content: ContentKind
    rgb: tuple[Share, Share, Share] | None = None
    image: Digest | None = None
    image_name: str = ""
    opacity: Share = 1.0
    name: str = ""
    shape: ShapeEntry | None = None
    angle: float = Field(0, gt=-180, le=180)
    frame: tuple[Place, Place, Place, Place, Place] | None = None
    shadow: ShadowEntry | None = None
    locked: bool = False
    visible: bool = True


class OperationEntry(Part):
    """An operation with the value of every parameter."""

    room: Room
    slug: str
    parameters: dict[str, JsonValue]


class DataEntry(Part):
    """A selection of images of a data set."""

    name: str
    split: str
    count: Count
    root: str | None = None
    classes: tuple[int, ...] = ()
    draw: int | None = None


class ImageInfo(Part):
    """The origin of an image: facts about its file, and its photograph."""

    facts: dict[str, JsonValue] = Field(default_factory=dict)
    photograph: Sha256 | None = None


class InputsEntry(Part):
    """The inputs of an attack beside image and parameters."""

    region: Literal["image", "stickers"] = "image"
    label: Whole | None = None
    target: Whole | None = None
    seed: int = Field(0, ge=-(2**63), lt=2**64)
    data: DataEntry | None = None
    start: Digest | None = None
    start_name: str = ""
    start_prediction: Whole | None = None
    planned: OperationEntry | None = None
    mask: Digest | None = None
    row: Count = 0
    bounds: Bounds = Field(default_factory=dict)
    defense: Steps = ()


class ArtifactEntry(Part):
    """A further result of a run: its kind, its facts, and its tensors by name."""

    kind: Literal["map", "curve", "picture", "table", "content", "stickers", "perturbation", "direction", "model"]
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    tensors: dict[str, Digest] = Field(default_factory=dict)


class ReplayedEntry(Part):
    """The comparison of a run that replayed a record with that record."""

    file: str
    same: bool
    sentence: str


class StepEntry(Part):
    """One kept step of a run."""

    index: Count
    total: Count | None = None
    adversarial: Digest
    loss: Digest
    logits: Digest | None = None
    success: Digest
    goals: Digest | None = None
    first_row: Count = 0
    forwards: Count = 0
    backwards: Count = 0
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)


class AttackEntry(Part):
    """The part of a run that only an attack on an image has."""

    model: str
    """Fingerprint of the classifier."""
    tensors: dict[str, Digest]
    """The tensors of the result by the name of its field."""
    norms: dict[str, Digest]
    labels_assumed: bool
    notes: tuple[str, ...] = ()
    iteration: Count | None = None
    """Number of the step whose iterate the result is; None for the run's best."""
    iterations: Count | None = None
    """Number of the last step of the run that it is of; None where that is not known."""
    clean: Digest
    image: ImageInfo = ImageInfo()
    before: tuple[StickerEntry, ...] = ()
    after: tuple[StickerEntry, ...] = ()
    delta: Digest | None = None
    grown: bool = False
    inputs: InputsEntry = InputsEntry()
    timeline: tuple[StepEntry, ...] = ()
    iteration_of: Count | None = None
    replayed: ReplayedEntry | None = None
    answers: tuple[tuple[Digest, Digest], ...] = ()
    undefended: str | None = None
    """Fingerprint of the classifier without the defense; None where the attack went through none."""
    undefended_answers: tuple[tuple[Digest, Digest], ...] = ()


class RunEntry(Part):
    """A finished run: its operation, its outcome and its artifacts."""

    id: RunId
    number: Count
    when: datetime
    operation: OperationEntry
    reason: Literal["running", "finished", "cancelled", "budget", "failed"]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    forwards: Count
    backwards: Count
    provenance: dict[str, JsonValue]
    artifacts: dict[str, ArtifactEntry] = Field(default_factory=dict)
    verdict: str = ""
    passed: bool | None = None
    attack: AttackEntry | None = None


class SettingsEntry(Part):
    """The parameters of one attack as a form holds them."""

    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    preset: str = ""


class StartEntry(Part):
    """The image that the next attack begins at."""

    image: Digest
    name: str
    prediction: Whole | None = None
    photograph: Sha256 | None = None


class PlanEntry(Part):
    """The attack that the next run will carry out."""

    slug: str = ""
    settings: SettingsEntry = SettingsEntry()
    kept: dict[str, SettingsEntry] = Field(default_factory=dict)
    seed: int = Field(0, ge=-(2**63), lt=2**64)
    data: DataEntry | None = None
    start: StartEntry | None = None
    knows_defense: bool = False
    live: bool = True


class CanvasEntry(Part):
    """The canvas: model, image, stickers, perturbation and classes."""

    model: str | None = None
    """Fingerprint of the classifier."""
    clean: Digest | None = None
    image: ImageInfo = ImageInfo()
    label: Whole | None = None
    target: Whole | None = None
    region: Literal["image", "stickers"] = "image"
    stickers: tuple[StickerEntry, ...] = ()
    selected: Whole | None = None
    new_content: Literal["optimised", "colour"] = "optimised"
    new_colour: tuple[Share, Share, Share] = (1.0, 0.85, 0.0)
    delta: Digest | None = None
    grown: bool = False
    bounds: Bounds = Field(default_factory=dict)
    defense: Steps = ()
    answers: tuple[tuple[Digest, Digest], ...] = ()


class StudyEntry(Part):
    """The member `study.json`: everything but the runs, whose entries are members of their own."""

    format: Literal["gibbon-study"] = "gibbon-study"
    version: Literal[4] = 4
    operations: int = OPERATIONS
    """Version of the attacks' parameters, which is that of records."""
    written: datetime
    gibbon: str = ""
    """Version of the program that wrote the file."""
    canvas: CanvasEntry = CanvasEntry()
    plan: PlanEntry = PlanEntry()
    explanations: tuple[OperationEntry, ...] = ()
    models: tuple[StudyModel, ...] = ()
    photographs: tuple[PhotographEntry, ...] = ()
    runs: tuple[RunId, ...] = ()
    removed: tuple[RunId, ...] = ()
    lights: dict[RunId, tuple[LightEntry, ...]] = Field(default_factory=dict)
    """The trust lights of the runs that have some."""
    shown: RunId | None = None
    compared: tuple[RunId, ...] = ()
    workspace: str = ""
    batch: bool = False
    """Whether the study holds a table of many images."""
    table: bool = False
    """Whether the study holds a table of models and attacks."""
    copy_of: str = ""
    """The name of the study that this one is a copy of, until it has a name of its own."""


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: paths and other objects as texts, tuples as lists."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, numbers.Real):  # NumPy's numbers
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return str(value)
