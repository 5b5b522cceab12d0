"""Command ``gibbon script``: recorded runs as a Python script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.files import ordinary_file

Records = Annotated[list[Path], typer.Argument(metavar="RECORD.json ...", help="Records, or sidecars of figures.", show_default=False)]


def command(
    records: Records,
    out: Annotated[Path | None, typer.Option(help="Write the script here, as .py; else it is printed.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over --out.")] = False,
) -> int:
    """Write a script of the engine's public calls that runs recorded attacks again and compares every bit."""
    for path in records:
        ordinary_file(path, "a record (.json)")  # checked first, since torch takes a while to load
    from engine.cli.output import refuse_existing, say
    from engine.record import Record
    from engine.script import Recorded, runs_as_python, write_script

    runs = [Recorded(Record.read(path), path.parent) for path in records]
    if out is None:
        print(runs_as_python(runs), end="")
        return 0
    refuse_existing([out], overwrite)
    write_script(out, runs_as_python(runs))
    say(f"{out} runs {'it' if len(runs) == 1 else 'them'} again: python {out}")
    return 0
