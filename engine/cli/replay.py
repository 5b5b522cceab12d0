"""Command ``gibbon replay``: a recorded attack or training again, or every run of a study, with a comparison of every bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import AllowCode, Json
from engine.cli.replaying import OTHER_BITS, run
from engine.cli.values import whole
from engine.errors import GibbonError
from engine.files import is_study, ordinary_file
from engine.text.formatting import format_probability
from engine.threads import MOST_THREADS

if TYPE_CHECKING:
    from engine.record import Replay

RecordOrStudy = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A record (.json), the PNG, PDF or SVG that carries one, or a study.",
        show_default=False,
    ),
]
RecordFile = Annotated[
    Path, typer.Argument(metavar="RECORD", help="A record (.json), or the PNG, PDF or SVG that carries one.", show_default=False)
]
Image = Annotated[Path | None, typer.Option(help="The clean image, where it is no longer where it was.")]
ReplayDevice = Annotated[str | None, typer.Option(help="Another device than the recorded one; the bits may then differ.")]
ReplayThreads = Annotated[int | None, whole(1, MOST_THREADS, help="Another number of threads than the recorded one.")]


def command(
    record: RecordOrStudy,
    image: Image = None,
    out: Annotated[Path | None, typer.Option(help="Write the adversarial image here, as .png.")] = None,
    device: ReplayDevice = None,
    threads: ReplayThreads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over --out.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets, for attacks on one; else GIBBON_DATA.")] = None,
    json: Json = False,
    allow_code: AllowCode = False,
) -> int:
    """Run a recorded attack or training again, or a study's attacks. Exit code 0: the same bits; 1: others; 2: it could not be run."""
    ordinary_file(record, "a record (.json) or a study")  # checked first, since torch takes a while to load
    if is_study(record):
        from engine.cli.replay_study import replay_study

        _refuse({"--image": image, "--out": out}, f"the record of one run, and “{record.name}” is a study")
        return replay_study(record, device=device, threads=threads, allow_code=allow_code, data=data, json=json)
    if record.suffix.lower() == ".json":
        from engine.record import is_training

        if is_training(record):
            from engine.cli.replay_training import replay_recorded

            _refuse({"--image": image, "--out": out}, f"the record of one attack, and “{record.name}” is that of a training")
            return replay_recorded(record, device=device, threads=threads, allow_code=allow_code, data=data, json=json)
        from engine.record.detections import is_detection

        if is_detection(record):
            from engine.cli.detecting import replay_recorded as replay_detection

            _refuse({"--image": image, "--out": out}, f"the record of one attack on a classifier, and “{record.name}” is on a detector")
            return replay_detection(record, device=device, threads=threads, allow_code=allow_code, json=json)
    from engine.cli.output import made_folder, refuse_existing, say, say_json
    from engine.record import Record, save_adversarial

    entry = Record.read(record)
    if out is not None:
        refuse_existing([out], overwrite)
        made_folder(out.parent)
    again = run(entry, record.parent, image, device, threads, allow_code, quiet=json, data=data)
    saved = None if out is None else save_adversarial(again.result, 0, out)
    if json:
        say_json(_json(again))
    else:
        after = entry.outcome.after
        say(
            again.sentence,
            f"  recorded {after.name} {format_probability(after.probability)}, sha256 {entry.outcome.adversarial_sha256}",
            f"  now      {_now(again)}, sha256 {again.sha256}",
            *([] if saved is None else [f"  {saved.sentence}"]),
        )
    return 0 if again.same else OTHER_BITS


def _refuse(given: dict[str, object], where: str) -> None:
    """Refuse options that the file has no use for."""
    for name, value in given.items():
        if value is not None:
            raise GibbonError(f"{name} belongs to {where}. Leave it out.")


def _now(again: Replay) -> str:
    best = int(again.result.prediction[0])
    return f"{again.result.classifier.labels[best]} {format_probability(float(again.result.logits[0].softmax(0)[best]))}"


def _json(again: Replay) -> dict[str, Any]:
    return {
        "same": again.same,
        "sentence": again.sentence,
        "recorded": again.record.outcome.adversarial_sha256,
        "now": again.sha256,
        "device": again.device,
    }
