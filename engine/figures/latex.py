"""The caption of a figure for LaTeX, with the characters escaped that have a meaning there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.figures.layout import letter
from engine.figures.panels import FigurePanel

_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "“": "``",
    "”": "''",
    "’": "'",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "∞": r"$\infty$",
    "→": r"$\to$",
    "←": r"$\gets$",
}
_NORMS = {"L∞": r"$L_\infty$", "L0": "$L_0$", "L1": "$L_1$", "L2": "$L_2$"}


def escaped(text: str) -> str:
    """Return ``text`` for LaTeX: special characters escaped, signs of mathematics in dollars, letters of other scripts as they are."""
    return "".join(_ESCAPES.get(character, character) for character in text)


def latex_caption(panels: Sequence[FigurePanel], note: str = "", *, letters: bool = True) -> str:
    r"""Return the figure's caption as ``\caption{...}``: each panel with its letter, title and caption, then the small print."""
    parts = []
    for place, panel in enumerate(panels):
        mark = rf"\textbf{{({letter(place)})}} " if letters and len(panels) > 1 else ""
        says = ", ".join(line for line in panel.caption.split("\n") if line)
        parts.append(mark + _sentence(_with(panel.title, says)))
    parts += [_sentence(note)] if note else []
    return f"\\caption{{{' '.join(parts)}}}"


def _with(title: str, says: str) -> str:
    """Return a title with its caption in brackets, or after a colon where the caption has brackets of its own."""
    if not says:
        return title
    return f"{title}: {says}" if "(" in says else f"{title} ({says})"


def _sentence(text: str) -> str:
    ends = text if text.endswith((".", "!", "?")) else f"{text}."
    return "".join(_word(word) for word in re.split("([ \N{NO-BREAK SPACE}])", ends)).replace(" \\%", "~\\%")


def _word(word: str) -> str:
    """Escape a word; a norm that stands alone is set as mathematics."""
    core = word.rstrip(",.;:)")
    start = core.lstrip("(")
    if start in _NORMS:
        return core[: len(core) - len(start)] + _NORMS[start] + word[len(core) :]
    return escaped(word)
