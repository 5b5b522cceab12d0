"""Command ``gibbon script``: recorded runs as a Python script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.files import ordinary_file

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE ...", help="Records, figures or their sidecars; or one study.", show_default=False)
]


def command(
    files: Files,
    out: Annotated[Path | None, typer.Option(help="Write the script here, as .py; else it is printed.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over --out.")] = False,
) -> int:
    """Write a script of the engine's public calls that runs recorded attacks, a table or a training again and compares every bit."""
    for path in files:
        ordinary_file(path, "a record or a study")  # checked first, since torch takes a while to load
    from engine.cli.output import made_folder, refuse_existing, say
    from engine.script import write_script

    if out is None:
        print(_text(files), end="")
        return 0
    out = out if out.suffix else out.with_suffix(".py")
    refuse_existing([out], overwrite)
    text = _text(files, out.parent)
    made_folder(out.parent)
    write_script(out, text)
    say(f"{out} runs {'it' if len(files) == 1 else 'them'} again: python {out}")
    return 0


def _text(files: list[Path], folder: Path | None = None) -> str:
    """Return the script; of a study in the script's own ``folder`` one that finds the study beside itself."""
    from engine import study
    from engine.errors import GibbonError
    from engine.record import BatchRecord, Record, TrainingRecord, is_training
    from engine.script import Recorded, batch_as_python, runs_as_python, study_as_python, training_as_python

    if any(study.is_study(path) for path in files):
        if len(files) > 1:
            raise GibbonError("A study is a script of its own. Give one study alone, or records.")
        beside = folder is not None and folder.resolve() == files[0].resolve().parent
        return study_as_python(study.read(files[0]), f"The study {files[0].stem}, run again.", file=files[0], beside=beside)
    if any(is_training(path) for path in files):
        if len(files) > 1:
            raise GibbonError("A training is a script of its own. Give its record alone.")
        return training_as_python(TrainingRecord.read(files[0]), files[0].parent)
    if any(BatchRecord.describes(path) for path in files):
        if len(files) > 1:
            raise GibbonError("A table of many images is a script of its own. Give its record alone.")
        return batch_as_python(BatchRecord.read(files[0]), files[0].parent)
    return runs_as_python([Recorded(Record.read(path), path.parent) for path in files])
