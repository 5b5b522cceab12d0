"""The engine's work for the Images dock: opening the images, starting the batch, and writing the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Attack, Classifier
    from engine.evaluate.batch import Aim, ImageResults, ImageRun, Subjects
    from engine.stickers import Sticker
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources
    from gui.session.defense import Steps
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
    defense: Steps
    """The preprocessing defense before the model; empty: none."""


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
        defense=request.defense,
    )


def _subjects(request: BatchRequest, sources: DataSources) -> Subjects:
    from engine.data import Selection
    from engine.evaluate.batch import from_data, from_files

    choice = request.choice
    if choice is None:
        return from_files(request.files, request.classifier, Selection(request.count, seed=request.draw))
    selection = Selection(choice.count, choice.classes, None if choice.drawn_here else choice.draw)
    found = from_data(sources.load(choice), request.classifier, selection)
    return replace(found, origin={**found.origin, "root": choice.root})


def write(results: ImageResults, path: Path, images: bool) -> list[Path]:
    """Write the table and its record, and the adversarial images if wanted."""
    from engine.record import write_batch

    return write_batch(results, path, images=images)


def as_python(results: ImageResults) -> str:
    """Return a script that attacks the images again and compares every bit."""
    from engine.record.batches import batch_record
    from engine.script import batch_as_python

    return batch_as_python(batch_record(results, Path.cwd()), Path.cwd())
