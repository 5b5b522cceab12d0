"""The stickers that an attack leaves with the content that was optimised, and the record of those that no attack made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.artifacts import StickerContent
from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.record.stickers import StickerEntry
from engine.result import AttackResult
from engine.stickers import Brushed, Optimised, Sticker, with_content
from engine.stickers.shapes import RECTANGLE


def attacked_stickers(result: AttackResult, stickers: Sequence[Sticker] = (), mask: Tensor | None = None) -> tuple[Sticker, ...]:
    """Return the stickers after an attack on one image, as they would be printed.

    Without stickers, each connected part of the mask is one, with the adversarial image as its content.

    Parameters
    ----------
    result
        The result, of one row.
    stickers
        The stickers before the attack, in z-order.
    mask
        ``(1, H, W)``: the mask of the pixels that could change.

    Raises
    ------
    GibbonError
        There is neither a sticker nor a mask, so that nothing could be printed and stuck on.
    """
    found = tuple(stickers) or _parts(mask)
    if not found:
        raise GibbonError(f"{result.operation.title} changed the whole image and there is no sticker, so there is nothing to cut out.")
    made = result.artifacts.get("content")
    return with_content(found, made.pixels[0] if isinstance(made, StickerContent) else result.adversarial[0].detach().cpu())


def canvas_content(classifier: Classifier, stickers: Sequence[Sticker], image: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a sheet's sidecar for stickers that no attack made: model, name of the image, stickers and ``settings``."""
    return {
        "format": "gibbon-print",
        "version": 1,
        "model": {"name": classifier.name, "fingerprint": classifier.fingerprint},
        "image": image,
        "stickers": [StickerEntry.of(sticker).model_dump(mode="json") for sticker in stickers],
        "figure": dict(settings),
    }


def _parts(mask: Tensor | None) -> tuple[Sticker, ...]:
    """Return a sticker for each part of a mask whose pixels touch at an edge; none where there is no mask or it is everything."""
    if mask is None or bool((mask > 0).all()):
        return ()
    from scipy.ndimage import label

    levels = mask.reshape(mask.shape[-2:]).detach().cpu().float()
    parts = torch.from_numpy(np.asarray(label(levels.numpy() > 0)[0]))
    return tuple(_part(levels * (parts == number), number) for number in range(1, int(parts.max()) + 1))


def _part(levels: Tensor, number: int) -> Sticker:
    rows, columns = ((levels > 0).any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    cut = levels[top:bottom, left:right]
    shape = RECTANGLE if bool((cut == 1).all()) else Brushed.of(cut)
    return Sticker(number, left, top, right - left, bottom - top, Optimised(), shape=shape)
