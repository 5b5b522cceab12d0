"""The panda that became a gibbon: one sign step on a network of ImageNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Perturbation, Picture
from engine.attacks import FGSM
from engine.errors import GibbonError
from engine.images import Photograph, open_image, samples
from engine.operation import AttackStep, Problem
from engine.parameters import budget, data
from engine.reproduce.experiment import Experiment, Report, attacking
from engine.text.formatting import format_number, format_probability
from engine.text.parsing import Number

_SAMPLE = "cat"


class Panda(Experiment):
    """Take one step of eps along the sign of the gradient, on a photograph and a network of ImageNet.

    ``x' = clamp(x + eps * sign(d J / d x), 0, 1)``. The paper's 0.007 is in GoogLeNet's input units, where one grey level is 2/255 = 0.0078
    of a range of width 2, so eps is 1/255 here: about one level, not 1.8. ``sign(d J / d x)`` is classified as an image of its own, too,
    with -1, 0 and 1 shown as black, grey and white. The paper's photograph and weights are not available, so the numbers are shown beside
    its own, without a verdict.
    """

    slug: ClassVar[str] = "panda"
    title: ClassVar[str] = "Panda to gibbon: FGSM on ImageNet"
    source: ClassVar[str] = "All four lectures (Mou & Jaini; You; Horváth; Wang)"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572, figure 1"
    tolerance: ClassVar[str] = "None: another network and another photograph."
    model: ClassVar[str] = "torchvision:squeezenet1_0"
    columns: ClassVar[int] = 3

    image: Path | None = data(None, none="scikit-image's cat")
    """The photograph. None: the cat that comes with scikit-image."""
    eps: Number = budget(1 / 255, gt=0, le=1, unit="of [0, 1]")
    """Length of the step in pixel units; 1/255 is one grey level."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Classify, take one step, and classify the sum and the sign alone."""
        whole = problem.classifier.whole
        photograph = open_image(self.image) if self.image is not None else _bundled()
        report.data = f"the photograph “{photograph.name}”"
        report.expect(3)
        clean = photograph.crop_to(whole)[None].to(whole.device, whole.dtype)
        yield "the photograph"
        with attacking(problem, FGSM(eps=self.eps), clean) as run:
            for step in run:
                assert isinstance(step, AttackStep)
                moved = step.adversarial
                yield f"step {step.index} of 1"
            # The change of the image would not do: it is 0 where the pixel was black or white already.
            direction = run.result().artifacts["direction"]
        assert isinstance(direction, Perturbation)
        seen = {"photograph": clean, "sign(gradient)": (direction.values + 1) / 2, "sum": moved}
        self._report(report, problem, seen)

    def _report(self, report: Report, problem: Problem, seen: dict[str, Tensor]) -> None:
        whole = problem.classifier.whole
        published = {"photograph": "panda 57.7 %", "sign(gradient)": "nematode 8.2 %", "sum": "gibbon 99.3 %"}
        p = whole.score(torch.cat(list(seen.values()))).softmax(1)
        problem.classifier.forwards += len(seen)
        for (name, image), row in zip(seen.items(), p, strict=True):
            best = int(row.argmax())
            ours = f"{whole.labels[best]} {format_probability(float(row[best]))}"
            what = f"photograph + {format_number(self.eps)} sign" if name == "sum" else name
            report.find(what, ours, lecture=published[name], paper=published[name])
            report.show(name, Picture(image[0], f"{what}: {ours} (paper: {published[name]})"))
        before = int(p[0].argmax())
        report.find("probability of the photograph's class after the step", 100 * float(p[2, before]), unit="%", digits=1)
        report.find("largest change of a pixel", 255 * float((seen["sum"] - seen["photograph"]).abs().max()), unit="levels")


def _bundled() -> Photograph:
    found = next((sample for sample in samples() if sample.model == "imagenet" and sample.title == _SAMPLE), None)
    if found is None:
        raise GibbonError("scikit-image's photograph of a cat is not here. Give one with --image FILE.")
    return found.open()
