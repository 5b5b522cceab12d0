"""Records of finished runs, which the command line replays. Called in the engine thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.record import ImageEntry, Record
    from gui.session.history import AttackRun


def record_of_entry(entry: AttackRun, folder: Path) -> Record:
    """Return the record of a run, with paths relative to ``folder``.

    The stickers are recorded beside the image's file if painting the fixed ones gives the image that was attacked. Content that an earlier
    attack made is not fixed, and a replay leaves it out: an image with such stickers is stored as pixels.
    """
    from engine.record import MaskEntry, Packed, record_of
    from engine.stickers import compose

    scene, result = entry.before, entry.result
    attacked, mask = result.clean[0].detach().cpu(), mask_of(entry)
    composition = compose(scene.clean, scene.stickers)
    with_stickers = bool(scene.stickers) and attacked.equal(composition.base.cpu())
    start = composition.content if "stickers" in result.operation.uses and scene.stickers else entry.inputs.begin
    return record_of(
        result,
        image=_image(entry, scene.clean if with_stickers else attacked, folder),
        mask=None if mask is None else MaskEntry(pixels=Packed.of(mask)),
        start=start,
        stickers=scene.stickers if with_stickers else (),
        folder=folder,
        first_row=entry.inputs.row,
    )


def mask_of(entry: AttackRun) -> Tensor | None:
    """Return the mask ``(1, H, W)`` of the pixels that the run could change; None for all pixels."""
    from engine.stickers import compose

    if entry.inputs.mask is not None:
        return entry.inputs.mask
    if "stickers" in entry.result.operation.uses or entry.inputs.region == "stickers":
        return compose(entry.before.clean, entry.before.stickers).mask
    return None


def _image(entry: AttackRun, image: Tensor, folder: Path) -> ImageEntry:
    """Return the entry of an image: its file where that gives it, else its pixels."""
    from engine.record import ImageEntry, Packed, digest, relative

    info = entry.image
    if info.get("path") and info.get("crop") and image.equal(entry.before.clean):
        path, crop = relative(Path(info["path"]), folder), tuple(info["crop"])
        return ImageEntry(path=path, sha256=info["sha256"], crop=crop, bits=digest(image))
    return ImageEntry(pixels=Packed.of(image), bits=digest(image))
