"""A replay on the command line, with a progress bar, which several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.record import Record, Replay

OTHER_BITS = 1
"""The exit code of a replay that gave other bits."""


def run(
    record: Record,
    folder: Path,
    image: Path | None,
    device: str | None,
    threads: int | None,
    allow_code: bool,
    quiet: bool = False,
    data: Path | None = None,
    known: Sequence[Classifier] = (),
) -> Replay:
    """Replay with a progress bar; before a user's code runs the user is asked."""
    from engine.cli.options import loaded
    from engine.cli.output import interruptible, progress
    from engine.operation import Step
    from engine.record import ModelOptions, replay

    def load(source: str, device: str, options: ModelOptions) -> Classifier:
        return loaded(source, device, allow_code, options)

    with interruptible() as interrupt, progress(quiet) as bar:
        task = bar.add_task(f"replay {record.operation.slug}", total=None, news="")

        def watch(step: Step) -> bool:
            bar.update(task, completed=step.index, total=step.total)
            return not interrupt.pressed

        again = replay(
            record, folder=folder, image=image, device=device, threads=threads, load=load, known=known, data_root=data, watch=watch
        )
    if interrupt.pressed:
        raise KeyboardInterrupt
    return again
