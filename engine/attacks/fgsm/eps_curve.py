"""The direction of a step, and the probabilities along it. This file knows images and lengths, and no attack."""

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
    """Direction of a step, ``(N, C, H, W)``, with further values that a step of another length needs."""

    goals: Tensor | None = None
    """Target classes ``(N,)`` that the attack chose; None: it chose none."""
    objective: Callable[[Tensor], Tensor] | None = None
    mask: Tensor | None = None


def curve(problem: Problem, stepped: Callable[[Problem, Tensor], Tensor], logits: Tensor, longest: float) -> Curve:
    """Return probabilities of the first image's label and of its new class, as eps grows from 0 to ``longest``.

    It takes 33 forward rows in one batch, which are not counted, since they examine the attack and are no part of it.

    Parameters
    ----------
    problem
        The images, their labels and targets.
    stepped
        Function from a problem of M rows, each the first image, and eps ``(M,)`` to the images after the step.
    logits
        Logits ``(N, K)`` after the step, which define the new class of the first image where there is no target.
    longest
        The largest eps.
    """
    images, label = problem.images, int(problem.labels[0])
    eps = torch.linspace(0, longest, _POINTS, device=images.device, dtype=images.dtype)
    scores = problem.classifier.whole.score(stepped(problem.select(torch.zeros(_POINTS, dtype=torch.int64, device=images.device)), eps))
    shown = [label]
    if scores.shape[1] > 1:
        others = logits[0].index_fill(0, problem.labels[:1], -torch.inf)
        shown.append(int(others.argmax()) if problem.targets is None else int(problem.targets[0]))
    names = problem.classifier.labels
    lines = {f"{names[index]}": scores.softmax(1)[:, index] for index in shown}
    return Curve(eps, lines, "Probability along the direction of the step", Axis("eps", "eps"), Axis("probability", "share"))


class StepArtifacts(Mapping[str, Artifact]):
    """Artifacts of the step: the direction at once, the curve on demand, so that a change of eps does not wait for it."""

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
