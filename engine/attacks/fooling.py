"""Fooling images: from noise to an image that the classifier takes for a chosen class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, Axis, Curve, Perturbation, Unit
from engine.attacks.toolkit.lecture_loss import TowardsLoss, distance_to, lowered_loss, target_probability
from engine.attacks.toolkit.losses import check_classes
from engine.operation import Attack, AttackStep, Problem, Step, Use
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_MOST_LINES = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class FoolingStep(AttackStep):
    """One iterate, with the descent's own pixels and the losses and probabilities so far."""

    pixels: Tensor
    """Pixels of the descent, ``(N, C, H, W)``: without the clamp they may be outside [0, 1]."""
    losses: Sequence[Tensor]
    """The loss of ``pixels`` at every iterate, each ``(N,)``. All steps of a run share the list, of which entries up to ``index`` apply."""
    probabilities: Sequence[Tensor]
    """Probability of the target at every iterate, each ``(N,)``, shared in the same way."""


class FoolingImage(Attack):
    """Turn noise into an image that the classifier takes for the target. The image on the canvas only defines the size.

    ``pixels <- pixels - step_size * d``, ``steps`` times, with ``d`` the gradient of the loss towards the target (the lecture) or its sign
    (Goodfellow et al.: one step). ``steps + 1`` forward passes and ``steps`` backward passes.

    With ``clip`` the pixels are clamped to [0, 1] in every step. Without it, as in both sources, the descent leaves [0, 1]: the curves of
    loss and probability are those of its own pixels (artifact ``unclipped``), while the resulting image, its loss, logits and success are
    those of ``clamp(pixels, 0, 1)``, which costs a second forward pass per step and often does not fool.

    Goodfellow, Shlens, Szegedy 2014, arXiv 1412.6572, figure 5 and appendix A: one sign step from an isotropic Gaussian; the length of
    their step is unconfirmed, and 0.1 is our choice. The descent, its ten steps of 0.5 from uniform noise, and the swapped loss: the "fake
    image" of S. Wang's lecture on adversarial examples.
    """

    slug: ClassVar[str] = "fooling"
    title: ClassVar[str] = "Fooling image"
    family: ClassVar[str] = "Fooling images"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572; descent: lecture of S. Wang"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"target probability": "share"})
    uses: ClassVar[frozenset[Use]] = frozenset({"targets"})
    needs: ClassVar[frozenset[Use]] = frozenset({"targets"})
    masked: ClassVar[bool] = False
    from_image: ClassVar[bool] = False
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "Goodfellow et al. 2014, figure 5",
            {
                "begin": "gaussian",
                "center": 0.0,
                "spread": 1.0,
                "direction": "sign",
                "steps": 1,
                "clip": False,
            },
        ),
        Preset("Wang's lecture: fake image", {"loss": "prob_linear", "clip": False}),
    )

    steps: int = budget(10, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    step_size: Number | None = budget(
        None, gt=0, unit="times the gradient, or its sign", none="0.5 for the gradient, 0.1 for the sign", automatic="length"
    )
    """Factor on the gradient, or on its sign (then in pixel units). None: 0.5 for the gradient, 0.1 for the sign."""
    begin: Literal["uniform", "gaussian", "image"] = method("uniform")
    """Starting point. uniform: noise in [0, 1]. gaussian: normal noise. image: the image on the canvas."""
    center: Number = method(0.5, ge=-10, le=10, when={"begin": "gaussian"})
    """Mean of gaussian noise."""
    spread: Number = method(0.25, ge=0, le=10, when={"begin": "gaussian"})
    """Standard deviation of gaussian noise. The paper's isotropic Gaussian has mean 0 and deviation 1, and no clip."""
    direction: Literal["gradient", "sign"] = method("gradient")
    """Direction of a step. gradient: plain gradient descent. sign: every pixel moves equally."""
    loss: TowardsLoss = method("ce")
    """Loss to minimise. ce: cross-entropy of the target. prob_linear: the lecture's, (15.942 + 16.118) / K * (1 - probability of the
    target), which hardly moves where that probability is near 0.
    """
    clip: bool = method(True)
    """Clamp the pixels to [0, 1] in every step. Without, the descent is that of the sources, and only the resulting image is clipped."""

    @property
    def length(self) -> float:
        """The step size in use: the parameter, or its default."""
        if self.step_size is not None:
            return self.step_size
        return 0.5 if self.direction == "gradient" else 0.1

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the noise as iterate 0, and the pixels after k steps as iterate k."""
        assert problem.targets is not None
        check_classes("ce", problem.classifier.num_classes)
        model, targets = problem.classifier, problem.targets
        losses: list[Tensor] = []
        probabilities: list[Tensor] = []
        pixels = self._start(problem)
        for index in range(self.steps + 1):
            pixels = pixels.requires_grad_()
            logits = model(pixels)
            lowered = lowered_loss(self.loss, logits, targets)
            if problem.objective is not None:
                lowered = lowered - problem.objective(pixels)
            losses.append(distance_to(self.loss, logits, targets))
            probabilities.append(target_probability(logits, targets))
            image, seen = self._image(pixels.detach(), logits.detach(), problem)
            loss = -distance_to(self.loss, seen, targets)
            if problem.objective is not None:
                with torch.no_grad():
                    loss = loss + problem.objective(image)
            reading = {"target probability": target_probability(seen, targets).mean()}
            yield FoolingStep(
                index, self.steps, image, loss, seen, pixels=pixels.detach(), losses=losses, probabilities=probabilities, readings=reading
            )
            if index < self.steps:
                pixels = self._update(pixels.detach(), model.gradient(lowered.sum(), pixels))

    def _start(self, problem: Problem) -> Tensor:
        shape = problem.images.shape[1:]
        if self.begin == "image":
            return problem.images.clone()
        if self.begin == "uniform":
            return problem.random.uniform(shape).to(problem.images)
        noise = self.center + self.spread * problem.random.normal(shape).to(problem.images)
        return noise.clamp(0, 1) if self.clip else noise

    @torch.no_grad()
    def _update(self, pixels: Tensor, gradient: Tensor) -> Tensor:
        pixels = pixels - self.length * (gradient if self.direction == "gradient" else gradient.sign())
        return pixels.clamp(0, 1) if self.clip else pixels

    @torch.no_grad()
    def _image(self, pixels: Tensor, logits: Tensor, problem: Problem) -> tuple[Tensor, Tensor]:
        """Return the resulting image and its logits."""
        if self.clip:
            return pixels, logits
        image = pixels.clamp(0, 1)
        return image, problem.classifier(image)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return ``loss`` and ``probability`` of the descent's own pixels at every iterate; without the clamp also the pixels."""
        assert isinstance(last, FoolingStep)
        assert problem.targets is not None
        names = _names(problem)
        count = last.index + 1
        x = torch.arange(count)
        found: dict[str, Artifact] = {
            "loss": Curve(x, _lines(torch.stack([*last.losses[:count]]), names), "Loss towards the target", y_axis=Axis("loss")),
            "probability": Curve(
                x,
                _lines(torch.stack([*last.probabilities[:count]]), names),
                "Probability of the target",
                y_axis=Axis("probability", "share"),
            ),
        }
        if not self.clip:
            found["unclipped"] = Perturbation(last.pixels, "pixels of the last iterate, not held in [0, 1]")
        return found


def _names(problem: Problem) -> list[str]:
    """Return the targets' names, numbered by row where one occurs twice."""
    assert problem.targets is not None
    labels = [problem.classifier.labels[target] for target in problem.targets.tolist()]
    return [label if labels.count(label) == 1 else f"{label} ({row})" for row, label in enumerate(labels)]


def _lines(values: Tensor, names: list[str]) -> dict[str, Tensor]:
    """Return ``(T, N)`` as one line per row, or as quartiles where there are many."""
    values = values.detach().cpu()
    if len(names) <= _MOST_LINES:
        return dict(zip(names, values.T, strict=True))
    lower, median, upper = values.double().quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64), dim=1)
    return {"lower quartile": lower, "median": median, "upper quartile": upper}
