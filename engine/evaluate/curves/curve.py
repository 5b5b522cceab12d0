"""The robustness curve: accuracy over eps for one model or more and one attack, from one search of each image's smallest perturbation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.artifacts import Artifact, Table, Unit
from engine.classifier import Classifier
from engine.defenses.training.sharing import own_share
from engine.errors import in_words
from engine.evaluate.curves.numbers import ModelNorms, by_image, curve, intervals, lights_in, lights_table, summary
from engine.evaluate.curves.search import Norms, kind_of, smallest_norms
from engine.evaluate.given_data import of_data
from engine.evaluate.named_attack import NamedAttack
from engine.evaluate.transfer import as_taken, translated
from engine.evaluate.trust import Light, Outcome, caveat, lights_among, sentences_of
from engine.operation import Problem, Step, Use
from engine.parameters import CHOICES, method

_POINTS = 128
"""Points of a curve, at most, beside the one at 0."""
_SEEDS = 2**31


@dataclass(frozen=True, eq=False)
class CurveStep(Step):
    """A step of one of the attacks; the norms of the model in progress are upper bounds, so its curve only falls from here."""

    models: tuple[ModelNorms, ...]
    """The models so far, the last of which may be in progress."""
    labels: Tensor
    """The images' classes ``(N,)``, as numbers of the first model."""


class RobustnessCurve(NamedAttack):
    """Search the smallest perturbation of each image, which gives the accuracy at every eps at once.

    ``accuracy(eps) = share of images with smallest > eps``, so that it falls monotonically by construction. With an attack in a ball each
    image's radius is halved in, from the attack's ``eps`` down; a minimal-norm attack gives its norms at once. The problem's classifier
    and its further ``models`` are attacked one after the other, each as a white box. Processes that meet in ``torch.distributed`` divide
    the models, and each has the whole curve in the end.

    The empirical robustness is the mean of the smallest perturbations, and of their norms over those of the images.
    Moosavi-Dezfooli, Fawzi, Frossard 2015, arXiv 1511.04599 (relative norm); Carlini et al. 2019, arXiv 1902.06705 (curves).
    """

    slug: ClassVar[str] = "robustness-curve"
    title: ClassVar[str] = "Robustness curve"
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Carlini et al. 2019, arXiv 1902.06705"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "data", "models"})
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"share fooled": "share"})

    halvings: int = method(7, ge=1, le=20)
    """Number of times that the interval of each image's radius is halved: 7 tells radii apart that differ by a 128th of eps. Each costs
    one more attack on the images that can be fooled. Minimal-norm attacks need none.
    """

    @model_validator(mode="after")
    def _searchable(self) -> Self:
        kind_of(self.attacking)
        return self

    @property
    def searches(self) -> bool:
        """Whether radii are searched; a minimal-norm attack gives its norms at once."""
        return kind_of(self.attacking) == "radius"

    @property
    def radius(self) -> str:
        """The norm of the curve's eps in words, such as ``L∞``."""
        ball = self.attacking.ball()
        return CHOICES[getattr(self.attacking, "norm", None) or ("l2" if ball is None else type(ball).__name__.lower())]

    def iterate(self, problem: Problem) -> Iterator[CurveStep]:
        """Search the images of the data set or, without one, the problem's own, one model after the other."""
        problem = of_data(problem)
        models, sharing = (problem.classifier.whole, *problem.models), own_share()
        mine = range(sharing.rank, len(models), sharing.size)
        done: dict[int, ModelNorms] = {}
        index = itertools.count()

        def step(newest: ModelNorms | None, share: float, news: str) -> CurveStep:
            finished = tuple(done[place] for place in sorted(done))
            seen = finished if newest is None else (*finished, newest)
            fooled = 0.0 if newest is None or newest.norms is None else float(newest.norms.found.double().mean())
            share = min(1.0, (len(done) + share) / max(1, len(mine)))
            return CurveStep(
                next(index), None, seen, problem.labels, news=news, share_done=share, readings={"share fooled": torch.tensor(fooled)}
            )

        seeds = [(problem.random.seed + row) % _SEEDS for row in range(len(problem.images))]
        for place in mine:
            model = models[place]
            news = f"{self.attacking.title} on “{model.name}”"
            taker, own, error = _ready(problem, model)
            if taker is None or own is None:
                done[place] = ModelNorms(model.name, error=error)
                continue
            search = smallest_norms(self.attacking, taker, problem.images.to(taker.device, taker.dtype), own, seeds, self.halvings)
            try:
                while True:
                    share, norms = next(search)
                    yield step(ModelNorms(model.name, norms), share, news)
            except StopIteration as end:
                problem.classifier.forwards += end.value.forwards
                problem.classifier.backwards += end.value.backwards
                done[place] = ModelNorms(model.name, end.value, lights=self._lights(end.value, problem.images[0].numel()))
            except Exception as error_here:
                if len(models) == 1:
                    raise
                done[place] = ModelNorms(model.name, error=in_words(error_here, self.attacking.title, "Try other parameters."))
        for found in sharing.all_of(dict(done)):
            done |= found
        for norms in (each.norms for place, each in done.items() if place not in mine and each.norms is not None):
            problem.classifier.forwards += norms.forwards
            problem.classifier.backwards += norms.backwards
        yield step(None, 0.0, "")

    def _lights(self, norms: Norms, values: int) -> tuple[Light, ...]:
        """Return the trust lights that one search decides: of its first attack, which is that of the largest radius."""
        attack, right = self.attacking, norms.right_before
        outcome = Outcome(attack.title, attack, norms.found, right, silent=norms.silent, unfinished=norms.unfinished)
        return lights_among([outcome], values)[0]

    def sentences(self, lights: Table) -> list[str]:
        """Return the sentences that have to stand beside the curves: what the attack rules out, and the ``lights`` that are on.

        ``lights`` is the artifact of that name.
        """
        return [*filter(None, [caveat(self.attacking)]), *sentences_of((f"“{name}”", light) for name, light in lights_in(lights))]

    def radii(self, models: tuple[ModelNorms, ...]) -> Tensor:
        """Return the eps ``(T,)`` of the curve's points: some of those of the search, or evenly spread up to the largest norm."""
        if self.searches:
            points = min(_POINTS, 2**self.halvings)
            largest = float(self.attacking.eps)  # type: ignore[attr-defined]
            return torch.arange(points + 1, dtype=torch.float64).mul(largest).div(points)
        found = [model.norms.smallest[model.norms.found] for model in models if model.norms is not None]
        longest = max((float(norms.max()) for norms in found if len(norms)), default=1.0)
        return torch.linspace(0, longest, _POINTS + 1, dtype=torch.float64)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the curve and its intervals, a row for each model, for each of its trust lights, and for each image."""
        assert isinstance(last, CurveStep)
        radii, names = self.radii(last.models), problem.classifier.labels
        return {
            "accuracy": curve(last.models, radii, f"Robust accuracy under {self.attacking.title}"),
            "intervals": intervals(last.models, radii),
            "smallest": summary(last.models),
            "lights": lights_table(last.models),
            "images": by_image(last.models, [names[label] for label in last.labels.tolist()]),
        }


def _ready(problem: Problem, model: Classifier) -> tuple[Classifier | None, Tensor | None, str]:
    """Return the model for the problem's images, with their classes as its own numbers, or why it cannot be compared."""
    taker = as_taken(model, problem.images.shape[1:])
    own = translated(problem.labels, problem.classifier.labels, model.labels)
    if taker is None:
        return None, None, "It takes images of other channels: not compared."
    return taker, own, "" if own is not None else "It has other classes: not compared."
