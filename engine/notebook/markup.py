"""Parts of HTML: escaped text, tables, bars and inline pictures. Colours follow the notebook's theme."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from engine.images.grid import levels

SIDE = 144
"""Shorter side of a small picture in the notebook, in CSS pixels; larger pictures are shown at their own size."""
CLEAN, ADVERSARIAL = "#0072B2", "#D55E00"
"""The colours of clean and adversarial everywhere in the project (Okabe and Ito)."""


def escaped(text: object) -> str:
    """Return text that HTML shows as it is."""
    return html.escape(str(text))


def picture(image: Tensor, caption: str, alt: str) -> str:
    """Return an image ``(C, H, W)`` in [0, 1] with 1 or 3 channels as an inline PNG, with whole pixels, and a caption (HTML) below it."""
    return pixels(levels(image.detach().clamp(0, 1)).byte().cpu().permute(1, 2, 0).numpy(), caption, alt)


def pixels(values: npt.NDArray[np.uint8], caption: str, alt: str) -> str:
    """Return ``(H, W, C)`` uint8 pixels as an inline PNG with a caption (HTML) below it."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values[:, :, 0] if values.shape[2] == 1 else values)).save(buffer, "PNG", optimize=True)
    height, width = values.shape[:2]
    scale = max(1, round(SIDE / min(height, width)))
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return (
        f'<figure style="display:inline-block;margin:0 12px 8px 0;vertical-align:top">'
        f'<img src="{source}" width="{width * scale}" height="{height * scale}" style="image-rendering:pixelated" alt="{escaped(alt)}">'
        f'<figcaption style="max-width:{max(width * scale, SIDE)}px;font-size:90%">{caption}</figcaption></figure>'
    )


def strong(text: object, colour: str = "") -> str:
    """Return escaped text in bold, in a colour if one is given."""
    return f'<b style="color:{colour}">{escaped(text)}</b>' if colour else f"<b>{escaped(text)}</b>"


def facts(pairs: Sequence[tuple[str, object]]) -> str:
    """Return a table of names and values."""
    cells = "".join(
        f'<tr><td style="text-align:left;padding:1px 12px 1px 0">{escaped(name)}</td>'
        f'<td style="text-align:left;padding:1px 0">{escaped(value)}</td></tr>'
        for name, value in pairs
    )
    return f'<table style="margin:0 0 8px 0">{cells}</table>'


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with a heading; every cell is escaped."""
    head = "".join(f'<th style="text-align:right;padding:1px 8px">{escaped(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:right;padding:1px 8px">{escaped(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="margin:0 0 8px 0"><tr>{head}</tr>{body}</table>'


def folded(title: str, content: str) -> str:
    """Return content that a click on its title opens."""
    return f"<details><summary>{escaped(title)}</summary>{content}</details>"


def block(*parts: str) -> str:
    """Return parts in one frameless block, in the notebook's own colours."""
    return f'<div style="line-height:1.35">{"".join(parts)}</div>'
