"""A finished run of FGSM at another eps: the same direction with another length."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from pydantic import PrivateAttr

from engine.access import ModelAccess
from engine.attacks.fgsm.attack import FGSM, FGSMStep
from engine.attacks.fgsm.eps_curve import Direction
from engine.driver import Run
from engine.errors import GibbonError
from engine.operation import Problem
from engine.randomness import RowRandom
from engine.result import AttackResult


def fgsm_at_eps(result: AttackResult, eps: float) -> AttackResult:
    """Return the result of FGSM at another ``eps``: one forward pass, no gradient, and the same bits as a new attack.

    Parameters
    ----------
    result
        Result of a finished run of `FGSM` in a single chunk.
    eps
        The new length of the step, in pixel units.

    Returns
    -------
    AttackResult
        The result with its own parameters, provenance, seconds and counts; the direction is kept again.

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
        classifier=ModelAccess(classifier, "gradients", attack.max_queries),
        images=images,
        labels=result.labels.to(images.device),
        random=RowRandom(seed, range(len(images))),  # nothing is drawn, since the classes are kept
        targets=None if result.targets is None else result.targets.to(images.device),
        mask=direction.mask,
        objective=direction.objective,
    )
    clean = FGSMStep(
        *(0, 1, images, result.trace[0].to(images.device), result.clean_logits.to(images.device)),
        direction=direction.values.to(images.device),
        goals=direction.goals,
    )
    step = _KnownDirection(**attack.model_dump())
    step._kept = clean
    run = Run(step, problem, classifier, seed, labels_assumed=result.labels_assumed, rows_at_a_time=len(images))
    for _ in run:
        pass
    return replace(cast(AttackResult, run.result()), operation=attack)


class _KnownDirection(FGSM):
    """FGSM with a known direction, which needs neither the first forward pass nor the backward pass."""

    _kept: FGSMStep = PrivateAttr()

    def _clean(self, problem: Problem) -> FGSMStep:
        # The driver may slice the problem but not change it: equal images mean that these are the clean logits.
        return replace(self._kept, adversarial=problem.images)
