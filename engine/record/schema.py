"""Schema of records as frozen values, with reading and writing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError

from engine.errors import GibbonError
from engine.files import ordinary_file, replacing
from engine.record.carrying import CARRIERS, carried, carries
from engine.record.migration import VERSION, is_known, migrated
from engine.record.packing import Packed, Part
from engine.record.stickers import StickerEntry
from engine.refusals import place_and_reason

FORMAT = "gibbon-record"
_FILE_LIMIT = 256 * 2**20


class ModelOptions(Part):
    """Arguments of ``engine.models.load`` beside the source. No others are allowed: a record must not permit code to run."""

    architecture: str | None = None
    activation: str | None = None
    head: Literal["logits", "log", "strip"] = "logits"


class ModelEntry(Part):
    """The classifier, and how to load it again."""

    name: str
    source: str | None = None
    """Argument of ``engine.models.load``; a file's path is relative to the record's folder."""
    fingerprint: str
    options: ModelOptions = Field(default_factory=ModelOptions)
    input_shape: tuple[int, int, int]
    bounds: dict[str, float] = Field(default_factory=dict)
    """Upper bounds of activations by the name of the site."""
    preprocessing: tuple[dict[str, JsonValue], ...] = ()
    """Preprocessing defenses beyond those of the source, in their order, as `engine.defenses.preprocessing.read` reads them."""
    changes: tuple[str, ...] = ()
    """Replaced rectifiers and other preprocessing beyond those of the source, in words, since a record cannot restore these."""


class ImageEntry(Part):
    """The clean image: a file with a crop, or pixels."""

    path: str | None = None
    """Path of the file, relative to the record's folder."""
    sha256: str | None = None
    """Hash of the file, SHA-256 as hex."""
    crop: tuple[int, int, int, int] | None = None
    """Crop (left, top, width, height) in the file's pixels."""
    pixels: Packed | None = None
    """The image itself where there is no file, ``(C, H, W)``."""
    bits: str | None = None
    """The `digest` of the classifier's input, before stickers."""


class MaskEntry(Part):
    """The mask of pixels that could change: a file, or values."""

    path: str | None = None
    sha256: str | None = None
    pixels: Packed | None = None
    """The mask's values, ``(1, H, W)``."""


class DataEntry(Part):
    """The data set from which the attack learned."""

    name: str
    """Name in ``engine.data``, with its split: "mnist:train"."""
    count: int
    seed: int = 0
    """Seed of a set that this project drew."""
    sha256: str
    """Hash over pixels and classes, SHA-256 as hex."""


class OperationEntry(Part):
    """The operation with the value of every parameter."""

    slug: str
    parameters: dict[str, JsonValue]
    """Parameters by name. Paths of files are relative to the record's folder."""
    files: dict[str, str] = Field(default_factory=dict)
    """Hashes (SHA-256) of the files that parameters name, from the start of the attack."""


class ClassEntry(Part):
    """A label or a target: number and name of a class."""

    index: int
    name: str
    assumed: bool = False
    """Whether it is the classifier's own prediction, since no label was given."""


class Prediction(Part):
    """The classifier's prediction with its probability."""

    index: int
    name: str
    probability: float


class Outcome(Part):
    """The outcome of the attack: reason, counts, norms and predictions."""

    reason: str
    success: bool
    flipped: bool
    wrong_before: bool
    survives_8bit: bool
    failed: bool = False
    """Whether the attack met NaN from the model."""
    before: Prediction
    after: Prediction
    norms: dict[str, float]
    steps_to_flip: int
    """Index of the first successful step, -1 where there was none."""
    steps_made: int
    """Number of steps after the first; with the reason "cancelled" a replay stops after the same number."""
    forwards: int
    backwards: int
    seconds: float
    adversarial_sha256: str
    """The `digest` of the adversarial image."""


