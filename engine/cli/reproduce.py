"""Command ``gibbon reproduce``: the lectures' experiments again, our numbers beside theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import AllowCode, Device, Download, Json, Overwrite, Seed, Threads, WidthMm
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.artifacts import Table
    from engine.classifier import Classifier
    from engine.reproduce import Experiment, Verdicts
    from engine.result import Result

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
FOLDER = Path("gibbon-reproduce")
FAILED = 1
INTERRUPTED = 130
_COLOURS = {"pass": "green", "fail": "red"}


def command(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which experiment. Without: the list.", show_default=False)] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Another model than the experiment's own: a shipped one, a checkpoint file, torchvision:NAME.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for what is written; made if it is missing.")] = FOLDER,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    width_mm: WidthMm = 174.0,
    overwrite: Overwrite = False,
    json: Json = False,
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the experiment.")] = False,
) -> int:
    """Repeat an experiment of the lectures; print ours beside theirs, write table (JSON) and figure (PDF). 1: something failed."""
    if name is None:
        return _help(context, None) if help else _list(data, json)
    kind = _kind(name)
    if help:
        return _help(context, kind)
    from engine.cli.fields import parse
    from engine.cli.output import complain, made_folder, refuse_existing, say, say_json
    from engine.cli.own_options import own_options
    from engine.data.published import CITATIONS
    from engine.record import repeatable
    from engine.reproduce.writing import further_tables, planned, summary, table_of, write

    if data is not None and not data.is_dir():
        raise GibbonError(f"The folder “{data}” does not exist. Give the folder that holds the data sets, or leave --data out.")
    given = parse(kind, context.args, own_options(context))
    experiment = kind.build(**({"data": data} if data is not None else {}), **given)
    if data is not None and not kind.found(data):
        raise GibbonError(f"{CITATIONS[kind.data_set]} is not in {data}. {_cure(kind)}")
    refuse_existing(planned(experiment, out, model=bool(getattr(experiment, "train", False))), overwrite)
    with repeatable(threads):
        classifier = _classifier(kind, model, device, allow_code, download)
        made_folder(out)
        result = _pull(experiment, classifier, seed, quiet=json)
    table, cancelled = table_of(result), result.reason != "finished"
    files = [] if cancelled else write(result, out, width_mm)
    if json:
        say_json({"files": [str(path) for path in files], **summary(result)})
    else:
        _print(table)
        for further in further_tables(result):
            _print_plain(further)
        cure = ["Give the folder of the data sets with --data DIR or GIBBON_DATA."] if not kind.found(data) and kind.fallback else []
        say(
            *table.notes,
            *cure,
            f"Accepted: {experiment.tolerance}",
            f"{result.seconds:.1f} s, seed {seed}, {classifier.name}",
            *map(str, files),
        )
    if cancelled:
        complain("Cancelled; nothing was written.")
        return INTERRUPTED
    return FAILED if table.failed else 0


def _classifier(kind: type[Experiment], model: str | None, device: str | None, allow_code: bool, download: bool) -> Classifier:
    from engine.cli.options import chosen_device, loaded

    if model is None and not kind.model:
        return kind.load(chosen_device(device))
    return loaded(model or kind.model, device, allow_code, download=download)


def _pull(experiment: Experiment, classifier: Classifier, seed: int, quiet: bool) -> Result:
    """Run to the end, or to Ctrl-C, with a progress bar."""
    from engine.cli.output import every, interruptible, progress
    from engine.driver import start
    from engine.reproduce import ExperimentStep

    with start(experiment, classifier, seed=seed) as run, interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task(experiment.slug, total=None, news=""), every(0.2)
        for step in run:
            assert isinstance(step, ExperimentStep)
            if not bar.disable and due():
                share = step.share_done
                bar.update(task, completed=round(1000 * (share or 0)), total=None if share is None else 1000, news=step.news)
            if interrupt.pressed:
                break
        run.close()  # before the result is read, so that a run left early counts as cancelled
        return run.result()


def _cure(kind: type[Experiment]) -> str:
    """Return what to do where the data set of an experiment is not in the folder that was named."""
    instead = f": {kind.fallback} then stands in" if kind.fallback else ""
    return f"Give the folder that holds it, or leave --data out{instead}."


def _list(data: Path | None, json: bool) -> int:
    from rich.table import Table

    from engine.cli.output import program, say, say_json, say_table
    from engine.reproduce import CATALOGUE
    from engine.text.left_out import LEFT_OUT

    if json:
        say_json([_plain(kind, data) for kind in CATALOGUE.values()])
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("experiment", "title", "source", "model", "data"):
        table.add_column(column, no_wrap=column == "experiment")
    for slug, kind in CATALOGUE.items():
        table.add_row(slug, kind.title, kind.source, kind.model or "its own", _data(kind, data))
    say_table(table)
    say("", f"Left out of what the lectures name: {'; '.join(each.subject for each in LEFT_OUT)}.")
    say("", f"Run one: {program()} reproduce NAME. Its options: {program()} reproduce NAME --help")
    return 0


def _data(kind: type[Experiment], root: Path | None) -> str:
    if not kind.data_set or kind.found(root):
        return f"{kind.data_set}, here" if kind.data_set else "none"
    return f"{kind.data_set} is missing: {f'{kind.fallback} instead' if kind.fallback else 'cannot run'}"


def _plain(kind: type[Experiment], root: Path | None) -> dict[str, Any]:
    told = {name: getattr(kind, name) for name in ("slug", "title", "source", "paper", "tolerance", "model", "data_set", "fallback")}
    return {**told, "data_found": kind.found(root)}


def _print(table: Verdicts) -> None:
    from rich.table import Table
    from rich.text import Text

    from engine.cli.output import say_table

    shown = Table(box=None, padding=(0, 2, 0, 0), title=Text(table.title), title_justify="left")
    for column in table.columns:
        shown.add_column(column, no_wrap=column == "verdict")
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row[:-1]), Text(row[-1], style=_COLOURS.get(row[-1], "")))
    say_table(shown)


def _print_plain(table: Table) -> None:
    import rich.table

    from engine.cli.output import say_table

    shown = rich.table.Table(box=None, padding=(0, 2, 0, 0), title=table.title, title_justify="left")
    for column in table.columns:
        shown.add_column(column)
    for row in table.rows:
        shown.add_row(*map(str, row))
    say_table(shown)


def _kind(name: str) -> type[Experiment]:
    from engine.reproduce import CATALOGUE
    from engine.text.nearest import nearest

    if name not in CATALOGUE:
        close = nearest(name, CATALOGUE, 0.4)
        cure = f"Did you mean {close}? " if close else ""
        raise GibbonError(f"There is no experiment “{name}”. {cure}There is: {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def _help(context: typer.Context, kind: type[Experiment] | None) -> int:
    from engine.cli.fields import listed
    from engine.cli.output import say_help
    from engine.reproduce import CATALOGUE

    typer.echo(context.get_help())
    if kind is None:
        say_help("Experiments: " + ", ".join(CATALOGUE))
        return 0
    paragraphs = (f"{kind.title}. {kind.source}.", " ".join((kind.__doc__ or "").split()), f"Accepted: {kind.tolerance}", "")
    say_help(*paragraphs, listed(kind, without=("data",)))
    return 0
