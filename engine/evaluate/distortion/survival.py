"""The evaluation of adversarial images under real-life distortions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Self, TypeVar

import torch
from pydantic import model_validator
from torch import Tensor

from engine.artifacts import Artifact, Unit
from engine.batching import rows_per_pass
from engine.classifier import Classifier
from engine.driver import start
from engine.errors import GibbonError, WrongField
from engine.evaluate.distortion.counting import Predictions, Seen, destruction_rate, is_fooled
from engine.evaluate.distortion.kinds import Distortion, read
from engine.evaluate.distortion.numbers import curve, predictions, survival
from engine.evaluate.given_data import of_data
from engine.evaluate.inner_runs import rows_at_a_time, share_of
from engine.evaluate.named_attack import NamedAttack
from engine.evaluate.transfer import as_taken, translated
from engine.operation import Problem, Step, Use
from engine.parameters import method
from engine.randomness import RowRandom
from engine.result import AttackResult
from engine.text.formatting import counted

Made = TypeVar("Made")
_ATTACK = 0.5
"""Share of the progress that the attack takes, where there is one."""


@dataclass(frozen=True, eq=False)
class DistortionStep(Step):
    """The distortions that are finished so far."""

    clean: Tensor
    """The clean images, ``(N, C, H, W)``."""
    adversarial: Tensor | None
    """The adversarial images, ``(N, C, H, W)``; None: the attack has not ended."""
    undistorted: Seen | None = None
    """The predictions for the images as they are."""
    seen: tuple[Seen, ...] = ()
    """The predictions under each distortion at each strength, then those of the other models."""
    left_out: tuple[str, ...] = ()
    """Sentences on other models that cannot be compared."""


class DistortionSurvival(NamedAttack):
    """Put adversarial images through real-life distortions at growing strength, and count whether the predictions stay wrong.

    For every distortion T at every strength, and for every other model, it gives the predictions of T(X) and T(X_adv) and the destruction
    rate ``d = sum C(X) not C(X_adv) C(T(X_adv)) / sum C(X) not C(X_adv)``, where C is 1 for a correct classification, with its counts and
    Wilson's 95 % interval; undefined where no image was adversarial. Beside it stands the accuracy on T(X): a distortion that undoes an
    attack and the classifier, too, is no defense.

    The adversarial images are the problem's ``start``, or else those of ``attack`` on its images or its data set.

    Kurakin, Goodfellow, Bengio 2016, arXiv 1607.02533 (the rate; brightness, contrast, blur, noise and JPEG); Lu, Sibai, Fabry, Forsyth
    2017, arXiv 1707.03501 (the distance). The chain of print and camera is our own.
    """

    slug: ClassVar[str] = "distortion"
    title: ClassVar[str] = "Real-life distortion"
    also: ClassVar[tuple[str, ...]] = ("destruction rate", "survival", "physical world")
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Kurakin et al. 2016, arXiv 1607.02533"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "data", "start", "models"})
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"destruction rate": "share"})

    distortions: str = method("all")
    """The distortions: all, or some with a comma between, each perhaps with strengths of its own, such as ``blur, jpeg=90 50 10``."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            read(self.distortions)
        except GibbonError as error:
            raise WrongField("distortions", str(error)) from None
        return self

    def iterate(self, problem: Problem) -> Iterator[DistortionStep]:
        """Attack the images, if no adversarial ones are given; then yield a step for each chunk of each distortion at each strength."""
        problem = of_data(problem)
        work = _Work(problem, read(self.distortions))
        if problem.start is None:
            count = len(problem.images)
            news = f"{self.attacking.title} on {counted(count, 'image')}"
            work.adversarial = yield from _each_step(self._attacked(problem), lambda share: work.step(share, news))
            work.begins = _ATTACK
        yield from work.undistort()
        for kind in work.kinds:
            for place in range(len(kind.strengths)):
                yield from work.distort(kind, place)
        for model in problem.models:
            yield from work.ask_another(model)
        yield work.step(0.0, "")

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return a row for each distortion and strength, the rates as curves, and a row for each image at each strength."""
        assert isinstance(last, DistortionStep)
        if last.undistorted is None:
            return {}
        return {
            "survival": survival(last.undistorted, last.seen),
            "rates": curve(last.undistorted, last.seen),
            "predictions": predictions(last.undistorted, last.seen),
        }

    def sentences(self, last: DistortionStep, *, assumed: bool = False) -> list[str]:
        """Return the sentences that belong beside the numbers: how many images were adversarial, and what was left out or assumed."""
        if last.undistorted is None:
            return ["The attack has not ended, so nothing was distorted."]
        fooled, count = int(is_fooled(last.undistorted).sum()), len(last.clean)
        right = int(last.undistorted.right_clean.sum())
        are = "is" if fooled == 1 else "are"
        said = [f"{fooled:,} of {counted(count, 'image')} {are} adversarial: right before the attack ({right:,}) and wrong after it."]
        said += ["No image is adversarial, so no rate is defined."] if not fooled else []
        said += ["The labels are the model's own predictions."] if assumed else []
        return [*said, *last.left_out]

    def _attacked(self, problem: Problem) -> Generator[float, None, Tensor]:
        """Run the attack on the problem's images; yield the share that is done, and return the adversarial images."""
        attack, whole = self.attacking, problem.classifier.whole
        run = start(
            attack,
            whole,
            problem.images,
            problem.labels,
            problem.targets if "targets" in attack.uses else None,
            problem.mask if "mask" in attack.uses and attack.masked else None,
            seed=problem.random.seed,
            rows_at_a_time=rows_at_a_time(attack, problem.images),
        )
        with closing(run):
            for made in run:
                yield share_of(made)
            problem.classifier.forwards += run.problem.classifier.forwards
            problem.classifier.backwards += run.problem.classifier.backwards
            result = run.result()
        assert isinstance(result, AttackResult)
        return result.adversarial


