"""The table of a batch as an entry of a study, and back: rows, verdicts and norms, and what opens a row again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.evaluate.batch import ImageResults, ImageRow, LateData, late_subjects
from engine.operation import Attack
from engine.result import Reason
from engine.study import operations, stickers
from engine.study.batch_entries import BatchEntry, BatchFile, BatchSet, RowEntry
from engine.study.runs import Sources, steps_entry, steps_of
from engine.study.shapes import Shapes
from engine.study.tensors import Tensors

MEMBER = "batch.json"
_FACTS = tuple(name for name in RowEntry.model_fields if name != "picture")


def entry_of(results: ImageResults, tensors: Tensors) -> BatchEntry:
    """Make the entry of a batch, with its tensors added to ``tensors``.

    Raises
    ------
    GibbonError
        The attack is in no catalogue.
    """
    inputs, pictures = results.inputs, [row.picture for row in results.rows if row.picture is not None]
    data = inputs["data"]
    return BatchEntry(
        model=results.classifier.fingerprint,
        operation=operations.entry_of(results.attack),
        images=_images_entry(results),
        count=len(results.subjects),
        words=results.subjects.words,
        notes=results.subjects.notes,
        aim=results.aim,
        seed=results.seed,
        together=results.together,
        region=inputs["region"],
        stickers=stickers.entries_of(inputs["stickers"], tensors),
        mask=tensors.add_if(inputs["mask"]),
        start=tensors.add_if(inputs["start"]),
        data=None if data is None else BatchSet(name=data.name, count=len(data), seed=data.seed, sha256=data.sha256),
        reason=str(results.reason),
        seconds=results.seconds,
        threads=results.threads,
        defense=steps_entry(results.defense),
        undefended=results.undefended.fingerprint if results.defense else None,
        unaware=() if results.unaware is None else tuple(_row_entry(row, picture=False) for row in results.unaware.rows),
        rows=tuple(_row_entry(row, picture=row.picture is not None) for row in results.rows),
        pictures=tensors.add(torch.from_numpy(np.stack(pictures))) if pictures else None,
    )


def _row_entry(row: ImageRow, *, picture: bool) -> RowEntry:
    return RowEntry(**{name: getattr(row, name) for name in _FACTS}, picture=picture)


def _images_entry(results: ImageResults) -> BatchSet | tuple[BatchFile, ...]:
    origin = results.subjects.origin
    if "data" not in origin:
        return tuple(BatchFile(path=_whole(item.name), label=item.label) for item in results.subjects.items)
    root = origin.get("root")
    return BatchSet(
        name=origin["data"],
        root=None if root is None else _whole(root),
        **{name: origin[name] for name in ("count", "classes", "draw", "seed", "sha256")},
    )


def _whole(path: str | Path) -> str:
    return Path(path).expanduser().absolute().as_posix()


def batch_of(entry: BatchEntry, sources: Sources) -> ImageResults:
    """Make the batch of an entry. Its images are read when one of them is opened.

    Raises
    ------
    UnknownOperation
        The attack is not known here.
    GibbonError
        A part is missing, damaged or does not fit the others.
    """
    if entry.model not in sources.classifiers:
        raise GibbonError("its table is of a model that it does not name")
    classifier = sources.classifiers[entry.model]
    attack = operations.operation_of(entry.operation, sources.version)
    if not isinstance(attack, Attack):
        raise GibbonError(f"its table names “{attack.slug}” as an attack")
    shapes = Shapes(classifier.input_shape, classifier.num_classes)
    mask, start = (None if digest is None else sources.find(digest) for digest in (entry.mask, entry.start))
    shapes.check_mask(mask)
    if start is not None:
        shapes.check_image("start image", start)
    steps = steps_of(entry.defense)
    if (entry.undefended is None) == bool(steps) or entry.undefended not in (None, *sources.classifiers):
        raise GibbonError("its table is behind a defense, but names no model without it" if steps else "its table names no defense")
    undefended = None if entry.undefended is None else sources.classifiers[entry.undefended]
    pictures = _pictures(entry, sources.find)
    rows, others = (_rows(entry, some, classifier.labels, held) for some, held in ((entry.rows, pictures), (entry.unaware, ())))
    images = _set(entry.images) if isinstance(entry.images, BatchSet) else [(Path(file.path), file.label) for file in entry.images]
    inputs: dict[str, Any] = {
        "seed": entry.seed,
        "aim": entry.aim,
        "together": entry.together,
        "data": None if entry.data is None else _set(entry.data),
        "start": start,
        "mask": mask,
        "stickers": sources.stickers.of(entry.stickers),
        "region": entry.region,
        "defense": steps,
        "undefended": undefended,
        "judge": None,
        "keep_bytes": 0,
    }
    found = ImageResults(
        attack=attack,
        classifier=classifier,
        subjects=late_subjects(rows, entry.count, entry.words, entry.notes, images),
        rows=rows,
        seed=entry.seed,
        aim=entry.aim,
        together=entry.together,
        reason=Reason(entry.reason),
        seconds=entry.seconds,
        threads=entry.threads,
        inputs=inputs,
    )
    if undefended is None:
        return found
    judged = {**inputs, "defense": (), "judge": classifier}
    return replace(found, unaware=replace(found, classifier=undefended, rows=others, inputs=judged))


def _set(entry: BatchSet) -> LateData:
    root = None if entry.root is None else Path(entry.root)
    return LateData(entry.name, entry.count, entry.seed, entry.sha256, entry.classes, entry.draw, root)


def _rows(entry: BatchEntry, rows: Sequence[RowEntry], labels: tuple[str, ...], held: Sequence[Any]) -> tuple[ImageRow, ...]:
    """Make rows of the table with their pictures, those that are ``held`` in the order of the rows that have one."""
    numbers = [row.number for row in rows]
    files = entry.count if isinstance(entry.images, BatchSet) else len(entry.images)
    if files != entry.count or numbers != sorted(set(numbers)) or any(number >= entry.count for number in numbers):
        raise GibbonError("the rows of its table are not those of its images")
    for row in rows:
        classes = [number for number in (row.label, row.target, row.before, row.after) if number is not None]
        if any(not 0 <= number < len(labels) for number in classes):
            raise GibbonError(f"row {row.number} of its table names a class that the model does not have")
    if sum(row.picture for row in rows) != len(held):
        raise GibbonError("its table lacks its pictures")
    pictures = iter(held)
    return tuple(
        ImageRow(
            **{name: getattr(row, name) for name in _FACTS},
            labels=labels,
            picture=next(pictures) if row.picture else None,
        )
        for row in rows
    )


def _pictures(entry: BatchEntry, find: Callable[[str], Tensor]) -> Sequence[Any]:
    wanted = sum(row.picture for row in entry.rows)
    if entry.pictures is None:
        if wanted:
            raise GibbonError("its table lacks its pictures")
        return ()
    found = find(entry.pictures)
    if found.dtype != torch.uint8 or found.dim() != 4 or found.shape[3] != 3 or len(found) != wanted:
        raise GibbonError("the pictures of its table have another shape than its rows say")
    return [np.ascontiguousarray(picture) for picture in found.numpy()]
