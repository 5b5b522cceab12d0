"""ImageRow: the outcome of one image of a batch, with every fact as a value of its own; and the table of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.artifacts import Table, Unit
from engine.evaluate.trust.measuring import silent_rows, unfinished_rows
from engine.images import digest, levels
from engine.result import AttackResult

_BY_ROW = ("clean", "adversarial", "labels", "targets", "logits", "loss", "steps_to_flip", "attacked", "failed", "goals")
"""The tensors of a result that have one entry for each image."""
THUMBNAIL = 48
"""Largest side of a row's picture in pixels."""
COLUMNS = (
    "number",
    "image",
    "label",
    "label_assumed",
    "prediction_before",
    "probability_before",
    "prediction_after",
    "probability_after",
    "target",
    "success",
    "wrong_before",
    "survives_8bit",
    "steps_to_flip",
    "steps",
    "l0",
    "l1",
    "l2",
    "linf",
    "forwards",
    "backwards",
    "seconds",
    "seed",
    "error",
)
_OF_UNAWARE = ("prediction_after", "probability_after", "success", "l0", "l1", "l2", "linf", "error")
"""Columns that are repeated for an attacker who does not know the defense."""
UNITS: Mapping[str, Unit] = {"probability_before": "share", "probability_after": "share", "steps_to_flip": "step"}


@dataclass(frozen=True, eq=False)
class ImageRow:
    """The outcome of one image. Numbers and classes are None where there is none."""

    number: int
    """The image's place in the batch, counted from 0."""
    name: str
    seed: int
    """The seed of the image's own run, with which that run gives the same image."""
    labels: tuple[str, ...] = ()
    """The classifier's class names."""
    label: int | None = None
    label_assumed: bool = False
    """Whether the label is the classifier's own prediction, since no label is known."""
    target: int | None = None
    before: int | None = None
    """The prediction for the clean image, with its probability."""
    probability_before: float | None = None
    after: int | None = None
    """The prediction for the adversarial image, with its probability."""
    probability_after: float | None = None
    success: bool | None = None
    """Whether the prediction is no longer the label, or is the target. It may be so without the attack: see ``reached_before``."""
    wrong_before: bool | None = None
    """Whether the clean image is misclassified; such rows are counted apart."""
    reached_before: bool | None = None
    """Whether the clean image counts as a success already."""
    survives_8bit: bool | None = None
    steps_to_flip: int | None = None
    """Index of the first successful step; None: there was none."""
    steps: int | None = None
    """Number of steps after the start."""
    silent: bool | None = None
    """Whether an iterate was adversarial, but not the image that was returned."""
    unfinished: int | None = None
    """How the attack ended: see `engine.evaluate.trust.measuring.unfinished_rows`; None in rows that an earlier version kept."""
    norms: Mapping[str, float] = field(default_factory=dict)
    """The norms l0, l1, l2 and linf of the perturbation; empty where images are grown from noise."""
    forwards: int = 0
    backwards: int = 0
    seconds: float = 0.0
    sha256: str = ""
    """Hash of the float32 bytes of the adversarial image, as in a record; empty where there is none."""
    file_sha256: str = ""
    """Hash of the image's file, or of its pixels where it has none; empty where it could not be opened."""
    error: str = ""
    """A sentence that says why there is no result."""
    picture: npt.NDArray[np.uint8] | None = None
    """The adversarial image in small, ``(h, w, 3)``; for a row without a result that of the clean image, if it could be opened."""
    result: AttackResult | None = None
    """The result, of one row; None: there is none, or the memory for images was full. Its run with ``seed`` makes it again."""

    @property
    def robust(self) -> bool:
        """Whether the classifier is right on the clean and on the adversarial image."""
        return not self.error and not self.wrong_before and self.after == self.label

    @property
    def verdict(self) -> str:
        """The outcome in one or two words."""
        if self.error:
            return "error"
        if self.reached_before:
            return "already there" if self.target is not None else "misread before"
        return "fooled" if self.success else "resisted"

    @property
    def nbytes(self) -> int:
        """The memory that the result's tensors take."""
        return 0 if self.result is None else sum(tensor.nbytes for tensor in vars(self.result).values() if isinstance(tensor, Tensor))

    def without_images(self) -> ImageRow:
        """Return the row without its result."""
        return replace(self, result=None)

    def name_of(self, label: int | None) -> str | None:
        """Return the name of a class; None for None."""
        return None if label is None else self.labels[label]

    def cells(self) -> tuple[object, ...]:
        """Return the values of the columns in `COLUMNS`, in their order."""
        norms = [self.norms.get(name) for name in ("l0", "l1", "l2", "linf")]
        return (
            *(self.number, self.name, self.name_of(self.label), self.label_assumed if self.label is not None else None),
            *(self.name_of(self.before), self.probability_before, self.name_of(self.after), self.probability_after),
            *(self.name_of(self.target), self.success, self.wrong_before, self.survives_8bit),
            *(self.steps_to_flip, self.steps, *norms, self.forwards, self.backwards, self.seconds, self.seed, self.error or None),
        )


