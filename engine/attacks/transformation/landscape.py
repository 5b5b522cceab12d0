"""The landscape of an attack by transformations: which of them fool the classifier, over two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from engine.artifacts import Map, Span
from engine.attacks.transformation.space import UNITS, Name, Space


@dataclass(frozen=True)
class Sides:
    """The two parameters of a landscape, as places in the space. A space of one parameter has a landscape of one row."""

    across: int
    down: int | None

    @classmethod
    def of(cls, space: Space, across: Name | None, down: Name | None) -> Sides:
        """Choose the parameters: those that are named, where they vary, or else the first ones that do."""
        rest = [place for place, name in enumerate(space.names) if name not in (across, down)]
        places = [space.names.index(name) if name in space.names else -1 for name in (across, down)]
        first, second = (place if place >= 0 else rest.pop(0) if rest else None for place in places)
        if first is None:
            first, second = second, None
        assert first is not None
        return cls(first, second if second != first else None)

    def slice_through(self, points: Tensor, count: int) -> Tensor:
        """Return ``count`` x ``count`` points for each of ``points`` ``(N, P)``, as ``(N, L, P)``: the others stay as they are there."""
        side = torch.linspace(-1, 1, count, dtype=points.dtype, device=points.device)
        down, across = (each.flatten() for each in torch.meshgrid(side if self.down is not None else side[:1], side, indexing="ij"))
        made = points[:, None].repeat(1, len(across), 1)
        made[:, :, self.across] = across
        if self.down is not None:
            made[:, :, self.down] = down
        return made

    def folded(self, margins: Tensor, counts: Sequence[int]) -> Tensor:
        """Reduce the margins ``(N, G)`` of a whole grid to ``(N, rows, columns)``: the largest over all other parameters."""
        assert margins.shape[1] == prod(counts)
        whole = margins.view(-1, *counts)
        kept = [1 + place for place in (self.down, self.across) if place is not None]
        others = [axis for axis in range(1, whole.dim()) if axis not in kept]
        ordered = whole.permute(0, *kept, *others).flatten(1 + len(kept)) if others else whole.permute(0, *kept)[..., None]
        found = ordered.nan_to_num(nan=-torch.inf).amax(-1)
        found = found.masked_fill(ordered.isnan().all(-1), torch.nan)
        return found if self.down is not None else found[:, None]

    def map_of(self, space: Space, values: Tensor, others: str, *, whole: bool) -> Map:
        """Return the map of values ``(N, rows, columns)``; ``others`` says what the other parameters are, ``whole`` that all were tried."""
        names = [space.names[place] for place in (self.across, self.down) if place is not None]
        rest = f", {others}" if len(space.names) > len(names) else ""
        partial = "" if whole else "Incomplete: "
        title = f"{partial}margin over {' and '.join(names)}, above 0 the attack succeeds{rest}"
        title = title[0].upper() + title[1:]
        down = None if self.down is None else _span(space, self.down, values.shape[1])
        return Map(values, title, signed=True, across=_span(space, self.across, values.shape[2]), down=down)


def _span(space: Space, place: int, count: int) -> Span:
    side = torch.linspace(-1, 1, count, dtype=torch.float64) if count > 1 else torch.zeros(1, dtype=torch.float64)
    name = space.names[place]
    return Span(f"{name} ({UNITS[name]})" if name in UNITS else name, tuple(space.value(place, side).tolist()))
