"""Film: the kept iterates of one image's attack with the facts that every frame shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from engine.errors import GibbonError
from engine.figures.animation.plan import AnimationPlan
from engine.figures.panels import Array
from engine.figures.subject import array, has_stickers
from engine.loss_names import loss_name_of
from engine.result import AttackResult
from engine.timeline import KeptStep, Timeline


@dataclass(frozen=True, eq=False)
class Shot:
    """One iterate with what the model gives for it."""

    index: int
    """Number of the step."""
    image: Array
    """The iterate, ``(C, H, W)`` in [0, 1]."""
    probabilities: Array
    """Probabilities of the classes, ``(K,)``."""
    loss: float
    success: bool

    @property
    def prediction(self) -> int:
        """The class that the model takes the iterate for."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True, eq=False)
class Film:
    """The shots of an attack, the clean image, and the facts about both."""

    clean: Array
    """The clean image, ``(C, H, W)``."""
    classify_clean: Callable[[], Array]
    """Returns the probabilities ``(K,)`` of the clean image, which may need a forward pass."""
    shots: tuple[Shot, ...]
    names: Sequence[str]
    """The classifier's class names."""
    label: int
    label_assumed: bool
    target: int | None
    loss_name: str
    flip: int | None
    """Number of the first step with a success; None where there was none, or where the image was a success before the attack."""
    began: Array | None = None
    """Probabilities ``(K,)`` of the clean image with its stickers, where the attack began from that; None where it has none."""
    grown: bool = False
    """Whether the image was grown from noise, so that there is no perturbation."""

    @cached_property
    def clean_probabilities(self) -> Array:
        """Probabilities ``(K,)`` of the clean image."""
        return self.classify_clean()

    def chosen(self, plan: AnimationPlan) -> tuple[Shot, ...]:
        """Return the shots that a plan shows: one of every ``plan.every``, the first, the flip and the last."""
        last = len(self.shots) - 1
        return tuple(shot for place, shot in enumerate(self.shots) if place % plan.every == 0 or place == last or shot.index == self.flip)


def film_of(result: AttackResult, timeline: Timeline | None, row: int = 0, *, clean: Tensor | None = None) -> Film:
    """Return the film of one row of an attack's result; `engine.figures.subject_of` describes ``clean``.

    Raises
    ------
    GibbonError
        The run kept no iterates.
    """
    steps = [
        step for step in (() if timeline is None else timeline.steps) if step.first_row <= row < step.first_row + len(step.adversarial)
    ]
    if not steps:
        raise GibbonError("This run has kept no iterates, so there is nothing to animate. Run the attack again.")
    shots = tuple(_shot(step, row - step.first_row) for step in steps)
    operation, began = result.operation, array(result.clean_logits[row].softmax(0))
    shown = clean if clean is not None and has_stickers(result, row, clean) else None
    return Film(
        clean=array(result.clean[row] if shown is None else shown),
        classify_clean=lambda: began if shown is None else array(result.classifier.score(shown[None])[0].softmax(0)),
        shots=shots,
        names=result.classifier.labels,
        label=int(result.labels[row]),
        label_assumed=result.labels_assumed,
        target=None if result.targets is None else int(result.targets[row]),
        loss_name=loss_name_of(result, row).partition(" towards ")[0],
        flip=None if bool(result.reached_before[row]) else next((shot.index for shot in shots if shot.success), None),
        began=None if shown is None else began,
        grown=not getattr(operation, "from_image", True),
    )


def _shot(step: KeptStep, row: int) -> Shot:
    assert step.logits is not None
    return Shot(
        step.index,
        np.clip(array(step.adversarial[row]), 0, 1),
        array(step.logits[row].softmax(0)),
        float(step.loss[row]),
        bool(step.success[row]),
    )
