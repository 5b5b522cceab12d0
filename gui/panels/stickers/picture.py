"""Reading a picture for a sticker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.stickers import Pixels


def read_picture(path: Path, side: int = 512) -> Pixels:
    """Read a picture for a sticker, reduced to at most ``side`` pixels a side. Called in the engine thread."""
    import torch
    import torch.nn.functional as F

    from engine.images import open_image
    from engine.stickers import Pixels

    photograph = open_image(path)
    values = torch.from_numpy(photograph.pixels.copy()).float() / 255
    image = values[None] if photograph.grey else values.permute(2, 0, 1)
    factor = side / max(image.shape[1:])
    if factor < 1:
        size = [max(1, round(n * factor)) for n in image.shape[1:]]
        image = F.interpolate(image[None], size, mode="bilinear", align_corners=False, antialias=True)[0].clamp(0, 1)
    return Pixels(image.contiguous(), photograph.name)
