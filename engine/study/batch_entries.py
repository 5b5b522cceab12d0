"""The JSON of a table of many images in a study, as frozen values: what `batch.json` may hold. Tensors stand there by their digest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.record.packing import Part
from engine.study.entries import Count, Digest, OperationEntry, Steps, StickerEntry, Whole


class BatchSet(Part):
    """A selection of images of a data set."""

    name: str
    """Name in ``engine.data``, with its split: "mnist:test"."""
    count: Count
    classes: tuple[Count, ...] = ()
    draw: Count | None = None
    """Seed by which the images were drawn; None: spread evenly."""
    seed: int = Field(0, ge=-(2**63), lt=2**64)
    """Seed of a set that this project drew."""
    sha256: str
    """Hash over pixels and classes."""
    root: str | None = None
    """Folder of the data sets; None: the default one."""


class BatchFile(Part):
    """An image file of a table, with its label."""

    path: str
    label: Whole | None = None


class RowEntry(Part):
    """One row of a table: an image and its outcome. The fields are those of `engine.evaluate.batch.ImageRow`."""

    number: Count
    name: str
    seed: int = Field(ge=-(2**63), lt=2**64)
    label: Whole | None = None
    label_assumed: bool = False
    target: Whole | None = None
    before: Whole | None = None
    probability_before: float | None = None
    after: Whole | None = None
    probability_after: float | None = None
    success: bool | None = None
    wrong_before: bool | None = None
    reached_before: bool | None = None
    survives_8bit: bool | None = None
    steps_to_flip: Count | None = None
    steps: Count | None = None
    silent: bool | None = None
    unfinished: int | None = Field(None, ge=-1, le=2)
    norms: dict[Literal["l0", "l1", "l2", "linf"], float] = Field(default_factory=dict)
    forwards: Count = 0
    backwards: Count = 0
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    sha256: str = ""
    file_sha256: str = ""
    error: str = ""
    picture: bool = False
    """Whether the row has a picture: the pictures of all rows are one tensor."""


class BatchEntry(Part):
    """The member `batch.json`: the table of one attack on many images."""

    model: str
    """Fingerprint of the classifier."""
    operation: OperationEntry
    images: BatchSet | tuple[BatchFile, ...]
    count: Count
    """Number of images that were chosen."""
    words: str
    """The selection in words."""
    notes: tuple[str, ...] = ()
    aim: Whole | Literal["away", "random", "next", "least likely"]
    seed: int = Field(ge=-(2**63), lt=2**64)
    together: int = Field(ge=1, le=2**31)
    region: Literal["image", "stickers"] = "image"
    stickers: tuple[StickerEntry, ...] = ()
    mask: Digest | None = None
    start: Digest | None = None
    data: BatchSet | None = None
    """The data set from which the attack learned."""
    reason: Literal["running", "finished", "cancelled", "budget", "failed"]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    threads: int = Field(ge=1, le=2**31)
    defense: Steps = ()
    """The preprocessing defense before the model that one attacker knows and another does not; empty: there is one attacker."""
    undefended: str | None = None
    """Fingerprint of the classifier without the defense; None: there is no defense."""
    unaware: tuple[RowEntry, ...] = ()
    """The rows of the attacker who does not know the defense."""
    rows: tuple[RowEntry, ...] = ()
    pictures: Digest | None = None
    """``(N, h, w, 3)`` uint8: the pictures of the rows that have one, in their order."""
