"""The engine's work for the Images dock: opening the images, starting the batch, and making a run of one row. Called in engine threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.attack_inputs import AttackInputs
from gui.session.attack_start import scene_after
from gui.session.history import AttackRun
from gui.session.open_image import cropped
from gui.session.scene import Scene

if TYPE_CHECKING:
    from engine import Attack, Classifier
    from engine.evaluate.batch import Aim, ImageResults, ImageRow, ImageRun, Subjects
    from engine.stickers import Sticker
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources
    from gui.session.start_image import StartImage
    from gui.session.state import Region


@dataclass(frozen=True, eq=False)
class BatchRequest:
    """Everything that a batch is made from, fixed at its start."""

    attack: Attack
    classifier: Classifier
    choice: Choice | None
    """The data set; None: files."""
    files: tuple[Path, ...]
    count: int | None
    draw: int | None
    aim: Aim
    seed: int
    together: int
    data: Choice | None
    """The data set that the attack learns from."""
    begin: StartImage | None
    stickers: tuple[Sticker, ...]
    region: Region


def prepare(request: BatchRequest, sources: DataSources) -> Iterator[str]:
    """Load the data sets, so that `make_batch` finds them in memory, and say how far it is."""
    for choice in (request.choice, request.data):
        if choice is not None:
            for done, of in sources.loading(choice):
                yield f"loading {choice.title}, {done:,} of {of:,}"


def make_batch(request: BatchRequest, sources: DataSources) -> ImageRun:
    """Start the batch, after `prepare`."""
    from engine.evaluate.batch import attack_images

    attack = request.attack
    return attack_images(
        attack,
        request.classifier,
        _subjects(request, sources),
        seed=request.seed,
        aim=request.aim,
        together=request.together,
        data=None if request.data is None else sources.load(request.data),
        start=None if request.begin is None or "start" not in attack.uses else request.begin.image,
        stickers=request.stickers,
        region=request.region if attack.masked else "image",
    )


def _subjects(request: BatchRequest, sources: DataSources) -> Subjects:
    from engine.data import Selection
    from engine.evaluate.batch import from_data, from_files

    choice = request.choice
    if choice is None:
        return from_files(request.files, request.classifier, Selection(request.count, seed=request.draw))
    selection = Selection(choice.count, choice.classes, None if choice.drawn_here else choice.draw)
    return from_data(sources.load(choice), request.classifier, selection)


def run_of(results: ImageResults, row: ImageRow, data: Choice | None = None) -> AttackRun:
    """Make a finished run of one row, whose image is opened again. A row without its result is attacked again, to the same bits."""
    inputs = results.inputs
    subject, classifier = results.subjects.items[row.number], results.classifier
    opened = cropped(subject.open(), classifier)
    info = {**opened.info, **({"source": subject.source} if subject.source else {})}
    before = Scene(classifier, opened.clean, inputs["stickers"])
    taken = AttackInputs(inputs["region"], None if row.label_assumed else row.label, row.target, row.seed, data, inputs["start"])
    result = row.result if row.result is not None else _again(results, row)
    for name in ("prediction", "success", "norms", "remarks", "survives_8bit", "reached_before"):
        getattr(result, name)  # computed here, so that the main thread needs no forward pass
    after = scene_after(before, result)
    return AttackRun(result=result, scene=after, before=before, image=info, inputs=taken, photograph=opened.photograph)


def _again(results: ImageResults, row: ImageRow) -> Any:
    """Attack the image of one row again, with its seed."""
    from engine.evaluate.batch import attack_images

    inputs = results.inputs
    subject = replace(results.subjects.items[row.number], label=None if row.label_assumed else row.label)
    alone = replace(results.subjects, items=(subject,))
    given = {name: inputs[name] for name in ("data", "start", "mask", "stickers", "region")}
    aim: Aim = "away" if row.target is None else row.target
    with attack_images(results.attack, results.classifier, alone, seed=row.seed, aim=aim, **given) as run:
        for _ in run:
            pass
    return run.result().rows[0].result


def write(results: ImageResults, path: Path, images: bool) -> list[Path]:
    """Write the table and its record, and the adversarial images if wanted."""
    from engine.record import write_batch

    return write_batch(results, path, images=images)
