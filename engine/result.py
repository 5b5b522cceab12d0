"""The result of a run: the best so far, why it ended, and everything needed to make it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from engine.artifacts import Artifact
from engine.classifier import Classifier
from engine.images.grid import lattice
from engine.operation import Operation
from engine.ranking import reached

_MOST_NAMES = 5
"""Classes that a remark lists by name, at most."""


class Reason(StrEnum):
    """The reason why a run ended."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    BUDGET = "budget"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Result:
    """The result of an operation of any kind."""

    operation: Operation
    reason: Reason
    seconds: float
    """Time inside the operation, in seconds; waiting between steps does not count."""
    forwards: int
    """Forward rows through the model, counted."""
    backwards: int
    """Rows of gradients, counted over backward passes."""
    artifacts: Mapping[str, Artifact]
    provenance: Mapping[str, Any]
    """Model name and fingerprint, operation and parameters, hashes of the files they name, seed, versions, device, threads, objective."""

    def _repr_html_(self) -> str:
        """Return the result as HTML, which notebooks show."""
        from engine.notebook import result_html

        return result_html(self)


@dataclass(frozen=True, eq=False, repr=False)
class AttackResult(Result):
    """The result of an attack: the best image per row and the classifier's logits for it."""

    classifier: Classifier
    clean: Tensor
    adversarial: Tensor
    """The adversarial images, ``(N, C, H, W)`` in [0, 1]."""
    labels: Tensor
    targets: Tensor | None
    labels_assumed: bool
    """Whether the labels are the classifier's own predictions, since none were given."""
    logits: Tensor
    """Logits of the adversarial images, ``(N, K)``."""
    loss: Tensor
    """Loss of the kept step, ``(N,)``."""
    steps_to_flip: Tensor
    """Index of each row's first successful step, ``(N,)``; -1 where there was none."""
    trace: Tensor
    """Loss of every step, ``(T, N)``; NaN where a row needed fewer steps."""
    trace_steps: Tensor
    """Number of every step in ``trace``, ``(T, N)``, as in ``steps_to_flip``: attacks that end a round early leave numbers out. -1 where a
    row needed fewer steps.
    """
    attacked: Tensor
    """Rows that the run reached before it ended, ``(N,)`` bool; the others are the clean images."""
    failed: Tensor
    """Rows in which the attack met NaN, ``(N,)`` bool: each counts as an attack error, never as a success."""
    notes: tuple[str, ...] = ()
    """Sentences about departures from the request, such as smaller chunks where memory ran out."""
    goals: Tensor | None = None
    """The target classes ``(N,)`` that the attack chose itself, -1 in rows not reached.

    None: it chose none, or several for each image, as targeted DLR does; ``prediction`` then shows which of them was reached.
    """
    first_logits: Tensor | None = None
    """Logits of the clean images, where the run computed them anyway."""
    iteration: int | None = None
    """Number of the step whose iterate this is, where `engine.iterate.at_step` took one of a run; None: the run's result, its best."""
    iterations: int | None = None
    """Number of the last step of the run that ``iteration`` is of; None where that is not known."""

    def __repr__(self) -> str:
        count, images = len(self.adversarial), "image" if len(self.adversarial) == 1 else "images"
        failed = f", {int(self.failed.sum())} failed" if bool(self.failed.any()) else ""
        found = f"{int(self.success.sum())} of {count} {images} adversarial{failed}"
        return f"AttackResult({self.operation.slug} on “{self.classifier.name}”: {found}; {self.reason}, {self.seconds:.2f} s)"

    @property
    def moment(self) -> str:
        """Which iterate of the run this is, such as ``iteration 12 of 40``; empty for the run's result."""
        of = "" if self.iterations is None else f" of {self.iterations}"
        return "" if self.iteration is None else f"iteration {self.iteration}{of}"

    @property
    def title(self) -> str:
        """The attack's title, of an iterate also which one it is, such as ``PGD, iteration 12 of 40``."""
        return ", ".join(filter(None, (self.operation.title, self.moment)))

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Return sentences that a person should read beside the result.

        They are the ``notes``, the target classes that the attack chose, a budget too small for the first step, and the number of NaN rows.
        """
        notes = self.notes if self.goals is None else (*self.notes, self._chose(self.goals))
        if self.iteration is not None:
            notes = (f"This is iteration {self.iteration} of the run, in place of its result.", *notes)
        if self.reason is Reason.BUDGET and self.steps_made == 0:
            notes = (*notes, "The budget of queries was spent where the attack starts, before its first step. Allow more.")
        count, total = int(self.failed.sum()), len(self.failed)
        if not count:
            return notes
        counted = "it counts as an attack error, not as a success" if count == 1 else "they count as attack errors, not as successes"
        images = "image" if total == 1 else "images"
        return (*notes, f"The model gave NaN for {count} of {total} {images}; {counted}. Look at the model.")

    @property
    def steps_made(self) -> int:
        """Number of steps after the start, in the chunk that made the most."""
        return len(self.trace) - 1

    @cached_property
    def clean_logits(self) -> Tensor:
        """Logits ``(N, K)`` of the clean images (one forward pass, uncounted, where the run did not need it)."""
        if self.first_logits is not None:
            return self.first_logits
        return self.classifier.score(self.clean)

    @cached_property
    def prediction(self) -> Tensor:
        """Predicted classes ``(N,)`` of the adversarial images."""
        return self.logits.argmax(1)

    @cached_property
    def clean_prediction(self) -> Tensor:
        """Predicted classes ``(N,)`` of the clean images."""
        return self.clean_logits.argmax(1)

    @cached_property
    def success(self) -> Tensor:
        """Successful rows, ``(N,)`` bool. Untargeted: prediction != label. Targeted: prediction == target. Never where the row failed."""
        return reached(self.prediction, self.labels, self.targets) & ~self.failed

    @cached_property
    def flipped(self) -> Tensor:
        """Rows whose prediction differs from the clean image's, ``(N,)`` bool."""
        return self.prediction != self.clean_prediction

    @cached_property
    def wrong_before(self) -> Tensor:
        """Rows whose clean image was already misclassified, ``(N,)`` bool. Counted apart from successes."""
        return self.clean_prediction != self.labels

    @cached_property
    def reached_before(self) -> Tensor:
        """Rows whose clean image already counts as a success, ``(N,)`` bool, so that the attack had nothing to do.

        None where the attack grows its image from noise: what the clean image is taken for does not matter there.
        """
        before = reached(self.clean_prediction, self.labels, self.targets)
        return before if getattr(self.operation, "from_image", True) else torch.zeros_like(before)

    def flip(self, row: int = 0) -> int | None:
        """Return the number of the step in which a row first succeeded, which a curve or a timeline marks.

        None where no step succeeded, and where the clean image counted as a success before the attack (``reached_before``): its first
        step is no success of the attack.
        """
        step = int(self.steps_to_flip[row])
        return None if step < 0 or bool(self.reached_before[row]) else step

    @cached_property
    def survives_8bit(self) -> Tensor:
        """Rows that are still successful after rounding to 8 bits per channel, as in a PNG file, ``(N,)`` bool."""
        return reached(self.classifier.predict(lattice(self.adversarial)), self.labels, self.targets) & ~self.failed

    @cached_property
    def perturbation(self) -> Tensor:
        """The perturbation: adversarial minus clean, ``(N, C, H, W)``."""
        return self.adversarial - self.clean

    @cached_property
    def norms(self) -> dict[str, Tensor]:
        """The norms ``{"l0", "l1", "l2", "linf"}``, each ``(N,)``. l0 counts pixels that changed by more than 0.5/255 in any channel."""
        return norms(self.perturbation)

    def goal(self, row: int) -> int | None:
        """Return the target class that the attack chose for this row. None: it chose none, or did not reach the row."""
        chosen = -1 if self.goals is None else int(self.goals[row])
        return chosen if chosen >= 0 else None

    def _chose(self, goals: Tensor) -> str:
        counts = Counter(goals[goals >= 0].tolist()).most_common()
        names = [f"“{self.classifier.labels[goal]}”{f' (×{count})' if count > 1 else ''}" for goal, count in counts[:_MOST_NAMES]]
        more = f" and {len(counts) - _MOST_NAMES} more" if len(counts) > _MOST_NAMES else ""
        return f"It chose the {'class' if len(counts) == 1 else 'classes'} to go towards: {', '.join(names)}{more}."


def norms(perturbation: Tensor) -> dict[str, Tensor]:
    """Return the four norms of each row of a perturbation ``(N, C, H, W)``."""
    flat = perturbation.flatten(1)
    return {
        "l0": (perturbation.abs() > 0.5 / 255).any(1).flatten(1).sum(1),
        "l1": flat.abs().sum(1),
        "l2": flat.norm(dim=1),
        "linf": flat.abs().amax(1),
    }
