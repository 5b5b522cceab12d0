"""Command ``gibbon batch``: one attack on many images; a table (CSV) with a row each, and a record (JSON) that repeats it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.attack import build_attack, help_of, load_data, preprocessing, region
from engine.cli.options import (
    Activation,
    AllowCode,
    Architecture,
    Defense,
    Device,
    Download,
    HeadKind,
    Json,
    Model,
    Out,
    Overwrite,
    Seed,
    Threads,
    class_number,
    loaded,
)
from engine.cli.values import whole
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.evaluate.batch import Aim, ImageResults, ImageRun, Subjects
    from engine.record import ModelOptions

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
INTERRUPTED = 130
OTHER_BITS = 1


def command(
    context: typer.Context,
    images: Annotated[list[Path] | None, typer.Option(help="An image file, or a folder of images; can be repeated.")] = None,
    image_set: Annotated[str | None, typer.Option(help="A data set in their place: mnist, gtsrb:train, generated:signs...")] = None,
    count: Annotated[int | None, whole(1, help="How many of the images. Without: all.")] = None,
    classes: Annotated[str | None, typer.Option(help="Of the data set these classes only, by name or number, comma between.")] = None,
    draw: Annotated[int | None, whole(0, help="Seed by which they are drawn. Without: spread evenly over the set.")] = None,
    model: Model = "signs",
    attack: Annotated[str, typer.Option(help="Which attack; its own fields become options, see --attack NAME --help.")] = "pgd",
    preset: Annotated[str | None, typer.Option(help="A published setting of the attack, by a part of its title.")] = None,
    aim: Annotated[
        str, typer.Option(help="away (from the label), random, next, “least likely”, or one class for all, by name or number.")
    ] = "away",
    together: Annotated[int, whole(1, help="Images in one batch: more are faster, but the last bits of a row may differ.")] = 1,
    defense: Defense = None,
    mask: Annotated[Path | None, typer.Option(help="Image of the model's size: white may change, black stays.")] = None,
    sticker: Annotated[list[str] | None, typer.Option(help="Rectangle left,top,width,height that may change; can be repeated.")] = None,
    data_set: Annotated[str | None, typer.Option(help="For attacks that learn from many images: mnist, gtsrb:train...")] = None,
    data_count: Annotated[int | None, whole(1, help="How many of its images, spread evenly. Without: all.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")] = None,
    repeat: Annotated[Path | None, typer.Option(help="The record of a batch: repeat it, and compare every bit.")] = None,
    seed: Seed = 0,
    out: Out = Path(),
    pictures: Annotated[bool, typer.Option("--pictures", help="Write the adversarial images as PNG, too.")] = False,
    device: Device = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    json: Json = False,
    architecture: Architecture = None,
    activation: Activation = None,
    head: HeadKind = "logits",
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the attack that --attack names.")] = False,
) -> int:
    """Attack many images. An image that fails is a row with a sentence. Ctrl-C keeps the rows so far."""
    if help:
        return help_of(context, attack)
    if repeat is not None:
        return _repeat(repeat, data, device, allow_code, quiet=json)
    if bool(images) == (image_set is not None):
        raise GibbonError("Which images? Give either --images FILE_OR_FOLDER or --image-set NAME.")
    from engine.cli.output import made_folder, refuse_existing
    from engine.evaluate.batch import attack_images
    from engine.record import ModelOptions, repeatable

    steps = preprocessing(defense)
    operation = build_attack(context, attack, preset, None if aim == "away" else aim)
    table = out / f"{_stem(images, image_set)}-{operation.slug}.csv"
    refuse_existing([table, table.with_suffix(".json"), *([table.with_suffix("")] if pictures else [])], overwrite)
    with repeatable(threads):
        classifier = loaded(model, device, allow_code, ModelOptions(architecture=architecture, activation=activation, head=head), download)
        subjects = _chosen(images, image_set, count, classes, draw, seed, data, download, classifier)
        run = attack_images(
            operation,
            classifier,
            subjects=subjects,
            seed=seed,
            aim=_aim(aim, classifier),
            together=together,
            data=None if data_set is None else load_data(data_set, data_count, data, seed, download),
            mask=region(classifier, mask, sticker or []),
            defense=steps,
        )
        made_folder(out)  # once nothing is refused any more, and before the first image is attacked
        results = _pull(run, quiet=json)
    return _written(results, table, pictures, json)


def _stem(images: list[Path] | None, image_set: str | None) -> str:
    return (image_set or "").replace(":", "-").replace("/", "-") if image_set is not None else (images or [Path("images")])[0].stem


def _aim(text: str, classifier: Classifier) -> Aim:
    from engine.evaluate.batch import RULES

    return text if text in RULES else class_number(text, classifier.labels, "aim")


def _chosen(
    images: list[Path] | None,
    image_set: str | None,
    count: int | None,
    classes: str | None,
    draw: int | None,
    seed: int,
    root: Path | None,
    download: bool,
    classifier: Classifier,
) -> Subjects:
    from engine import data as data_sets
    from engine.data.sources import labels_of
    from engine.evaluate.batch import from_data, from_files

    if image_set is None:
        if classes is not None:
            raise GibbonError("--classes chooses from a data set: give one with --image-set, or leave --classes out.")
        return from_files(images or [], classifier, data_sets.Selection(count, seed=draw))
    name, split = data_sets.parse_name(image_set)
    numbers: tuple[int, ...] = ()
    if classes is not None:
        numbers = tuple(class_number(each.strip(), labels_of(name, split), "classes") for each in classes.split(","))
    selection = data_sets.Selection(count, numbers, draw)
    data = data_sets.load(name, split, root, download, count=count, seed=seed, classes=numbers, draw=draw)
    return from_data(data, classifier, selection)


def _pull(run: ImageRun, quiet: bool) -> ImageResults:
    """Run to the end, or to Ctrl-C, with a progress bar."""
    from engine.cli.output import every, interruptible, progress

    with run, interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task(run.attack.title, total=None, news=""), every(0.1)
        for step in run:
            if not bar.disable and due():
                bar.update(task, completed=step.index, total=step.total, news=step.news)
            if interrupt.pressed:
                break
        run.close()  # before the result is read, so that a run left early counts as cancelled
        return run.result()


def _written(results: ImageResults, table: Path, pictures: bool, json: bool) -> int:
    """Write the table and its record, and say the outcome: with a defense that of the attacker who knows it first, then of the other."""
    from engine.cli.batch_defense import defense_json, heading, unaware
    from engine.cli.output import complain, say, say_json
    from engine.record import write_batch

    files, beside = write_batch(results, table, images=pictures), results.sentences
    if json:
        plain = {
            "files": [str(path) for path in files],
            "images": results.subjects.words,
            **results.summary.plain(),
            "caveat": " ".join(beside),
        }
        say_json({**plain, **defense_json(results)})
    else:
        sentences = (*heading(results), *results.summary.sentences(), *unaware(results), *beside)
        say(results.subjects.words, *results.subjects.notes, *sentences, *(f"  {path}" for path in files))
    if results.reason == "cancelled":
        complain(f"Cancelled: the table holds {len(results.rows):,} of {len(results.subjects):,} images.")
        return INTERRUPTED
    return 0


def _repeat(path: Path, root: Path | None, device: str | None, allow_code: bool, quiet: bool) -> int:
    from engine.cli.batch_defense import defense_json, heading, unaware
    from engine.cli.output import say, say_json
    from engine.record import BatchRecord, compared, repeat_batch, repeatable

    record = BatchRecord.read(path)

    def load(source: str, device: str, options: ModelOptions) -> Classifier:
        return loaded(source, device, allow_code, options)

    with repeatable(record.threads):
        results = _pull(repeat_batch(record, folder=path.parent, data_root=root, load=load, device=device), quiet)
    sentence = compared(record, results)
    if quiet:
        same = sentence.startswith("The same bits again")
        say_json({"sentence": sentence, "same": same, **results.summary.plain(), **defense_json(results)})
    else:
        say(sentence, *heading(results), *results.summary.sentences(), *unaware(results))
    return 0 if sentence.startswith("The same bits again") else OTHER_BITS
