"""Replay: the comparison of a recorded attack with the same attack run again, bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.images import Photograph
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
    clean: Tensor | None = None
    """The clean image ``(C, H, W)``, before stickers."""
    photograph: Photograph | None = None
    """The photograph that it was cropped from, where the record names a file."""
    mask: Tensor | None = None
    """``(1, H, W)``: the mask of the pixels that could change, where the record has one."""

    @property
    def reason(self) -> Reason:
        """The reason why the replay ended."""
        return self.result.reason

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
        return not self.same and not known and not ended_early(self.result, self.record)

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


def ended_early(result: AttackResult, record: Record) -> bool:
    """Return whether the replay of a run that had continued was ended before."""
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
