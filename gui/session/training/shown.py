"""Shown: a training as its curves need it, whether it is in progress, has just ended, or came with a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gui.session.training.folders import kept_folder
from gui.session.training.making import key_of
from gui.session.training.points import kept_points
from gui.session.training.run import TrainingRun, model_of, name_of

if TYPE_CHECKING:
    from engine.artifacts import Curve
    from engine.defenses import Train
    from engine.defenses.training import Epoch
    from gui.lanes.readings import Series
    from gui.session.history import FinishedRun
    from gui.session.training.trainer import Trainer

MEASURES = ("loss", "accuracy", "clean", "attacked")


def _none() -> Any:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Shown:
    """The curves of a training, over its epochs."""

    name: str
    subject: object
    """The training itself: the work of one in progress, or the number of a run."""
    heading: str
    attack: str
    """The quick attack with its budget, such as ``PGD-10 at L∞ 0.3``."""
    whole: float = 0.0
    """The number of epochs of one in progress; 0 for one that has ended."""
    batches: Any = field(default_factory=_none)
    """The abscissae of the batches, in epochs."""
    loss: Any = field(default_factory=_none)
    """The loss of each batch."""
    accuracy: Any = field(default_factory=_none)
    """The accuracy on each batch."""
    each: int = 1
    """Number of steps of an epoch."""
    epochs: Any = field(default_factory=_none)
    """The numbers of the finished epochs."""
    measures: Mapping[str, Any] = field(default_factory=dict)
    """The figures of each epoch, by `MEASURES`; NaN where one was not measured."""
    maxima: Mapping[str, Any] = field(default_factory=dict)
    """The largest activation of each site, at each epoch."""
    bounds: Mapping[str, Any] = field(default_factory=dict)
    """The upper bound of each rectifier, at each epoch."""
    files: Mapping[int, Path] = field(default_factory=dict)
    """The networks of epochs, by the number of the epoch."""


def live(trainer: Trainer) -> Shown | None:
    """Return the training in progress; None if there is none."""
    job, recipe, making = trainer.job, trainer.recipe, trainer.making
    if job is None or recipe is None or making is None:
        return None
    folder = job.context[1]
    history = making.history
    state = job.news or "starting"
    shown = Shown(
        name=recipe.name,
        subject=making,
        whole=recipe.operation.epochs,
        heading=f"{recipe.title} · {state}{' · paused' if job.paused else ''}",
        attack=_attack(recipe.operation, making.channels),
        **_of_epochs(history),
        files=_files(folder.path, len(history)),
    )
    return _with_batches(shown, trainer.series, (job.total or 0) + 1, recipe.operation.epochs)


def of_run(run: FinishedRun, base: Path) -> Shown:
    """Return a training that has ended; the networks of its epochs are looked for in the folder of trainings."""
    operation: Any = run.operation
    model, artifacts = model_of(run), run.result.artifacts
    history: Curve | None = model.history
    lines = {} if history is None else {name: line.numpy() for name, line in history.lines.items()}
    epochs = _none() if history is None else history.x.numpy().astype(float)
    folder = run.folder if isinstance(run, TrainingRun) else _folder(run, base)
    held = model.card.get("held_out", {})
    shown = Shown(
        name=name_of(run),
        subject=run.number,
        heading=run.verdict,
        attack=str(held.get("attack") or _attack(operation, model.card["input_shape"][0])),
        epochs=epochs,
        measures={name: lines.get(name, np.full(len(epochs), np.nan)) for name in MEASURES},
        maxima=_lines(artifacts.get("activations")),
        bounds=_lines(artifacts.get("bounds")),
        files={} if folder is None else _files(folder, len(epochs)),
    )
    if isinstance(run, TrainingRun):
        return _with_batches(shown, run.series, run.steps, operation.epochs)
    points = None if folder is None else kept_points(folder)
    return shown if points is None else _with_batches(shown, *points, operation.epochs)


def _attack(operation: Train, channels: int) -> str:
    return operation.quick_attack(channels).words


def _with_batches(shown: Shown, series: Series | None, steps: int, epochs: int) -> Shown:
    from dataclasses import replace

    if series is None or not len(series.read()):
        return shown
    each = max(1.0, steps / max(1, epochs))
    return replace(shown, each=round(each), batches=(series.read() + 1) / each, loss=series.read("loss"), accuracy=series.read("accuracy"))


def _of_epochs(history: Sequence[Epoch]) -> dict[str, Any]:
    def line(values: Sequence[float | None]) -> Any:
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    sites = {kind: dict.fromkeys(site for epoch in history for site in getattr(epoch, kind)) for kind in ("maxima", "bounds")}
    return {
        "epochs": np.array([epoch.epoch for epoch in history], dtype=float),
        "measures": {name: line([getattr(epoch, name) for epoch in history]) for name in MEASURES},
        **{kind: {site: line([getattr(epoch, kind).get(site) for epoch in history]) for site in names} for kind, names in sites.items()},
    }


def _lines(curve: Any) -> dict[str, Any]:
    return {} if curve is None else {name: line.numpy() for name, line in curve.lines.items()}


def _folder(run: FinishedRun, base: Path) -> Path | None:
    kept = kept_folder(base, key_of(run.result.provenance))
    return None if kept is None else kept.path


_found: dict[Path, tuple[int, Mapping[int, Path]]] = {}
"""The files of the newest looks, with the number of epochs at that time: a look at the disk for each epoch is enough."""


def _files(folder: Path, epochs: int) -> Mapping[int, Path]:
    from engine.defenses.training import EpochFiles

    known = _found.get(folder)
    if known is None or known[0] != epochs:
        _found.clear() if len(_found) > 8 else None
        known = _found[folder] = (epochs, EpochFiles(folder).files)
    return known[1]
