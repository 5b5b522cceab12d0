"""Batch normalisation step by step, and why clean and adversarial images should not share its statistics."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.artifacts import Axis, Curve, Table
from engine.attacks import FGSM
from engine.balls import TINY
from engine.classifier import Classifier
from engine.data.sources import loading
from engine.errors import GibbonError
from engine.operation import Problem
from engine.parameters import data, method
from engine.reproduce.defenses.judging import attacked
from engine.reproduce.experiment import Experiment, Report, check_fit, in_steps
from engine.reproduce.findings import at_most
from engine.text.formatting import format_number
from engine.text.parsing import Number

_ADDED = 1e-5
"""The number under the root, torch's default."""


_DRAWN = 4
"""Signs that are drawn between two steps."""


@dataclass(frozen=True, eq=False)
class Normalised:
    """The four stages of batch normalisation of values ``(m, C)``."""

    mean: Tensor
    """``mean = sum(x) / m``, ``(C,)``."""
    variance: Tensor
    """``variance = sum((x - mean)^2) / m``, ``(C,)``."""
    unscaled: Tensor
    """``(x - mean) / sqrt(variance + 1e-5)``, ``(m, C)``."""
    output: Tensor
    """``gamma * unscaled + beta``, ``(m, C)``."""


def normalise(x: Tensor, gamma: Tensor, beta: Tensor) -> Normalised:
    """Normalise values ``(m, C)`` over the batch, and scale them by ``gamma`` and ``beta`` ``(C,)``.

    Ioffe, Szegedy 2015, arXiv 1502.03167, algorithm 1.
    """
    mean = x.sum(0) / len(x)
    variance = (x - mean).square().sum(0) / len(x)
    unscaled = (x - mean) / (variance + _ADDED).sqrt()
    return Normalised(mean, variance, unscaled, gamma * unscaled + beta)


