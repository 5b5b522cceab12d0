"""A recorded training again on the command line, with a comparison of every bit of its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.replaying import OTHER_BITS

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.record import ModelOptions


def replay_recorded(path: Path, *, device: str | None, threads: int | None, allow_code: bool, data: Path | None, json: bool) -> int:
    """Train again as a record says, with a progress bar. Return 0 for the same weights, and 1 for others."""
    from engine.cli.options import ask_for_code, loaded
    from engine.cli.output import interruptible, progress, say, say_json
    from engine.models import runs_code
    from engine.operation import Step
    from engine.record import TrainingRecord, replay_training

    record = TrainingRecord.read(path)

    def load(source: str, device: str, options: ModelOptions) -> Classifier:
        return loaded(source, device, allow_code, options)

    if runs_code(record.source.network) and not record.source.trained and not allow_code:
        ask_for_code(record.source.network)
    with interruptible() as interrupt, progress(quiet=json) as bar:
        task = bar.add_task(f"train {record.name}", total=None, news="")

        def watch(step: Step) -> bool:
            bar.update(task, completed=step.index, total=step.total, news=step.news)
            return not interrupt.pressed

        again = replay_training(
            record, folder=path.parent, data_root=data, device=device, threads=threads, load=load, allow_code=True, watch=watch
        )
    if interrupt.pressed:
        raise KeyboardInterrupt
    recorded = record.outcome.weights_sha256
    if json:
        say_json({"same": again.same, "sentence": again.sentence, "recorded": recorded, "now": again.sha256, "device": again.device})
    else:
        say(again.sentence, f"  recorded sha256 {recorded}", f"  now      sha256 {again.sha256}")
    return 0 if again.same else OTHER_BITS
