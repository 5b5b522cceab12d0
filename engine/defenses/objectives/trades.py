"""TRADES: accuracy on clean images, and agreement between an image and its worst neighbour."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import divergence, projected_steps
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import Preset, budget, method


class TRADES(Objective):
    """Add ``beta * mean max_{||delta||_inf <= eps} KL(p(x) || p(x + delta))`` to the loss of the images as they are.

    The maximum is sought by ``steps`` projected steps from ``x + 0.001 N(0, I)``, with the network in evaluation mode; the gradient of the
    added term goes through both distributions.
    """

    slug: ClassVar[str] = "trades"
    title: ClassVar[str] = "TRADES"
    family: ClassVar[Family] = "Added terms"
    paper: ClassVar[str] = "Zhang et al. 2019, arXiv 1901.08573"
    adversarial: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Zhang et al. 2019, CIFAR-10: L∞ 8/255, β 6", {"eps": 8 / 255, "steps": 10, "step_size": 2 / 255, "beta": 6.0}),
        Preset("Zhang et al. 2019, MNIST: L∞ 0.3, β 1", {"eps": 0.3, "steps": 40, "step_size": 0.01, "beta": 1.0}),
    )

    eps: float = budget(8 / 255, gt=0.0, le=1.0, unit="of [0, 1]")
    """Radius of the L∞ ball."""
    steps: int = budget(10, ge=1, le=1000, unit="steps")
    """Number of steps for each batch."""
    step_size: float | None = method(None, gt=0.0, unit="of [0, 1]", none="a quarter of ε")
    """Length of a step. None: ``eps / 4``."""
    beta: float = method(6.0, ge=0.0, le=1000.0, title="weight β")
    """Weight of the divergence beside the cross-entropy."""
    ramp: float = method(0.0, ge=0.0, le=1000.0, unit="epochs")
    """Number of epochs in which eps grows from 0 to its value."""

    @property
    def linf_eps(self) -> float:
        """Radius of the L∞ ball for which it trains."""
        return self.eps

    def loss(self, loss: Tensor, logits: Tensor, batch: Batch, trainee: Trainee) -> Tensor:
        """Add the divergence at the worst neighbours."""
        eps = self.eps * (min(1.0, trainee.epoch / self.ramp) if self.ramp else 1.0)
        step_size = eps / 4 if self.step_size is None else self.step_size * eps / self.eps
        with trainee.evaluating():
            wanted = trainee.logits(batch.images).detach()
        noise = 0.001 * trainee.random.normal(batch.images.shape[1:]).to(batch.images)
        worst = projected_steps(
            batch.images.detach(),
            trainee,
            lambda others: divergence(wanted, others),
            norm="linf",
            eps=eps,
            steps=self.steps,
            step_size=step_size,
            start=noise,
        )
        return loss + self.beta * batch.mean(divergence(logits, trainee.logits(worst)))
