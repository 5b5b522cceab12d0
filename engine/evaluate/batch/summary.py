"""Summary: the counts, shares and medians of the rows of a batch."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from engine.evaluate.batch.rows import ImageRow
from engine.intervals import Share
from engine.text.formatting import counted, format_linf, format_norm

__all__ = ["Share", "Summary", "summary_of"]

_NAMES = {"l0": "L0", "l1": "L1", "l2": "L2", "linf": "L∞"}


@dataclass(frozen=True)
class Summary:
    """The outcomes of a batch, counted. Images that could not be attacked are in no share."""

    of: int
    """Number of images that were chosen."""
    done: int
    """Number of rows."""
    errors: int
    assumed: int
    """Number of rows whose label is the model's own prediction, without stickers and without a defense."""
    assumed_misread: int
    """Number of these that stickers or a defense alone make misread."""
    before: Share
    """Accuracy on the clean images."""
    robust: Share
    """Robust accuracy: right on the clean and on the adversarial image."""
    success: Share
    """Successes among the images that did not count as a success before."""
    already: int
    """Number of images that counted as a success before the attack: misread, or at their target."""
    norms: dict[str, float]
    """Median norms of the perturbations that succeeded."""
    steps: float | None
    """Median index of the first successful step."""

    def sentences(self) -> list[str]:
        """Return the outcome as sentences for a person."""
        forms = {"linf": format_linf, "l2": format_norm}
        norms = ", ".join(f"{_NAMES[name]} {form(self.norms[name])}" for name, form in forms.items() if name in self.norms)
        lines = [
            f"{counted(self.done, 'image')} of {self.of:,}" if self.done < self.of else counted(self.done, "image"),
            f"Accuracy before: {self.before.text()}.",
            f"Robust accuracy: {self.robust.text()}.",
            f"Successes: {self.success.text()}" + (f"; {self.already:,} counted as a success before." if self.already else "."),
        ]
        if self.assumed:
            lines.append(f"The label of {counted(self.assumed, 'image')} is {self.assumption}.")
        if norms:
            lines.append(f"Median of the successes: {norms}" + ("." if self.steps is None else f", flip at step {self.steps:g}."))
        if self.errors:
            lines.append(f"{counted(self.errors, 'image')} could not be attacked: the table says why.")
        return lines

    @property
    def assumption(self) -> str:
        """How an unknown label was assumed, in words."""
        if not self.assumed_misread:
            return "the model's own prediction, so they cannot be misread before"
        alone = f"which alone change it for {self.assumed_misread:,} of them"
        return f"the model's own prediction without stickers and without a defense, {alone}"

    def plain(self) -> dict[str, object]:
        """Return plain values, for the record."""
        shares = {
            name: {"share": share.value, "hits": share.hits, "of": share.of, "interval_95": list(share.interval)}
            for name, share in (("accuracy_before", self.before), ("robust_accuracy", self.robust), ("success", self.success))
        }
        counts = {"images": self.of, "done": self.done, "errors": self.errors, "labels_assumed": self.assumed, "already": self.already}
        return {**counts, **shares, "median_norms_of_successes": self.norms, "median_steps_to_flip": self.steps}


def summary_of(rows: Sequence[ImageRow], of: int | None = None) -> Summary:
    """Count the outcomes of rows; ``of`` is the number of images that were chosen (default: all are here)."""
    sound = [row for row in rows if not row.error]
    fresh = [row for row in sound if not row.reached_before]
    won = [row for row in fresh if row.success]
    names = sorted({name for row in won for name in row.norms})
    flips = [row.steps_to_flip for row in won if row.steps_to_flip is not None]
    return Summary(
        of=len(rows) if of is None else of,
        done=len(rows),
        errors=len(rows) - len(sound),
        assumed=sum(row.label_assumed for row in sound),
        assumed_misread=sum(row.label_assumed and bool(row.wrong_before) for row in sound),
        before=Share(sum(not row.wrong_before for row in sound), len(sound)),
        robust=Share(sum(row.robust for row in sound), len(sound)),
        success=Share(len(won), len(fresh)),
        already=len(sound) - len(fresh),
        norms={name: statistics.median(row.norms[name] for row in won) for name in names},
        steps=statistics.median(flips) if flips else None,
    )
