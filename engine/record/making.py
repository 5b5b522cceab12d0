"""Making of a record from a result."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from engine.classifier import Classifier, change_before
from engine.defenses.preprocessing import Preprocessing
from engine.files import file_digest
from engine.images import Crop, Photograph, digest
from engine.models import options_of
from engine.operation import Operation
from engine.record.packing import Packed
from engine.record.recorded import RecordedLogits
from engine.record.schema import (
    ClassEntry,
    DataEntry,
    ImageEntry,
    MaskEntry,
    ModelEntry,
    ModelOptions,
    OperationEntry,
    Outcome,
    Prediction,
    Record,
)
from engine.record.stickers import StickerEntry
from engine.result import AttackResult
from engine.stickers import Sticker


def image_entry(image: Tensor, photograph: Photograph | None = None, crop: Crop | None = None, folder: Path | None = None) -> ImageEntry:
    """Make the entry of the clean image ``(C, H, W)``: its file where there is one, else its pixels.

    Parameters
    ----------
    image
        The input of the classifier, before stickers.
    photograph, crop
        The source of the image.
    folder
        Folder of the record, to which the file's path is relative.
    """
    if photograph is None or photograph.path is None:
        return ImageEntry(pixels=Packed.of(image), bits=digest(image))
    return ImageEntry(path=relative(photograph.path, folder), sha256=photograph.sha256, crop=crop, bits=digest(image))


def mask_entry(mask: Tensor | None, path: Path | None = None, folder: Path | None = None) -> MaskEntry | None:
    """Make the entry of the mask ``(1, H, W)``: its file where there is one, else its values; None where there is no mask."""
    if mask is None:
        return None
    if path is None:
        return MaskEntry(pixels=Packed.of(mask.reshape(1, *mask.shape[-2:])))
    return MaskEntry(path=relative(path, folder), sha256=file_digest(path))


def relative(path: Path, folder: Path | None) -> str:
    """Return ``path`` relative to ``folder``, with slashes; absolute where that is impossible."""
    try:
        return Path(os.path.relpath(path.resolve(), (folder or Path.cwd()).resolve())).as_posix()
    except ValueError:  # Windows has no relative path to another drive
        return path.resolve().as_posix()


def record_of(
    result: AttackResult,
    row: int = 0,
    *,
    image: ImageEntry,
    mask: MaskEntry | None = None,
    start: Tensor | None = None,
    stickers: Sequence[Sticker] = (),
    folder: Path | None = None,
    first_row: int = 0,
) -> Record:
    """Make the record of one row of an attack's result.

    Parameters
    ----------
    result
        The result of the attack.
    row
        Index of the image.
    image, mask
        Entries from `image_entry` and `mask_entry`.
    start
        ``(C, H, W)``: the argument ``start`` of the run.
    stickers
        Stickers on the image, in z-order, where ``image`` is without them.
    folder
        Folder of the record, to which the paths of the model's file and of the attack's files are relative.
    first_row
        The argument ``first_row`` of the run.
    """
    names = result.classifier.labels
    seen = result.provenance
    label, target, goal = int(result.labels[row]), None if result.targets is None else int(result.targets[row]), result.goal(row)
    return Record(
        model=model_entry(result.classifier, folder),
        image=image,
        operation=operation_entry(result.operation, result.provenance.get("files", {}), folder),
        label=ClassEntry(index=label, name=names[label], assumed=result.labels_assumed),
        target=None if target is None else ClassEntry(index=target, name=names[target]),
        goal=None if goal is None else ClassEntry(index=goal, name=names[goal]),
        mask=mask,
        start=None if start is None else Packed.of(start),
        data=DataEntry(**seen["data"]) if "data" in seen else None,
        stickers=tuple(StickerEntry.of(sticker) for sticker in stickers),
        objective=seen.get("objective"),
        seed=seen["seed"],
        row=first_row + row,
        iteration=result.iteration,
        device=seen["device"],
        device_name=seen["device_name"],
        threads=seen["threads"],
        versions=seen["versions"],
        outcome=_outcome(result, row),
    )


def located(source: str, place: Callable[[Path], str]) -> str:
    """Replace the file's path in ``source``, where it names one, by ``place(path)``: CHECKPOINT.pt, or FILE.py:FACTORY."""
    file, colon, factory = source.rpartition(":")
    if colon and file.endswith(".py"):
        return f"{place(Path(file))}:{factory}"
    return place(Path(source)) if Path(source).suffix in (".safetensors", ".pt", ".pth") else source


def operation_entry(attack: Operation, digests: Mapping[str, str], folder: Path | None) -> OperationEntry:
    """Make the entry of an operation; ``digests`` are the hashes of the files that it names, by parameter."""
    files = {name: relative(path, folder) for name, path in attack.named_files().items()}
    return OperationEntry(slug=attack.slug, parameters={**attack.model_dump(mode="json"), **files}, files=dict(digests))


def model_entry(classifier: Classifier, folder: Path | None) -> ModelEntry:
    """Make the entry of a classifier; the path of its file is relative to ``folder``."""
    if isinstance(classifier.module, RecordedLogits):  # it stands for a classifier whose weights are not here
        entry = classifier.module.entry
        placed = None if entry.source is None else located(entry.source, lambda path: relative(path, folder))
        return entry.model_copy(update={"source": placed})
    source = classifier.source
    steps, changes = _by_hand(classifier)
    return ModelEntry(
        name=classifier.name,
        source=None if source is None else located(source, lambda path: relative(path, folder)),
        fingerprint=classifier.fingerprint,
        options=ModelOptions(**options_of(classifier)),
        input_shape=classifier.input_shape,
        bounds=classifier.bounds,
        preprocessing=tuple(step.model_dump(mode="json") for step in steps),
        changes=tuple(changes.elements()),
    )


def _by_hand(classifier: Classifier) -> tuple[list[Preprocessing], Counter[str]]:
    """Return the preprocessing defenses that were put before a classifier after it was loaded, and the other changes in words."""
    changes = Counter(classifier.changes) - Counter(classifier.changes_of_source)
    steps = []
    for step in reversed(classifier.before):  # those of the source come first
        word = change_before(step)
        if isinstance(step, Preprocessing) and changes[word]:
            steps.append(step)
            changes -= Counter([word])
    return steps[::-1], changes


def _outcome(result: AttackResult, row: int) -> Outcome:
    return Outcome(
        reason=str(result.reason),
        success=bool(result.success[row]),
        flipped=bool(result.flipped[row]),
        wrong_before=bool(result.wrong_before[row]),
        survives_8bit=bool(result.survives_8bit[row]),
        failed=bool(result.failed[row]),
        before=_prediction(result.clean_logits[row], result.classifier.labels),
        after=_prediction(result.logits[row], result.classifier.labels),
        norms={name: float(values[row]) for name, values in result.norms.items()},
        steps_to_flip=int(result.steps_to_flip[row]),
        steps_made=result.steps_made,
        forwards=result.forwards,
        backwards=result.backwards,
        seconds=result.seconds,
        adversarial_sha256=digest(result.adversarial[row]),
    )


def _prediction(logits: Tensor, names: Sequence[str]) -> Prediction:
    best = int(logits.argmax())
    return Prediction(index=best, name=names[best], probability=float(logits.softmax(0)[best]))
