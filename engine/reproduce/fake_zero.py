"""The fake “0”: noise that descends to a class, and the lecture's printed loss on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve, Picture
from engine.attacks import FoolingImage
from engine.attacks.fooling import FoolingStep
from engine.operation import Problem
from engine.parameters import method
from engine.reproduce.experiment import LECTURED, Experiment, Report, attacking, own_recipe, share
from engine.reproduce.findings import at_least, at_most, between
from engine.text.formatting import format_probability

PRINTED = (3.039003, 2.6458066, 1.0068675, 0.22192626, 0.01752027, 0.01353873, 0.01130872, 0.00976203, 0.00869376, 0.00787604)
"""The lecture's loss before each of its ten steps."""
PRINTED_FINAL = 0.99776781
"""Printed probability of a “0” after the last step."""
SLOPE = 3.206
_REFERENCE = (3.13, 3.01, 2.57, 1.65, 0.52, 0.045, 0.026, 0.018, 0.015, 0.013)


class FakeZero(Experiment):
    """Take ten steps of plain gradient descent from uniform noise towards “0”, with the loss as the lecture wrote it.

    ``x <- x - 0.5 * d L / d x``, not kept within [0, 1]. The slides call ``binary_crossentropy(pred, target)`` where Keras takes the truth
    first; with the target clipped to [1e-7, 1 - 1e-7] in float32 the value is linear in the probability, ``L = 3.206 * (1 - p)`` for ten
    classes. So the printed trace can be read as probabilities: 0.052, 0.175, 0.686, 0.931, 0.9945, ... 0.9975, and the slides' final vector
    has 0.99777. Both the literal loss and the linear one are computed here and compared.
    """

    slug: ClassVar[str] = "h5-fake-zero"
    title: ClassVar[str] = "The fake “0” and its decoded trace"
    source: ClassVar[str] = "Wang, “Data Evasion Attacks” (lecture), fake image"
    paper: ClassVar[str] = "compare Goodfellow et al. 2014, arXiv 1412.6572, appendix A"
    tolerance: ClassVar[str] = (
        "L = 3.206 (1 - p) to 0.001 along every trace; median first loss 2.4 to 3.2, median last loss 0.005 to 0.03, "
        "final p ≥ 0.99 in at least 85 % of the starts."
    )
    model: ClassVar[str] = LECTURED

    target: int = method(0, ge=0, le=9)
    """The target class; the lecture's is 0, and the tolerances are for it."""
    starts: int = method(256, ge=1, le=10_000)
    """Number of noise images, as rows of one batch."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Run the ten steps of all starts together."""
        whole = problem.classifier.whole
        report.data = f"{self.starts} images drawn uniformly from [0, 1]"
        report.comparable = self.target == 0
        own_recipe(report, whole)
        targets = torch.full((self.starts,), self.target, device=whole.device)
        report.expect(len(PRINTED) + 1)
        literal, probabilities, first, pixels = [], [], torch.empty(0), torch.empty(0)
        with attacking(problem, FoolingImage(loss="prob_linear", clip=False, steps=len(PRINTED)), None, None, targets) as run:
            for step in run:
                assert isinstance(step, FoolingStep)
                p = whole.score(step.pixels).softmax(1)
                literal.append(keras_swapped(p, targets))
                probabilities.append(p[:, self.target])
                pixels = step.pixels
                first = pixels if step.index == 0 else first
                yield f"step {step.index} of {len(PRINTED)}, {self.starts} starts"
        self._report(report, torch.stack(literal).cpu(), torch.stack(probabilities).cpu())
        self._show(report, whole.labels, (first, pixels), torch.stack(probabilities).cpu())

    def _report(self, report: Report, loss: Tensor, p: Tensor) -> None:
        gap = float((loss - SLOPE * (1 - p)).abs().max())
        report.find("largest |L - 3.206 (1 - p)|", gap, at_most(1e-3), digits=5, comparable=True)
        medians = loss[:-1].median(1).values
        report.find("median first loss", float(medians[0]), between(2.4, 3.2), lecture=f"{PRINTED[0]:.3f}")
        report.find("median last loss", float(medians[-1]), between(0.005, 0.03), lecture=f"{PRINTED[-1]:.5f}", digits=4)
        report.find("final p ≥ 0.99", share(p[-1] >= 0.99), at_least(85), reference="91.8 %", unit="%", digits=1)
        report.find("median final p", float(p[-1].median()), lecture=f"{PRINTED_FINAL:.4f}", digits=4)
        traces = {"Our median trace": medians.tolist(), "the lecture's one trace": PRINTED, "a reference run's median": _REFERENCE}
        report.note("; ".join(f"{name}: {', '.join(f'{value:.3g}' for value in values)}" for name, values in traces.items()) + ".")

    def _show(self, report: Report, labels: tuple[str, ...], pixels: tuple[Tensor, Tensor], p: Tensor) -> None:
        chosen = int((p[-1] - p[-1].median()).abs().argmin())
        name = labels[self.target]
        for what, image, row in (("start", pixels[0], 0), ("end", pixels[1], -1)):
            text = f"{'noise' if what == 'start' else 'after ten steps'}: “{name}” {format_probability(float(p[row, chosen]))}"
            report.show(what, Picture(image[chosen].clamp(0, 1), text))
        lines = {
            "lecture, decoded": torch.tensor([*(1 - printed / SLOPE for printed in PRINTED), PRINTED_FINAL]),
            "ours, median": p.median(1).values,
            "ours, lower quartile": p.quantile(0.25, dim=1),
            "ours, upper quartile": p.quantile(0.75, dim=1),
        }
        report.show("trace", Curve(torch.arange(len(p)), lines, f"Probability of “{name}”", y_axis=Axis("p", "share")))


def keras_swapped(p: Tensor, targets: Tensor) -> Tensor:
    """Compute ``binary_crossentropy(y_true=p, y_pred=one_hot)`` like Keras in float32: ``(N,)``, the mean over the classes."""
    one_hot = torch.nn.functional.one_hot(targets, p.shape[1]).float()
    small = torch.tensor(1e-7, dtype=torch.float32, device=p.device)
    clipped = one_hot.clamp(small, 1 - small)
    return -(p * clipped.log() + (1 - p) * (1 - clipped).log()).mean(1)
