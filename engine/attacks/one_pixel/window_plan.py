"""Which part of every map one changed pixel can alter, how far that is worth being followed, and where its windows begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.attacks.one_pixel.chain import Link, Pair, chain
from engine.classifier import Classifier

_LARGEST_SHARE = 0.8
"""Of a map that the windows of all places take on average: beyond it a window costs as much as the whole map."""
_SMALL_SHARE = 0.3
"""Of a map that the largest window takes: beyond it windows near the edge, which are smaller, are worth being computed apart."""


@dataclass(frozen=True, eq=False)
class Window:
    """The windows of one link along one axis: one for each place, all of one size."""

    first: Tensor
    """``(places,)``: the first output."""
    size: int
    """Outputs."""
    start: Tensor
    """``(places,)``: the first input, counted from the first of the padding."""
    seen: int
    """Inputs that the outputs see."""
    slot: Tensor
    """``(places,)``: where among the inputs the window of the link before begins."""
    before: int
    """Outputs of the window before."""
    length: int
    """Inputs that hold all of it. More than are seen where some of it is seen by no output."""


Windows = Sequence[Window]


@dataclass(frozen=True, eq=False)
class Axis:
    """The windows of all links along one axis. Once they are large there are two kinds of places: near the edge and in the middle."""

    places: int
    kind: Tensor
    """``(places,)``."""
    windows: list[list[Window]]
    """By kind, link after link."""

    @classmethod
    def of(cls, links: Sequence[Link], small: int, axis: int, places: int, device: torch.device) -> Axis:
        """The windows along rows (``axis`` 0) or columns (1); the first ``small`` links have the same for both kinds."""
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
    """How far windows are followed."""

    links: list[Link]
    small: int
    """So many links have windows that are small everywhere."""
    later: list[Link]
    """Those after them, for whole maps."""
    layers: list[nn.Module]
    """The layers after the last link."""
    down: Axis
    across: Axis

    @classmethod
    def of(cls, classifier: Classifier) -> Plan | None:
        """Up to the last convolution whose windows are smaller than its map; None where there is none."""
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
        """Of places."""
        return len(self.down.windows) * len(self.across.windows)

    def margins(self) -> Iterator[Pair]:
        """For every link, by how much the inputs of a window may exceed its padded map, at the bottom and on the right."""
        for link in range(len(self.links)):
            down, across = (max(kind[link].length - kind[link].seen for kind in axis.windows) for axis in (self.down, self.across))
            yield down, across


def _reached(links: Sequence[Link], axis: int, places: int) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Of every link the first and the last output ``(places,)`` along an axis that each place can alter, and how many outputs there are."""
    first = last = torch.arange(places)
    for link in links:
        kernel, stride, padding = link.kernel[axis], link.stride[axis], link.padding[axis]
        places = (places + 2 * padding - kernel) // stride + 1
        first = ((first + padding - kernel + stride) // stride).clamp(0, places - 1)
        last = ((last + padding) // stride).clamp(0, places - 1).maximum(first)  # a place that no output sees alters none
        yield first, last, places


def _windows(
    links: Sequence[Link], axis: int, reached: Sequence[tuple[Tensor, Tensor, int]], members: Sequence[Tensor], device: torch.device
) -> Iterator[Window]:
    """Of every link windows that hold what its ``members`` can alter, moved up where they would leave the map."""
    begin, before = torch.arange(len(members[0])), 1
    for link, (low, high, total), some in zip(links, reached, members, strict=True):
        stride, at = link.stride[axis], begin + link.padding[axis]
        first = low.minimum(at // stride)  # no later than the window before, so that its inputs hold the beginning of that
        size = int((high - first)[some].max()) + 1
        first = first.clamp_max(total - size)
        start, seen = first * stride, (size - 1) * stride + link.kernel[axis]
        length = max(seen, int((at - start)[some].max()) + before)
        yield Window(first.to(device), size, start.to(device), seen, (at - start).to(device), before, length)
        begin, before = first, size
