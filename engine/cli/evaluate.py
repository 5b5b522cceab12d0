"""Commands ``gibbon evaluate table`` and ``gibbon evaluate curve``: models under attacks, as tables and as curves over eps."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import AllowCode, Device, Download, Json, Overwrite, Seed, Threads, WidthMm
from engine.cli.values import one_of, whole
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.artifacts import Table
    from engine.classifier import Classifier
    from engine.data import DataSet
    from engine.driver import Run
    from engine.evaluate.tables import TableModel, TableResults, TableRun, TableSpec
    from engine.result import Result

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
INTERRUPTED = 130
FAILED = 1
FOLDER = Path("gibbon-evaluate")

app = typer.Typer(
    help="Compare models under attacks: a table, or accuracy over eps.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Root = Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")]
Folder = Annotated[Path, typer.Option(help="Folder for what is written; made if it is missing.")]
Format = Annotated[str, one_of("pdf", "svg", "png", help="Format of the figure.")]


@app.command("table")
def table(
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
    from engine.evaluate.tables import read_spec
    from engine.record import repeatable

    wanted = read_spec(spec)
    files = [out / f"{spec.stem}{end}" for end in (".csv", ".json", f".{figure}", f".{figure}.json")]
    if not resume:  # a table that is resumed writes its files again
        refuse_existing(files, overwrite)
    with together() as first, repeatable(threads):
        run = _table_run(wanted, made_folder(out), resume, overwrite, data, own_device(device), allow_code, download)
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
    return evaluate_table(spec, out, resume=resume, load=load, root=data)


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


@app.command("curve", context_settings=CONTEXT)
def curve(
    context: typer.Context,
    models: Annotated[
        list[str] | None, typer.Argument(help="Models; “signs + jpeg quality=75” has a defense.", metavar="MODELS", show_default=False)
    ] = None,
    attack: Annotated[str, typer.Option(help="Which attack; its own fields become options. Its eps is the largest of the curve.")] = "pgd",
    preset: Annotated[str | None, typer.Option(help="A published setting of the attack, by a part of its title.")] = None,
    data_set: Annotated[str | None, typer.Option(help="The images: mnist, gtsrb:train, generated:signs, folder:PATH...")] = None,
    count: Annotated[int | None, whole(1, help="How many of the images, spread evenly. Without: all.")] = None,
    halvings: Annotated[int, whole(1, 20, help="7 tells radii apart that differ by a 128th of eps.")] = 7,
    data: Root = None,
    out: Folder = FOLDER,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    figure: Format = "pdf",
    width_mm: WidthMm = 85.0,
    overwrite: Overwrite = False,
    json: Json = False,
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the attack that --attack names.")] = False,
) -> int:
    """Search each image's smallest perturbation, and draw the accuracy of every model over eps: CSV, record (JSON), figure."""
    from engine.cli.attack import build_attack, help_of, load_data

    if help:
        return help_of(context, attack)
    # An option that is the attack's own comes among the models, with all that follows it.
    names = list(takewhile(lambda word: not word.startswith("--"), models or []))
    context.args[:] = (models or [])[len(names) :]
    if not names:
        raise GibbonError("Which models? Name one or more: evaluate curve digits digits-bounded --attack pgd --data-set mnist.")
    if data_set is None:
        raise GibbonError("Which images? Name a data set with --data-set, such as mnist or generated:signs.")
    from engine.cli.output import made_folder, refuse_existing
    from engine.evaluate.curves import RobustnessCurve
    from engine.record import repeatable

    operation = RobustnessCurve.of(build_attack(context, attack, preset, None), halvings=halvings)
    path = out / f"curve-{operation.attack}"
    ends = (".csv", ".images.csv", ".json", f".{figure}", f".{figure}.json")
    refuse_existing([path.with_name(f"{path.name}{end}") for end in ends], overwrite)
    with repeatable(threads):
        found = [_loaded(name, device, allow_code, download) for name in names]
        images = load_data(data_set, count, data, seed)
        result = _pull_curve(_curve_run(operation, found, images, seed), operation.title, quiet=json)
    return _written_curve(result, made_folder(out) / path.name, figure, width_mm, json)


def _loaded(text: str, device: str | None, allow_code: bool, download: bool) -> Classifier:
    from engine.cli.options import loaded
    from engine.evaluate.defended import defended, split

    source, defense = split(text)
    return defended(loaded(source, device, allow_code, download=download), defense)


def _curve_run(operation: Any, models: list[Classifier], images: DataSet, seed: int) -> Run:
    from engine.driver import start
    from engine.evaluate.transfer import as_taken, images_of

    first = as_taken(models[0], images.shape)
    if first is None:
        name, takes, has = models[0].name, images_of(models[0].input_shape[0]), images_of(images.shape[0])
        raise GibbonError(f"“{name}” takes {takes}, “{images.name}” has {has}. Choose a model for such images.")
    return start(operation, first, models=models[1:], data=images, seed=seed)


def _pull_curve(run: Run, title: str, quiet: bool) -> Result:
    from engine.cli.output import every, interruptible, progress

    with run, interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task(title, total=1000, news=""), every(0.2)
        for step in run:
            if not bar.disable and due():
                bar.update(task, completed=round(1000 * (step.share_done or 0)), news=step.news)
            if interrupt.pressed:
                break
        run.close()  # before the result is read, so that a run left early counts as cancelled
        return run.result()


def _written_curve(result: Result, path: Path, figure: str, width_mm: float, json: bool) -> int:
    from engine.cli.output import complain, say, say_artifact, say_json
    from engine.figures import curve_figure, export
    from engine.record import curve_record, write_curve

    files = write_curve(result, path)
    files += export(curve_figure(result, width_mm), path.with_name(f"{path.name}.{figure}"), curve_record(result))
    if json:
        say_json({"files": [str(file) for file in files], **curve_record(result)})
    else:
        say_artifact(result.artifacts["smallest"])  # type: ignore[arg-type]
        say("", f"{result.seconds:.1f} s", *(f"  {file}" for file in files))
    if result.reason == "cancelled":
        complain("Cancelled: radii that were not searched to the end are too large.")
        return INTERRUPTED
    return 0


def _rows(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
