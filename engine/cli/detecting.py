"""Loading of a detector and of its pictures on the command line, and a recorded attack on one again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.replaying import OTHER_BITS

if TYPE_CHECKING:
    from engine.object_detection import Boxes, Detector
    from engine.object_detection.pictures import Pictures

_SOURCE = typer.Argument(
    metavar="DETECTOR",
    help="toy-signs, torchvision:NAME, untrained:NAME (random weights), a checkpoint file, or FILE.py:FACTORY.",
    show_default=False,
)
DetectorSource = Annotated[str, _SOURCE]
OptionalDetectorSource = Annotated[str | None, _SOURCE]
ImageFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="IMAGE...", help="Image files at the detector's size if it has one, or folders.")
]
Truths = Annotated[
    Path | None, typer.Option(help="JSON with the true boxes of images; without images, all that it names. See docs/detectors.md.")
]
Scenes = Annotated[int | None, typer.Option(min=1, help="That many scenes drawn by this project in place of images, for toy-signs.")]
SceneSeed = Annotated[int, typer.Option(min=0, help="Seed of the drawn scenes; the toy was trained on those of seed 0.")]
DetectorArchitecture = Annotated[str | None, typer.Option(help="Of a checkpoint file: grid (that of toy-signs) or torchvision:NAME.")]
UNSEEN = 7
"""The seed of the scenes where none is given: none of the training or of the card's measurement."""


def loaded_detector(
    source: str,
    device: str | None,
    allow_code: bool,
    download: bool = False,
    architecture: str | None = None,
    labels: tuple[str, ...] | None = None,
) -> Detector:
    """Load the detector; ask first where that runs a user's code, and show a bar while weights are downloaded."""
    from engine.cli.options import ask_for_code, chosen_device
    from engine.cli.output import progress
    from engine.object_detection.loading import load, runs_code

    chosen = chosen_device(device)
    if runs_code(source) and not allow_code:
        ask_for_code(source)
    with progress(quiet=not download) as bar:
        task = bar.add_task("download", total=None, news="")
        return load(
            source,
            device=chosen,
            architecture=architecture,
            labels=labels,
            allow_code=True,  # the user has agreed above
            fetch=download,
            progress=lambda done, total: bar.update(task, completed=done, total=total, news="bytes"),
        )


def chosen_pictures(detector: Detector, images: list[Path], truths: Path | None, scenes: int | None, scene_seed: int) -> Pictures:
    """Return the images that the command names, with their true boxes: files, or drawn scenes.

    Raises
    ------
    GibbonError
        Both or neither are named, or the scenes hold other classes than the detector's.
    """
    from engine.errors import GibbonError
    from engine.object_detection.pictures import check_drawn, drawn_pictures, read_pictures

    if scenes is None:
        if not images and truths is None:
            raise GibbonError("Which images? Name image files, --truths FILE, or --scenes N for drawn ones.")
        return read_pictures(images, truths, detector.labels, detector.channels)
    if images or truths is not None:
        raise GibbonError("--scenes draws images with their boxes. Leave the image files and --truths out, or leave --scenes out.")
    check_drawn(detector.labels, detector.name)
    return drawn_pictures(scenes, scene_seed)


def boxes_json(boxes: Boxes, detector: Detector) -> list[dict[str, Any]]:
    """Return boxes for JSON: sides in pixels, class and score."""
    found = zip(boxes.xyxy.tolist(), boxes.labels.tolist(), boxes.scores.tolist(), strict=True)
    return [{"box": sides, "label": detector.labels[label], "score": score} for sides, label, score in found]


def replay_recorded(path: Path, *, device: str | None, threads: int | None, allow_code: bool, json: bool) -> int:
    """Run a recorded attack on a detector again, with a progress bar. Return 0 for the same bits, and 1 for others."""
    from engine.cli.output import interruptible, progress, say, say_json
    from engine.operation import Step
    from engine.record.detections import DetectionRecord, replay_detection

    record = DetectionRecord.read(path)

    def load(source: str, device: str, architecture: str | None, labels: tuple[str, ...]) -> Detector:
        return loaded_detector(source, device, allow_code, architecture=architecture, labels=labels)

    with interruptible() as interrupt, progress(quiet=json) as bar:
        task = bar.add_task(f"replay {record.operation.slug}", total=None, news="")

        def watch(step: Step) -> bool:
            bar.update(task, completed=step.index, total=step.total, news=step.news)
            return not interrupt.pressed

        again = replay_detection(record, folder=path.parent, device=device, threads=threads, load_detector=load, watch=watch)
    if interrupt.pressed:
        raise KeyboardInterrupt
    if json:
        say_json(
            {
                "same": again.same,
                "sentence": again.sentence,
                "recorded": record.outcome.patch_sha256,
                "now": again.sha256,
                "device": again.device,
            }
        )
    else:
        say(again.sentence, f"  recorded patch sha256 {record.outcome.patch_sha256}", f"  now      patch sha256 {again.sha256}")
    return 0 if again.same else OTHER_BITS
