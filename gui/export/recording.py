"""Records of finished runs, which the command line replays. Called in the engine thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from engine.record import ImageEntry, Record
    from engine.stickers import Sticker
    from gui.session.history import AttackRun


def record_of_entry(entry: AttackRun, folder: Path) -> Record:
    """Return the record of a run, with paths relative to ``folder``."""
    from engine.record import MaskEntry, Packed, record_of

    image, stickers = _image_and_stickers(entry, folder)
    mask = mask_of(entry)
    return record_of(
        entry.result,
        image=image,
        mask=None if mask is None else MaskEntry(pixels=Packed.of(mask)),
        start=_start(entry),
        stickers=stickers,
        folder=folder,
    )


def mask_of(entry: AttackRun) -> Tensor | None:
    """Return the mask ``(1, H, W)`` of the pixels that the run could change; None for all pixels."""
    from engine.stickers import compose

    if "stickers" in entry.result.operation.uses or entry.inputs.region == "stickers":
        return compose(entry.before.clean, entry.before.stickers).mask
    return None


def _start(entry: AttackRun) -> Tensor | None:
    """Return the image that the run began at; None where the attack makes its start itself."""
    from engine.stickers import compose

    operation = entry.result.operation
    if "stickers" not in operation.uses:
        return entry.inputs.begin
    begins_there = getattr(operation, "begin", "current") == "current"
    return compose(entry.before.clean, entry.before.stickers).content if begins_there else None


def _image_and_stickers(entry: AttackRun, folder: Path) -> tuple[ImageEntry, tuple[Sticker, ...]]:
    """Return the entry of the image and the stickers on it, or the pixels of both together where the parts do not give the same bits."""
    import torch

    from engine.record import ImageEntry, Packed, digest
    from engine.stickers import compose

    attacked, clean = entry.result.clean[0].detach().cpu(), entry.before.clean
    stickers = _as_attacked(entry)
    if torch.equal(compose(clean, stickers).base if stickers else clean, attacked):
        return _entry(clean, entry.image, folder), stickers
    return ImageEntry(pixels=Packed.of(attacked), bits=digest(attacked)), ()


def _as_attacked(entry: AttackRun) -> tuple[Sticker, ...]:
    """Return the stickers of the attacked image. Under an attack on pixels, the content of optimised ones is fixed."""
    from engine.stickers import Optimised, Pixels, content_of

    if "stickers" in entry.result.operation.uses:
        return entry.before.stickers
    channels = entry.before.clean.shape[0]
    return tuple(
        replace(sticker, content=Pixels(content_of(sticker, channels) if sticker.content.image is None else sticker.content.image))
        if isinstance(sticker.content, Optimised)
        else sticker
        for sticker in entry.before.stickers
    )


def _entry(clean: Tensor, info: Mapping[str, Any], folder: Path) -> ImageEntry:
    from engine.record import ImageEntry, Packed, digest, relative

    if info.get("path") and info.get("crop"):
        path, crop = relative(Path(info["path"]), folder), tuple(info["crop"])
        return ImageEntry(path=path, sha256=info["sha256"], crop=crop, bits=digest(clean))
    return ImageEntry(pixels=Packed.of(clean), bits=digest(clean))
