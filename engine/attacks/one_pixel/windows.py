"""Fast evaluation of one changed pixel: in every map only the window that it can alter is computed.

Each output of a convolutional layer depends on a few pixels around its place. So the maps of an image that differs from a clean one in a
single pixel equal the clean maps except for a window. The window is cut out with its surroundings, passed through layer after layer, and
put back into the clean map once it is nearly as large. From there on the network is evaluated as usual.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.attacks.one_pixel.chain import Pair, through
from engine.attacks.one_pixel.window_plan import Plan, Windows
from engine.classifier import Classifier

_CACHED = 2**19
"""Number of values that fit into the cache of a CPU core."""


class Neighbours:
    """Evaluator of images with one changed pixel.

    The logits of `changed` equal those of the classifier up to rounding, since sums are taken in another order.
    """

    def __init__(self, classifier: Classifier, images: Tensor, plan: Plan) -> None:
        self._plan = plan
        self._mean, self._std = (images.new_tensor(values) for values in classifier.normalisation)
        self._clean: list[_Clean] = []
        maps = classifier.prepared(images)
        for link, margin in zip(plan.links, plan.margins(), strict=True):
            self._clean.append(_Clean(maps, link.padding, margin, link.beyond))
            maps = through(link.own, maps)
        self._end = _Clean(maps)
        self.logits = through([*(layer for link in plan.later for layer in link.own), *plan.layers], maps)
        """Logits of the images, computed by the links, ``(N, K)``."""

    @classmethod
    @torch.no_grad()
    def of(cls, classifier: Classifier, images: Tensor) -> Neighbours | None:
        """Build the evaluator; None where the network is not known to be a chain of layers whose windows are smaller than their maps."""
        derived = classifier.before or classifier.activations or classifier.bounds or classifier.input_shape != classifier.native_shape
        plan = None if derived or classifier.head == "log" else Plan.of(classifier)
        return None if plan is None else cls(classifier, images, plan)

    @property
    def to_the_end(self) -> bool:
        """Whether the chain contains all convolutions, so that many candidates take as long as a few whole images."""
        return not any(isinstance(layer, nn.Conv2d) for module in self._plan.layers for layer in module.modules())

    def agrees(self, logits: Tensor) -> bool:
        """Return whether the links give the classifier's ``logits`` ``(N, K)`` for the images; otherwise the network is no such chain."""
        return float((self.logits - logits).abs().max()) <= 1e-4 * float(logits.abs().max())

    @torch.no_grad()
    def changed(self, rows: Tensor, places: Tensor, colours: Tensor) -> Tensor:
        """Return logits ``(M, K)`` of the images at ``rows`` ``(M,)`` with the pixel at ``places`` in ``colours`` ``(M, C)``.

        A place is ``row * W + column``.
        """
        plan, end = self._plan, self._end
        y, x = places // plan.across.places, places % plan.across.places
        kind = plan.down.kind[y] * len(plan.across.windows) + plan.across.kind[x]
        order = kind.argsort(stable=True)
        rows, y, x, kind = rows[order], y[order], x[order], kind[order]
        small = slice(plan.small)
        window = self._followed(small, rows, y, x, plan.down.windows[0], plan.across.windows[0], (colours[order] - self._mean) / self._std)
        slots, large, each, first = [], [], len(window) // len(rows), 0
        pairs = itertools.product(plan.down.windows, plan.across.windows)
        for (tall, wide), count in zip(pairs, kind.bincount(minlength=plan.kinds).tolist(), strict=True):
            here = slice(first, first + count)
            first += count
            if count > 0:
                at = y[here], x[here]
                found = self._followed(slice(plan.small, None), rows[here], *at, tall, wide, window[here.start * each : here.stop * each])
                slots.append(_block(tall[-1].first[at[0]] * end.width + wide[-1].first[at[1]], tall[-1].size, wide[-1].size, end.width))
                large.append(found)
        later: list[Callable[[Tensor], Tensor]] = [*(link.whole for link in plan.later), *plan.layers]
        taken = _block(rows * (end.height * end.width), end.height, end.width, end.width)
        end.lay(taken, slots, large)
        logits = torch.cat([through(later, end.take(some, end.height, end.width)) for some in torch.split(taken, end.at_once(taken))])
        return torch.empty_like(logits).index_copy_(0, order, logits)

    def _followed(self, links: slice, rows: Tensor, y: Tensor, x: Tensor, tall: Windows, wide: Windows, window: Tensor) -> Tensor:
        """Pass a window of every row through ``links``, with all its places in one line: ``(M * places, channels)``."""
        for link, clean, down, across in zip(self._plan.links[links], self._clean[links], tall[links], wide[links], strict=True):
            corner = (rows * clean.height + down.start[y]) * clean.width + across.start[x]
            taken = _block(corner, down.length, across.length, clean.width)
            slots = _block(down.slot[y] * across.length + across.slot[x], down.before, across.before, across.length)
            clean.lay(taken, [slots], [window])
            around = clean.take(taken, down.length, across.length)[:, :, : down.seen, : across.seen]
            window = link.inner(around).permute(0, 2, 3, 1).flatten(0, 2)
        return window


