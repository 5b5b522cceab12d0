"""The JSON of a table of models and attacks in a study, as frozen values: what `table.json` may hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from engine.record.packing import Part
from engine.study.entries import Count, Digest


class CellEntry(Part):
    """One cell of the table; the fields are those of `engine.evaluate.tables.Cell`."""

    model: str
    data: str
    place: str
    attack: str
    facts: dict[str, JsonValue]
    error: str = ""
    class_names: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    places: tuple[Count, ...] = ()
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    verdicts: dict[str, Digest] | None = None
    """The tensors of the verdicts by the name of their field; None: the cell has a sentence in their place."""


class TableEntry(Part):
    """The member `table.json`: models under attacks."""

    specification: dict[str, JsonValue]
    """The fields of `engine.evaluate.tables.TableSpec`."""
    cells: tuple[CellEntry, ...]
    reason: Literal["running", "finished", "cancelled", "budget", "failed"]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    threads: int = Field(ge=1, le=2**31)
    devices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shapes: dict[str, tuple[Count, ...]] = Field(default_factory=dict)
    """The shape of an image by data set."""
