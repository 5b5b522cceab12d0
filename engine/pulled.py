"""A run that is pulled step by step: what the runs on a classifier and on a detector of objects have in common."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

import torch

from engine.operation import Step
from engine.result import Reason

S = TypeVar("S", bound=Step)


class Pulled(Iterator[S], Generic[S]):
    """Steps of a generator in progress. To pause is not to pull; ``close()`` ends it; time between two steps does not count.

    Parameters
    ----------
    steps
        The generator.
    """

    def __init__(self, steps: Iterator[S]) -> None:
        self._steps = steps
        self.reason = Reason.RUNNING
        self.seconds = 0.0
        """Time inside the steps so far, in seconds."""
        self.last: S | None = None
        self._step_began = 0.0

    def __iter__(self) -> Self:
        return self

    @torch.inference_mode(False)  # a caller's inference mode would keep gradients from the attack
    def __next__(self) -> S:
        self._step_began = time.perf_counter()
        try:
            step = self._pull()
        except StopIteration:
            self._end(self._reason_at_end())
            raise
        except BaseException:
            self._end(Reason.FAILED)
            raise
        finally:
            self.seconds += time.perf_counter() - self._step_began
        self.last = step
        return step

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the run. One that had not finished counts as cancelled, and keeps its best so far."""
        self._end(Reason.CANCELLED)
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()

    def seconds_now(self) -> float:
        """Return the time inside the steps, that of the present one included."""
        return self.seconds + time.perf_counter() - self._step_began

    def _pull(self) -> S:
        """Return the next step."""
        return next(self._steps)

    def _reason_at_end(self) -> Reason:
        """Return the reason of an end that the generator reached by itself."""
        return Reason.FINISHED

    def _end(self, reason: Reason) -> None:
        """Note the reason why the run ended; only the first one counts."""
        if self.reason is Reason.RUNNING:
            self.reason = reason
