"""Replay of a recorded attack, with a comparison of every bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from engine.devices import devices
from engine.driver import Run
from engine.errors import GibbonError
from engine.iterate import at_step
from engine.operation import Step
from engine.record.making import digest
from engine.record.restoring import Load, classifier_of, image_of, run_of
from engine.record.schema import Record
from engine.result import AttackResult, Reason
from engine.threads import checked_threads


@dataclass(frozen=True, eq=False)
class Replay:
    """The result of a recorded attack that was run again."""

    record: Record
    result: AttackResult
    sha256: str
    """Hash of the float32 bytes of the new adversarial image."""
    device: str
    repeats: bool | None = None
    """Whether a second replay gave the same bits as the first; None: not tried, since everything is explained."""

    @property
    def same(self) -> bool:
        """Whether every bit of the adversarial image is as recorded."""
        return self.sha256 == self.record.outcome.adversarial_sha256

    @property
    def sentence(self) -> str:
        """The comparison with the record as a sentence."""
        if self.same:
            return "The same bits again."
        if self.result.classifier.contract.random:
            return "Other bits: the model is random, and gives other logits whenever it is asked."
        if self.device != self.record.device:
            return f"Other bits: the record was made on {self.record.device}, this on {self.device}."
        if self._changed:
            return f"Other bits on the same device; changed: {', '.join(self._changed)}."
        if self.repeats is None:
            return "Other bits on the same device; the replay was ended before the cause was looked for."
        if not self.repeats:
            return "Other bits on the same device. A second replay differed from this one, too: model or attack do not repeat themselves."
        if self.result.classifier.contract.mixes_rows:
            return (
                "Other bits on the same device. The model's logits change with the other images in a batch, and a replay attacks the "
                "image alone; a second replay gave the bits of this one."
            )
        return (
            "Other bits on the same device with the same versions. A second replay gave the bits of this one, so the difference lies where "
            "the record was made: in its processor, say, or in images attacked together with this one."
        )

    @property
    def unexplained(self) -> bool:
        """Whether bits differ although model, device, versions and threads are those of the record."""
        known = self.result.classifier.contract.random or self.device != self.record.device or bool(self._changed)
        return not self.same and not known and not _ended_early(self.result, self.record)

    @property
    def _changed(self) -> list[str]:
        """Return the known differences to the recorded surroundings: versions and threads."""
        now, then = self.result.provenance["versions"], self.record.versions
        threads = self.result.provenance["threads"]
        changed = [] if threads == self.record.threads else [f"threads {self.record.threads} → {threads}"]
        return changed + [
            f"{name} {then.get(name, 'none')} → {now.get(name, 'none')}"
            for name in sorted({*now, *then})
            if now.get(name) != then.get(name)
        ]


def replay(
    record: Record,
    *,
    folder: Path | str = ".",
    image: Path | str | None = None,
    device: str | None = None,
    threads: int | None = None,
    load: Load | None = None,
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
    if record.objective is not None:
        raise GibbonError(
            f"The attack followed a further objective, “{record.objective}”, which a record cannot hold, so this replay "
            "could not give the same image. Run it where that function is."
        )
    folder, device = Path(folder), device or record.device
    if device not in (str(here) for here in devices()):
        raise GibbonError(
            f"The record was made on {device} ({record.device_name}), which is not here. Give another device; the bits may then differ."
        )
    with repeatable(record.threads if threads is None else threads):
        classifier = classifier_of(record.model, folder, device, load)
        clean = image_of(record.image, classifier, folder, None if image is None else Path(image))

        def once() -> AttackResult:
            with run_of(record, classifier, clean, folder, data_root) as run:
                _pull(run, record, watch)
                run.close()  # a run that was left before its end counts as cancelled only after this
                return _at_iteration(run, record)

        result = once()
        found = Replay(record, result, digest(result.adversarial[0]), str(classifier.device))
        if not found.unexplained:
            return found
        again = once()
        return found if _ended_early(again, record) else replace(found, repeats=digest(again.adversarial[0]) == found.sha256)


def _ended_early(result: AttackResult, record: Record) -> bool:
    """Return whether ``watch`` ended the replay of a run that had continued."""
    if record.iteration is not None:
        return result.iteration is None
    return result.reason is Reason.CANCELLED and record.outcome.reason != Reason.CANCELLED


@contextmanager
def repeatable(threads: int) -> Iterator[None]:
    """Set the number of torch's CPU threads and cuDNN's deterministic kernels, and restore both afterwards.

    Raises
    ------
    GibbonError
        Torch cannot use that many threads.
    """
    threads = checked_threads(threads)
    before, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.backends.cudnn.deterministic = deterministic


def _pull(run: Run, record: Record, watch: Callable[[Step], bool] | None) -> None:
    """Run to the end or, where the recorded run was cancelled, for the same number of steps; for an iterate up to that."""
    cancelled = record.outcome.reason == Reason.CANCELLED
    for made, step in enumerate(run):
        if watch is not None and not watch(step):
            return
        if (cancelled and made >= record.outcome.steps_made) or step.index == record.iteration:
            return


def _at_iteration(run: Run, record: Record) -> AttackResult:
    """Return the run's result, or the recorded iterate, where the run got that far."""
    result = run.result()
    assert isinstance(result, AttackResult)
    if record.iteration is None or run.record is None:
        return result
    newest = run.record.steps[-1]
    if newest.index == record.iteration:
        return at_step(result, newest)
    if run.reason is Reason.CANCELLED:  # by ``watch``
        return result
    raise GibbonError(f"The record is of iteration {record.iteration}, but the attack ended after {newest.index}. Use the original record.")
