"""Universal adversarial perturbations: one perturbation that fools the classifier on most images, learned from a data set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import torch

from engine.artifacts import Artifact, Axis, Curve, Perturbation, Table, Unit
from engine.attacks.toolkit.budget import InBall
from engine.attacks.universal.training import Course, UniversalStep
from engine.balls import Norm
from engine.operation import Problem, Step, Use
from engine.parameters import CHOICES, Preset, budget, data, method, result
from engine.text.parsing import Number

_LISTED = 20
_MEASURES = 10


class Universal(InBall):
    """Learn one perturbation from a data set that changes the prediction of most images, seen or unseen, then add it to these.

    ``adversarial = clamp(images + mask * v, 0, 1)`` with ``||v|| <= eps`` and one ``v`` ``(1, C, H, W)`` for all images. The fooling rate
    is the share of images whose prediction differs from that of the clean image; it is reported for the training batches and for images
    held out of the same data set. The labels of the data set are not used.

    - mini-batch: ``v <- project(v + step_size * steepest(sum of d min(CE(logits(x + v), clean prediction), cap) / dx))`` over batches, two
      passes of ``batch_size`` rows each step.
    - paper: image after image, in passes over the set; where ``x + v`` is not yet misclassified, ``v <- project(v + (1 + overshoot) * r)``
      with ``r`` from DeepFool at ``x + v``, if that flips it; until the rate on the set reaches ``enough``.

    Moosavi-Dezfooli, Fawzi, Fawzi, Frossard 2016, arXiv 1610.08401. Differences: ``x + v`` is clamped to [0, 1] wherever it is evaluated,
    DeepFool keeps its iterates in [0, 1], and the best of all measured perturbations is kept.
    """

    slug: ClassVar[str] = "universal"
    title: ClassVar[str] = "Universal perturbation"
    also: ClassVar[tuple[str, ...]] = ("UAP",)
    family: ClassVar[str] = "Universal"
    paper: ClassVar[str] = "Moosavi-Dezfooli et al. 2016, arXiv 1610.08401"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"fooling rate": "share", "held-out fooling rate": "share"})
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "mask", "data"})
    needs: ClassVar[frozenset[Use]] = frozenset({"data"})
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"
    by_rows: ClassVar[bool] = False
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("As in the paper (Moosavi-Dezfooli et al. 2016)", {"mode": "paper", "enough": 0.8}),
        Preset("Digits: eps 0.3", {"eps": 0.3}),
    )

    norm: Literal["linf", "l2"] = budget("linf")
    """The norm that bounds the perturbation."""
    eps: Number = budget(10 / 255, gt=0, unit="of [0, 1]", usual={"norm": {"linf": 10 / 255, "l2": 2.0}})
    """Radius of the ball in pixel units: 10/255 is the paper's ten grey levels. Digits need 0.2 to 0.3."""
    mode: Literal["mini-batch", "paper"] = method("mini-batch")
    """Method of training. mini-batch: gradient ascent on batches. paper: DeepFool, image after image; much slower."""
    count: int = data(1000, ge=1, le=1_000_000, unit="images")
    """Number of training images from the data set; where there are too few, in proportion to those held out."""
    held_out: int = data(500, ge=1, le=1_000_000, unit="images")
    """Number of other images of the data set, for the measurement of the fooling rate."""
    enough: float = result(1.0, title="share to fool", gt=0, le=1, unit="share")
    """Share of fooled training images at which training ends; the paper ends at 0.8. 1: only at the last step."""
    steps: int = budget(100, ge=1, le=100_000, unit="steps", when={"mode": "mini-batch"})
    """Number of training batches; 60 to 200 are usual."""
    batch_size: int = method(128, ge=1, le=8192, unit="images", when={"mode": "mini-batch"})
    """Number of images in one batch."""
    step_size: Number | None = method(None, gt=0, none="eps / 10", unit="of [0, 1]", automatic="length", when={"mode": "mini-batch"})
    """Length of one step in pixel units. None: eps / 10."""
    cap: float = method(9.0, title="loss limit", gt=0, when={"mode": "mini-batch"})
    """Cross-entropy beyond which an image counts as fooled for good and contributes no gradient."""
    passes: int = budget(10, ge=1, le=1000, unit="passes", when={"mode": "paper"})
    """Largest number of passes over the training images."""
    inner_steps: int = method(10, ge=1, le=1000, when={"mode": "paper"})
    """Largest number of DeepFool's steps for one image."""
    overshoot: float = method(0.02, ge=0, le=1, when={"mode": "paper"})
    """Distance that DeepFool goes past the boundary, as a share of the distance to it."""
    classes: int = method(10, ge=2, le=1000, when={"mode": "paper"})
    """Number of classes, those with the largest logits, that DeepFool considers."""

    @property
    def length(self) -> float:
        """The step length in use: the parameter, or its default."""
        return self.eps / 10 if self.step_size is None else self.step_size

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[UniversalStep]:
        """Yield the clean predictions, then step after step with the measured rates; last the best perturbation."""
        course = Course(problem, self.ball(), self.count, self.held_out)
        yield from self._by_image(course) if self.mode == "paper" else self._by_batch(course)
        yield course.end()

    def _by_batch(self, course: Course) -> Iterator[UniversalStep]:
        every = max(1, self.steps // _MEASURES)
        yield from course.begin(self.steps, math.ceil(self.steps / every))
        for number in range(1, self.steps + 1):
            yield course.ascend(self.batch_size, self.length, self.cap)
            if number % every == 0 or number == self.steps:
                yield from course.measure()
                if course.rate >= self.enough:
                    return

    def _by_image(self, course: Course) -> Iterator[UniversalStep]:
        yield from course.begin(self.passes * course.count, self.passes, whole=True)
        for _ in range(self.passes):
            for position in course.shuffled():
                yield course.deepfool(position, self.inner_steps, self.overshoot, self.classes)
            yield from course.measure(whole=True)
            if course.rate >= self.enough:
                return

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the perturbation, the fooling rates over the steps, and the table of changed classes."""
        assert isinstance(last, UniversalStep)
        learned = last.learned
        rates = {"learning": learned.learning_rates, "held out": learned.held_out_rates}
        lines = {name: torch.tensor(values) for name, values in rates.items()}
        made: dict[str, Artifact] = {
            "universal": Perturbation(learned.applied, f"Universal perturbation, {CHOICES[self.norm]} {self.eps:.3g}", universal=True),
            "fooling": Curve(torch.tensor(learned.indices), lines, "Fooling rate", y_axis=Axis("share of images", "share")),
        }
        if learned.before is not None and learned.after is not None:
            made["classes"] = self._classes(problem, learned.before, learned.after)
        return made

    def _classes(self, problem: Problem, before: torch.Tensor, after: torch.Tensor) -> Table:
        pairs, counts = torch.stack([before, after], 1)[before != after].unique(dim=0, return_counts=True)  # type: ignore[no-untyped-call]
        order = counts.argsort(descending=True, stable=True)[:_LISTED].tolist()
        names, rows = problem.classifier.labels, []
        for (clean, fooled), count in ((pairs[index].tolist(), int(counts[index])) for index in order):
            rows.append((names[clean], names[fooled], count, count / int((before == clean).sum())))
        columns = ("clean class", "becomes", "images", "share of the class")
        return Table(columns, tuple(rows), "Dominant classes of the images held out", units={columns[-1]: "share"})
