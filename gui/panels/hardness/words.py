"""The Hardness dock's sentences and bins, as pure functions. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from engine.text.formatting import counted, format_number, short

if TYPE_CHECKING:
    from gui.session.hardness import Mark, Reference

Measure = Literal["steps", "l2"]
Values = npt.NDArray[np.floating]
_BINS = 40


def rank(value: float, among: Values) -> float:
    """Return the share of values below ``value``, of equal ones half."""
    return float((among < value).mean() + 0.5 * (among == value).mean())


def image_words(mark: Mark) -> str:
    """Describe how soon an image flips, in a sentence."""
    if mark.steps == 0:
        return "The model misreads this image as it is: it takes 0 steps."
    steps = f"steps of {format_number(mark.step_size)}"
    if mark.steps > mark.budget:
        return f"This image does not flip within {mark.budget:,} {steps}."
    many = f"{mark.steps:,} {steps}" if mark.steps > 1 else f"1 step of {format_number(mark.step_size)}"
    return f"This image flips after {many}, changed by L2 {short(mark.l2)}."


def rank_words(mark: Mark, reference: Reference, measure: Measure) -> str:
    """Say where an image stands among those of a reference set, in a sentence."""
    own, others = (mark.steps, reference.steps) if measure == "steps" else (mark.l2, reference.l2)
    share, count = rank(own, others), counted(len(others), "image")
    if mark.steps == 0:
        wrong = int((reference.steps == 0).sum())
        return f"Of the {count} of {reference.title}, {wrong:,} {'is' if wrong == 1 else 'are'} misread as well."
    if share >= 0.5:
        return f"{_percent(share)} of the {count} of {reference.title} flip sooner: it lies farther from the boundary than most."
    return (
        f"{_percent(1 - share)} of the {count} of {reference.title} hold out longer: it lies nearer the boundary than most, a hard sample."
    )


def reference_words(reference: Reference) -> str:
    """Summarise a reference set in a sentence."""
    wrong, never = int((reference.steps == 0).sum()), int((reference.steps > reference.budget).sum())
    median = float(np.median(reference.steps)) if len(reference.steps) else 0.0
    part = "" if len(reference.steps) == reference.total else f" of {reference.total:,}"
    held = f", {never:,} never flipped" if never else ""
    images = f"{counted(len(reference.steps), 'image')}{part} of {reference.title}"
    return f"{images}: median {median:g} steps, {wrong:,} misread{held}."


def numbers_of(reference: Reference) -> tuple[Sequence[str], list[tuple[float | None, ...]]]:
    """Return a table with a row for each measured image, as steps and norm; empty cells where it did not flip."""
    rows = zip(reference.steps.tolist(), reference.l2.tolist(), strict=True)
    flips = ((place, int(steps), l2) if steps <= reference.budget else (place, None, None) for place, (steps, l2) in enumerate(rows))
    return ("image", "steps to flip", "L2 at the flip"), [*flips]


def bins(reference: Reference, measure: Measure, mark: float | None = None) -> tuple[Values, Values]:
    """Return the edges ``(B + 1,)`` and the counts ``(B,)`` of a histogram up to the mark. It leaves out images that never flip."""
    values = reference.steps if measure == "steps" else reference.l2
    shown = values[(reference.steps <= reference.budget) & np.isfinite(values)]
    most = max([*([float(shown.max())] if len(shown) else []), *([mark] if mark is not None and np.isfinite(mark) else []), 1e-9])
    if measure == "steps":
        width = max(1, int(np.ceil((most + 1) / _BINS)))
        edges = np.arange(-0.5, most + width, width)
    else:
        edges = np.linspace(0, most * (1 + 1e-9), _BINS + 1)
    return edges, np.histogram(shown, edges)[0].astype(float)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
