"""Anonymous records, for double-blind review: no names of files, no paths, and the image itself in place of its file."""

from __future__ import annotations

from torch import Tensor

from engine.models import is_file
from engine.record.packing import Packed
from engine.record.schema import DataEntry, ImageEntry, MaskEntry, ModelEntry, OperationEntry, Record

LEFT_OUT = "left out"
"""Name of what an anonymous record does not name."""


def anonymous(record: Record, attacked: Tensor, mask: Tensor | None = None) -> tuple[Record, tuple[str, ...]]:
    """Return the record without any name of a file, and sentences about what was left out and what a replay then lacks.

    Parameters
    ----------
    record
        The record of an attack.
    attacked
        The image that the attack began from, ``(C, H, W)``, with its fixed stickers. It is put into the record, so that no file is needed.
    mask
        The mask, ``(1, H, W)``, where the record has one.
    """
    said = ["The image is in the record; the name, path and hash of its file are left out."]
    model, told = _model(record.model)
    said += told
    operation, told = _operation(record.operation)
    said += told
    data, told = _data(record.data)
    said += told
    changes = {
        "model": model,
        "image": ImageEntry(pixels=Packed.of(attacked), bits=record.image.bits if not record.stickers else None),
        "operation": operation,
        "mask": None if mask is None else MaskEntry(pixels=Packed.of(mask.reshape(1, *mask.shape[-2:]))),
        "data": data,
        "stickers": (),  # they are part of the image
        "objective": None if record.objective is None else LEFT_OUT,
    }
    return record.model_copy(update=changes), tuple(said)


def _model(entry: ModelEntry) -> tuple[ModelEntry, list[str]]:
    if not is_file(entry.source):
        return entry, []
    said = "The name and path of the model's file are left out, so a replay needs the record's original."
    return entry.model_copy(update={"name": LEFT_OUT, "source": None}), [said]


def _operation(entry: OperationEntry) -> tuple[OperationEntry, list[str]]:
    if not entry.files:
        return entry, []
    hidden = dict.fromkeys(entry.files, LEFT_OUT)
    said = f"The names of the attack's files ({', '.join(entry.files)}) are left out, so a replay needs the record's original."
    return OperationEntry(slug=entry.slug, parameters={**entry.parameters, **hidden}, files=entry.files), [said]


def _data(entry: DataEntry | None) -> tuple[DataEntry | None, list[str]]:
    if entry is None or not entry.name.startswith("folder:"):
        return entry, []
    said = "The folder of the data set is left out, so a replay needs the record's original."
    return entry.model_copy(update={"name": LEFT_OUT}), [said]
