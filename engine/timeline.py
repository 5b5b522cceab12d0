"""Timeline: the steps of a run that are kept for scrubbing, within a memory budget."""

from __future__ import annotations

from torch import Tensor

from engine.operation import AttackStep
from engine.thinning import Thinned


class Timeline:
    """Keeper of every k-th step of an attack, on the CPU; k doubles when the budget is full.

    The first step, the step at which an image first flipped, and the last are always kept.

    Parameters
    ----------
    max_bytes
        Memory for the kept images, in bytes.
    """

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        self._kept: Thinned[AttackStep] = Thinned(lambda steps: sum(step.adversarial.nbytes for step in steps.values()) > max_bytes)
        self._last: AttackStep | None = None

    def add(self, step: AttackStep, *, pin: bool = False) -> None:
        """Offer a step; ``pin`` keeps it for good (the first and the flip)."""
        self._last = step
        if pin or self._kept.wants(step.index):
            self._kept.add(step.index, _on_cpu(step), pin=pin)

    @property
    def steps(self) -> tuple[AttackStep, ...]:
        """The kept steps in order, the last step included."""
        kept = dict(self._kept.items)
        if self._last is not None and self._last.index not in kept:
            kept[self._last.index] = _on_cpu(self._last)
        return tuple(kept[i] for i in sorted(kept))

    def nearest(self, index: int) -> AttackStep | None:
        """Return the kept step nearest to ``index``; None while there is none."""
        return min(self.steps, key=lambda step: abs(step.index - index), default=None)


def _on_cpu(step: AttackStep) -> AttackStep:
    def cpu(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.detach().cpu()

    return AttackStep(step.index, step.total, step.adversarial.detach().cpu(), step.loss.detach().cpu(), cpu(step.logits))
