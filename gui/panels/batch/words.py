"""A batch in words: the attack with its parameters, the stickers and the defense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.text.formatting import counted
from gui.session.defense import Steps, defense_words

if TYPE_CHECKING:
    from engine.stickers import Sticker


def attack_words(operation: object) -> str:
    """Return an attack with its most telling parameters, such as “PGD (L∞, eps 8/255, 40 steps)”."""
    from engine.text.formatting import format_number, named_norms

    parts = []
    for name in ("norm", "eps", "steps"):
        value = getattr(operation, name, None)
        if value is not None:
            parts.append(named_norms(value) if name == "norm" else f"eps {format_number(value)}" if name == "eps" else f"{value:,} steps")
    title = str(getattr(operation, "title", ""))
    return f"{title} ({', '.join(parts)})" if parts else title


def behind(steps: Steps, comma: str = "") -> str:
    """Return the end of a sentence that names the defense, after a comma where there is one; empty for none."""
    return f"{comma} behind {defense_words(steps)}" if steps else ""


def with_stickers(stickers: Sequence[Sticker]) -> str:
    """Return the end of a title that counts the stickers; empty for none."""
    return f" with {counted(len(stickers), 'sticker')}" if stickers else ""


def painted(stickers: Sequence[Sticker]) -> str:
    """Return the end of a sentence that says how many stickers are painted over every image; empty for none."""
    return f", with {counted(len(stickers), 'sticker')} painted on every image" if stickers else ""
