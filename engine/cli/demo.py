"""Command ``gibbon demo``: the main task without a window, an attack on the stop sign with and without a sticker."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Device, Json, Seed, Threads
from engine.errors import GibbonError

if TYPE_CHECKING:
    import torch

    from engine.cli.request import Done
    from engine.images import Sample

FOLDER = Path("gibbon-demo")
PIXEL_PANELS = ("clean", "adversarial", "perturbation", "saliency", "bars", "histogram", "loss")
STICKER_SIDES = (6, 8)
"""Sides of the stickers in pixels. The larger one is tried where the smaller does not flip the label."""


def command(
    out: Annotated[Path, typer.Option(help="Folder for what is written; never one that holds something.")] = FOLDER,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    json: Json = False,
) -> int:
    """Attack the shipped stop sign with PGD and with an optimised sticker; write images, records and figures."""
    from engine.cli.output import program, say, say_json
    from engine.record import repeatable

    if out.exists() and not out.is_dir():
        raise GibbonError(f"“{out}” is a file, and the demonstration needs a folder. Choose another --out.")
    folder = unused(out)
    with repeatable(threads):
        done = run(folder, seed, device, quiet=json)
    if json:
        say_json({"folder": str(folder), "runs": [each.json() for each in done]})
    else:
        for each in done:
            say(*each.sentences(), "")
        say(f"Everything is in {folder}. The same bits again: {program()} replay {done[0].files[1]}")
    return 130 if done[-1].cancelled else 0


def run(folder: Path, seed: int, device: str | None, quiet: bool = False) -> list[Done]:
    """Run the two attacks; Ctrl-C skips the rest."""
    from engine.attacks import PGD, StickerPGD
    from engine.cli.options import loaded
    from engine.cli.output import made_folder
    from engine.cli.request import AttackRequest, Output, perform
    from engine.images import open_image, write_png

    classifier = loaded("signs", device, allow_code=False)
    sample = stop_sign()
    # A copy of the model's input, so that the folder can be moved and its records still replay.
    clean = write_png(made_folder(folder) / "stop.png", sample.open().crop_to(classifier))
    request = AttackRequest(classifier, PGD(), open_image(clean), label=sample.label, seed=seed)
    output = Output(folder, "stop-pgd", PIXEL_PANELS, arrays=True, quiet=quiet)
    done = [perform(request, output)]
    for side in STICKER_SIDES:
        if done[-1].cancelled or (done[-1].record.operation.slug == StickerPGD.slug and done[-1].record.outcome.success):
            break
        sticker = replace(request, attack=StickerPGD(), mask=_middle(side, classifier.input_shape))
        done.append(perform(sticker, replace(output, stem=f"stop-sticker-{side}x{side}")))
    return done


def _middle(side: int, shape: tuple[int, int, int]) -> torch.Tensor:
    import torch

    mask = torch.zeros(1, *shape[1:])
    top, left = (shape[1] - side) // 2, (shape[2] - side) // 2
    mask[:, top : top + side, left : left + side] = 1
    return mask


def stop_sign() -> Sample:
    """Return the shipped stop sign at the model's size.

    Raises
    ------
    GibbonError
        The samples are not installed.
    """
    from engine.images import samples

    stops = [sample for sample in samples() if sample.model == "signs" and sample.label_name == "Stop"]
    if not stops:
        raise GibbonError(
            "The shipped sample images are missing. Install Gibbon again, or attack an image of your own: attack --image FILE."
        )
    return min(stops, key=lambda sample: sample.size or 0)


def unused(folder: Path) -> Path:
    """Return ``folder``, or the first of ``folder-2``, ``folder-3``... that is empty or missing."""
    for number in count(1):
        candidate = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        if not candidate.exists() or (candidate.is_dir() and not any(candidate.iterdir())):
            return candidate
    raise AssertionError
