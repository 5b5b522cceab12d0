"""Sheet: a table's results as the values and texts of its heat map. Made in an engine thread, shown in the main thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.evaluate.batch.summary import Share
    from engine.evaluate.tables import Cell, Column, Group, TableResults
    from engine.evaluate.trust import Light

Kind = Literal["clean", "attack", "worst", "noise"]
NOTHING = "–"
MARK = "▲"
"""The mark beside a number that violates a rule, as in `engine.evaluate.trust`."""
_WORST = "An image counts as robust only if every attack of the group failed on it."
_NOISE = "The control: accuracy under random noise as large as the perturbations. An attack must do better than this."


@dataclass(frozen=True, eq=False)
class SheetColumn:
    """One column of the heat map."""

    kind: Kind
    title: str
    budget: tuple[str, ...]
    """The lines below the title: what bounds the attack."""
    group: tuple[str, ...]
    """Where the images are made, and the data: columns beside each other with equal lines share a heading."""
    tip: str
    seen: bool = False
    """Whether a trust light of one of its numbers is on."""

    @property
    def heading(self) -> str:
        """The title, with the mark where a light is on."""
        return f"{self.title} {MARK}" if self.seen else self.title


@dataclass(frozen=True, eq=False)
class SheetCell:
    """One cell of the heat map."""

    value: float | None
    text: str
    interval: str
    tip: str
    failed: bool = False
    cell: Cell | None = None
    """The cell of the table that is behind it; None: it is not finished, or is counted from others."""
    top5: str = ""
    """The top-5 share, where it was counted."""
    warnings: tuple[str, ...] = ()
    """A sentence for each trust light of the number that is on."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The heat map: rows are models, columns are attacks with their worst cases and controls."""

    results: TableResults
    rows: tuple[str, ...]
    columns: tuple[SheetColumn, ...]
    cells: tuple[tuple[SheetCell, ...], ...]
    """The cells by row and column."""
    sentences: tuple[str, ...]
    """How far the table is, and what went wrong."""
    warnings: tuple[str, ...]
    """The sentences that have to stand beside the numbers: what the attacks rule out, and the trust lights that are on."""
    brief: tuple[str, ...]
    """The same sentences without the cells that they concern, since these carry a mark."""

    @property
    def has_top5(self) -> bool:
        """Whether a cell has a top-5 share, and so a third line."""
        return any(cell.top5 for row in self.cells for cell in row)

    @property
    def reason(self) -> str:
        """Why the run ended, or that it has not."""
        return str(self.results.reason)


def sheet_of(results: TableResults) -> Sheet:
    """Return a table as a heat map."""
    columns: list[SheetColumn] = []
    cells: list[list[SheetCell]] = []

    def add(column: SheetColumn, made: Sequence[SheetCell]) -> None:
        columns.append(column)
        cells.append(list(made))

    for data in results.spec.data:
        tip = f"Accuracy without an attack\n{data.name}"
        clean = SheetColumn("clean", "clean", ("no attack",), ("", data.name), tip)
        counts = ((row, results.clean(row, data.name), results.clean_top5(row, data.name)) for row in results.rows)
        add(clean, [_counted(share, f"“{row}” without an attack", top5=top5) for row, share, top5 in counts])
        for group in (group for group in results.groups if group.columns[0].data == data):
            for column in group.columns:
                seen = [results.seen(row, column) for row in results.rows]
                made = [
                    _cell(results.cell(row, column), row, column, own) if results.counts(row, column) else _one_attacker(row)
                    for row, own in zip(results.rows, seen, strict=True)
                ]
                add(_head(column, [light for own in seen for light in own]), made)
            _add_group(results, group, add)
    upright = tuple(tuple(column[row] for column in cells) for row in range(len(results.rows)))
    return Sheet(results, results.rows, tuple(columns), upright, *_sentences(results))


def _sentences(results: TableResults) -> tuple[tuple[str, ...], ...]:
    warnings = tuple(results.warnings())
    return tuple(sentence for sentence in results.sentences() if sentence not in warnings), warnings, tuple(results.warnings(where=False))


