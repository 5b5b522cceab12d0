"""What a record holds, as frozen values; reading and writing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError

from engine.errors import GibbonError
from engine.files import ordinary_file, replacing
from engine.record.migration import VERSION, is_known, migrated
from engine.record.packing import Packed, Part
from engine.record.stickers import StickerEntry
from engine.refusals import place_and_reason

FORMAT = "gibbon-record"
_FILE_LIMIT = 256 * 2**20


class ModelOptions(Part):
    """What ``engine.models.load`` was given beside the source. Nothing else passes: a record must not allow code to run."""

    architecture: str | None = None
    activation: str | None = None
    head: Literal["logits", "log", "strip"] = "logits"


class ModelEntry(Part):
    """Which classifier, and how to load it again."""

    name: str
    source: str | None = None
    """For ``engine.models.load``; a file's path is relative to the record's folder."""
    fingerprint: str
    options: ModelOptions = Field(default_factory=ModelOptions)
    input_shape: tuple[int, int, int]
    bounds: dict[str, float] = Field(default_factory=dict)
    """Site name to the value at which its activations were clamped."""
    changes: tuple[str, ...] = ()
    """Replaced rectifiers and preprocessing, in words: a record cannot make these again."""


class ImageEntry(Part):
    """The clean image."""

    path: str | None = None
    """Relative to the record's folder."""
    sha256: str | None = None
    """Of the file."""
    crop: tuple[int, int, int, int] | None = None
    """Left, top, width, height in the file's pixels."""
    pixels: Packed | None = None
    """The image itself where there is no file, ``(C, H, W)``."""
    bits: str | None = None
    """`digest` of the image as the classifier took it, before stickers."""


class MaskEntry(Part):
    """Where pixels could change."""

    path: str | None = None
    sha256: str | None = None
    pixels: Packed | None = None
    """``(1, H, W)``."""


class DataEntry(Part):
    """The data set that the attack worked on."""

    name: str
    """As ``engine.data`` names it, with its split: "mnist:train"."""
    count: int
    seed: int = 0
    """Of a set that this project drew."""
    sha256: str
    """Over pixels and classes."""


class OperationEntry(Part):
    """The operation with every parameter."""

    slug: str
    parameters: dict[str, JsonValue]
    """A file that one of them names stands relative to the record's folder."""
    files: dict[str, str] = Field(default_factory=dict)
    """Parameter to the SHA-256 of the file that it names, as it was when the attack began."""


class ClassEntry(Part):
    """A label or a target."""

    index: int
    name: str
    assumed: bool = False
    """The classifier's own prediction, since no label was given."""


class Prediction(Part):
    """What the classifier says."""

    index: int
    name: str
    probability: float


class Outcome(Part):
    """How it ended."""

    reason: str
    success: bool
    flipped: bool
    wrong_before: bool
    survives_8bit: bool
    failed: bool = False
    """The model gave NaN during the attack."""
    before: Prediction
    after: Prediction
    norms: dict[str, float]
    steps_to_flip: int
    """-1 where no step succeeded."""
    steps_made: int
    """Steps after the first; with the reason "cancelled" a replay stops after as many."""
    forwards: int
    backwards: int
    seconds: float
    adversarial_sha256: str
    """`digest` of the adversarial image."""


class Record(Part):
    """One attack on one image: everything that is needed to do it again, and what came out."""

    format: Literal["gibbon-record"] = "gibbon-record"
    version: Literal[2] = 2
    model: ModelEntry
    image: ImageEntry
    operation: OperationEntry
    label: ClassEntry
    target: ClassEntry | None = None
    goal: ClassEntry | None = None
    """The class that the attack chose itself and went towards; success is still that the label was left."""
    mask: MaskEntry | None = None
    start: Packed | None = None
    """Where the attack began, ``(C, H, W)``, for attacks that go on from something."""
    data: DataEntry | None = None
    stickers: tuple[StickerEntry, ...] = ()
    """In z-order, painted over the image before the attack; of the optimised ones only the place counts."""
    objective: str | None = None
    """The name of a further function that the attack followed: a record cannot hold it, nor a replay follow it."""
    seed: int
    row: int = 0
    """The row's number in its run: randomness is drawn from (seed, row)."""
    device: str
    device_name: str = ""
    threads: int
    versions: dict[str, str]
    outcome: Outcome
    figure: dict[str, JsonValue] | None = None
    """Panels and width, where the record is a figure's sidecar."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return self.model_dump(mode="json")

    def write(self, path: Path | str) -> Path:
        """Write it as JSON; nobody ever sees half a file."""
        path = Path(path)
        with replacing(path) as staged:
            staged.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a record, or the sidecar of a figure; one of an earlier version comes back as one of the present version.

        Raises
        ------
        GibbonError
            The file is missing, broken, foreign, or of another version.
        """
        path = Path(path)
        content = _json(path)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise GibbonError(
                f"“{path.name}” is no record of Gibbon's. Choose the .json that stands beside an adversarial image or a figure."
            )
        if not is_known(content.get("version")):
            raise GibbonError(
                f"“{path.name}” has the format version {content.get('version')!r}, but this Gibbon reads the versions 1 to {VERSION}. "
                "Install a newer one."
            )
        try:
            return cls.model_validate(migrated(content))
        except ValidationError as error:
            raise GibbonError(f"“{path.name}” is a damaged record: {place_and_reason(error)} Use the original file.") from None


def _json(path: Path) -> Any:
    ordinary_file(path, "a record (.json)", limit=_FILE_LIMIT)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
    except (ValueError, RecursionError):
        raise GibbonError(
            f"“{path.name}” is not JSON, so it is no record. Choose the .json that stands beside an adversarial image."
        ) from None
