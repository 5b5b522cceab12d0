"""Trust lights of a table: the signs that a cell's number cannot be trusted which the table's own cells decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from engine.evaluate.tables.cells import Cell, Verdicts
from engine.evaluate.tables.plan import CellKey, Column
from engine.evaluate.tables.spec import TableModel, TableSpec
from engine.evaluate.trust import Light, Outcome, lights_among, sentences_of


@dataclass(frozen=True)
class CellLight:
    """A trust light that concerns the number of one cell."""

    key: CellKey
    light: Light

    def plain(self) -> dict[str, Any]:
        """Return the light with its place in the table, as plain values for JSON."""
        return {**vars(self.key), **self.light.plain()}


def lights_of_row(row: TableModel, spec: TableSpec, cells: Sequence[tuple[Column, Cell]], values: int | None) -> list[CellLight]:
    """Return the lights that the finished cells of one model and one data set decide.

    Parameters
    ----------
    row, spec
        The model, and the specification of its table.
    cells
        The model's finished cells with their columns.
    values
        Number of values of an image; None: not known.
    """
    ready = [(column, cell.key, cell.verdicts) for column, cell in cells if cell.verdicts is not None]
    outcomes = [_outcome(column, found, white_box=spec.maker(column.place, row).nameless == row.nameless) for column, _, found in ready]
    lights = lights_among(outcomes, values)
    return [CellLight(key, light) for (_, key, _), own in zip(ready, lights, strict=True) for light in own]


def _outcome(column: Column, found: Verdicts, *, white_box: bool) -> Outcome:
    variant = column.variant
    noise = torch.where(found.targets >= 0, found.noise == found.targets, found.noise != found.labels)
    return Outcome(
        variant.label if white_box else f"{variant.label}, {column.access}",
        variant.attack,
        found.success,
        found.right_before,
        white_box=white_box,
        aim=variant.aim,
        noise=found.right_before & noise,
        silent=found.silent,
        unfinished=found.unfinished,
    )


@dataclass(frozen=True, eq=False)
class TableLights:
    """The lights of a table's cells: of each cell those that were measured, in the order of `SIGNS`."""

    all: tuple[CellLight, ...]

    @cached_property
    def _on(self) -> Mapping[CellKey, tuple[Light, ...]]:
        found: dict[CellKey, tuple[Light, ...]] = {}
        for each in self.all:
            if each.light.on:
                found[each.key] = (*found.get(each.key, ()), each.light)
        return found

    def seen(self, *keys: CellKey) -> tuple[Light, ...]:
        """Return the lights that are on in some cells, each sign once."""
        return tuple({light.sign.slug: light for key in keys for light in self._on.get(key, ())}.values())

    def sentences(self, columns: Mapping[CellKey, Column], *, where: bool = True) -> list[str]:
        """Return a sentence for each sign that is seen: its name, its meaning, the cure, and ``where`` it is seen with which figures."""
        seen = ((f"“{each.key.model}” under {_place(columns[each.key])}", each.light) for each in self.all)
        return sentences_of(seen, where=where)


def _place(column: Column) -> str:
    return ", ".join((column.variant.label, column.access, column.data.name))
