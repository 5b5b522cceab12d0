"""Timeline: what a run leaves behind to scrub through, within a memory budget."""

from __future__ import annotations

from torch import Tensor

from engine.operation import AttackStep


class Timeline:
    """Keeps every k-th step of an attack on the CPU; k doubles when the budget is full.

    The first step, the step at which any image first flipped, and the last stay.

    Parameters
    ----------
    max_bytes
        Budget for the images kept.
    """

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._every = 1
        self._steps: dict[int, AttackStep] = {}
        self._pinned: set[int] = set()
        self._last: AttackStep | None = None

    def add(self, step: AttackStep, *, pin: bool = False) -> None:
        """Offer a step; ``pin`` keeps it for good (the first and the flip)."""
        self._last = step
        if not pin and step.index % self._every:
            return
        self._steps[step.index] = _on_cpu(step)
        if pin:
            self._pinned.add(step.index)
        while self._bytes() > self._max_bytes and len(self._steps) > len(self._pinned):
            self._every *= 2
            self._steps = {i: s for i, s in self._steps.items() if i in self._pinned or i % self._every == 0}
            if self._every > 2**40:
                break

    @property
    def steps(self) -> tuple[AttackStep, ...]:
        """What is kept, in order, the last step included."""
        kept = dict(self._steps)
        if self._last is not None and self._last.index not in kept:
            kept[self._last.index] = _on_cpu(self._last)
        return tuple(kept[i] for i in sorted(kept))

    def nearest(self, index: int) -> AttackStep | None:
        """The kept step nearest to ``index``; None while there is none."""
        return min(self.steps, key=lambda step: abs(step.index - index), default=None)

    def _bytes(self) -> int:
        return sum(step.adversarial.nbytes for step in self._steps.values())


def _on_cpu(step: AttackStep) -> AttackStep:
    def cpu(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.detach().cpu()

    return AttackStep(step.index, step.total, step.adversarial.detach().cpu(), step.loss.detach().cpu(), cpu(step.logits))
