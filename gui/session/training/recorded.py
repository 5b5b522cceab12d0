"""Recorded: the record of a training that was opened, with which the training that makes it again is compared. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.session.training.run import record_of

if TYPE_CHECKING:
    from engine.record import TrainingRecord
    from gui.session.history import FinishedRun


@dataclass(frozen=True, eq=False)
class Recorded:
    """A record and the name of its file."""

    record: TrainingRecord
    file: str

    def compared(self, run: FinishedRun) -> str:
        """Return whether a training has the recorded weights again, as a sentence; empty if it is another training."""
        made, record = record_of(run), self.record
        if made is None or _decisive(made) != _decisive(record):
            return ""
        if made.outcome.weights_sha256 == record.outcome.weights_sha256:
            return f"The weights of {made.name} are those of {self.file} again, bit for bit."
        then, now = (
            {**each.versions, "threads": each.threads, "device": each.device, "steps": each.outcome.last_step} for each in (record, made)
        )
        changed = [f"{name} {then.get(name, 'none')} → {now[name]}" for name in now if then.get(name) != now[name]]
        return f"The weights of {made.name} are other ones than those of {self.file}. Changed: {', '.join(changed) or 'nothing'}."


def _decisive(record: TrainingRecord) -> tuple[object, ...]:
    """Return everything that decides the weights, but for the machine."""
    return record.operation, record.seed, record.data.sha256, record.fingerprint
