"""The plan of a table: its columns, and the attacks that have to be run, each of which fills a column for one model or more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.evaluate.tables.budgets import Variant, budget_of, radius_of
from engine.evaluate.tables.spec import ITSELF, UNDEFENDED, TableData, TableModel, TableSpec


@dataclass(frozen=True)
class Column:
    """One column: an attack at one eps on one data set, with images made in one place."""

    data: TableData
    place: str
    """Where the images are made: “itself”, “undefended” or a model's name."""
    variant: Variant

    @property
    def budget(self) -> str:
        """Norm, radius, steps and everything else that bounds the attack, in words."""
        return budget_of(self.variant.attack)

    @property
    def access(self) -> str:
        """Where the images are made, in words."""
        return {ITSELF: "white box", UNDEFENDED: "made without the defense"}.get(self.place, f"made on {self.place}")

    @property
    def group(self) -> tuple[str, str, str]:
        """The data set, place and budget that the columns of one group share."""
        return self.data.name, self.place, self.variant.grouped_by

    @property
    def header(self) -> tuple[str, ...]:
        """The lines above the column: attack, budget, aim where there is one, access, data."""
        aim = () if self.variant.aim == "away" else (f"towards: {self.variant.aim}",)
        return (self.variant.name, self.budget, *aim, self.access, self.data.name)


@dataclass(frozen=True)
class CellKey:
    """The place of a cell in the table."""

    model: str
    data: str
    place: str
    attack: str
    """The attack's name with its radius."""

    @property
    def file(self) -> str:
        """A file name that no other cell has, readable as far as file names allow."""
        return file_name(self.model, self.data, self.place, self.attack)


@dataclass(frozen=True)
class Craft:
    """One attack on one model with one data set, and the rows whose cells its images fill."""

    data: TableData
    maker: TableModel
    variant: Variant
    judges: tuple[tuple[TableModel, str], ...]
    """Models that are evaluated on the images, each with the place of its column."""

    @property
    def file(self) -> str:
        """The name of the file with the images."""
        return file_name("images", *map(str, self.maker.nameless.model_dump().values()), self.data.name, self.variant.label)

    @property
    def work(self) -> float:
        """Rough number of passes for each image: those of the attack, and one for each judge."""
        return self.variant.work + len(self.judges)

    @property
    def cells(self) -> tuple[CellKey, ...]:
        """The places of the cells that this attack fills, in the order of the judges."""
        return tuple(CellKey(judge.title, self.data.name, place, self.variant.label) for judge, place in self.judges)


def columns_of(spec: TableSpec) -> tuple[Column, ...]:
    """Return the columns in their order: by data set, place and group, then as the specification lists the attacks."""
    variants = [variant for attack in spec.attacks for variant in attack.variants()]
    groups = list(dict.fromkeys(variant.grouped_by for variant in variants))
    ordered = sorted(variants, key=lambda variant: groups.index(variant.grouped_by))
    places = [place for place in spec.places if any(spec.counts(place, row) for row in spec.models)]
    return tuple(Column(data, place, variant) for data in spec.data for place in places for variant in ordered)


def crafts_of(spec: TableSpec) -> tuple[Craft, ...]:
    """Return the attacks that have to be run, each once, in the order of the columns."""
    found: dict[Any, Craft] = {}
    for column in columns_of(spec):
        for row in (row for row in spec.models if spec.counts(column.place, row)):
            maker = spec.maker(column.place, row)
            key = (column.data.name, maker.nameless, column.variant.label)
            before = found.get(key) or Craft(column.data, maker, column.variant, ())
            found[key] = Craft(column.data, maker, column.variant, (*before.judges, (row, column.place)))
    return tuple(found.values())


def divided(crafts: Sequence[Craft], size: int) -> list[list[Craft]]:
    """Divide the attacks among ``size`` processes: the longest first, each to the process that has the least to do."""
    parts: list[list[Craft]] = [[] for _ in range(size)]
    loads = [0.0] * size
    for craft in sorted(crafts, key=lambda craft: -craft.work):
        lightest = loads.index(min(loads))
        parts[lightest].append(craft)
        loads[lightest] += craft.work
    return [sorted(part, key=crafts.index) for part in parts]


def group_title(columns: tuple[Column, ...]) -> str:
    """Name a group by its radii: more than one where the specification puts unequal budgets together."""
    radii = list(dict.fromkeys(radius_of(column.variant.attack) for column in columns))
    return " and ".join(radii)


def file_name(*parts: str) -> str:
    """Return a name for a file made of words, with a hash that tells words apart which look alike in it."""
    words = "--".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.") or "none" for part in parts if part)
    return f"{words[:120]}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:10]}.safetensors"