class Record(Part):
    """One attack on one image: everything that is needed to run it again, and its outcome."""

    format: Literal["gibbon-record"] = "gibbon-record"
    version: Literal[3] = 3
    model: ModelEntry
    image: ImageEntry
    operation: OperationEntry
    label: ClassEntry
    target: ClassEntry | None = None
    goal: ClassEntry | None = None
    """The target class that the attack chose itself; success still means any class but the label."""
    mask: MaskEntry | None = None
    start: Packed | None = None
    """The starting point ``(C, H, W)``, for attacks that need one."""
    data: DataEntry | None = None
    stickers: tuple[StickerEntry, ...] = ()
    """Stickers in z-order, painted over the image before the attack; of optimised ones without a shadow above, only the
    place matters.
    """
    objective: str | None = None
    """Name of an objective that the attack followed, which a record cannot hold and a replay cannot follow."""
    seed: int
    row: int = 0
    """Index of the row in its run, since random numbers are drawn from (seed, row)."""
    iteration: int | None = Field(default=None, ge=0)
    """Number of the step whose iterate the adversarial image is; None: the best one of the run."""
    device: str
    device_name: str = ""
    threads: int
    versions: dict[str, str]
    outcome: Outcome
    figure: dict[str, JsonValue] | None = None
    """Panels and width, where the record is the sidecar of a figure."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values for JSON."""
        return self.model_dump(mode="json")

    def write(self, path: Path | str) -> Path:
        """Write the record as JSON, atomically."""
        path = Path(path)
        with replacing(path) as staged:
            staged.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a record from its JSON file, or from the PNG, PDF or SVG that carries it, and migrate it to the present version.

        Raises
        ------
        GibbonError
            The file is missing, damaged, no record, or of an unknown version.
        """
        path = Path(path)
        return cls.parse(carried(path) if carries(path) else _json(path), path)

    @classmethod
    def parse(cls, content: Any, path: Path) -> Self:
        """Make a record of the content of a file, whose name is for the errors.

        Raises
        ------
        GibbonError
            The content is damaged, no record, or of an unknown version.
        """
        if isinstance(content, dict) and (other := _other_kind(content)):
            raise GibbonError(f"“{path.name}” is {other.format(name=path.name, stem=path.stem)}")
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            what = "carries no record" if path.suffix.lower() in CARRIERS else "is no record"
            raise GibbonError(f"“{path.name}” {what} of Gibbon's. Choose the .json beside an adversarial image or a figure.")
        if not is_known(content.get("version")):
            raise GibbonError(
                f"“{path.name}” has the format version {content.get('version')!r}, but this Gibbon reads the versions 1 to {VERSION}. "
                "Install a newer one."
            )
        try:
            return cls.model_validate(migrated(content))
        except ValidationError as error:
            raise GibbonError(f"“{path.name}” is a damaged record: {place_and_reason(error)} Use the original file.") from None


_OTHER_KINDS = {
    "gibbon-detection": "the record of an attack on a detector. Run it again with: replay {name}.",
    "gibbon-batch": "the record of a table of many images. Repeat it with: batch --repeat {name}",
    "gibbon-print": "a sheet of stickers from a canvas that nothing was attacked with, so there is nothing to run again.",
    "gibbon-photo": "the figure of a photograph, which names no attack. Open the record of the attack.",
    "gibbon-training": "the record of a training. Train again with: replay {name}. The network itself is in the .safetensors beside it.",
}


def _other_kind(content: Mapping[str, Any]) -> str:
    """Return a template that says what a file of this program is, if not the record of an attack, and what to do with it."""
    if "format" not in content and {"architecture", "input_shape", "labels"} <= content.keys():
        return "the card of a network. Open the weights beside it, {stem}.safetensors."
    return _OTHER_KINDS.get(str(content.get("format")), "")


def _json(path: Path) -> Any:
    ordinary_file(path, "a record (.json)", limit=_FILE_LIMIT)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
    except (ValueError, RecursionError):
        raise GibbonError(f"“{path.name}” is not JSON, so it is no record. Choose the .json beside an adversarial image.") from None
