"""The trust lights of an attack on a model: an evaluation in steps, whose lights come one after the other, the cheap ones first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from pydantic import PrivateAttr, model_validator

from engine.artifacts import Artifact
from engine.errors import GibbonError
from engine.evaluate.given_data import of_data
from engine.evaluate.named_attack import NamedAttack
from engine.evaluate.trust.examination import Examination
from engine.evaluate.trust.light import Light, table_of, unmeasured
from engine.evaluate.trust.signs import SIGNS
from engine.operation import Attack, Problem, Step, Use
from engine.parameters import budget
from engine.ranking import reached
from engine.result import AttackResult

NOT_YET = "Not measured yet."
"""Reason of the lights that are still to be measured."""


@dataclass(frozen=True, eq=False)
class TrustStep(Step):
    """A step of one of the attacks, or a new light."""

    lights: tuple[Light, ...]
    """All lights in the order of `SIGNS`; those to come are not measured yet."""


class TrustLights(NamedAttack):
    """Look for the signs that an attack's robustness number cannot be trusted: eight of gradient masking, six of a failed attack.

    Beside the attack it runs FGSM, the attack without a limit, at half and twice its eps, with another loss, with more steps and restarts,
    Square, and a transfer from the first of the further ``models``; an attack with one step is compared with PGD of 40. It counts images
    that do not fool the model as they are. Of several images a light is on only where the difference is beyond the noise of counting
    (Wilson, 95 %); of a single one the outcome decides.

    Athalye, Carlini, Wagner 2018, arXiv 1802.00420; Carlini et al. 2019, arXiv 1902.06705; Pintor et al. 2022, arXiv 2106.09947.
    """

    slug: ClassVar[str] = "trust"
    title: ClassVar[str] = "Trust lights"
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Carlini et al. 2019, arXiv 1902.06705; Pintor et al. 2022, arXiv 2106.09947"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "data", "start", "models"})

    queries: int = budget(500, ge=1, le=1_000_000, unit="rows")
    """Queries of Square for each image. The more it has, the more its failure says."""
    draws: int = budget(100, ge=2, le=100_000, unit="rows")
    """Random changes of each image around which its answers are compared."""

    _result: AttackResult | None = PrivateAttr(None)

    @classmethod
    def of_result(cls, result: AttackResult, **fields: Any) -> Self:
        """Build the evaluation of an attack that has been run on the images that it will be given, so that it need not be run again."""
        assert isinstance(result.operation, Attack)
        made = cls.of(result.operation, **fields)
        made._result = result
        return made

    @model_validator(mode="after")
    def _on_images(self) -> Self:
        if "data" in self.attacking.needs or not self.attacking.from_image:
            raise GibbonError(f"{self.attacking.title} does not attack images one by one, so there are no trust lights for it. Take PGD.")
        return self

    def iterate(self, problem: Problem) -> Iterator[TrustStep]:
        """Go through the stages of the examination; yield a step for each step of an attack, and with each new light."""
        problem = of_data(problem)
        clean = problem.classifier.whole.score(problem.images)
        problem.classifier.forwards += len(problem.images)
        fresh = ~reached(clean.argmax(1), problem.labels, problem.targets)
        index = itertools.count()
        if not bool(fresh.any()):
            yield TrustStep(next(index), None, _pending("Every image counts as a success before the attack."), share_done=1.0)
            return
        result, every = self._result, bool(fresh.all())
        fits = every and result is not None and torch.equal(result.clean, problem.images) and torch.equal(result.labels, problem.labels)
        part = problem if every else problem.select(fresh.nonzero().flatten())
        examined = Examination(self.attacking, part, self.queries, self.draws, result if fits else None)
        found = {light.sign.slug: light for light in _pending(NOT_YET)}
        stages = examined.stages
        for place, (news, work) in enumerate(stages):
            share = 0.0
            with closing(work):
                for made in work:
                    if isinstance(made, list):
                        found |= {light.sign.slug: light for light in made}
                    else:
                        share = max(share, made)
                    done = min(1.0, (place + share) / len(stages))
                    yield TrustStep(next(index), None, tuple(found.values()), share_done=done, news=news)
        yield TrustStep(next(index), None, tuple(found.values()), share_done=1.0)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the lights found so far as a table."""
        assert isinstance(last, TrustStep)
        return {"lights": table_of(last.lights)}


def _pending(why: str) -> tuple[Light, ...]:
    return tuple(unmeasured(slug, why) for slug in SIGNS)