class _Clean:
    """Clean maps ``(N, C, H, W)``, padded on all sides, and by an additional ``margin`` at the bottom and on the right."""

    def __init__(self, maps: Tensor, padding: Pair = (0, 0), margin: Pair = (0, 0), beyond: float = 0.0) -> None:
        (down, across), (below, beside) = padding, margin
        padded = F.pad(maps, (across, across + beside, down, down + below), value=beyond).permute(0, 2, 3, 1)
        self.height, self.width = padded.shape[1:3]
        self._memory = padded.clone(memory_format=torch.contiguous_format).flatten(0, 2)
        """One row of values per place, with space for those of windows: gathering rows is several times as fast as scattering them."""
        self._rows = len(self._memory)

    def lay(self, taken: Tensor, slots: Sequence[Tensor], windows: Sequence[Tensor]) -> None:
        """Write the places of ``windows`` into those ``taken`` ``(M, places)`` of the maps, at ``slots`` of them.

        ``slots`` are one ``(m, places)`` after the other, together of M rows; ``windows`` ``(m * places, C)``.
        """
        first, row = self._rows, 0
        self._make_room(first + sum(map(len, windows)))
        for slot, window in zip(slots, windows, strict=True):
            number = torch.arange(first, first + len(window), device=slot.device).view_as(slot)
            taken[row : row + len(slot)].scatter_(1, slot, number)
            self._memory[first : first + len(window)] = window
            first, row = first + len(window), row + len(slot)

    def take(self, taken: Tensor, height: int, width: int) -> Tensor:
        """Return the places ``taken`` ``(M, height * width)`` of the maps, or of windows over them, as ``(M, C, height, width)``."""
        return self._memory.index_select(0, taken.flatten()).view(len(taken), height, width, -1).permute(0, 3, 1, 2)

    def at_once(self, taken: Tensor) -> int:
        """Return how many rows of ``taken`` should be computed together."""
        if taken.device.type != "cpu":
            return len(taken)
        return max(1, _CACHED // (taken.shape[1] * self._memory.shape[1]))

    def _make_room(self, rows: int) -> None:
        if len(self._memory) < rows:
            clean, self._memory = self._memory[: self._rows], self._memory.new_empty(rows, self._memory.shape[1])
            self._memory[: self._rows] = clean


def _block(corners: Tensor, height: int, width: int, across: int) -> Tensor:
    """Return the indices of blocks with these ``corners``, in maps that are ``across`` wide, ``(M, height * width)``."""
    return corners[:, None] + _offsets(height, width, across, corners.device)


@lru_cache(maxsize=1024)
def _offsets(height: int, width: int, across: int, device: torch.device) -> Tensor:
    return (torch.arange(height, device=device)[:, None] * across + torch.arange(width, device=device)).flatten()
