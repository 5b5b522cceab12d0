"""Records of attacks on images with stickers: the parts of the image are recorded, so that a replay paints it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from engine.images.grid import digest
from engine.operation import Operation
from engine.record.making import record_of, relative
from engine.record.packing import Packed
from engine.record.schema import ImageEntry, MaskEntry, Record
from engine.result import AttackResult
from engine.stickers import Optimised, Pixels, Sticker, compose, content_of


def record_of_scene(
    result: AttackResult,
    clean: Tensor,
    *,
    image: Mapping[str, Any],
    stickers: Sequence[Sticker] = (),
    region: Literal["image", "stickers"] = "image",
    begin: Tensor | None = None,
    mask: Tensor | None = None,
    first_row: int = 0,
    folder: Path | None = None,
) -> Record:
    """Return the record of an attack on one image with stickers.

    Parameters
    ----------
    result
        The result, of one row.
    clean
        ``(C, H, W)``: the image without its stickers.
    image
        Where it came from: path, sha256 and crop. Without them, or where the file is gone, the record holds its pixels.
    stickers
        The stickers as they were attacked, in z-order.
    region
        Whether only the stickers to be optimised could change.
    begin
        ``(C, H, W)``: the start of an attack that takes one.
    mask
        ``(1, H, W)``: the mask, where it does not follow from the region and the stickers.
    first_row
        The argument ``first_row`` of the run.
    folder
        The folder of the record.
    """
    entry, parts = _image_and_stickers(result, clean, image, stickers, folder)
    changed = mask if mask is not None else mask_of_scene(result.operation, clean, stickers, region)
    return record_of(
        result,
        image=entry,
        mask=None if changed is None else MaskEntry(pixels=Packed.of(changed)),
        start=_start(result.operation, clean, stickers, begin),
        stickers=parts,
        folder=folder,
        first_row=first_row,
    )


def mask_of_scene(operation: Operation, clean: Tensor, stickers: Sequence[Sticker], region: str) -> Tensor | None:
    """Return the mask ``(1, H, W)`` of an attack on the stickers; None where all pixels may change."""
    if "stickers" in operation.uses or region == "stickers":
        return compose(clean, stickers).mask
    return None


def _start(operation: Operation, clean: Tensor, stickers: Sequence[Sticker], begin: Tensor | None) -> Tensor | None:
    """Return the image that the attack began at; None where it makes its start itself."""
    if "stickers" not in operation.uses or not stickers:
        return begin
    begins_there = getattr(operation, "begin", "current") == "current"
    return compose(clean, stickers).content if begins_there else None


def _image_and_stickers(
    result: AttackResult, clean: Tensor, info: Mapping[str, Any], stickers: Sequence[Sticker], folder: Path | None
) -> tuple[ImageEntry, tuple[Sticker, ...]]:
    """Return the entry of the image and the stickers on it, or the pixels of both together where the parts do not give the same bits."""
    attacked = result.clean[0].detach().cpu()
    parts = _as_attacked(result.operation, clean, stickers)
    if torch.equal(compose(clean, parts).base if parts else clean, attacked):
        return _entry(clean, info, folder), parts
    return ImageEntry(pixels=Packed.of(attacked), bits=digest(attacked)), ()


def _as_attacked(operation: Operation, clean: Tensor, stickers: Sequence[Sticker]) -> tuple[Sticker, ...]:
    """Return the stickers of the attacked image. Under an attack on pixels, the content of optimised ones was fixed."""
    if "stickers" in operation.uses:
        return tuple(stickers)
    return tuple(
        replace(sticker, content=Pixels(content_of(sticker, clean.shape[0]) if sticker.content.image is None else sticker.content.image))
        if isinstance(sticker.content, Optimised)
        else sticker
        for sticker in stickers
    )


def _entry(clean: Tensor, info: Mapping[str, Any], folder: Path | None) -> ImageEntry:
    if info.get("path") and info.get("crop") and Path(info["path"]).is_file():  # one that is gone could not be read by a replay
        path, crop = relative(Path(info["path"]), folder), tuple(info["crop"])
        return ImageEntry(path=path, sha256=info["sha256"], crop=crop, bits=digest(clean))
    return ImageEntry(pixels=Packed.of(clean), bits=digest(clean))
