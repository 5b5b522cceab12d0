"""Stages of a long experiment: each says how far it is, and the experiment says how far all of them are."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from engine.reproduce.experiment import Report

Made = TypeVar("Made")
Stage = Generator[tuple[float, str], None, Made]
"""Yields the share of the stage that is done, with a sentence, and returns what it made."""


class Stages:
    """The progress over stages whose weights are known beforehand, such as rough numbers of passes.

    Parameters
    ----------
    report
        The report whose ``share_done`` is set.
    total
        The sum of the weights of all stages.
    """

    def __init__(self, report: Report, total: float) -> None:
        self._report, self._total, self._done = report, total, 0.0

    def within(self, weight: float, stage: Stage[Made]) -> Generator[str, None, Made]:
        """Run one stage of the given weight, and yield its sentences."""
        while True:
            try:
                share, news = next(stage)
            except StopIteration as end:
                self._done += weight
                self._tell(self._done)
                made: Made = end.value
                return made
            self._tell(self._done + weight * min(share, 1.0))
            yield news

    def _tell(self, done: float) -> None:
        """Set the share of the whole; it never falls, though a stage may consist of parts that each begin at 0."""
        self._report.share_done = max(self._report.share_done or 0.0, min(1.0, done / self._total))
