"""One gradient, every eps: the kept direction of an FGSM result moved to another length, and the probabilities along it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

import torch
from pydantic import PrivateAttr
from torch import Tensor

from engine.artifacts import Artifact, Curve, Perturbation
from engine.attacks.fgsm.attack import FGSM, FGSMStep
from engine.driver import Run
from engine.errors import GibbonError
from engine.operation import Problem
from engine.randomness import RowRandom
from engine.result import AttackResult
from engine.views import View

_POINTS = 33


@dataclass(frozen=True, eq=False)
class Direction(Perturbation):
    """``mask * steepest(gradient)``, ``(N, C, H, W)``, with what else a step of another length needs."""

    goals: Tensor | None = None
    """``(N,)``: the classes that the attack chose to step towards; None: it chose none."""
    objective: Callable[[Tensor], Tensor] | None = None


def moved(result: AttackResult, eps: float) -> AttackResult:
    """The result of FGSM at another ``eps``: one forward pass, no gradient, and the same bits as an attack made anew.

    Parameters
    ----------
    result
        Of a finished run of `FGSM` whose images went through together.
    eps
        The new length of the step, in pixel units.

    Returns
    -------
    AttackResult
        With its own parameters, provenance, seconds and counts; the direction is kept again.

    Raises
    ------
    GibbonError
        The result holds no direction, or ``eps`` is out of range.
    """
    attack, direction = result.operation, result.artifacts.get("direction")
    if not isinstance(attack, FGSM) or not isinstance(direction, Direction):
        raise GibbonError("Only a result of FGSM whose images went through together keeps its direction. Attack again with this eps.")
    attack = FGSM.build(**attack.model_dump() | {"eps": eps})
    classifier = result.classifier
    images = result.clean.to(classifier.device)
    seed = int(result.provenance["seed"])
    problem = Problem(
        classifier=View(classifier, "gradients", attack.max_queries),
        images=images,
        labels=result.labels.to(images.device),
        random=RowRandom(seed, range(len(images))),  # nothing is drawn: the classes are kept
        targets=None if result.targets is None else result.targets.to(images.device),
        objective=direction.objective,
    )
    clean = FGSMStep(
        *(0, 1, images, result.trace[0].to(images.device), result.clean_logits.to(images.device)),
        direction=direction.values.to(images.device),
        goals=direction.goals,
    )
    step = _Moved(**attack.model_dump())
    step._kept = clean
    run = Run(step, problem, classifier, seed, labels_assumed=result.labels_assumed, rows_at_a_time=len(images))
    for _ in run:
        pass
    return replace(cast(AttackResult, run.result()), operation=attack)


class _Moved(FGSM):
    """FGSM that need not ask for its direction."""

    _kept: FGSMStep = PrivateAttr()

    def _clean(self, problem: Problem) -> FGSMStep:
        # The driver may have sliced the problem, never its content: with the same images it knows these logits to be the clean ones.
        return replace(self._kept, adversarial=problem.images)


def curve(attack: FGSM, problem: Problem, step: FGSMStep) -> Curve:
    """Probabilities of the first image's label and of the class it goes to, over eps from 0 to twice that of the attack.

    33 forward rows in one batch, not counted: they look at the attack, they are no part of it.
    """
    assert step.logits is not None
    image, direction, label = problem.images[:1], step.direction[:1], int(problem.labels[0])
    last = min(2 * attack.eps, 1.0) if attack.norm == "linf" else 2 * attack.eps
    eps = torch.linspace(0, last, _POINTS, device=image.device, dtype=image.dtype)
    logits = problem.classifier.whole.score((image + eps.reshape(-1, 1, 1, 1) * direction).clamp(0, 1))
    shown = [label]
    if logits.shape[1] > 1:
        others = step.logits[0].index_fill(0, problem.labels[:1], -torch.inf)
        shown.append(int(others.argmax()) if problem.targets is None else int(problem.targets[0]))
    names = problem.classifier.labels
    lines = {f"{names[index]}": logits.softmax(1)[:, index] for index in shown}
    return Curve(eps, lines, "Probability along the direction of the step", "eps", "probability")


class Kept(Mapping[str, Artifact]):
    """The direction at once, the curve when it is asked for: who moves eps does not wait for it."""

    def __init__(self, direction: Direction, make: Callable[[], Curve]) -> None:
        self._direction, self._make = direction, make
        self._curve: Curve | None = None

    def __getitem__(self, name: str) -> Artifact:
        if name == "direction":
            return self._direction
        if name != "curve":
            raise KeyError(name)
        if self._curve is None:
            self._curve = self._make()
        return self._curve

    def __iter__(self) -> Iterator[str]:
        return iter(("direction", "curve"))

    def __len__(self) -> int:
        return 2


def eps_artifacts(attack: FGSM, problem: Problem, step: FGSMStep) -> Kept:
    """What a run of FGSM gives besides its images."""
    direction = Direction(step.direction, "Direction of the step", step.goals, problem.objective)
    return Kept(direction, lambda: curve(attack, problem, step))
