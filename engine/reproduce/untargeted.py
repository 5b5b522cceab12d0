"""The untargeted attack on a “7”: twenty steps of the gradient divided by its largest magnitude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve, Picture
from engine.attacks import PGD
from engine.operation import AttackStep, Problem
from engine.parameters import method
from engine.reproduce.experiment import LECTURED, Experiment, Report, attacking, correct, outcome, own_recipe, share
from engine.reproduce.findings import around
from engine.text.formatting import format_probability

SHOWN = (5, 10, 15, 20)
_SHARES = {5: 21.0, 10: 81.0, 15: 98.5, 20: 100.0}
"""Share of flips by step, in percent, in a reference run of the lecture's network."""
_TOGETHER = 250
"""Digits attacked together, with a twentieth of a second per step."""


class Untargeted(Experiment):
    """Raise the loss of the label by twenty steps of ``0.05 * g / max |g|``, kept within [0, 1], with no ball.

    ``x <- clamp(x + 0.05 * g / max |g|, 0, 1)`` with ``g = d loss / d x``. The lecture writes ``binary_crossentropy(pred, true)`` with its
    arguments swapped, which is linear in the label's probability; its gradient has the direction of the cross-entropy's that is used here,
    and the division by ``max |g|`` leaves no other difference. The lecture's comment says descent; its code ascends, and so does this.
    """

    slug: ClassVar[str] = "h5-untargeted"
    title: ClassVar[str] = "Untargeted: a “7” after 5, 10, 15 and 20 steps"
    source: ClassVar[str] = "Wang, “Data Evasion Attacks” (lecture), untargeted attack"
    paper: ClassVar[str] = "max-normalised gradient ascent; compare Madry et al. 2017, arXiv 1706.06083"
    tolerance: ClassVar[str] = (
        "Shares flipped after 5, 10, 15 and 20 steps within 8 points of a reference run of the lecture's network (21, 81, 98.5, 100 %); "
        "the first test digit flips at step 16 ± 3. The lecture prints pictures, no numbers."
    )
    model: ClassVar[str] = LECTURED
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    columns: ClassVar[int] = 5

    images_used: int = method(1000, ge=1, le=10_000, title="images")
    """Number of test images, from the first on; those predicted wrongly before do not count."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Attack all digits, some hundred together; the first is the lecture's “7”."""
        data = yield from self.images(report, "test", count=min(self.images_used, 200))
        data = data.subset(range(min(self.images_used, len(data))))
        own_recipe(report, problem.classifier.whole)
        images, labels = yield from correct(problem, data)
        first: dict[int, tuple[Tensor, float, int]] = {}
        size = 0.0
        attack = PGD(eps=None, direction="max", steps=SHOWN[-1], step_size=0.05, random_start=False)
        rounds = SHOWN[-1] + 1
        report.expect(rounds * -(-len(images) // _TOGETHER))
        with attacking(problem, attack, images, labels, together=_TOGETHER) as run:
            for step in run:
                assert isinstance(step, AttackStep)
                assert step.logits is not None
                at, rows = step.index % rounds, slice(step.first_row, step.first_row + len(step.adversarial))
                if at in (0, *SHOWN) and step.first_row == 0:
                    p = step.logits[0].softmax(0)
                    first[at] = step.adversarial[0], float(p.max()), int(p.argmax())
                if at == SHOWN[-1]:
                    size += float((step.adversarial - images[rows]).flatten(1).norm(dim=1).sum())
                yield f"step {at} of {SHOWN[-1]}, digits {rows.start + 1} to {rows.stop} of {len(images)}"
            flips = outcome(run).steps_to_flip
        self._report(report, first, size / len(images), flips, int(labels[0]))

    def _report(self, report: Report, first: dict[int, tuple[Tensor, float, int]], size: float, flips: Tensor, label: int) -> None:
        flipped = torch.where(flips < 0, SHOWN[-1] + 1, flips).cpu()
        for steps in SHOWN:
            report.find(f"flipped after {steps} steps", share(flipped <= steps), around(_SHARES[steps], 8), unit="%", digits=1)
        report.find("median step of the flip", float(flipped.sort().values[(len(flipped) - 1) // 2]), reference="8", digits=0)
        name = f"step at which the first digit (a “{label}”) flips"
        at = float(flipped[0]) if flipped[0] <= SHOWN[-1] else f"not within {SHOWN[-1]}"
        report.find(name, at, around(16, 3), digits=0)
        report.find("mean L2 after 20 steps", size, reference="3.4")
        for steps, (image, p, read) in first.items():
            when = f"after {steps} steps" if steps else "clean"
            report.show(f"step {steps}", Picture(image, f"{when}: read as {read}, {format_probability(p)}"))
        x = torch.arange(SHOWN[-1] + 1)
        report.show(
            "flipped", Curve(x, {"flipped, %": 100 * (flipped[None] <= x[:, None]).double().mean(1)}, "All digits", y_axis=Axis("%"))
        )
