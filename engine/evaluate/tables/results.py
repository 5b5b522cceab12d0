"""A table's results: its rows and columns, the worst case of each group, and the table as an artifact and as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import torch

from engine.artifacts import Table
from engine.evaluate.batch.summary import Share
from engine.evaluate.tables.cells import Cell, Verdicts, share
from engine.evaluate.tables.lights import TableLights, lights_of_row
from engine.evaluate.tables.plan import CellKey, Column, group_title
from engine.evaluate.tables.spec import ITSELF, TableSpec
from engine.evaluate.tables.texts import cell_text, share_text, worst_text
from engine.evaluate.trust import Light, caveat
from engine.result import Reason
from engine.text.formatting import counted


@dataclass(frozen=True)
class Worst:
    """The worst case of a group of attacks for one model: an image is robust only if every attack of the group failed on it."""

    robust: Share
    success: Share
    noise: Share
    """Robust accuracy under random noise as large as the perturbations, all attacks' noises together: the control."""
    top5: Share
    """Robust top-5 accuracy; of nothing where it was not counted in every cell."""
    missing: int = 0
    """Number of the group's cells that have no verdicts and are left out."""


@dataclass(frozen=True)
class Group:
    """Columns on the same data, with images made in the same place, at the same norm and radius unless the specification joins others."""

    columns: tuple[Column, ...]

    @property
    def title(self) -> str:
        """The budgets of the group, or the name that the specification gives it with its budgets."""
        radii, given = group_title(self.columns), self.columns[0].variant.group
        return f"{given}: {radii}" if given else radii

    @property
    def header(self) -> tuple[str, ...]:
        """The lines above the columns of the group."""
        first = self.columns[0]
        return self.title, first.access, first.data.name


