"""Timeline: the steps of an attack that are kept for scrubbing, on the CPU, within a memory budget."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
from torch import Tensor

from engine.operation import AttackStep

_MOST_STEPS = 4096
"""Kept steps, at most: of tiny images the tensors themselves take more memory than their values."""
_MOST_WAITING = 16
_MOST_ELEMENTS = 2**22
"""Elements of the images that wait on the device for the next copy, at most: 16 MB in float32."""
_MOST_SECONDS = 0.1
"""Time between two copies from the device, at most, so that the kept steps can be looked at during the run."""


@dataclass(frozen=True, eq=False)
class KeptStep(AttackStep):
    """A step of a timeline: an `AttackStep` that always has its logits, and what the run had taken until then."""

    success: Tensor = field(kw_only=True)
    """Rows in which this iterate is a success of the attacker, ``(N,)`` bool."""
    forwards: int = field(default=0, kw_only=True)
    """Forward rows through the model until this step."""
    backwards: int = field(default=0, kw_only=True)
    """Rows of gradients until this step."""
    seconds: float = field(default=0.0, kw_only=True)
    """Time inside the attack until this step, in seconds."""


class Timeline:
    """Keeper of every k-th step of an attack; k doubles whenever the memory budget is full.

    Three steps stay whatever they need: the first, the first with a success in any row, and the last. Of a batch that is attacked in
    chunks, those three of every chunk stay for as long as the budget allows. Images keep their type, so that every bit is as it was;
    an iterate that did not change from one step to the next is stored once.

    Steps are copied from the device several at a time, because each copy waits for it.

    Parameters
    ----------
    max_bytes
        Memory for the kept steps, in bytes.
    """

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        self.max_bytes = max_bytes
        self.every = 1
        """The distance k between kept steps, a power of two."""
        self.settled: tuple[KeptStep, ...] = ()
        """The kept steps that have been copied to the CPU, in order. May be read in any thread, at any time, without a wait."""
        self._kept: dict[int, KeptStep] = {}
        self._pinned: list[int] = []
        """Numbers of the steps that no thinning drops, in order: first, flip and last of every chunk."""
        self._flip: int | None = None
        self._bytes = 0
        self._waiting: list[KeptStep] = []
        """Steps on the device."""
        self._newest: KeptStep | None = None
        self._chunk: tuple[int, bool] | None = None
        """First row of the chunk in progress, and whether one of its rows has flipped."""
        self._settle_at = 0.0

    @classmethod
    def of(cls, steps: Iterable[KeptStep], max_bytes: int = 64 * 2**20) -> Self:
        """Make a timeline of steps that were kept earlier, such as those of a file."""
        made = cls(max_bytes)
        for step in steps:
            made.add(step)
        made.settle()
        return made

    # ------------------------------------------------------------------ keeping

    def add(self, step: KeptStep) -> None:
        """Offer a step. Its number must be larger than the last one's; a smaller one means that a chunk was started again."""
        newest = self._newest
        if newest is not None and step.index <= newest.index:
            self._rewind(step.index)
        elif newest is not None and step.first_row != newest.first_row:
            self._end_chunk()
        self._newest = step
        self._waiting.append(step)
        full = len(self._waiting) >= _MOST_WAITING or len(self._waiting) * step.adversarial.numel() > _MOST_ELEMENTS
        if full or time.perf_counter() >= self._settle_at:
            self.settle()

    def settle(self) -> None:
        """Copy the steps that wait on the device. Call it where the run is pulled."""
        self._settle_at = time.perf_counter() + _MOST_SECONDS
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        flips = torch.stack([step.success for step in waiting]).any(1).tolist()
        pinned = [self._is_pinned(step, flips_here) for step, flips_here in zip(waiting, flips, strict=True)]
        chosen = [step for step, pin in zip(waiting, pinned, strict=True) if pin or step.index % self.every == 0 or step is waiting[-1]]
        copies = dict(zip([step.index for step in chosen], _on_cpu(chosen), strict=True))
        self._newest = copies[waiting[-1].index]
        for step, pin in zip(waiting, pinned, strict=True):
            if pin:
                self._pinned.append(step.index)
            if pin or step.index % self.every == 0:
                self._keep(copies[step.index])
        self._publish()

    def shrink(self, max_bytes: int) -> None:
        """Lower the budget, and drop steps until the rest fits. At 0 the first, the flip and the last step are left."""
        self.settle()
        self.max_bytes = min(self.max_bytes, max_bytes)
        self._publish()

    def _end_chunk(self) -> None:
        """Keep the last step of a chunk for good."""
        self.settle()
        newest = self._newest
        if newest is not None and newest.index not in self._pinned:
            self._pinned.append(newest.index)
            if newest.index not in self._kept:
                self._keep(newest)

    def _is_pinned(self, step: KeptStep, flips: bool) -> bool:
        """Return whether a step is the first of its chunk, or the first with a success."""
        if flips and self._flip is None:
            self._flip = step.index
        if self._chunk is None or self._chunk[0] != step.first_row:
            self._chunk = step.first_row, flips
            return True
        had_flipped = self._chunk[1]
        self._chunk = step.first_row, had_flipped or flips
        return flips and not had_flipped

    def _keep(self, step: KeptStep) -> None:
        before = next(reversed(self._kept.values()), None)
        if before is not None and before is not step and _same_images(before, step):
            step = replace(step, adversarial=before.adversarial)
        self._kept[step.index] = step
        self._bytes += _bytes_beside(step, before)
        if self._is_full:
            self._thin()

    def _publish(self) -> None:
        """Set ``settled`` to the kept steps and the newest one, which counts in the budget, too."""
        newest = self._newest
        if self._is_full:
            self._thin()
        extra = [] if newest is None or newest.index in self._kept else [newest]
        self.settled = (*self._kept.values(), *extra)

    @property
    def _is_full(self) -> bool:
        newest, extra = self._newest, 0
        if newest is not None and newest.index not in self._kept:
            extra = _bytes_beside(newest, next(reversed(self._kept.values()), None))
        return self._bytes + extra > self.max_bytes or len(self._kept) >= _MOST_STEPS

    def _thin(self) -> None:
        """Drop steps until the budget suffices: every second one, then every second of the pinned ones but for the first and the flip."""
        while self._is_full and len(self._kept) > len(self._pinned):
            self.every *= 2
            self._only({*self._pinned, *(index for index in self._kept if index % self.every == 0)})
        while self._is_full and (middle := [index for index in self._pinned[1:] if index != self._flip]):
            left = set(middle[1::2])
            self._pinned = [index for index in self._pinned if index not in middle or index in left]
            self._only(set(self._pinned))

    def _only(self, indices: set[int]) -> None:
        self._kept = {index: step for index, step in self._kept.items() if index in indices}
        self._bytes, before = 0, None
        for step in self._kept.values():
            self._bytes += _bytes_beside(step, before)
            before = step

    def _rewind(self, index: int) -> None:
        """Forget the steps from ``index`` on: their chunk did not fit into the device's memory, and has been halved."""
        self._waiting = [step for step in self._waiting if step.index < index]
        self._pinned = [pinned for pinned in self._pinned if pinned < index]
        self._flip = None if self._flip is None or self._flip >= index else self._flip
        self._only({kept for kept in self._kept if kept < index})
        self._chunk, self._settle_at = None, 0.0
        if not self._kept:
            self.every = 1

    # ------------------------------------------------------------------ reading

    @property
    def steps(self) -> tuple[KeptStep, ...]:
        """The kept steps in order, the newest included. May wait for the device; ``settled`` does not."""
        self.settle()
        return self.settled

    @property
    def flip(self) -> int | None:
        """Number of the first settled step with a success in any row; None where there was none."""
        return self._flip

    @property
    def nbytes(self) -> int:
        """Memory of the settled steps, in bytes."""
        settled = self.settled
        return sum(_bytes_beside(step, before) for step, before in zip(settled, (None, *settled), strict=False))

    def nearest(self, index: int) -> KeptStep | None:
        """Return the settled step nearest to ``index``; None while there is none."""
        return nearest(self.settled, index)


