"""Processes that train one network together, as ``torchrun`` starts them.

Each takes its rows of every batch, and the gradients are summed: as one process with the whole batch would compute them, up to the order of
the additions. The statistics of batch normalisation are those of each process's own rows in training, and their mean is what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

Value = TypeVar("Value")


@dataclass(frozen=True)
class Share:
    """The place of this process among those that train together."""

    rank: int = 0
    """Number of this process, counted from 0."""
    size: int = 1
    """Number of processes."""

    def rows(self, total: int) -> slice:
        """Return the rows of a batch of ``total`` that this process takes: consecutive ones, as evenly as possible."""
        return slice(total * self.rank // self.size, total * (self.rank + 1) // self.size)

    def summed(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by the sum over all processes, in one message."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def all_of(self, value: Value) -> list[Value]:
        """Return the values of all processes, in their order, once all have come here; a value is anything that can be pickled."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, value)
        return found

    def largest(self, tensor: Tensor) -> Tensor:
        """Return the largest value over all processes, element by element."""
        if self.size > 1:
            distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
        return tensor

    def same(self, network: nn.Module) -> None:
        """Give every process the weights of the first, and the mean of the floating buffers, such as running statistics."""
        if self.size == 1:
            return
        for parameter in network.parameters():
            distributed.broadcast(parameter.data, 0)
        self.averaged(network)

    def averaged(self, network: nn.Module) -> None:
        """Replace the floating buffers, in place, by their mean over all processes."""
        buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        if self.size > 1 and buffers:
            self.summed(buffers)
            for buffer in buffers:
                buffer.div_(self.size)


def own_share() -> Share:
    """Return the place of this process: the only one, unless a process group was initialised."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Share()
    return Share(distributed.get_rank(), distributed.get_world_size())
