"""Plan of windows: the part of every map that one changed pixel can alter, and how far following it saves time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.attacks.one_pixel.chain import Link, Pair, chain
from engine.classifier import Classifier

_LARGEST_SHARE = 0.8
"""Share of a map that the windows of all places take on average, beyond which a window costs as much as the whole map."""
_SMALL_SHARE = 0.3
"""Share of a map that the largest window takes, beyond which the smaller windows near the edge are computed separately."""


@dataclass(frozen=True, eq=False)
class Window:
    """The windows of one link along one axis: one for each place, all of one size."""

    first: Tensor
    """Index of the first output, ``(places,)``."""
    size: int
    """Number of outputs of the window."""
    start: Tensor
    """Index of the first input, counted from the start of the padding, ``(places,)``."""
    seen: int
    """Number of inputs that the outputs depend on."""
    slot: Tensor
    """Position of the previous link's window among the inputs, ``(places,)``."""
    before: int
    """Number of outputs of the previous window."""
    length: int
    """Number of inputs that contain all of the previous window; larger than ``seen`` where no output depends on some of them."""


Windows = Sequence[Window]


@dataclass(frozen=True, eq=False)
class Axis:
    """The windows of all links along one axis. Once they are large there are two kinds of places: near the edge and in the middle."""

    places: int
    kind: Tensor
    """Kind of each place, ``(places,)``."""
    windows: list[list[Window]]
    """Windows by kind, link after link."""

    @classmethod
    def of(cls, links: Sequence[Link], small: int, axis: int, places: int, device: torch.device) -> Axis:
        """Plan the windows along rows (``axis`` 0) or columns (1); the first ``small`` links have the same for both kinds."""
        reached = list(_reached(links, axis, places))
        kind = torch.zeros(places, dtype=torch.int64)
        if small < len(links):
            first, last, _ = reached[-1]
            size = last - first
            kind = (2 * size > size.min() + size.max()).long()
        every = torch.ones_like(kind) > 0
        of_kind = ([every] * small + [kind == each] * (len(links) - small) for each in range(int(kind.max()) + 1))
        windows = [list(_windows(links, axis, reached, members, device)) for members in of_kind]
        return cls(places, kind.to(device), windows)


@dataclass(frozen=True, eq=False)
class Plan:
    """Plan of how far windows are followed through the network."""

    links: list[Link]
    small: int
    """Number of links whose windows are small everywhere."""
    later: list[Link]
    """The links after them, for whole maps."""
    layers: list[nn.Module]
    """The layers after the last link."""
    down: Axis
    across: Axis

    @classmethod
    def of(cls, classifier: Classifier) -> Plan | None:
        """Plan up to the last convolution whose windows are smaller than its map; None where there is none."""
        links, layers = chain(classifier.module)
        height, width = classifier.input_shape[1:]
        followed = small = 0
        reached = zip(_reached(links, 0, height), _reached(links, 1, width), strict=True)
        for number, ((top, bottom, tall), (left, right, wide)) in enumerate(reached):
            rows, columns = (bottom - top + 1).double(), (right - left + 1).double()
            if float(rows.mean() * columns.mean()) > _LARGEST_SHARE * tall * wide:
                break
            if links[number].costly:
                followed = number + 1
            if small == number and float(rows.max() * columns.max()) <= _SMALL_SHARE * tall * wide:
                small = number + 1
        if followed == 0:
            return None
        small = min(small, followed)
        links, later = links[:followed], links[followed:]
        down, across = (Axis.of(links, small, axis, places, classifier.device) for axis, places in enumerate((height, width)))
        return cls(links, small, later, layers, down, across)

    @property
    def kinds(self) -> int:
        """The number of kinds of places along both axes."""
        return len(self.down.windows) * len(self.across.windows)

    def margins(self) -> Iterator[Pair]:
        """Yield for every link by how much the inputs of a window may exceed its padded map, at the bottom and on the right."""
        for link in range(len(self.links)):
            down, across = (max(kind[link].length - kind[link].seen for kind in axis.windows) for axis in (self.down, self.across))
            yield down, across


def _reached(links: Sequence[Link], axis: int, places: int) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Yield for every link the first and last output ``(places,)`` along an axis that each place can alter, and the number of outputs."""
    first = last = torch.arange(places)
    for link in links:
        kernel, stride, padding = link.kernel[axis], link.stride[axis], link.padding[axis]
        places = (places + 2 * padding - kernel) // stride + 1
        first = ((first + padding - kernel + stride) // stride).clamp(0, places - 1)
        last = ((last + padding) // stride).clamp(0, places - 1).maximum(first)  # a place on which no output depends alters none
        yield first, last, places


def _windows(
    links: Sequence[Link], axis: int, reached: Sequence[tuple[Tensor, Tensor, int]], members: Sequence[Tensor], device: torch.device
) -> Iterator[Window]:
    """Yield for every link windows that contain what its ``members`` can alter, shifted where they would leave the map."""
    begin, before = torch.arange(len(members[0])), 1
    for link, (low, high, total), some in zip(links, reached, members, strict=True):
        stride, at = link.stride[axis], begin + link.padding[axis]
        first = low.minimum(at // stride)  # no later than the previous window, so that its inputs contain the start of that one
        size = int((high - first)[some].max()) + 1
        first = first.clamp_max(total - size)
        start, seen = first * stride, (size - 1) * stride + link.kernel[axis]
        length = max(seen, int((at - start)[some].max()) + before)
        yield Window(first.to(device), size, start.to(device), seen, (at - start).to(device), before, length)
        begin, before = first, size