def nearest(steps: Sequence[KeptStep], index: int) -> KeptStep | None:
    """Return the step whose number is nearest to ``index``, of two the earlier; None where there is none. Steps are in order."""
    place = bisect_left(steps, index, key=lambda step: step.index)
    return min(steps[max(0, place - 1) : place + 1], key=lambda step: abs(step.index - index), default=None)


def _on_cpu(steps: list[KeptStep]) -> list[KeptStep]:
    """Return the steps with their tensors on the CPU. From a device each kind of tensor comes in one copy, since a copy waits."""
    if not steps or steps[0].adversarial.device.type == "cpu":
        owned: list[dict[str, Any]] = [{name: _owned(value) for name, value in _tensors(step).items()} for step in steps]
    else:
        columns = {name: torch.stack([_tensors(step)[name] for step in steps]).cpu() for name in _tensors(steps[0])}
        owned = [{name: values[place].clone() for name, values in columns.items()} for place in range(len(steps))]
    return [replace(step, **tensors) for step, tensors in zip(steps, owned, strict=True)]


def _tensors(step: KeptStep) -> dict[str, Any]:
    """Return the tensors of a step by the names of their fields."""
    found = {name: getattr(step, name) for name in ("adversarial", "loss", "logits", "success", "goals")}
    return {name: value.detach() for name, value in found.items() if value is not None}


def _owned(tensor: Tensor) -> Tensor:
    """Return a tensor of the CPU; a view of something larger is copied, since it would keep all of that in memory."""
    return tensor.clone() if tensor.untyped_storage().nbytes() > tensor.nbytes else tensor


def _same_images(one: KeptStep, other: KeptStep) -> bool:
    """Return whether two steps have the same iterate. The bits are compared, since 0 equals -0 and NaN does not equal itself."""
    left, right = (step.adversarial.contiguous() for step in (one, other))
    return left is right or (left.shape == right.shape and torch.equal(left.view(torch.uint8), right.view(torch.uint8)))


def _bytes_beside(step: KeptStep, before: KeptStep | None) -> int:
    """Return the memory that a step takes beside the one before it, whose images it may share."""
    images = 0 if before is not None and before.adversarial is step.adversarial else step.adversarial.nbytes
    rest = (step.loss, step.logits, step.success, step.goals)
    return images + sum(tensor.nbytes for tensor in rest if tensor is not None)
