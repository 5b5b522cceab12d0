"""The transfer matrix: craft on every model, judge on every model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from engine.artifacts import Table
from engine.classifier import Classifier
from engine.driver import start
from engine.errors import GibbonError
from engine.evaluate.control import control
from engine.evaluate.transfer import NOTHING, Verdict, as_taken, ask, translated
from engine.operation import Attack
from engine.result import AttackResult

if TYPE_CHECKING:
    from engine.data import DataSet

NOISE = "random noise"


@dataclass(frozen=True, eq=False)
class TransferMatrix:
    """How far a transfer matrix has come. Row: the model that was attacked; column: the model that judges. NaN: not known (yet)."""

    names: tuple[str, ...]
    accuracy: Tensor
    """``(M, M)`` float64: the judge's share right, over all images."""
    rate: Tensor
    """``(M, M)`` float64: the share of images that fool the judge among those that fool the source and that the judge had right."""
    counted: Tensor
    """``(M, M)`` int64: how many images the rate is taken over."""
    clean: Tensor
    """``(M,)`` float64: accuracy on the clean images."""
    noise: Tensor
    """``(M, M)`` float64: the judge's accuracy under random noise as large as the source's perturbations."""
    source: int
    """The model being attacked."""
    step: int
    """The step of that attack; -1: it has ended."""
    notes: tuple[str, ...] = ()
    """Why a model could not be compared."""

    @property
    def done(self) -> bool:
        """Whether every model has been attacked."""
        return self.source == len(self.names) - 1 and self.step < 0

    def table(self, what: Literal["accuracy", "rate"] = "accuracy") -> Table:
        """The matrix in percent; for accuracy with the rows of the clean images and of the noise (mean over the sources' sizes)."""
        values = self.accuracy if what == "accuracy" else self.rate
        rows = [(name, *map(_percent, line.tolist())) for name, line in zip(self.names, values, strict=True)]
        if what == "accuracy":
            rows.insert(0, ("clean images", *map(_percent, self.clean.tolist())))
            rows.append((NOISE, *map(_percent, self.noise.nanmean(0).tolist())))
        title = "Accuracy of the judge (column) on images made on the source (row)" if what == "accuracy" else "Transfer rate"
        return Table(("made on", *self.names), tuple(rows), title)


def transfer_matrix(
    attack: Attack,
    models: Sequence[Classifier],
    images: Tensor,
    labels: Tensor,
    *,
    targets: Tensor | None = None,
    mask: Tensor | None = None,
    data: DataSet | None = None,
    seed: int = 0,
) -> Iterator[TransferMatrix]:
    """Craft on each model, evaluate on all: a snapshot after every step of every attack, so that it can be watched and stopped.

    One attack per model, then two forward passes of all images per pair. The diagonal is the attack on the model itself.

    Parameters
    ----------
    attack
        What to run on every model.
    models
        At least one. Labels are those of the first; a model of other channels or classes gives NaN and a note.
    images, labels
        ``(N, C, H, W)`` in [0, 1] and ``(N,)`` in the first model's classes. Other sizes are resized inside the model.
    targets, mask, data, seed
        As for `engine.start`.

    Raises
    ------
    GibbonError
        There is no model, or what `engine.start` refuses.
    """
    if not models:
        raise GibbonError("A transfer matrix needs models. Load at least one.")
    state = _empty(tuple(model.name for model in models))
    takers = [as_taken(model, images.shape[1:]) for model in models]
    for index, taker in enumerate(takers):
        own, goals = (None if t is None else translated(t, models[0].labels, models[index].labels) for t in (labels, targets))
        if taker is None or own is None or (targets is not None and goals is None):
            why = "takes images of other channels" if taker is None else "has other classes"
            state = replace(state, source=index, step=-1, notes=(*state.notes, f"“{models[index].name}” {why}: not compared."))
            yield state
            continue
        with closing(start(attack, taker, images, own, goals, mask, data=data, seed=seed)) as run:
            for step in run:
                yield replace(state, source=index, step=step.index)
            result, inside = run.result(), run.problem.mask
        assert isinstance(result, AttackResult)
        random = control(result.clean, result.adversarial, inside, seed) if attack.from_image else None
        verdicts = [None if judge is None else ask(judge, result, random) for judge in takers]
        state = replace(_entered(state, index, verdicts), source=index, step=-1)
        yield state


def _entered(state: TransferMatrix, row: int, verdicts: Sequence[Verdict | None]) -> TransferMatrix:
    """``state`` with what the judges said of the images made on model ``row``."""
    new: dict[str, Any] = {name: getattr(state, name).clone() for name in ("accuracy", "rate", "counted", "clean", "noise")}
    for column, verdict in enumerate(verdicts):
        if verdict is None or verdict.classes is None:
            continue
        new["accuracy"][row, column] = _number(verdict.accuracy(verdict.adversarial))
        new["noise"][row, column] = _number(verdict.accuracy(verdict.noise))
        new["clean"][column] = _number(verdict.accuracy(verdict.clean))
        new["rate"][row, column] = _number(verdict.rate)
        new["counted"][row, column] = verdict.counted
    return replace(state, **new)


def _empty(names: tuple[str, ...]) -> TransferMatrix:
    count = len(names)
    unknown = torch.full((count, count), torch.nan, dtype=torch.float64)
    zeros = torch.zeros(count, count, dtype=torch.int64)
    return TransferMatrix(names, unknown, unknown, zeros, unknown[0], unknown, source=0, step=0)


def _number(share: float | None) -> float:
    return float("nan") if share is None else share


def _percent(share: float) -> str:
    return NOTHING if share != share else f"{100 * share:.1f} %"
