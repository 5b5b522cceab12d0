"""Readings: the numbers that the steps of a run report, transferred from the device in batches, and their trace, for curves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

READ_S = 0.1
"""Seconds between two transfers at least, since each of them waits for the device."""
MOST_POINTS = 1000
"""The length of a trace at which every second point is dropped."""


@dataclass(frozen=True)
class TracePoint:
    """The readings of one step."""

    index: int
    """The number of the step."""
    values: Mapping[str, float]


class Series:
    """Every reading of a run as arrays that only grow, so that the main thread may read them while the lane's thread adds.

    ``earlier`` are the columns of the same run before it was interrupted, the numbers of the steps under the empty name. Steps that come
    again replace those.
    """

    def __init__(self, earlier: Mapping[str, Any] | None = None) -> None:
        self._columns: dict[str, Any] = {}
        self._length = 0
        self._earlier = dict(earlier or {})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the readings, with the empty one of the numbers of the steps."""
        return tuple(dict.fromkeys([*self._earlier, *self._columns]))

    def add(self, points: Sequence[TracePoint]) -> None:
        """Add the readings of steps. Called in the lane's thread."""
        import numpy as np

        wanted = {"": [float(point.index) for point in points]}
        for name in dict.fromkeys([*self._columns, *(name for point in points for name in point.values)]):
            if name:
                wanted[name] = [point.values.get(name, np.nan) for point in points]
        end = self._length + len(points)
        for name, values in wanted.items():
            column = self._columns.get(name)
            if column is None or len(column) < end:
                longer = np.full(max(1024, 2 * end), np.nan)
                longer[: self._length] = np.nan if column is None else column[: self._length]
                column = longer
            column[self._length : end] = values
            self._columns[name] = column
        self._length = end  # last, so that a reader sees whole columns

    def read(self, name: str = "") -> Any:
        """Return the values of a reading so far, or the numbers of the steps; an empty array where there are none."""
        import numpy as np

        length, column = self._length, self._columns.get(name)
        if not self._earlier or name not in self.names:
            return np.zeros(0) if column is None else column[:length]
        steps = self._earlier[""]
        kept = steps < self._columns[""][0] if length else np.full(len(steps), True)
        old = self._earlier.get(name, np.full(len(steps), np.nan))
        return np.concatenate([old[kept], np.full(length, np.nan) if column is None else column[:length]])


class Readings:
    """Collects the readings of one run, in the lane's thread. ``newest`` and ``trace`` may be read in any thread.

    A step's readings stay on the device until `READ_S` has passed; then all that were added since are transferred at once.
    """

    def __init__(self, *, collect: bool, most: int = MOST_POINTS) -> None:
        from engine.thinning import Thinned

        self._collect = collect
        self.series: Series | None = None
        """Takes every reading, without thinning; None: nothing does."""
        self._kept: Thinned[TracePoint] = Thinned(lambda points: len(points) > most)
        self._unread: list[tuple[int, int, Mapping[str, Any]]] = []
        self._count = 0
        self._read_at = 0.0
        self.newest: Mapping[str, float] = {}
        """The newest readings that were transferred."""
        self.trace: tuple[TracePoint, ...] = ()
        """The readings of all steps, thinned evenly beyond ``most`` points. The newest that was transferred is always the last point."""

    def add(self, step: Any) -> None:
        """Add a step's readings, and transfer all unread ones if `READ_S` has passed."""
        self.note(step.index, getattr(step, "readings", {}))

    def note(self, index: int, values: Mapping[str, Any]) -> None:
        """Add the values of the step of a number; see `add`."""
        if not values:
            return
        if self.series is None and self._unread and not (self._collect and self._kept.wants(self._unread[-1][0])):
            self._unread.pop()  # the trace skips that step, and newer readings replace it
        self._unread.append((self._count, index, values))
        self._count += 1
        if time.perf_counter() >= self._read_at:
            self.flush()
            self._read_at = time.perf_counter() + READ_S

    def flush(self) -> None:
        """Transfer all readings that are still on the device, in one go."""
        if not self._unread:
            return
        points = _transferred(self._unread)
        if self.series is not None:
            self.series.add([point for _, point in points])
        if self._collect:
            for number, point in points:
                self._kept.add(number, point)
            kept = self._kept.items
            self.trace = (*kept.values(), *(point for number, point in points[-1:] if number not in kept))
        self.newest = points[-1][1].values
        self._unread = []


def _transferred(unread: list[tuple[int, int, Mapping[str, Any]]]) -> list[tuple[int, TracePoint]]:
    """Return the readings as Python numbers, with one transfer per device."""
    import torch

    tensors = [torch.as_tensor(value).detach().reshape(()) for _, _, values in unread for value in values.values()]
    numbers = [0.0] * len(tensors)
    for device in {tensor.device for tensor in tensors}:
        places = [place for place, tensor in enumerate(tensors) if tensor.device == device]
        exact = torch.float64 if device.type == "cpu" else torch.float32  # float64 holds counts beyond 2 ** 24, but not every device has it
        moved = torch.stack([tensors[place].to(exact) for place in places]).tolist()
        for place, number in zip(places, moved, strict=True):
            numbers[place] = number
    each = iter(numbers)
    return [(number, TracePoint(index, {name: next(each) for name in values})) for number, index, values in unread]
