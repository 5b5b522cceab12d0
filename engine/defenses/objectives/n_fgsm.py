"""One-step adversarial training from noise: PGD's robustness at a fraction of its time."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against, one_step
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import Preset, budget, method


class NFGSM(Objective):
    """N-FGSM: ``x + eta + step * eps * sign(grad CE(x + eta))`` with ``eta`` uniform in ``[-noise * eps, noise * eps]``, within [0, 1].

    The sum is not projected back into the ball. One-step training can collapse: within an epoch the network is robust against one step and
    no longer against several ("catastrophic overfitting"). With ``stop_at_collapse`` the training ends there, with the best epoch's
    weights.
    """

    slug: ClassVar[str] = "n-fgsm"
    title: ClassVar[str] = "N-FGSM"
    also: ClassVar[tuple[str, ...]] = ("fast adversarial training", "free", "FGSM-RS", "one step")
    family: ClassVar[Family] = "Adversarial images"
    paper: ClassVar[str] = "de Jorge et al. 2022, arXiv 2202.01181"
    adversarial: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("de Jorge et al. 2022: CIFAR-10", {"eps": 8 / 255}),
        Preset("Wong et al. 2020: FGSM from a random start (FGSM-RS)", {"eps": 8 / 255, "noise": 1.0, "step": 1.25, "project": True}),
        Preset("Wong et al. 2020: MNIST, FGSM-RS", {"eps": 0.3, "noise": 1.0, "step": 1.25, "project": True, "ramp": 0.0}),
    )

    eps: float = budget(8 / 255, gt=0.0, le=1.0, unit="of [0, 1]")
    """Radius of the L∞ ball for which the network is trained."""
    noise: float = method(2.0, ge=0.0, le=10.0, unit="of ε")
    """Largest noise of each value before the step."""
    step: float = method(1.0, gt=0.0, le=10.0, unit="of ε")
    """Length of the step."""
    project: bool = method(False)
    """Project the sum of noise and step into the ball, as FGSM-RS does (Wong, Rice, Kolter 2020, arXiv 2001.03994)."""
    ramp: float = method(0.0, ge=0.0, le=1000.0, unit="epochs")
    """Number of epochs in which eps grows from 0 to its value."""
    stop_at_collapse: bool = method(True)
    """End the training when the accuracy under a quick PGD on held-out images falls below half of its best, and keep the best epoch."""

    @property
    def linf_eps(self) -> float:
        """Radius of the L∞ ball for which it trains."""
        return self.eps

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Replace every row by one step from noise."""
        eps = self.eps * (min(1.0, trainee.epoch / self.ramp) if self.ramp else 1.0)
        noise = self.noise * eps * (2.0 * trainee.random.uniform(batch.images.shape[1:]).to(batch.images) - 1.0)
        start = (batch.images + noise).clamp(0.0, 1.0)
        moved = one_step(start, trainee, against(batch.labels), self.step * eps, clip=False)
        if self.project:
            moved = batch.images + (moved - batch.images).clamp(-eps, eps)
        return replace(batch, images=moved.clamp(0.0, 1.0))