@dataclass(frozen=True, eq=False)
class TableResults:
    """The cells so far, with everything that is counted from them."""

    spec: TableSpec
    columns: tuple[Column, ...]
    cells: Mapping[CellKey, Cell]
    reason: Reason
    seconds: float
    threads: int
    """CPU threads of torch."""
    devices: tuple[str, ...] = ()
    """Devices of the models that this process has loaded."""
    notes: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The shape of an image by data set, as far as this process has loaded them."""

    @property
    def rows(self) -> tuple[str, ...]:
        """The names of the models, as they stand in the table."""
        return tuple(model.title for model in self.spec.models)

    @property
    def done(self) -> bool:
        """Whether every cell is finished, with verdicts or with an error."""
        return len(self.cells) == self.total

    @property
    def total(self) -> int:
        """The number of cells of the whole table."""
        return sum(self.spec.counts(column.place, row) for column in self.columns for row in self.spec.models)

    def counts(self, row: str, column: Column) -> bool:
        """Return whether a model has a cell in a column; see `TableSpec.counts`."""
        return any(self.spec.counts(column.place, model) for model in self.spec.models if model.title == row)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups of the columns, in their order."""
        return tuple(Group(tuple(columns)) for _, columns in groupby(self.columns, key=lambda column: column.group))

    @property
    def errors(self) -> tuple[Cell, ...]:
        """The cells that have a sentence in place of verdicts."""
        return tuple(cell for cell in self.cells.values() if cell.error)

    def cell(self, row: str, column: Column) -> Cell | None:
        """Return a cell; None: it is not finished."""
        return self.cells.get(_key(row, column))

    def clean(self, row: str, data: str) -> Share:
        """Return the accuracy of a model on the clean images of a data set."""
        return next((cell.clean for cell in self._sound(row, data)), Share(0, 0))

    def clean_top5(self, row: str, data: str) -> Share:
        """Return the top-5 accuracy of a model on the clean images of a data set; of nothing where it was not counted."""
        return next((cell.clean_top5 for cell in self._sound(row, data) if cell.has_top5), Share(0, 0))

    def _sound(self, row: str, data: str) -> Iterator[Cell]:
        cells = (self.cell(row, column) for column in self.columns if column.data.name == data)
        return (cell for cell in cells if cell is not None and cell.verdicts is not None)

    def worst(self, row: str, group: Group) -> Worst:
        """Return the worst case of a group for one model, image by image."""
        found = [self.cell(row, column) for column in group.columns]
        verdicts = [cell.verdicts for cell in found if cell is not None and cell.verdicts is not None]
        missing = len(found) - len(verdicts)
        if not verdicts:
            return Worst(Share(0, 0), Share(0, 0), Share(0, 0), Share(0, 0), missing)
        sound, before = _all(verdicts, "sound"), _all(verdicts, "right_before")
        success = torch.stack([verdict.success for verdict in verdicts]).any(0)
        noise, top5 = share(_all(verdicts, "robust_noise"), sound), Share(0, 0)
        if all(verdict.top5_before is not None for verdict in verdicts):
            top5 = share(_all(verdicts, "top5_before") & _all(verdicts, "top5_after"), sound)
        return Worst(share(_all(verdicts, "robust"), sound), share(success & sound, before & sound), noise, top5, missing)

    # ------------------------------------------------------------------ trust

    @cached_property
    def lights(self) -> TableLights:
        """The trust lights that the cells decide."""
        found = []
        for data in self.spec.data:
            columns = [column for column in self.columns if column.data == data]
            values = math.prod(self.shapes[data.name]) if data.name in self.shapes else None
            for row in self.spec.models:
                cells = [(column, cell) for column in columns if (cell := self.cell(row.title, column)) is not None]
                found += lights_of_row(row, self.spec, cells, values)
        return TableLights(tuple(found))

    def seen(self, row: str, *columns: Column) -> tuple[Light, ...]:
        """Return the lights that are on in a model's cells of some columns, each sign once."""
        return self.lights.seen(*(_key(row, column) for column in columns))

    def seen_in_worst(self, row: str, group: Group) -> tuple[Light, ...]:
        """Return the lights that concern a model's worst case in a group: those of its cells.

        None concerns it if no image is left, or if one attack of many steps by gradients has no light on: the worst case is at most its
        number.
        """
        worst = self.worst(row, group)
        sound = (column for column in group.columns if (cell := self.cell(row, column)) is not None and cell.verdicts is not None)
        trusted = any(not caveat(column.variant.attack) and not self.seen(row, column) for column in sound)
        return () if trusted or not worst.robust.hits else self.seen(row, *group.columns)

    def sentences(self) -> list[str]:
        """Return in words how far the table is, and what is wrong with it."""
        total = self.total
        done = counted(len(self.cells), "cell")
        lines = [f"{done}, {self.seconds:.1f} s." if self.done else f"{done} of {total:,}, {self.seconds:.1f} s."]
        lines += [*self.notes, *self.warnings(), *self._kept_before()]
        if total < len(self.rows) * len(self.columns):
            lines.append(ONE_ATTACKER)
        failed = sum(int(cell.verdicts.failed.sum()) for cell in self.cells.values() if cell.verdicts is not None)
        if failed:
            lines.append(f"{counted(failed, 'attack error')}: a model gave NaN there. Such images are in no share.")
        return [*lines, *self.faults()]

    def faults(self) -> list[str]:
        """Return each sentence that stands in place of numbers once, with the cell, or with the number of cells that have it."""
        cells: dict[str, list[Cell]] = {}
        for cell in self.errors:
            cells.setdefault(cell.error, []).append(cell)
        return [f"{_whose(found)}: {sentence}" for sentence, found in cells.items()]

    def warnings(self, *, where: bool = True) -> list[str]:
        """Return the sentences that have to stand beside the numbers: what the attacks rule out, and the trust lights that are on.

        ``where`` says whether they name the cells, which a table with marks need not do.
        """
        keys = {_key(row, column): column for row in self.rows for column in self.columns}
        return [*self._caveats(), *self.lights.sentences(keys, where=where)]

    def _caveats(self) -> list[str]:
        """Return the sentences beside groups without an attack of many steps by gradients: no model is called robust on these."""
        attacks = [[column.variant.attack for column in group.columns] for group in self.groups]
        alone = (attack for group in attacks if all(map(caveat, group)) for attack in group)
        return list(dict.fromkeys(map(caveat, alone)))

    def _kept_before(self) -> list[str]:
        """Return a sentence on cells that an earlier version kept, which lack what lights and top-5 accuracies are counted from."""
        old = sum(cell.verdicts is not None and cell.verdicts.unfinished is None for cell in self.cells.values())
        if not old:
            return []
        which = "1 cell was" if old == 1 else f"{old:,} cells were"
        return [f"{which} kept by an earlier version, without top-5 accuracy and without the attack's course: compute afresh to have them."]

    def table(self) -> Table:
        """Return the robust accuracies over all images with their intervals, one row for each model, the control beside each group."""
        columns, lines = ["model"], [[row] for row in self.rows]
        for data in self.spec.data:
            columns.append(f"clean, {data.name}")
            for line, row in zip(lines, self.rows, strict=True):
                line.append(share_text(self.clean(row, data.name), self.clean_top5(row, data.name)))
            for group in (group for group in self.groups if group.columns[0].data == data):
                self._add_group(group, columns, lines)
        return Table(tuple(columns), tuple(map(tuple, lines)), self.title)

    @property
    def title(self) -> str:
        """The title, with what the numbers are."""
        what = "robust accuracy over all images, with 95 % intervals"
        return f"{self.spec.title}: {what}" if self.spec.title else what[0].upper() + what[1:]

    def _add_group(self, group: Group, columns: list[str], lines: list[list[str]]) -> None:
        for column in group.columns:
            columns.append(", ".join(column.header))
            for line, row in zip(lines, self.rows, strict=True):
                line.append(cell_text(self.cell(row, column), self.seen(row, column)))
        worst = [self.worst(row, group) for row in self.rows]
        if len(group.columns) > 1:
            columns.append(", ".join(("worst case", *group.header)))
            for line, text in zip(lines, self._worst_texts(group, worst), strict=True):
                line.append(text)
        columns.append(", ".join(("random noise as large", *group.header)))
        for line, found in zip(lines, worst, strict=True):
            line.append(share_text(found.noise))

    def upright(self) -> Table:
        """Return the same numbers with a row for each attack and a column for each model, which a terminal has room for."""
        heads = ("attack", "budget", "images", "data")
        rows: list[tuple[str, ...]] = []
        for data in self.spec.data:
            rows.append(("clean", "no attack", "", data.name, *self._clean_texts(data.name)))
            for group in (group for group in self.groups if group.columns[0].data == data):
                rows += self._upright_group(group)
        return Table((*heads, *self.rows), tuple(rows), self.title)

    def _worst_texts(self, group: Group, worst: Sequence[Worst]) -> Iterator[str]:
        for row, found in zip(self.rows, worst, strict=True):
            yield worst_text(found.robust, found.top5, found.missing, self.seen_in_worst(row, group))

    def _clean_texts(self, data: str) -> Iterator[str]:
        return (share_text(self.clean(row, data), self.clean_top5(row, data)) for row in self.rows)

    def _upright_group(self, group: Group) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for column in group.columns:
            aim = "" if column.variant.aim == "away" else f", towards: {column.variant.aim}"
            cells = (cell_text(self.cell(row, column), self.seen(row, column)) for row in self.rows)
            rows.append((column.variant.name, f"{column.budget}{aim}", column.access, column.data.name, *cells))
        worst = [self.worst(row, group) for row in self.rows]
        if len(group.columns) > 1:
            rows.append(("worst case", *group.header, *self._worst_texts(group, worst)))
        return [*rows, ("random noise as large", *group.header, *(share_text(each.noise) for each in worst))]

    def data(self) -> Table:
        """Return one row for each cell and each group, with every number as a number, for other programs."""
        return Table(DATA_COLUMNS, tuple(self._data_rows()), self.title)

    def _data_rows(self) -> Iterator[tuple[Any, ...]]:
        for row in self.spec.models:
            for group in (group for group in self.groups if self.spec.counts(group.columns[0].place, row)):
                for column in group.columns:
                    yield self._data_row(row.title, row.defense, group, column)
                worst, first = self.worst(row.title, group), group.columns[0]
                names = " + ".join(column.variant.name for column in group.columns)
                clean = self.clean(row.title, first.data.name)
                yield (
                    *("worst case", row.title, row.defense or None, first.data.name, clean.of or None, first.place, first.access),
                    *(names, None, None, "; ".join(column.budget for column in group.columns), group.title),
                    *(
                        *_numbers(clean),
                        *_numbers(worst.robust),
                        *_numbers(worst.success),
                        None,
                        None,
                        *(None,) * 5,
                        *_numbers(worst.noise),
                    ),
                    *(None, None, None, None),
                    *_numbers(self.clean_top5(row.title, first.data.name)),
                    *_numbers(worst.top5),
                    _slugs(self.seen_in_worst(row.title, group)),
                )

    def _data_row(self, row: str, defense: str, group: Group, column: Column) -> tuple[Any, ...]:
        cell, attack = self.cell(row, column), column.variant.attack
        facts = {} if cell is None else cell.facts
        shares = [Share(0, 0)] * 4 if cell is None else [cell.clean, cell.robust, cell.success, cell.noise]
        transfer = (None,) * 5 if cell is None or column.place == ITSELF else _numbers(cell.transfer)
        after, eight = (None, None) if cell is None else (cell.right_after.value, cell.success_8bit.value)
        error = "not finished" if cell is None else cell.error or None
        return (
            *("cell", row, defense or None, column.data.name, None if cell is None else cell.images or None, column.place, column.access),
            *(column.variant.name, getattr(attack, "norm", None), getattr(attack, "eps", None), column.budget, group.title),
            *(*_numbers(shares[0]), *_numbers(shares[1]), *_numbers(shares[2]), eight, after, *transfer, *_numbers(shares[3])),
            *(facts.get("model"), facts.get("crafted on"), None if cell is None else cell.seconds, error),
            *_numbers(Share(0, 0) if cell is None else cell.clean_top5),
            *_numbers(Share(0, 0) if cell is None else cell.robust_top5),
            _slugs(self.seen(row, column)),
        )