class _Work:
    """The state of an evaluation: what was seen so far, and how far it is."""

    def __init__(self, problem: Problem, kinds: Sequence[Distortion]) -> None:
        self.problem, self.kinds = problem, kinds
        self.adversarial = problem.start
        self.undistorted: Seen | None = None
        self.begins = 0.0
        """The share of the progress that lies behind once there are adversarial images."""
        self._made: list[Seen] = []
        self._left_out: list[str] = []
        self._index = itertools.count()
        self._readings: dict[str, Tensor] = {}

    def step(self, share: float, news: str) -> DistortionStep:
        """Return the step at this share of the look in progress, or of the attack where that is not done."""
        return DistortionStep(
            next(self._index),
            None,
            self.problem.images,
            self.adversarial,
            self.undistorted,
            tuple(self._made),
            tuple(self._left_out),
            news=news,
            share_done=self._done(share),
            readings=self._readings,
        )

    def undistort(self) -> Iterator[DistortionStep]:
        """Ask the classifier about the images as they are."""
        model, labels = self.problem.classifier.whole, self.problem.labels
        news = "the images as they are"
        clean, attacked = yield from _each_step(self._asked(model, None), lambda share: self.step(share, news))
        self.undistorted = Seen("", "As it is", None, "", clean, attacked, model.labels, labels)

    def distort(self, kind: Distortion, place: int) -> Iterator[DistortionStep]:
        """Ask the classifier about the images under a distortion at one of its strengths."""
        model, strength = self.problem.classifier.whole, kind.strengths[place]
        shown = kind.shown(strength)
        asked = self._asked(model, (kind, place))
        clean, attacked = yield from _each_step(asked, lambda share: self.step(share, f"{kind.title}, {shown}"))
        labels = self.problem.labels
        self._keep(Seen(kind.slug, kind.title, strength, shown, clean, attacked, model.labels, labels, step=place))

    def ask_another(self, model: Classifier) -> Iterator[DistortionStep]:
        """Ask another model about the images as they are."""
        taker, labels, why = _ready(self.problem, model)
        if taker is None or labels is None:
            self._left_out.append(f"“{model.name}” is left out: {why}")
            return
        clean, attacked = yield from _each_step(self._asked(taker, None), lambda share: self.step(share, model.name))
        title = f"Read by {model.name}"
        self._keep(Seen(model.name, title, None, "", clean, attacked, model.labels, labels, by_another_model=True))

    def _done(self, share: float) -> float:
        if self.adversarial is None:
            return _ATTACK * share
        parts = 1 + sum(len(kind.strengths) for kind in self.kinds) + len(self.problem.models)
        done = len(self._made) + len(self._left_out) + (self.undistorted is not None) + share
        return self.begins + (1 - self.begins) * min(1.0, done / parts)

    def _keep(self, seen: Seen) -> None:
        """Keep what was seen under a distortion, or by another model, and its destruction rate as the reading of the steps that follow."""
        assert self.undistorted is not None
        self._made.append(seen)
        rate = destruction_rate(is_fooled(self.undistorted), seen.right).value
        self._readings = {} if rate is None else {"destruction rate": torch.tensor(rate)}

    @torch.no_grad()
    def _asked(self, model: Classifier, look: tuple[Distortion, int] | None) -> Generator[float, None, tuple[Predictions, Predictions]]:
        """Ask a model about clean and adversarial images, distorted or not, chunk by chunk; yield the share that is done."""
        problem = self.problem
        found: tuple[list[Predictions], list[Predictions]] = ([], [])
        count, size = len(problem.images), max(1, rows_per_pass(problem.images) // 2)
        assert self.adversarial is not None
        for first in range(0, count, size):
            rows = list(range(first, min(first + size, count)))
            for images, kept in zip((problem.images, self.adversarial), found, strict=True):
                logits = model.score(distorted(images[rows], look, rows, problem.random.seed).to(model.device, model.dtype))
                kept.append(Predictions.of(logits.to(problem.labels.device)))
                problem.classifier.forwards += len(rows)
            yield (rows[-1] + 1) / count
        return Predictions.joined(found[0]), Predictions.joined(found[1])


def distorted(images: Tensor, look: tuple[Distortion, int] | None, rows: Sequence[int], seed: int) -> Tensor:
    """Return images, whose numbers are ``rows``, under a distortion at one of its strengths; the bits where ``look`` is None."""
    if look is None:
        return images
    kind, place = look
    return kind(images, kind.strengths[place], lambda: RowRandom(seed, rows, images.device).normal(images.shape[1:]).to(images))


def _each_step(shares: Generator[float, None, Made], step: Callable[[float], DistortionStep]) -> Generator[DistortionStep, None, Made]:
    """Yield a step for each share that is done, and return the outcome."""
    try:
        while True:
            yield step(next(shares))
    except StopIteration as end:
        made: Made = end.value
        return made


def _ready(problem: Problem, model: Classifier) -> tuple[Classifier | None, Tensor | None, str]:
    """Return another model for the problem's images, with their labels as its class numbers, or why it cannot be compared."""
    taker = as_taken(model, problem.images.shape[1:])
    own = translated(problem.labels, problem.classifier.labels, model.labels)
    if taker is None:
        return None, None, "it takes images of other channels."
    return taker, own, "" if own is not None else "it has other classes."
