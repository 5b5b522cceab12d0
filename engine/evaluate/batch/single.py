"""RowRun: the attack of one row of a batch again, with its timeline, to the bits of the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Self

from engine.errors import GibbonError
from engine.evaluate.batch.attacking import ImageRun, Posed
from engine.evaluate.batch.late import with_data
from engine.evaluate.batch.results import ImageResults
from engine.evaluate.batch.rows import ImageRow, row_of
from engine.images import Photograph, digest
from engine.operation import Step
from engine.result import AttackResult, Reason
from engine.timeline import KeptStep, Timeline

_TOGETHER = "with the images that were attacked together with it"


@dataclass(frozen=True, eq=False)
class RowAgain:
    """One row of a batch, attacked again."""

    row: ImageRow
    """The row of the table."""
    result: AttackResult
    """The result, of one image."""
    timeline: Timeline
    photograph: Photograph
    """The image of the row, opened again."""
    same: bool
    """Whether every bit of the adversarial image is that of the table."""

    @property
    def reason(self) -> Reason:
        """The reason why the attack ended."""
        return self.result.reason


class RowRun(Iterator[Step]):
    """The attack of one row, pulled like an `engine.Run`: ``result()`` is valid after any step, ``close()`` ends it.

    The image is attacked alone, as a run of its own would be. If that gives other bits and the row was one of several that were attacked
    together, they are attacked together again.

    Parameters
    ----------
    results
        The batch.
    row
        One of its rows, which has a result.
    max_bytes
        Memory for the kept steps.

    Raises
    ------
    GibbonError
        The image is gone or another one, or the attack refuses it.
    """

    def __init__(self, results: ImageResults, row: ImageRow, max_bytes: int = 64 * 2**20) -> None:
        self._row, self._bytes = row, max_bytes
        self._batch = ImageRun(results.attack, results.classifier, results.subjects, with_data(dict(results.inputs)))
        subject = results.subjects.items[row.number]
        self.photograph = subject.open()
        if row.file_sha256 and self.photograph.sha256 != row.file_sha256:
            raise GibbonError(f"“{row.name}” is not the image that was attacked: the file has changed. Put the original one there.")
        self._posed = self._pose(row.number)
        self._place, self._closed = 0, False
        self._begin([self._posed])
        self._steps = self._pulled()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Step:
        return next(self._steps)

    def close(self) -> None:
        """End the attack. One that is left before its end counts as cancelled."""
        self._closed = True
        self._run.close()

    def result(self) -> RowAgain:
        """Return the row again; before the end, its best image so far."""
        result = self._alone()
        return RowAgain(self._row, result, self._own_timeline(), self.photograph, digest(result.adversarial[0]) == self._row.sha256)

    # ------------------------------------------------------------------ the attacks

    def _pose(self, number: int) -> Posed:
        posed = self._batch.pose(number)
        if isinstance(posed, ImageRow):
            raise GibbonError(posed.error)
        return posed

    def _begin(self, posed: Sequence[Posed]) -> None:
        self._timeline = Timeline(self._bytes)
        self._run = self._batch.begin(posed, record=self._timeline)

    def _pulled(self) -> Iterator[Step]:
        yield from self._run
        self._run.close()
        if self._closed or self._batch.together == 1 or self.result().same:
            return
        together = self._together()
        self._place = next(place for place, one in enumerate(together) if one.number == self._row.number)
        with closing(self._run):
            self._begin(together)
        for step in self._run:
            yield replace(step, news=_TOGETHER)
        self._run.close()

    def _together(self) -> list[Posed]:
        """Return the images that were attacked together with this one: those that could be opened, and whose label is assumed as its is."""
        size, count = self._batch.together, len(self._batch.subjects)
        first = self._row.number - self._row.number % size
        posed = (self._batch.pose(number) for number in range(first, min(first + size, count)))
        return [one for one in posed if not isinstance(one, ImageRow) and one.assumed is self._row.label_assumed]

    def _alone(self) -> AttackResult:
        result = self._run.result()
        assert isinstance(result, AttackResult)
        if len(result.clean) == 1:
            return replace(result, labels_assumed=self._row.label_assumed)
        again = row_of(result, self._place, assumed=self._row.label_assumed, **self._posed.known).result
        assert again is not None
        return again

    def _own_timeline(self) -> Timeline:
        """Return the timeline of this row alone, where several were attacked together."""
        if len(self._run.problem.images) == 1:
            return self._timeline
        rows = (_row_of_step(step, self._place - step.first_row) for step in self._timeline.steps)
        return Timeline.of([step for step in rows if step is not None], self._bytes)


def _row_of_step(step: KeptStep, place: int) -> KeptStep | None:
    """Return one row of a step; None where the step is of other rows."""
    if not 0 <= place < len(step.adversarial):
        return None
    one = slice(place, place + 1)
    return replace(
        step,
        adversarial=step.adversarial[one].clone(),
        loss=step.loss[one],
        logits=None if step.logits is None else step.logits[one],
        success=step.success[one],
        goals=None if step.goals is None else step.goals[one],
        first_row=0,
    )