ONE_ATTACKER = "A model without a defense stands once for both attackers: its number is that of the white box."
"""The sentence beside columns of attackers who do not know a defense, where a model has none."""
DATA_COLUMNS = (
    *("kind", "model", "defense", "data", "images", "crafted_on", "access", "attack", "norm", "eps", "budget", "group"),
    *(f"{name}{end}" for name in ("clean_accuracy", "robust_accuracy", "attack_success") for end in ("", "_low", "_high", "_hits", "_of")),
    *("attack_success_8bit", "accuracy_after"),
    *(f"transfer_rate{end}" for end in ("", "_low", "_high", "_hits", "_of")),
    *(f"noise_accuracy{end}" for end in ("", "_low", "_high", "_hits", "_of")),
    *("model_fingerprint", "crafted_on_fingerprint", "seconds", "error"),
    *(f"{name}{end}" for name in ("clean_top5", "robust_top5") for end in ("", "_low", "_high", "_hits", "_of")),
    "trust_lights_on",
)


def _key(row: str, column: Column) -> CellKey:
    return CellKey(row, column.data.name, column.place, column.variant.label)


def _whose(cells: Sequence[Cell]) -> str:
    """Name one cell; of several say how many there are, and of which model or attack where all have the same."""
    key = cells[0].key
    if len(cells) == 1:
        return f"“{key.model}” under {key.attack}, {key.place}, {key.data}"
    model = f" of “{key.model}”" if all(cell.key.model == key.model for cell in cells) else ""
    attack = f" under {key.attack}" if all(cell.key.attack == key.attack for cell in cells) else ""
    return f"{len(cells):,} cells{model}{attack}"


def _numbers(found: Share) -> tuple[float | None, float | None, float | None, int, int]:
    low, high = found.interval if found.of else (None, None)
    return found.value, low, high, found.hits, found.of


def _slugs(lights: Sequence[Light]) -> str | None:
    return " ".join(light.sign.slug for light in lights) or None


def _all(verdicts: list[Verdicts], name: str) -> torch.Tensor:
    return torch.stack([getattr(verdict, name) for verdict in verdicts]).all(0)
