"""Command ``gibbon detect``: the boxes that a detector of objects finds, and its average precision where the truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.detecting import (
    UNSEEN,
    DetectorArchitecture,
    DetectorSource,
    ImageFiles,
    Scenes,
    SceneSeed,
    Truths,
    boxes_json,
    chosen_pictures,
    loaded_detector,
)
from engine.cli.options import AllowCode, Device, Download, Json, Overwrite, Threads, WidthMm
from engine.cli.values import number

if TYPE_CHECKING:
    from engine.object_detection import Boxes, Detector, Precision
    from engine.object_detection.pictures import Pictures


def command(
    detector: DetectorSource,
    image: ImageFiles = None,
    truths: Truths = None,
    scenes: Scenes = None,
    scene_seed: SceneSeed = UNSEEN,
    least_score: Annotated[float, number(0, 1, help="Boxes with a lower score are not shown; the average precision counts all.")] = 0.5,
    figure: Annotated[Path | None, typer.Option(help="Write the images with their boxes here, as .pdf, .svg or .png.")] = None,
    width_mm: WidthMm = 174.0,
    device: Device = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    json: Json = False,
    architecture: DetectorArchitecture = None,
    download: Download = False,
    allow_code: AllowCode = False,
) -> int:
    """Print the boxes that a detector finds in images; with the true boxes, also its average precision at IoU 0.5."""
    from engine.cli.output import made_folder, refuse_existing, say, say_artifact, say_json
    from engine.object_detection import average_precision, precision_table
    from engine.record import repeatable

    if figure is not None:
        refuse_existing([figure], overwrite, "--figure")
        made_folder(figure.parent, "--figure")
    with repeatable(threads):
        asked = loaded_detector(detector, device, allow_code, download, architecture)
        pictures = chosen_pictures(asked, image or [], truths, scenes, scene_seed)
        found = [asked(image[None])[0] for image in pictures.images]
        precision = None
        if pictures.truths is not None:
            known = [
                asked.checked_truths([boxes], 1, tuple(image.shape[1:]))[0]
                for image, boxes in zip(pictures.images, pictures.truths, strict=True)
            ]
            precision = average_precision(found, known, len(asked.labels))
    shown = [boxes.sure(least_score).to("cpu") for boxes in found]
    if json:
        say_json(_json(asked, pictures, shown, precision))
    else:
        for name, boxes in zip(pictures.names, shown, strict=True):
            say(*_lines(name, boxes, asked, least_score))
        if precision is not None:
            table = precision_table(precision, precision, asked.labels)
            rows = tuple(row[:3] for row in table.rows)
            say_artifact(type(table)((*table.columns[:2], "AP"), rows, table.title, units={"AP": "share"}))
        say(*_notes(asked))
    if figure is not None:
        _draw(figure, asked, pictures, shown, width_mm)
        if not json:
            say(f"  {figure}")
    return 0


def _lines(name: str, boxes: Boxes, detector: Detector, least_score: float) -> list[str]:
    from engine.text.formatting import format_probability

    if not len(boxes):
        return [f"{name}: nothing with a score of {format_probability(least_score)} or more"]
    found = zip(boxes.xyxy.tolist(), boxes.labels.tolist(), boxes.scores.tolist(), strict=True)
    lines = [f"{name}:"]
    for sides, label, score in found:
        lines.append(f"  {detector.labels[label]} {format_probability(score)} at {', '.join(f'{side:.1f}' for side in sides)}")
    return lines


def _notes(detector: Detector) -> list[str]:
    toy = detector.card.get("toy")
    return [str(note) for note in (*([toy] if toy else []), *detector.card.get("notes", ()))]


def _json(detector: Detector, pictures: Pictures, found: list[Boxes], precision: Precision | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "detector": {"name": detector.name, "source": detector.source, "fingerprint": detector.fingerprint, "notes": _notes(detector)},
        "images": [{"image": name, "boxes": boxes_json(boxes, detector)} for name, boxes in zip(pictures.names, found, strict=True)],
    }
    if precision is not None:
        by_class = {name: precision.by_class[label] for label, name in enumerate(detector.labels) if precision.truths[label]}
        told["ap"] = {"mean": precision.mean if by_class else None, "by_class": by_class}
    return told


def _draw(path: Path, detector: Detector, pictures: Pictures, found: list[Boxes], width_mm: float) -> None:
    from engine.figures import export
    from engine.figures.detections import MOST, detections_figure

    note = " ".join([f"{detector.name}.", *_notes(detector)])
    drawn = detections_figure(pictures.images[:MOST], found[:MOST], detector.labels, pictures.names[:MOST], note, width_mm)
    export(drawn, path, {"detector": {"name": detector.name, "source": detector.source, "fingerprint": detector.fingerprint}})
