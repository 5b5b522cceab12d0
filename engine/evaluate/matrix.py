"""The transfer matrix: adversarial images from every model, evaluated on every model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, Table
from engine.classifier import Classifier
from engine.driver import Run, start
from engine.evaluate.control import control
from engine.evaluate.inner_runs import share_of
from engine.evaluate.named_attack import NamedAttack
from engine.evaluate.transfer import NOTHING, Verdict, as_taken, ask, translated
from engine.operation import Problem, Step, Use
from engine.result import AttackResult

NOISE = "random noise"


@dataclass(frozen=True, eq=False)
class TransferMatrix:
    """A transfer matrix, complete or in progress. Rows are source models, columns evaluated models; NaN marks unknown entries."""

    names: tuple[str, ...]
    accuracy: Tensor
    """``(M, M)`` float64: the judge's share right, over all images."""
    rate: Tensor
    """``(M, M)`` float64: the share of images that fool the judge among those that fool the source and that the judge had right."""
    counted: Tensor
    """Number of images behind each rate, ``(M, M)`` int64."""
    clean: Tensor
    """Accuracies on the clean images, ``(M,)`` float64."""
    noise: Tensor
    """``(M, M)`` float64: the judge's accuracy under random noise as large as the source's perturbations."""
    source: int
    """Index of the model under attack."""
    step: int
    """Index of the attack's newest step; -1: the attack has ended."""
    notes: tuple[str, ...] = ()
    """Reasons why models could not be compared."""

    @property
    def done(self) -> bool:
        """Whether every model has been attacked."""
        return self.source == len(self.names) - 1 and self.step < 0

    def table(self, what: Literal["accuracy", "rate"] = "accuracy") -> Table:
        """Return the matrix in percent; for accuracy with rows for the clean images and for the noise (mean over the sources' sizes)."""
        values = self.accuracy if what == "accuracy" else self.rate
        rows = [(name, *map(_percent, line.tolist())) for name, line in zip(self.names, values, strict=True)]
        if what == "accuracy":
            rows.insert(0, ("clean images", *map(_percent, self.clean.tolist())))
            rows.append((NOISE, *map(_percent, self.noise.nanmean(0).tolist())))
        title = "Accuracy of the judge (column) on images made on the source (row)" if what == "accuracy" else "Transfer rate"
        return Table(("made on", *self.names), tuple(rows), title)


@dataclass(frozen=True, eq=False)
class TransferStep(Step):
    """A step of one of the attacks, or the evaluation of its result by one model."""

    matrix: TransferMatrix
    """The matrix with the entries known so far."""


class TransferEvaluation(NamedAttack):
    """Attack each model and evaluate on all: the classifier and the problem's further ``models``.

    One attack per model, then two forward passes of all images per pair, three with the control (see `control`). The diagonal is the attack
    on the model itself. Labels and targets are classes of the first model, matched by name; a model with other channels or classes yields
    NaN and a note. Images of another size are resized inside the model.

    Papernot, McDaniel, Goodfellow 2016, arXiv 1605.07277.
    """

    slug: ClassVar[str] = "transfer-matrix"
    title: ClassVar[str] = "Transfer matrix"
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Papernot, McDaniel, Goodfellow 2016, arXiv 1605.07277"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "data", "models"})

    def iterate(self, problem: Problem) -> Iterator[TransferStep]:
        """Attack one model after the other; after each attack evaluate one model per step."""
        models = (problem.classifier.whole, *problem.models)
        takers = [as_taken(model, problem.images.shape[1:]) for model in models]
        state, count = _empty(tuple(model.name for model in models)), itertools.count()

        def step(share: float, news: str) -> TransferStep:
            return TransferStep(next(count), None, state, news=news, share_done=(state.source + share) / len(models))

        for row, taker in enumerate(takers):
            name = models[row].name
            state = replace(state, source=row)
            own, goals = (
                None if classes is None else translated(classes, models[0].labels, models[row].labels)
                for classes in (problem.labels, problem.targets)
            )
            if taker is None or own is None or (problem.targets is not None and goals is None):
                why = "takes images of other channels" if taker is None else "has other classes"
                state = replace(state, step=-1, notes=(*state.notes, f"“{name}” {why}: not compared."))
                yield step(1, f"“{name}” {why}")
                continue
            with closing(self._attack(problem, taker, own, goals)) as run:
                for made in run:
                    state = replace(state, step=made.index)
                    yield step(0.5 * share_of(made), f"{self.attacking.title} on “{name}”")
                result = run.result()
            assert isinstance(result, AttackResult)
            _count(problem, run.problem.classifier.forwards, run.problem.classifier.backwards)
            random = control(result.clean, result.adversarial, run.problem.mask, problem.random.seed) if self.attacking.from_image else None
            for column, judge in enumerate(takers):
                if judge is not None:
                    state = _entered(state, row, column, ask(judge, result, random))
                    _count(problem, (0 if judge is taker else 2 * len(own)) + (0 if random is None else len(own)))
                last = column == len(takers) - 1
                state = replace(state, step=-1 if last else state.step)
                yield step(1 if last else 0.5 + 0.5 * (column + 1) / len(takers), f"“{models[column].name}” on what was made on “{name}”")

    def _attack(self, problem: Problem, taker: Classifier, labels: Tensor, targets: Tensor | None) -> Run:
        images = problem.images.to(taker.device)
        return start(self.attacking, taker, images, labels, targets, problem.mask, data=problem.data, seed=problem.random.seed)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return both tables with the entries known so far."""
        assert isinstance(last, TransferStep)
        return {"accuracy": last.matrix.table("accuracy"), "rate": last.matrix.table("rate")}


def _count(problem: Problem, forwards: int, backwards: int = 0) -> None:
    problem.classifier.forwards += forwards
    problem.classifier.backwards += backwards


def _entered(state: TransferMatrix, row: int, column: int, verdict: Verdict) -> TransferMatrix:
    """Return ``state`` with one model's evaluation of the images made on model ``row``."""
    if verdict.classes is None:
        return state
    new: dict[str, Any] = {name: getattr(state, name).clone() for name in ("accuracy", "rate", "counted", "clean", "noise")}
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