def row_of(result: AttackResult, index: int, *, assumed: bool, **known: Any) -> ImageRow:
    """Return the outcome of row ``index`` of a result, with that row's part of the result; ``known`` are number, name, seed and hash."""
    alone = single(result, index, known["seed"], assumed)
    before, after = (logits[0].softmax(0) for logits in (alone.clean_logits, alone.logits))
    grown = not getattr(alone.operation, "from_image", True)
    return ImageRow(
        **known,
        labels=alone.classifier.labels,
        label=int(alone.labels[0]),
        label_assumed=assumed,
        target=None if alone.targets is None else int(alone.targets[0]),
        before=int(before.argmax()),
        probability_before=float(before.max()),
        after=int(after.argmax()),
        probability_after=float(after.max()),
        success=bool(alone.success[0]),
        wrong_before=bool(alone.wrong_before[0]),
        reached_before=bool(alone.reached_before[0]) and not grown,
        survives_8bit=bool(alone.survives_8bit[0]),
        steps_to_flip=alone.flip(),
        steps=alone.steps_made,
        silent=bool(silent_rows(alone)[0]),
        unfinished=int(unfinished_rows(alone)[0]),
        norms={} if grown else {name: float(values[0]) for name, values in alone.norms.items()},
        forwards=alone.forwards,
        backwards=alone.backwards,
        seconds=alone.seconds,
        sha256=digest(alone.adversarial[0]),
        error=_nan(alone),
        picture=thumbnail(alone.adversarial[0]),
        result=alone,
    )


def _nan(result: AttackResult) -> str:
    return "The model gave NaN for this image, so the attack has no result. Look at the model." if bool(result.failed[0]) else ""


def single(result: AttackResult, index: int, seed: int, assumed: bool) -> AttackResult:
    """Return the result of one row, on the CPU, without artifacts, and without what it shares with the batch."""
    count = len(result.clean)

    def part(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor[index : index + 1].detach().cpu().clone()

    by_row: dict[str, Any] = {name: part(getattr(result, name)) for name in _BY_ROW}
    return replace(
        result,
        **by_row,
        first_logits=part(result.clean_logits),
        trace=_trace(result.trace[:, index : index + 1], alone=count == 1),
        labels_assumed=assumed,
        artifacts={},
        provenance={**result.provenance, "seed": seed},
        seconds=result.seconds / count,
        forwards=result.forwards // count,
        backwards=result.backwards // count,
    )


def _trace(column: Tensor, *, alone: bool) -> Tensor:
    """Return a row's trace; one of several rows without the steps that only other rows needed, which are NaN."""
    made = (~column[:, 0].isnan()).nonzero()
    last = len(column) if alone else int(made.max()) + 1 if len(made) else 1
    return column[:last].detach().cpu().clone()


def thumbnail(image: Tensor) -> npt.NDArray[np.uint8]:
    """Return an image ``(C, H, W)`` in small, ``(h, w, 3)`` uint8: averaged where it is larger than `THUMBNAIL`."""
    small = image.detach().cpu().float()
    factor = -(-max(small.shape[1:]) // THUMBNAIL)
    if factor > 1:
        small = F.avg_pool2d(small[None], factor, ceil_mode=True)[0]
    rgb = levels(small).to(torch.uint8).expand(3, -1, -1) if small.shape[0] == 1 else levels(small[:3]).to(torch.uint8)
    return np.ascontiguousarray(rgb.permute(1, 2, 0).numpy())


def table_of(rows: Sequence[ImageRow], title: str, stickers: int = 0, unaware: Sequence[ImageRow] | None = None) -> Table:
    """Return one row for each image, with numbers as numbers, and one column for each fact.

    Parameters
    ----------
    rows
        The rows.
    title
        The title of the table.
    stickers
        Number of stickers that were painted over every image; where it is not 0, a column states it.
    unaware
        The rows of an attacker who does not know the defense, in further columns; None: there is no defense.
    """
    others = {row.number: row.cells() for row in unaware or ()}
    places = [COLUMNS.index(name) for name in _OF_UNAWARE]

    def more(row: ImageRow) -> tuple[object, ...]:
        other = others.get(row.number)
        facts = () if unaware is None else tuple(None if other is None else other[place] for place in places)
        return (*((stickers,) if stickers else ()), *facts)

    columns = (*COLUMNS, *(("stickers",) if stickers else ()), *(() if unaware is None else (f"unaware_{name}" for name in _OF_UNAWARE)))
    return Table(columns, tuple((*row.cells(), *more(row)) for row in rows), title, units=UNITS)
