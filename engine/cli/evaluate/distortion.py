"""Command ``gibbon evaluate distortion``: adversarial images under light, blur, noise, compression and a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.evaluate.common import FOLDER, INTERRUPTED, Folder, Format, Root, loaded_behind
from engine.cli.options import AllowCode, Device, Download, Json, Overwrite, Seed, Threads, WidthMm, class_number
from engine.cli.values import whole
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.driver import Run
    from engine.evaluate.distortion import DistortionStep, DistortionSurvival
    from engine.result import Result


@dataclass(frozen=True, eq=False)
class _Ready:
    """A run that has not begun, with the name of its files and the source of its adversarial images."""

    operation: DistortionSurvival
    run: Run
    stem: str
    source: Mapping[str, Any]
    labels_assumed: bool


def command(
    context: typer.Context,
    record: Annotated[
        str | None,
        typer.Argument(
            help="Record (.json) of an attack, which is run again. Without: images and an attack.", metavar="RECORD", show_default=False
        ),
    ] = None,
    distortions: Annotated[
        str, typer.Option(help="all, or some with a comma between, perhaps with strengths: “blur, jpeg=90 50 10”.")
    ] = "all",
    model: Annotated[str | None, typer.Option(help="The model; “signs + jpeg quality=75” has a defense. Without: signs.")] = None,
    attack: Annotated[str | None, typer.Option(help="Which attack; its own fields become options. Without: pgd.")] = None,
    preset: Annotated[str | None, typer.Option(help="A published setting of the attack, by a part of its title.")] = None,
    data_set: Annotated[str | None, typer.Option(help="The images: mnist, gtsrb:train, generated:signs, folder:PATH...")] = None,
    count: Annotated[int | None, whole(1, help="How many of the images, spread evenly. Without: all.")] = None,
    image: Annotated[Path | None, typer.Option(help="One image in place of a data set; with a record, its clean image.")] = None,
    label: Annotated[str | None, typer.Option(help="True class of --image, by name or number. Without: the prediction.")] = None,
    transfer: Annotated[str | None, typer.Option(help="Other models, comma between, that read the adversarial images, too.")] = None,
    row: Annotated[int | None, whole(0, help="Which image is on the contact sheet. Without: the first adversarial one.")] = None,
    data: Root = None,
    out: Folder = FOLDER,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    figure: Format = "pdf",
    width_mm: WidthMm = 174.0,
    overwrite: Overwrite = False,
    json: Json = False,
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the attack that --attack names.")] = False,
) -> int:
    """Distort adversarial images at growing strength: predictions, destruction rate, contact sheet; CSV, record (JSON), figure."""
    from engine.cli.attack import help_of

    if help:
        return help_of(context, attack or "pgd")
    if record is not None and record.startswith("--"):  # an option that is the attack's own comes first
        context.args[:0], record = [record], None
    if record is not None:
        _refuse_beside_a_record(
            context, {"--model": model, "--attack": attack, "--preset": preset, "--data-set": data_set, "--label": label}
        )
    elif (data_set is None) == (image is None):
        raise GibbonError("Which images? Give a record of an attack, or --data-set, such as generated:signs, or --image FILE.")
    from engine.cli.output import made_folder, refuse_existing
    from engine.record import repeatable

    stem = f"distortion-{attack or 'pgd'}" if record is None else f"distortion-{Path(record).stem}"
    ends = [".csv", ".images.csv", ".json", f"-sheet.{figure}", f"-sheet.{figure}.json"]
    ends += [f".{figure}", f".{figure}.json"] if data_set is not None else []
    refuse_existing([out / f"{stem}{end}" for end in ends], overwrite)
    with repeatable(threads):
        others = [loaded_behind(name.strip(), device, allow_code, download) for name in (transfer or "").split(",") if name.strip()]
        if record is not None:
            ready = _of_record(Path(record), image, distortions, others, device, threads, allow_code, data, seed, json)
        else:
            operation = _named(context, attack or "pgd", preset, distortions)
            classifier = loaded_behind(model or "signs", device, allow_code, download)
            ready = _of_images(operation, classifier, others, image, label, data_set, count, data, seed, download)
        last, result = _pull(ready, quiet=json)
    return _written(ready, last, result, made_folder(out) / stem, figure, width_mm, row, json)


def _refuse_beside_a_record(context: typer.Context, given: Mapping[str, object]) -> None:
    """Refuse options that a record decides: model, attack and images are those of the record."""
    found = [name for name, value in given.items() if value is not None] + [word for word in context.args if word.startswith("--")]
    if found or context.args:
        what = found[0] if found else context.args[0]
        raise GibbonError(f"The record says which model, attack and image it is, so {what} has no meaning beside it. Leave it out.")


def _named(context: typer.Context, attack: str, preset: str | None, distortions: str) -> DistortionSurvival:
    from engine.cli.attack import build_attack
    from engine.evaluate.distortion import DistortionSurvival

    return DistortionSurvival.of(build_attack(context, attack, preset, None), distortions=distortions)


def _of_record(
    path: Path,
    image: Path | None,
    distortions: str,
    others: list[Classifier],
    device: str | None,
    threads: int,
    allow_code: bool,
    data: Path | None,
    seed: int,
    quiet: bool,
) -> _Ready:
    """Run a recorded attack again, for its adversarial image."""
    from engine.cli.output import complain
    from engine.cli.replaying import run
    from engine.driver import start
    from engine.evaluate.distortion import DistortionSurvival
    from engine.files import ordinary_file
    from engine.operation import Attack
    from engine.record import Record

    ordinary_file(path, "a record (.json)")
    entry = Record.read(path)
    again = run(entry, path.parent, image, device, threads, allow_code, quiet=quiet, data=data)
    if not again.same:
        complain(f"{again.sentence} The distortions are those of the attack as it came out now.")
    made = again.result
    attack = made.operation
    assert isinstance(attack, Attack)
    operation = DistortionSurvival.of(attack, distortions=distortions)
    whose = start(operation, made.classifier, made.clean, made.labels, start=made.adversarial, models=others, seed=seed)
    source = {"record": path.name, "adversarial_sha256": again.sha256, "same_bits": again.same, "labels_assumed": entry.label.assumed}
    return _Ready(operation, whose, path.stem, source, entry.label.assumed)


def _of_images(
    operation: DistortionSurvival,
    classifier: Classifier,
    others: list[Classifier],
    image: Path | None,
    label: str | None,
    data_set: str | None,
    count: int | None,
    root: Path | None,
    seed: int,
    download: bool,
) -> _Ready:
    """Take an image or a data set, which the operation attacks first."""
    import torch

    from engine.cli.attack import load_data
    from engine.driver import start
    from engine.evaluate.transfer import as_taken, images_of
    from engine.images import open_image

    if image is not None:
        clean = open_image(image).crop_to(classifier, None)[None]
        labels = None if label is None else torch.tensor([class_number(label, classifier.labels, "label")])
        whose = start(operation, classifier, clean, labels, models=others, seed=seed)
        return _Ready(operation, whose, image.stem, {"image": image.name, "labels_assumed": label is None}, label is None)
    images = load_data(data_set or "", count, root, seed, download)
    taker = as_taken(classifier, images.shape)
    if taker is None:
        takes, has = images_of(classifier.input_shape[0]), images_of(images.shape[0])
        raise GibbonError(f"“{classifier.name}” takes {takes}, “{images.name}” has {has}. Choose a model for such images.")
    whose = start(operation, taker, data=images, models=others, seed=seed)
    return _Ready(operation, whose, images.name, {"data_set": images.name, "images": len(images)}, labels_assumed=False)


def _pull(ready: _Ready, quiet: bool) -> tuple[DistortionStep, Result]:
    """Run to the end, or to Ctrl-C, with a progress bar; return the last step and the result."""
    from engine.cli.output import every, interruptible, progress
    from engine.evaluate.distortion import DistortionStep

    with ready.run as run, interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task(ready.operation.title, total=1000, news=""), every(0.2)
        for step in run:
            if not bar.disable and due():
                bar.update(task, completed=round(1000 * (step.share_done or 0)), news=step.news)
            if interrupt.pressed:
                break
        run.close()  # before the result is read, so that a run left early counts as cancelled
        last = run.last
        assert isinstance(last, DistortionStep)
        return last, run.result()


def _written(
    ready: _Ready, last: DistortionStep, result: Result, path: Path, figure: str, width_mm: float, row: int | None, json: bool
) -> int:
    from engine.cli.output import complain, say, say_artifact, say_json
    from engine.figures import contact_sheet, export, rates_figure
    from engine.record import distortion_record, write_distortions

    if last.undistorted is None:
        complain("Cancelled before the attack was done, so nothing was written.")
        return INTERRUPTED
    if row is not None and row >= len(last.clean):
        raise GibbonError(f"There is no image {row}: they are numbered from 0 to {len(last.clean) - 1}. Choose another --row.")
    record = distortion_record(result, last, ready.source)
    files = write_distortions(result, last, ready.source, path)
    if len(last.clean) > 1:
        files += export(rates_figure(result, last, width_mm), path.with_name(f"{path.name}.{figure}"), record)
    files += export(contact_sheet(result, last, row, width_mm), path.with_name(f"{path.name}-sheet.{figure}"), record)
    if json:
        say_json({"files": [str(file) for file in files], **record})
    else:
        say_artifact(result.artifacts["predictions" if len(last.clean) == 1 else "survival"])  # type: ignore[arg-type]
        said = ready.operation.sentences(last, assumed=ready.labels_assumed)
        say("", f"{result.seconds:.1f} s", *said, *(f"  {file}" for file in files))
    if result.reason == "cancelled":
        complain("Cancelled: the distortions that were not reached are left out.")
        return INTERRUPTED
    return 0
