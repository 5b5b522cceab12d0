"""LongRun: an evaluation of many parts in progress, of which every finished part stays."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from typing import Generic, Self, TypeVar

from engine.operation import Step
from engine.result import Reason

S = TypeVar("S", bound=Step)


class LongRun(Iterator[S], ABC, Generic[S]):
    """An evaluation in progress, pulled step by step like `engine.Run`: to pause is not to pull, and `close` ends it.

    A subclass sets its own attributes before it calls ``super().__init__()``.
    """

    def __init__(self) -> None:
        self.reason = Reason.RUNNING
        self.seconds = 0.0
        self._steps = self._iterate()

    @abstractmethod
    def _iterate(self) -> Generator[S, None, None]:
        """Yield the steps of all parts."""

    def __next__(self) -> S:
        began = time.perf_counter()
        try:
            return next(self._steps)
        except StopIteration:
            self._end(Reason.FINISHED)
            raise
        except BaseException:
            self._end(Reason.FAILED)
            raise
        finally:
            self.seconds += time.perf_counter() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the run. The part in progress is dropped; finished ones stay."""
        self._end(Reason.CANCELLED)
        self._steps.close()

    def _end(self, reason: Reason) -> None:
        if self.reason is Reason.RUNNING:
            self.reason = reason
