"""ReplayRun: a recorded attack again, step by step, so that whoever pulls it can show its progress and end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from engine.classifier import Classifier
from engine.devices import devices
from engine.driver import Run
from engine.errors import GibbonError
from engine.images import digest
from engine.iterate import at_step
from engine.operation import Problem, Step
from engine.record.replaying import Replay, ended_early, repeatable
from engine.record.restoring import Load, classifier_of, image_of, run_of
from engine.record.schema import Record
from engine.result import AttackResult, Reason
from engine.timeline import Timeline

_AGAIN = "once more, to see whether the attack repeats itself here"


class ReplayRun(Iterator[Step]):
    """A replay in progress: the recorded attack and, where its bits differ without a known cause, the same once more.

    It is pulled like an `engine.Run`: ``result()`` is valid after any step, ``close()`` ends it. The parameters are those of
    `engine.record.replay`; a ``timeline`` keeps the steps of the first run.
    """

    def __init__(
        self,
        record: Record,
        *,
        folder: Path | str = ".",
        image: Path | str | None = None,
        device: str | None = None,
        threads: int | None = None,
        load: Load | None = None,
        known: Sequence[Classifier] = (),
        data_root: Path | str | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        if record.objective is not None:
            raise GibbonError(
                f"The attack followed a further objective, “{record.objective}”, which a record cannot hold, so this replay "
                "could not give the same image. Run it where that function is."
            )
        device = device or record.device
        if device not in (str(here) for here in devices()):
            raise GibbonError(
                f"The record was made on {device} ({record.device_name}), which is not here. Give another device; the bits may then differ."
            )
        self._record, self._folder, self._data_root = record, Path(folder), data_root
        self._threads = record.threads if threads is None else threads
        self._first: AttackResult | None = None
        """The result of the first run, once that has ended."""
        self._repeats: bool | None = None
        with repeatable(self._threads):
            self.classifier = classifier_of(record.model, self._folder, device, load, known)
            self.clean, self.photograph = image_of(record.image, self.classifier, self._folder, None if image is None else Path(image))
            self._run = self._begun(timeline)
        self._steps = self._pulled()

    @property
    def problem(self) -> Problem:
        """The problem of the run in progress, whose classifier counts the queries."""
        return self._run.problem

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Step:
        with repeatable(self._threads):
            return next(self._steps)

    def close(self) -> None:
        """End the replay. A run that is left before its end counts as cancelled."""
        self._run.close()

    def result(self) -> Replay:
        """Return the comparison with the record; before the end of the first run, that of its best image so far."""
        result = self._first
        if result is None:
            made = self._run.result()
            assert isinstance(made, AttackResult)
            result = made
        mask = self._run.problem.mask
        return Replay(
            record=self._record,
            result=result,
            sha256=digest(result.adversarial[0]),
            device=str(self.classifier.device),
            repeats=self._repeats,
            clean=self.clean,
            photograph=self.photograph,
            mask=None if mask is None else mask[0].detach().cpu(),
        )

    def _begun(self, timeline: Timeline | None = None) -> Run:
        return run_of(self._record, self.classifier, self.clean, self._folder, self._data_root, timeline)

    def _pulled(self) -> Iterator[Step]:
        yield from self._to_its_end()
        self._first = self._ended()
        if not self.result().unexplained:
            return
        self._run = self._begun()
        for step in self._to_its_end():
            yield replace(step, news=_AGAIN)
        again = self._ended()
        if not ended_early(again, self._record):
            self._repeats = digest(again.adversarial[0]) == digest(self._first.adversarial[0])

    def _to_its_end(self) -> Iterator[Step]:
        """Pull the run to its end or, where the recorded run was cancelled, for the same number of steps; for an iterate up to that.

        A recorded run that failed may fail again: its image is the best one until then, which is compared.
        """
        outcome = self._record.outcome
        for made, step in enumerate(self._pulled_run()):
            yield step
            cancelled = outcome.reason == Reason.CANCELLED and made >= outcome.steps_made
            if cancelled or step.index == self._record.iteration:
                return

    def _pulled_run(self) -> Iterator[Step]:
        """Pull the run to its end. An error ends it as it ended the recorded run, and is raised where that had none."""
        try:
            yield from self._run
        except Exception:
            if self._record.outcome.reason != Reason.FAILED or self._run.last is None:
                raise

    def _ended(self) -> AttackResult:
        """Close the run, which decides whether it counts as cancelled, and return its result, or the recorded iterate."""
        self._run.close()
        result, wanted = self._run.result(), self._record.iteration
        assert isinstance(result, AttackResult)
        if wanted is None or self._run.record is None:
            return result
        newest = self._run.record.steps[-1]
        if newest.index != wanted:
            raise GibbonError(f"The record is of iteration {wanted}, but the attack ended after {newest.index}. Use the original record.")
        return at_step(result, newest)


def replay(
    record: Record,
    *,
    folder: Path | str = ".",
    image: Path | str | None = None,
    device: str | None = None,
    threads: int | None = None,
    load: Load | None = None,
    known: Sequence[Classifier] = (),
    data_root: Path | str | None = None,
    watch: Callable[[Step], bool] | None = None,
) -> Replay:
    """Load the model, read the image, and run the attack again with the recorded seed and threads.

    Where bits differ and no known cause explains it, the attack is run once more, to test whether it is repeatable here.

    Parameters
    ----------
    record
        The record of the attack.
    folder
        Folder of the record, to which its paths are relative.
    image
        The clean image's file, where it has moved. Its hash must be the recorded one.
    device, threads
        Replacements for the recorded ones; the bits may then differ.
    load
        Replacement for ``engine.models.load``, which here runs no user's code and downloads nothing.
    known
        Classifiers in memory. One with the recorded fingerprint, on the device, is used in place of loading the model.
    data_root
        Folder of the data sets; None: the default of ``engine.data.load``.
    watch
        Called after every step; False ends the run.

    Raises
    ------
    GibbonError
        Model, image, mask or another file are missing or differ from the recorded ones; or the attack followed an objective, which no
        record can hold.
    """
    run = ReplayRun(record, folder=folder, image=image, device=device, threads=threads, load=load, known=known, data_root=data_root)
    for step in run:
        if watch is not None and not watch(step):
            break
    run.close()
    return run.result()
