"""Attacks inside of an evaluation: how many images they take at once, and how far they are."""

from __future__ import annotations

from torch import Tensor

from engine.batching import rows_per_pass
from engine.operation import Attack, Step


def rows_at_a_time(attack: Attack, images: Tensor) -> int:
    """Return how many of ``images`` ``(N, C, H, W)`` an attack takes at once so that its steps stay within 0.1 s of a small network.

    It depends on the attack, the size of an image and the device alone, so that the same images always give the same bits.
    """
    most = rows_per_pass(images)
    own = attack.rows_together(images)
    return most if own is None else min(most, own)


def share_of(step: Step) -> float:
    """Return the share of its run that a step completes; 0 where the number of steps is unknown."""
    return min(1.0, (step.index + 1) / (step.total + 1)) if step.total is not None else 0.0
