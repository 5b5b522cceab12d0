"""A table of models and attacks as an entry of a study, and back: the specification, and every finished cell with its verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.evaluate.tables import Cell, CellKey, TableResults, TableRun, TableSpec, Verdicts
from engine.evaluate.tables.cells import LATER_TENSORS, NORMS, TENSORS
from engine.evaluate.tables.stock import Stock
from engine.result import Reason
from engine.study.entries import plain
from engine.study.table_entries import CellEntry, TableEntry
from engine.study.tensors import Tensors

MEMBER = "table.json"
_CLASSES = ("labels", "before", "after", "after_8bit", "noise", "targets")
_PLAIN = ("error", "class_names", "digests", "places", "seconds")


class UnknownTable(GibbonError):
    """The specification of a table is not one of this Gibbon's, such as with an attack that is not here."""


def entry_of(results: TableResults, tensors: Tensors) -> TableEntry:
    """Make the entry of a table, with its tensors added to ``tensors``."""
    return TableEntry(
        specification=results.spec.model_dump(mode="json"),
        cells=tuple(_cell_entry(cell, tensors) for cell in results.cells.values()),
        reason=str(results.reason),
        seconds=results.seconds,
        threads=results.threads,
        devices=results.devices,
        notes=results.notes,
        shapes={name: tuple(shape) for name, shape in results.shapes.items()},
    )


def _cell_entry(cell: Cell, tensors: Tensors) -> CellEntry:
    verdicts = None
    if cell.verdicts is not None:
        found = {name: getattr(cell.verdicts, name) for name in (*TENSORS, *LATER_TENSORS)}
        verdicts = {name: tensors.add(tensor) for name, tensor in found.items() if tensor is not None}
    return CellEntry(**vars(cell.key), facts=plain(cell.facts), verdicts=verdicts, **{name: getattr(cell, name) for name in _PLAIN})


def results_of(entry: TableEntry, find: Callable[[str], Tensor]) -> TableResults:
    """Make the table of an entry. Its models and data sets are loaded when an image of a cell is opened.

    Raises
    ------
    UnknownTable
        The specification is none of this Gibbon's.
    GibbonError
        A cell is in no place of the table, or its verdicts do not fit each other.
    """
    try:
        spec = TableSpec(**entry.specification)
    except (GibbonError, TypeError) as error:
        raise UnknownTable(str(error)) from None
    run = TableRun(spec, Stock(spec))
    run.adopt([_cell(cell, find) for cell in entry.cells])
    shapes = {name: tuple(shape) for name, shape in entry.shapes.items()}
    return replace(
        run.result(),
        reason=Reason(entry.reason),
        seconds=entry.seconds,
        threads=entry.threads,
        devices=entry.devices,
        notes=entry.notes,
        shapes=shapes,
    )


def _cell(entry: CellEntry, find: Callable[[str], Tensor]) -> Cell:
    key = CellKey(entry.model, entry.data, entry.place, entry.attack)
    if (entry.verdicts is None) != bool(entry.error):
        raise GibbonError(f"a cell of its table, of “{entry.model}”, has neither numbers nor a sentence, or both")
    verdicts = None if entry.verdicts is None else _verdicts(entry, entry.verdicts, find)
    return Cell(key, dict(entry.facts), verdicts, **{name: getattr(entry, name) for name in _PLAIN})


def _verdicts(entry: CellEntry, digests: dict[str, str], find: Callable[[str], Tensor]) -> Verdicts:
    wrong = GibbonError(f"the verdicts of a cell of its table, of “{entry.model}”, do not fit each other")
    if not set(TENSORS) <= digests.keys() <= {*TENSORS, *LATER_TENSORS}:
        raise wrong
    found = {name: find(digest) for name, digest in digests.items()}
    count = len(entry.digests)
    shapes = {name: (count, len(NORMS)) if name == "norms" else (count,) for name in found}
    kinds = {name: torch.int64 if name in _CLASSES else torch.float64 if name == "norms" else torch.bool for name in found}
    kinds["unfinished"] = torch.int8
    if any(tuple(tensor.shape) != shapes[name] or tensor.dtype != kinds[name] for name, tensor in found.items()):
        raise wrong
    if len(entry.places) != count or any(_outside(found[name], entry, least=-1 if name == "targets" else 0) for name in _CLASSES):
        raise wrong
    return Verdicts(**found)


def _outside(classes: Tensor, entry: CellEntry, least: int) -> bool:
    return bool(((classes < least) | (classes >= len(entry.class_names))).any())
