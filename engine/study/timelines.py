"""The kept steps of a run in a study: as many as a budget allows, the first, the flip and the last in any case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from engine.study.entries import StepEntry
from engine.study.tensors import Tensors
from engine.timeline import KeptStep

RUN_BYTES = 8 * 2**20
"""Bytes of the images of one run's steps in a study."""
STUDY_BYTES = 64 * 2**20
"""Bytes of all runs' steps in a study. The newest runs get their share first; earlier ones keep the pinned steps."""


def thinned(steps: Sequence[KeptStep], flip: int, max_bytes: int) -> tuple[KeptStep, ...]:
    """Return steps that fit into ``max_bytes``, evenly spaced, with the first, the last and the one at index ``flip``."""
    if sum(step.adversarial.nbytes for step in steps) <= max_bytes:
        return tuple(steps)
    pinned = {0, len(steps) - 1, *(place for place, step in enumerate(steps) if step.index == flip)}
    room = max(0, max_bytes // max(1, steps[0].adversarial.nbytes) - len(pinned))
    every = -(-len(steps) // room) if room else len(steps)
    chosen = pinned | set(range(0, len(steps), every))
    return tuple(steps[place] for place in sorted(chosen))


def entries_of(steps: Sequence[KeptStep], tensors: Tensors) -> tuple[StepEntry, ...]:
    """Make the entries of steps, with their images added to ``tensors``."""
    return tuple(
        StepEntry(
            index=step.index,
            total=step.total,
            adversarial=tensors.add(step.adversarial),
            loss=tensors.add(step.loss),
            logits=tensors.add_if(step.logits),
            success=tensors.add(step.success),
            goals=tensors.add_if(step.goals),
            first_row=step.first_row,
            forwards=step.forwards,
            backwards=step.backwards,
            seconds=step.seconds,
        )
        for step in steps
    )


def steps_of(entries: Sequence[StepEntry], find: Callable[[str], Tensor]) -> tuple[KeptStep, ...]:
    """Make the kept steps of a run from their entries."""
    return tuple(
        KeptStep(
            entry.index,
            entry.total,
            find(entry.adversarial),
            find(entry.loss),
            None if entry.logits is None else find(entry.logits),
            success=find(entry.success),
            goals=None if entry.goals is None else find(entry.goals),
            first_row=entry.first_row,
            forwards=entry.forwards,
            backwards=entry.backwards,
            seconds=entry.seconds,
        )
        for entry in entries
    )
