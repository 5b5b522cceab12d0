"""The kept direction of a step, and the probabilities along it. This file knows images, a direction and lengths, and no attack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.artifacts import Artifact, Axis, Curve, Perturbation
from engine.operation import Problem

_POINTS = 33


@dataclass(frozen=True, eq=False)
class Direction(Perturbation):
    """``mask * steepest(gradient)``, ``(N, C, H, W)``, with what else a step of another length needs."""

    goals: Tensor | None = None
    """``(N,)``: the classes that the attack chose to step towards; None: it chose none."""
    objective: Callable[[Tensor], Tensor] | None = None


def curve(problem: Problem, direction: Tensor, logits: Tensor, longest: float) -> Curve:
    """Probabilities of the first image's label and of the class it goes to, along ``clamp(image + eps * direction, 0, 1)``.

    33 forward rows in one batch. They are not counted, since they look at the attack and are no part of it.

    Parameters
    ----------
    problem
        The images, their labels and targets.
    direction
        ``(N, C, H, W)``; the first row is used.
    logits
        ``(N, K)`` after the step: they say which class the first image goes to where there is no target.
    longest
        The largest eps.
    """
    image, along, label = problem.images[:1], direction[:1], int(problem.labels[0])
    eps = torch.linspace(0, longest, _POINTS, device=image.device, dtype=image.dtype)
    scores = problem.classifier.whole.score((image + eps.reshape(-1, 1, 1, 1) * along).clamp(0, 1))
    shown = [label]
    if scores.shape[1] > 1:
        others = logits[0].index_fill(0, problem.labels[:1], -torch.inf)
        shown.append(int(others.argmax()) if problem.targets is None else int(problem.targets[0]))
    names = problem.classifier.labels
    lines = {f"{names[index]}": scores.softmax(1)[:, index] for index in shown}
    return Curve(eps, lines, "Probability along the direction of the step", Axis("eps", "eps"), Axis("probability", "share"))


class StepArtifacts(Mapping[str, Artifact]):
    """The direction at once, the curve when it is asked for, so that whoever moves eps does not wait for it."""

    def __init__(self, direction: Direction, make: Callable[[], Curve]) -> None:
        self._direction, self._make = direction, make
        self._curve: Curve | None = None

    def __getitem__(self, name: str) -> Artifact:
        if name == "direction":
            return self._direction
        if name != "curve":
            raise KeyError(name)
        if self._curve is None:
            self._curve = self._make()
        return self._curve

    def __iter__(self) -> Iterator[str]:
        return iter(("direction", "curve"))

    def __len__(self) -> int:
        return 2
