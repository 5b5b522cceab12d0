"""Records of finished runs, which the command line replays. Called in the engine thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.record import ImageEntry, Record
    from gui.session.history import AttackRun


def record_of_entry(entry: AttackRun, folder: Path) -> Record:
    """Return the record of a run, with paths relative to ``folder``. An image with stickers is stored as pixels, since no file holds it."""
    from engine.record import MaskEntry, Packed, record_of
    from engine.stickers import compose

    scene, result = entry.before, entry.result
    mask = mask_of(entry)
    start = compose(scene.clean, scene.stickers).content if "stickers" in result.operation.uses else entry.inputs.begin
    return record_of(
        result,
        image=_image(entry, folder),
        mask=None if mask is None else MaskEntry(pixels=Packed.of(mask)),
        start=start,
        folder=folder,
    )


def mask_of(entry: AttackRun) -> Tensor | None:
    """Return the mask ``(1, H, W)`` of the pixels that the run could change; None for all pixels."""
    from engine.stickers import compose

    if "stickers" in entry.result.operation.uses or entry.inputs.region == "stickers":
        return compose(entry.before.clean, entry.before.stickers).mask
    return None


def _image(entry: AttackRun, folder: Path) -> ImageEntry:
    import torch

    from engine.record import ImageEntry, Packed, digest, relative

    attacked, info = entry.result.clean[0].detach().cpu(), entry.image
    if info.get("path") and info.get("crop") and torch.equal(attacked, entry.before.clean):
        path, crop = relative(Path(info["path"]), folder), tuple(info["crop"])
        return ImageEntry(path=path, sha256=info["sha256"], crop=crop, bits=digest(attacked))
    return ImageEntry(pixels=Packed.of(attacked), bits=digest(attacked))