def mixed(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance ``(C,)`` of two batches of equal size ``(m, C)`` from those of each.

    ``mean = (mean_1 + mean_2) / 2``, ``variance = (variance_1 + variance_2) / 2 + ((mean_1 - mean_2) / 2)^2``: neither batch has these.
    """
    (one, own), (two, other) = ((each.mean(0), each.var(0, correction=0)) for each in (first, second))
    return (one + two) / 2, (own + other) / 2 + ((one - two) / 2).square()


class BatchNorm(Experiment):
    """Normalise a batch of three values by hand, then compare the statistics of clean and of adversarial images in a trained network.

    The first table follows the lecture's four lines: mean, variance, normalise, scale and shift. Then signs are drawn, moved by FGSM, and
    both batches go through the network; at each batch normalisation the inputs' statistics are taken. Mixed in one batch, clean and
    adversarial images are normalised by the statistics of neither; AdvProp gives the adversarial ones a batch normalisation of their own.
    """

    slug: ClassVar[str] = "h2-batch-norm"
    title: ClassVar[str] = "Batch normalisation, clean and adversarial"
    source: ClassVar[str] = "You (lecturer), “Adversarial Machine Learning”, batch normalisation with m = 3"
    paper: ClassVar[str] = "Ioffe, Szegedy 2015, arXiv 1502.03167; Xie et al. 2019, arXiv 1911.09665"
    tolerance: ClassVar[str] = (
        "By hand within 10⁻⁶ of torch's batch_norm; mixed statistics within 10⁻⁵ of those of both batches. Identities, on any images."
    )
    model: ClassVar[str] = "signs"

    drawn: int = data(40, ge=2, le=1000, unit="images")
    """Number of signs that are drawn."""
    eps: Number = method(8 / 255, gt=0, le=1, unit="of [0, 1]")
    """Size of the FGSM step, L∞."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Normalise three values, then compare the statistics in the network."""
        self._by_hand(problem, report)
        whole = problem.classifier.whole
        layers = [name for name, module in whole.module.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
        if not layers:
            raise GibbonError(f"“{whole.name}” has no batch normalisation. Choose another model, such as signs.")
        signs = yield from in_steps(loading("generated:signs", count=self.drawn, seed=problem.random.seed), "drawing signs", _DRAWN)
        check_fit(whole, signs)
        report.data = signs.source
        images, _ = signs.batch(slice(None))
        adversarial = yield from self._attacked(problem, report, whole, images)
        batches = (images, adversarial, torch.cat([images, adversarial]))
        self._report(report, layers, *(inputs_of(whole, layers, batch) for batch in batches))

    def _attacked(self, problem: Problem, report: Report, whole: Classifier, images: Tensor) -> Generator[str, None, Tensor]:
        stage = attacked(problem, FGSM(eps=self.eps), whole, images, whole.predict(images))
        while True:
            try:
                report.share_done, news = next(stage)
            except StopIteration as end:
                adversarial: Tensor = end.value
                return adversarial
            yield news

    def _report(
        self, report: Report, layers: Sequence[str], clean: Sequence[Tensor], moved: Sequence[Tensor], both: Sequence[Tensor]
    ) -> None:
        """Report how far the means lie apart at each layer, and whether the mixed statistics are those of both batches."""
        deviations, worst = [], 0.0
        for name, first, second, together in zip(layers, clean, moved, both, strict=True):
            spread = first.var(0, correction=0).clamp_min(TINY).sqrt()
            deviations.append(float(((second.mean(0) - first.mean(0)).abs() / spread).mean()))
            mean, variance = mixed(first, second)
            scale = together.var(0, correction=0).clamp_min(TINY)
            off = torch.stack([(mean - together.mean(0)).abs() / scale.sqrt(), (variance / scale - 1).abs()])
            worst = max(worst, float(off.max()))
            report.find(f"{name}: mean |μ adversarial − μ clean| / σ clean over the channels", deviations[-1], digits=3)
        report.find("mixed statistics, largest relative deviation from those of both together", worst, at_most(1e-5), digits=7)
        x = torch.arange(1, len(layers) + 1)
        title = f"Shift of the means by FGSM at {format_number(float(self.eps))}"
        lines = {"|μ adv − μ clean| / σ clean": torch.tensor(deviations)}
        report.show("shift", Curve(x, lines, title, Axis("batch normalisation", "step"), Axis("mean over channels")))

    def _by_hand(self, problem: Problem, report: Report) -> None:
        x = torch.randint(-9, 10, (3, 2), generator=problem.random.shared(self.slug)).double()
        gamma, beta = torch.tensor([2.0, 0.5], dtype=torch.float64), torch.tensor([1.0, -1.0], dtype=torch.float64)
        found = normalise(x, gamma, beta)
        theirs = F.batch_norm(x, None, None, gamma, beta, training=True, eps=_ADDED)
        rows = [("x", *_texts(x)), ("mean", *_texts(found.mean[None])), ("variance", *_texts(found.variance[None]))]
        rows += [("normalised", *_texts(found.unscaled)), ("γ · normalised + β", *_texts(found.output))]
        report.show(
            "by hand", Table(("stage", "channel 1", "channel 2"), tuple(rows), "Batch normalisation of three values in two channels")
        )
        difference = float((found.output - theirs).abs().max())
        report.find("by hand, largest difference to torch's batch_norm", difference, at_most(1e-6), digits=7)


def _texts(values: Tensor) -> tuple[str, str]:
    """Return the values of both channels in words, ``(m, 2)``."""
    first, second = (", ".join(f"{value:.4g}" for value in channel) for channel in values.T.tolist())
    return first, second


@torch.no_grad()
def inputs_of(classifier: Classifier, layers: Sequence[str], images: Tensor) -> list[Tensor]:
    """Return what each of the ``layers`` receives for ``images``, in float64: one row for each image and place, ``(rows, C)``."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            found[name] = inputs[0].transpose(0, 1).flatten(1).T.cpu().double()

        return hook

    modules = dict(classifier.module.named_modules())
    hooks = [modules[name].register_forward_pre_hook(keep(name)) for name in layers]
    try:
        classifier(images.to(classifier.device, classifier.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return [found[name] for name in layers]
