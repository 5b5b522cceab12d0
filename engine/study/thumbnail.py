"""The small picture of a study: its canvas, for lists of recent studies and for other programs."""

from __future__ import annotations

import io

import numpy as np

from engine.images import levels
from engine.stickers import paint
from engine.study.values import Study

SIDE = 128
"""Pixels of the longer side. Smaller images are enlarged in whole multiples, so that their pixels stay sharp."""


def png(study: Study) -> bytes | None:
    """Return the picture as PNG; None where the canvas is empty, or its image has neither one nor three channels."""
    from PIL import Image

    canvas = study.canvas
    if canvas.clean is None or len(canvas.clean) not in (1, 3):
        return None
    shown = paint(canvas.clean, canvas.stickers)
    shown = shown if canvas.delta is None else (shown + canvas.delta).clamp(0, 1)
    pixels = levels(shown.clamp(0, 1)).byte().permute(1, 2, 0).numpy()
    picture = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if len(shown) == 1 else pixels))
    times = SIDE // max(picture.size)
    if times > 1:
        picture = picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
    else:
        picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
