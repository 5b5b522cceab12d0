"""Command ``gibbon evaluate table``: models under attacks, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.evaluate.common import FAILED, FOLDER, INTERRUPTED, Folder, Format, Root
from engine.cli.options import AllowCode, Device, Download, Json, Overwrite, Threads, WidthMm

if TYPE_CHECKING:
    from engine.artifacts import Table
    from engine.classifier import Classifier
    from engine.evaluate.tables import TableModel, TableResults, TableRun, TableSpec


def command(
    spec: Annotated[
        Path,
        typer.Argument(help="The specification (TOML): models, data, attacks; see docs/tables.md.", metavar="SPEC", show_default=False),
    ],
    out: Folder = FOLDER,
    resume: Annotated[bool, typer.Option("--resume", help="Use the finished cells in the folder, if nothing has changed since.")] = False,
    data: Root = None,
    device: Device = None,
    threads: Threads = 1,
    figure: Format = "pdf",
    width_mm: WidthMm = 174.0,
    overwrite: Overwrite = False,
    json: Json = False,
    download: Download = False,
    allow_code: AllowCode = False,
) -> int:
    """Attack models x eps x data, white box and by transfer; write numbers (CSV), record (JSON) and a heat map. 1: a cell failed.

    Ctrl-C keeps the finished cells for --resume. Under torchrun the cells are divided among the processes:
    torchrun --nproc-per-node 4 main.py evaluate table SPEC
    """
    from engine.cli.output import made_folder, refuse_existing
    from engine.cli.processes import own_device, together
    from engine.evaluate.tables import check_names, read_spec
    from engine.record import repeatable

    wanted = read_spec(spec)
    check_names(wanted, root=data, download=download)
    files = [out / f"{spec.stem}{end}" for end in (".csv", ".json", f".{figure}", f".{figure}.json")]
    if not resume:  # a table that is resumed writes its files again
        refuse_existing(files, overwrite)
    with together() as first, repeatable(threads):
        run = _table_run(wanted, out, resume, overwrite, data, own_device(device), allow_code, download)
        made_folder(out)
        results = _pull_table(run, quiet=json or not first)
        return _written_table(results, out / spec.stem, figure, width_mm, json) if first else 0


def _table_run(
    spec: TableSpec, out: Path, resume: bool, overwrite: bool, data: Path | None, device: str | None, allow_code: bool, download: bool
) -> TableRun:
    from engine import models
    from engine.cli.options import ask_for_code, loaded
    from engine.evaluate.tables import evaluate_table, forget_cells
    from engine.record import ModelOptions

    for model in spec.models:
        if models.runs_code(model.source) and not allow_code:
            ask_for_code(model.source)  # now, not in the middle of the table

    def load(model: TableModel) -> Classifier:
        options = ModelOptions(architecture=model.architecture, activation=model.activation, head=model.head)
        return loaded(model.source, device, True, options, download)

    if overwrite and not resume:
        forget_cells(spec, out)
    return evaluate_table(spec, out, resume=resume, load=load, root=data, download=download)


def _pull_table(run: TableRun, quiet: bool) -> TableResults:
    """Run to the end, or to Ctrl-C, with a progress bar."""
    from engine.cli.output import every, interruptible, progress

    with run, interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task("table", total=1000, news=""), every(0.2)
        for step in run:
            if not bar.disable and due():
                bar.update(task, completed=round(1000 * (step.share_done or 0)), news=f"cell {step.index} of {step.total}: {step.news}")
            if interrupt.pressed:
                break
        run.close()  # before the result is read, so that a run left early counts as cancelled
        return run.result()


def _written_table(results: TableResults, path: Path, figure: str, width_mm: float, json: bool) -> int:
    from engine.cli.output import complain, say, say_artifact, say_json
    from engine.figures import export, table_figure
    from engine.record import table_record, write_table

    if len(results.errors) == len(results.cells):
        return _nothing_to_write(results)
    files = write_table(results, path)
    files += export(table_figure(results, width_mm), path.with_name(f"{path.name}.{figure}"), table_record(results))
    if json:
        say_json({"files": [str(file) for file in files], "cells": _rows(results.data()), **table_record(results)})
    else:
        say_artifact(results.upright())
        say("", *results.sentences(), *(f"  {file}" for file in files))
    if results.reason == "cancelled":
        complain(f"Cancelled after {len(results.cells)} cells: the same command with --resume continues it.")
        return INTERRUPTED
    return FAILED if results.errors else 0


def _nothing_to_write(results: TableResults) -> int:
    """Say why there is no cell with numbers: a file without any would pass for a result."""
    from engine.cli.output import complain

    cancelled = results.reason == "cancelled"
    first = "Cancelled before a cell was finished" if cancelled else "No cell could be computed"
    complain(" ".join((f"{first}, so nothing was written.", *results.faults())))
    return INTERRUPTED if cancelled else FAILED


def _rows(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
