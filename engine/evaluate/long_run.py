"""LongRun: an evaluation of many parts in progress, of which every finished part stays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import TypeVar

from engine.operation import Step
from engine.pulled import Pulled

S = TypeVar("S", bound=Step)


class LongRun(Pulled[S], ABC):
    """An evaluation in progress, pulled step by step like `engine.Run`. Once it is closed, the part in progress is dropped.

    A subclass sets its own attributes before it calls ``super().__init__()``.
    """

    def __init__(self) -> None:
        super().__init__(self._iterate())

    @abstractmethod
    def _iterate(self) -> Generator[S, None, None]:
        """Yield the steps of all parts."""
