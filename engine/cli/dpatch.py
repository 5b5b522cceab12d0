"""Command ``gibbon dpatch``: one patch against a detector of objects; patch, record and figure as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.detecting import (
    UNSEEN,
    DetectorArchitecture,
    OptionalDetectorSource,
    Scenes,
    SceneSeed,
    Truths,
    boxes_json,
    chosen_pictures,
    loaded_detector,
)
from engine.cli.options import AllowCode, Device, Download, Json, Out, Overwrite, Seed, Threads, WidthMm, class_number
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.artifacts import Table
    from engine.object_detection import Detector, DetectorResult, DPatch
    from engine.object_detection.pictures import Pictures
    from engine.record.detections import DetectionRecord

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def command(
    context: typer.Context,
    detector: OptionalDetectorSource = None,
    image: Annotated[
        list[Path] | None, typer.Option(help="An image file at the detector's size if it has one, or a folder; can be repeated.")
    ] = None,
    truths: Truths = None,
    scenes: Scenes = None,
    scene_seed: SceneSeed = UNSEEN,
    target: Annotated[str | None, typer.Option(help="Class to be seen at the patch. Without: objects are hidden.")] = None,
    attacked: Annotated[str | None, typer.Option(help="Class whose average precision is to fall. Without: the mean over all.")] = None,
    preset: Annotated[str | None, typer.Option(help="A published setting, by a part of its title; --help lists them.")] = None,
    elsewhere: Annotated[bool, typer.Option("--elsewhere", help="Measure the patch at nine places where it was not trained, too.")] = False,
    seed: Seed = 0,
    out: Out = Path(),
    width_mm: WidthMm = 174.0,
    device: Device = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    json: Json = False,
    architecture: DetectorArchitecture = None,
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the attack.")] = False,
) -> int:
    """Optimise a patch against a detector; write the patch (PNG), its record (JSON) and a figure with the boxes (PDF)."""
    if help:
        return _help(context)
    if detector is None:
        raise GibbonError("Which detector? Name one first, such as toy-signs.")
    from engine.cli.output import made_folder, refuse_existing, say, say_artifact, say_json
    from engine.object_detection.elsewhere import elsewhere as measured
    from engine.record import repeatable

    operation = _operation(context, preset, target)
    patch, record, figure = (out / f"dpatch{suffix}" for suffix in (".png", ".json", ".pdf"))
    refuse_existing([patch, record, figure], overwrite)
    with repeatable(threads):
        attacked_detector = loaded_detector(detector, device, allow_code, download, architecture)
        labels = attacked_detector.labels
        pictures = chosen_pictures(attacked_detector, image or [], truths, scenes, scene_seed)
        aims = {
            "target": None if target is None else class_number(target, labels, "target"),
            "attacked": None if attacked is None else class_number(attacked, labels, "attacked"),
        }
        result = _run(operation, attacked_detector, pictures, seed, out, json, aims)
        moved = measured(result) if elsewhere else None
    made_folder(out)
    entry = _write(result, pictures, scenes, scene_seed, (patch, record, figure), width_mm)
    if json:
        say_json(_json(result, pictures, entry, moved, (patch, record, figure)))
        return 0
    toy = attacked_detector.card.get("toy")
    say(f"{attacked_detector.name}: {result.sentence}", *([str(toy)] if toy else []))
    if result.truths_assumed:
        say(f"  The true boxes are the clean detections with a score of {operation.least_score:g} or more, since none were given.")
    rows = f"{result.forwards:,} forward and {result.backwards:,} backward rows"
    say(f"  {result.steps_made} steps in {result.seconds:.1f} s, {rows}; {result.reason}")
    for table in (result.artifacts["precision"], moved):
        if table is not None:
            say_artifact(table)  # type: ignore[arg-type]
    say(*(f"  {path}" for path in (patch, record, figure)))
    return 0


def _operation(context: typer.Context, preset: str | None, target: str | None) -> DPatch:
    from engine.cli.fields import parse
    from engine.cli.own_options import own_options
    from engine.object_detection import DPatch

    given = parse(DPatch, context.args, own_options(context))
    chosen = None if preset is None else DPatch.preset(preset)
    if chosen is not None and "targets" in chosen.needs and target is None:
        raise GibbonError(f"The preset “{chosen.title}” needs a class to be seen. Name one with --target.")
    return DPatch.build(**{**({} if chosen is None else chosen.values), **given})


def _run(
    operation: DPatch, detector: Detector, pictures: Pictures, seed: int, out: Path, quiet: bool, aims: dict[str, int | None]
) -> DetectorResult:
    from engine.cli.output import every, interruptible, made_folder, progress
    from engine.object_detection import PatchStep, start
    from engine.text.formatting import format_reading

    with (
        start(operation, detector, pictures.batch(), pictures.truths, seed=seed, **aims) as run,
        interruptible() as interrupt,
        progress(quiet) as bar,
    ):
        made_folder(out)  # now, so that a wrong folder is reported before an hour of attacking
        units, due = operation.reading_units, every(0.1)
        task, begun = bar.add_task(operation.title, total=None, news=""), False
        for step in run:
            begun = begun or isinstance(step, PatchStep)
            if not bar.disable and due():
                readings = ", ".join(f"{name} {format_reading(float(value), units.get(name, ''))}" for name, value in step.readings.items())
                bar.update(task, completed=step.index, total=step.total, news=readings or step.news)
            if interrupt.pressed and begun:  # before the first look there is nothing to keep
                break
        run.close()
        return run.result()


def _write(
    result: DetectorResult, pictures: Pictures, scenes: int | None, scene_seed: int, files: tuple[Path, Path, Path], width_mm: float
) -> DetectionRecord:
    from engine.figures import export
    from engine.figures.detections import attack_figure
    from engine.images import write_png
    from engine.record.detections import ScenesEntry, detection_record

    patch, record, figure = files
    drawn = None if scenes is None else ScenesEntry(count=scenes, seed=scene_seed)
    entry = detection_record(result, pictures, drawn, record.parent)
    write_png(patch, result.patch)
    entry.write(record)
    least = float(getattr(result.operation, "least_score", 0.5))
    export(attack_figure(result, pictures.names, least, width_mm=width_mm), figure, entry.model_dump(mode="json"))
    return entry


def _json(
    result: DetectorResult, pictures: Pictures, entry: DetectionRecord, moved: Table | None, files: tuple[Path, ...]
) -> dict[str, Any]:
    outcome = entry.outcome.model_dump(mode="json", exclude={"before", "after"})
    return {
        "detector": entry.detector.model_dump(mode="json"),
        "operation": entry.operation.model_dump(mode="json"),
        "sentence": result.sentence,
        "truths_assumed": result.truths_assumed,
        **outcome,
        "images": [
            {
                "image": name,
                "place": list(place),
                "before": boxes_json(before, result.detector),
                "after": boxes_json(after, result.detector),
            }
            for name, place, before, after in zip(pictures.names, entry.places, result.before, result.after, strict=True)
        ],
        **({} if moved is None else {"elsewhere": [dict(zip(moved.columns, row, strict=True)) for row in moved.rows]}),
        "files": [str(path) for path in files],
    }


def _help(context: typer.Context) -> int:
    from engine.cli.fields import listed
    from engine.cli.output import say_help
    from engine.object_detection import DPatch

    typer.echo(context.get_help())
    say_help(listed(DPatch), "", "Presets: " + "; ".join(preset.title for preset in DPatch.presets))
    return 0
