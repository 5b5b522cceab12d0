"""Command ``gibbon evaluate curve``: accuracy over eps."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.evaluate.common import FOLDER, INTERRUPTED, Folder, Format, Root, loaded_behind
from engine.cli.options import AllowCode, Device, Download, Json, Overwrite, Seed, Threads, WidthMm
from engine.cli.values import whole
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.data import DataSet
    from engine.driver import Run
    from engine.result import Result


def command(
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
    """Search each image's smallest perturbation, and draw the accuracy of every model over eps: CSV, record (JSON), figure.

    Under torchrun the models are divided among the processes.
    """
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
    from engine.cli.processes import own_device, together
    from engine.evaluate.curves import RobustnessCurve
    from engine.record import repeatable

    operation = RobustnessCurve.of(build_attack(context, attack, preset, None), halvings=halvings)
    path = out / f"curve-{operation.attack}"
    ends = (".csv", ".images.csv", ".json", f".{figure}", f".{figure}.json")
    refuse_existing([path.with_name(f"{path.name}{end}") for end in ends], overwrite)
    with together() as first, repeatable(threads):
        found = [loaded_behind(name, own_device(device), allow_code, download) for name in names]
        images = load_data(data_set, count, data, seed, download)
        result = _pull_curve(_curve_run(operation, found, images, seed), operation.title, quiet=json or not first)
    if not first:
        return 0
    return _written_curve(result, made_folder(out) / path.name, figure, width_mm, json)


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
        beside = result.operation.sentences(result.artifacts["lights"])  # type: ignore[attr-defined]
        say("", f"{result.seconds:.1f} s", *beside, *(f"  {file}" for file in files))
    if result.reason == "cancelled":
        complain("Cancelled: radii that were not searched to the end are too large.")
        return INTERRUPTED
    return 0
