"""The look at distorted images, one distortion after the other: its state, and its steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from engine.batching import rows_per_pass
from engine.classifier import Classifier
from engine.evaluate.distortion.counting import Predictions, Seen, destruction_rate, is_fooled
from engine.evaluate.distortion.kinds import Distortion
from engine.evaluate.transfer import as_taken, translated
from engine.operation import Problem, Step
from engine.randomness import RowRandom

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


class Look:
    """The state of an evaluation: what was seen so far, and how far it is."""

    def __init__(self, problem: Problem, kinds: Sequence[Distortion]) -> None:
        self.problem, self.kinds = problem, kinds
        self.adversarial = problem.start
        self.undistorted: Seen | None = None
        self._begins = 0.0
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

    def attack(self, attacking: Generator[float, None, Tensor], news: str) -> Iterator[DistortionStep]:
        """Make the adversarial images: ``attacking`` yields the share that is done, and returns them."""
        self.adversarial = yield from each_step(attacking, lambda share: self.step(share, news))
        self._begins = _ATTACK

    def undistort(self) -> Iterator[DistortionStep]:
        """Ask the classifier about the images as they are."""
        model, labels = self.problem.classifier.whole, self.problem.labels
        news = "the images as they are"
        clean, attacked = yield from each_step(self._asked(model, None), lambda share: self.step(share, news))
        self.undistorted = Seen("", "As it is", None, "", clean, attacked, model.labels, labels)

    def distort(self, kind: Distortion, place: int) -> Iterator[DistortionStep]:
        """Ask the classifier about the images under a distortion at one of its strengths."""
        model, strength = self.problem.classifier.whole, kind.strengths[place]
        shown = kind.shown(strength)
        asked = self._asked(model, (kind, place))
        clean, attacked = yield from each_step(asked, lambda share: self.step(share, f"{kind.title}, {shown}"))
        labels = self.problem.labels
        self._keep(Seen(kind.slug, kind.title, strength, shown, clean, attacked, model.labels, labels, step=place))

    def ask_another(self, model: Classifier) -> Iterator[DistortionStep]:
        """Ask another model about the images as they are."""
        taker, labels, why = _ready(self.problem, model)
        if taker is None or labels is None:
            self._left_out.append(f"“{model.name}” is left out: {why}")
            return
        clean, attacked = yield from each_step(self._asked(taker, None), lambda share: self.step(share, model.name))
        title = f"Read by {model.name}"
        self._keep(Seen(model.name, title, None, "", clean, attacked, model.labels, labels, by_another_model=True))

    def _done(self, share: float) -> float:
        if self.adversarial is None:
            return _ATTACK * share
        parts = 1 + sum(len(kind.strengths) for kind in self.kinds) + len(self.problem.models)
        done = len(self._made) + len(self._left_out) + (self.undistorted is not None) + share
        return self._begins + (1 - self._begins) * min(1.0, done / parts)

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


def each_step(shares: Generator[float, None, Made], step: Callable[[float], DistortionStep]) -> Generator[DistortionStep, None, Made]:
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
