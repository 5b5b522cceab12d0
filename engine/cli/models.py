"""Command ``gibbon models``: the list of loadable models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Json

if TYPE_CHECKING:
    from engine.models import ModelEntry


def command(
    find: Annotated[str, typer.Option(help="Only names that hold this.")] = "",
    shipped: Annotated[bool, typer.Option("--shipped", help="Only what ships; torchvision's list takes seconds.")] = False,
    json: Json = False,
) -> int:
    """List the models that can be loaded, with their accuracy and whether their file is here."""
    from rich.table import Table

    from engine.cli.output import say, say_json, say_table
    from engine.models import catalogue

    entries = [entry for entry in catalogue(with_torchvision=not shipped) if find.casefold() in entry.source.casefold()]
    if json:
        say_json([_plain(entry) for entry in entries])
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("--model", "data set"):
        table.add_column(column, no_wrap=True)
    for column in ("classes", "input", "parameters", "accuracy", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("file", "trained", "attacked"):
        table.add_column(column, no_wrap=column == "file")
    for entry in entries:
        table.add_row(*_row(entry))
    say_table(table)
    say("", "Also: a checkpoint (.safetensors, .pt, .pth) with --architecture, and your own code as FILE.py:FACTORY.")
    say("Detectors of objects, for “detect” and “dpatch”: toy-signs, torchvision:NAME; see detect --help.")
    return 0


def _row(entry: ModelEntry) -> list[str]:
    return [
        entry.source,
        entry.data_set,
        str(entry.classes),
        "x".join(map(str, entry.input_shape)),
        f"{entry.parameters:,}",
        "" if entry.accuracy is None else f"{100 * entry.accuracy:.1f} %",
        f"{entry.megabytes:.1f}",
        "here" if entry.available else "to download",
        entry.training,
        entry.attacked,
    ]


def _plain(entry: ModelEntry) -> dict[str, Any]:
    return dataclasses.asdict(entry)
