"""Min-max adversarial training: the network learns the worst images that PGD finds in a ball."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from engine.balls import BALLS, Norm
from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against, projected_steps
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import Preset, budget, method


class PGDTraining(Objective):
    """Adversarial training as a min-max problem: ``min_W mean max_{||delta|| <= eps} CE(f(x + delta), y)``.

    Every row, or a share of them, is replaced by the last iterate of ``steps`` projected steps from a random start.
    """

    slug: ClassVar[str] = "pgd"
    title: ClassVar[str] = "PGD adversarial training"
    also: ClassVar[tuple[str, ...]] = ("min-max", "Madry", "adversarial training")
    family: ClassVar[Family] = "Adversarial images"
    paper: ClassVar[str] = "Madry et al. 2017, arXiv 1706.06083"
    adversarial: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Digits: L∞ 0.3 in 7 steps", {"eps": 0.3, "steps": 7, "step_size": None, "ramp": 2.0}),
        Preset("Madry et al. 2017, MNIST: L∞ 0.3 in 40 steps of 0.01", {"eps": 0.3, "steps": 40, "step_size": 0.01, "ramp": 0.0}),
        Preset(
            "Madry et al. 2017, CIFAR-10: L∞ 8/255 in 7 steps of 2/255", {"eps": 8 / 255, "steps": 7, "step_size": 2 / 255, "ramp": 0.0}
        ),
    )

    norm: Norm = budget("linf")
    """Norm of the ball."""
    eps: float = budget(8 / 255, gt=0.0, unit="of [0, 1]", usual={"norm": {"linf": 8 / 255, "l2": 0.5, "l1": 12.0, "l0": 10.0}})
    """Radius of the ball."""
    steps: int = budget(7, ge=1, le=1000, unit="steps")
    """Number of steps for each batch."""
    step_size: float | None = method(None, gt=0.0, unit="of [0, 1]", none="a quarter of ε")
    """Length of a step. None: ``eps / 4``."""
    random_start: bool = method(True)
    """Begin at a random point of the ball."""
    ramp: float = method(2.0, ge=0.0, le=1000.0, unit="epochs")
    """Number of epochs in which eps grows from 0 to its value. Without it small networks stay at one constant answer where eps is large."""
    share: float = method(1.0, gt=0.0, le=1.0, unit="of the batch")
    """The share of each batch that is replaced; 1: all rows, as in the paper."""

    @property
    def linf_eps(self) -> float | None:
        """Radius of the L∞ ball for which it trains; None in another norm."""
        return self.eps if self.norm == "linf" else None

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Replace the leading rows by the iterates of PGD."""
        count = batch.leading(max(1, round(self.share * batch.total)))
        grown = min(1.0, trainee.epoch / self.ramp) if self.ramp else 1.0
        eps = max(grown * self.eps, 1.0) if self.norm == "l0" else grown * self.eps
        start = BALLS[self.norm](eps).sample(trainee.random, batch.images) if self.random_start else torch.zeros_like(batch.images)
        if not count:
            return batch
        crafted = self._crafted(batch.images[:count], batch.labels[:count], start[:count], eps, trainee)
        return replace(batch, images=torch.cat([crafted, batch.images[count:]]))

    def _crafted(self, images: Tensor, labels: Tensor, start: Tensor, eps: float, trainee: Trainee) -> Tensor:
        step_size = eps / 4 if self.step_size is None else self.step_size * eps / self.eps
        return projected_steps(
            images, trainee, against(labels), norm=self.norm, eps=eps, steps=self.steps, step_size=step_size, start=start
        )