def _head(column: Column, seen: Sequence[Light]) -> SheetColumn:
    aim = () if column.variant.aim == "away" else (f"towards: {column.variant.aim}",)
    lines = (*column.budget.split(", "), *aim)
    tip = "\n".join((*column.header, *dict.fromkeys(f"{MARK} {light.sign.title}: {light.sign.meaning}" for light in seen)))
    return SheetColumn("attack", column.variant.name, lines, (column.access, column.data.name), tip, bool(seen))


def _add_group(results: TableResults, group: Group, add: object) -> None:
    assert callable(add)
    heading, budget = group.header[1:], tuple(group.title.split(": "))
    worst = [results.worst(row, group) for row in results.rows]
    names = ", ".join(column.variant.name for column in group.columns)
    where = f"{names}\n{', '.join(group.header)}"
    if len(group.columns) > 1:
        made = []
        for row, each in zip(results.rows, worst, strict=True):
            if not results.counts(row, group.columns[0]):
                made.append(_one_attacker(row))
                continue
            missing = f"\n{each.missing} of the group's attacks failed or are not finished: left out." if each.missing else ""
            own = results.seen_in_worst(row, group)
            tip = f"“{row}”, the worst case of {names}{missing}"
            made.append(_counted(each.robust, tip, star=bool(each.missing), top5=each.top5, seen=own))
        add(SheetColumn("worst", "worst case", budget, heading, f"{_WORST}\n{where}", any(cell.warnings for cell in made)), made)
    noises = [
        _counted(each.noise, f"“{row}” under random noise as large") if results.counts(row, group.columns[0]) else _one_attacker(row)
        for row, each in zip(results.rows, worst, strict=True)
    ]
    add(SheetColumn("noise", "random noise", (*budget, "as large"), heading, f"{_NOISE}\n{where}"), noises)


def _one_attacker(row: str) -> SheetCell:
    """Return the cell of a model without a defense in a column of an attacker who does not know one."""
    return SheetCell(None, NOTHING, "", f"“{row}” has no defense, so that both attackers are the white box, where its number stands")


def _cell(cell: Cell | None, row: str, column: Column, seen: Sequence[Light]) -> SheetCell:
    what = f"“{row}” under {column.variant.name}, {column.budget}, {column.access}"
    if cell is None:
        return SheetCell(None, NOTHING, "", f"{what}: not finished")
    if cell.error:
        return SheetCell(None, "error", "", f"{what}: {cell.error}", failed=True, cell=cell)
    tip = f"{_said(cell.robust, f'{what}: robust accuracy')}\n{_said(cell.success, 'attack success, of those right before')}"
    if column.place != "itself" and cell.transfer.of:
        tip += f"\n{_said(cell.transfer, 'transfer, of those that succeeded where they were made')}"
    return _counted(cell.robust, tip, cell=cell, said=True, top5=cell.robust_top5, seen=seen)


def _counted(
    found: Share,
    tip: str,
    *,
    star: bool = False,
    cell: Cell | None = None,
    said: bool = False,
    top5: Share | None = None,
    seen: Sequence[Light] = (),
) -> SheetCell:
    if found.value is None:
        return SheetCell(None, NOTHING, "", f"{tip}: not finished", cell=cell)
    low, high = found.interval
    text = f"{100 * found.value:.1f}{'*' if star else ''}"
    whole, five = tip if said else _said(found, tip), ""
    if top5 is not None and top5.value is not None:
        whole, five = f"{whole}\n{_said(top5, 'top 5')}", f"top 5 {100 * top5.value:.1f}"
    lines = tuple(f"{MARK} {light.sign.title} ({light.measured}): {light.sign.meaning} {light.sign.cure}" for light in seen)
    interval = f"{100 * low:.1f}–{100 * high:.1f}"
    return SheetCell(found.value, text, interval, "\n".join((whole, *lines)), cell=cell, top5=five, warnings=lines)


def _said(found: Share, what: str) -> str:
    if found.value is None:
        return f"{what}: –"
    low, high = found.interval
    shown = f"{100 * found.value:.1f} %, {found.hits:,} of {found.of:,} images"
    return f"{what}: {shown}; 95 % interval {100 * low:.1f}–{100 * high:.1f} % (Wilson)"
