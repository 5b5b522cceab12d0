"""Virtual adversarial training: the same answer in the direction in which it would change most."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from engine.balls import normalised
from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import divergence
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import Preset, budget, method


class VirtualAdversarial(Objective):
    """Add ``weight * mean KL(p(x) || p(x + eps * d))``, with the unit vector ``d`` in which the divergence grows fastest.

    ``d`` is found by ``iterations`` rounds of the power iteration ``d <- grad_d KL(p(x) || p(x + xi * d))``, normalised, from a random
    direction: it converges to the first eigenvector of the divergence's Hessian. No label is read, and ``p(x)`` is taken as a constant.
    """

    slug: ClassVar[str] = "vat"
    title: ClassVar[str] = "Virtual adversarial training"
    also: ClassVar[tuple[str, ...]] = ("VAT",)
    family: ClassVar[Family] = "Added terms"
    paper: ClassVar[str] = "Miyato et al. 2017, arXiv 1704.03976"
    adversarial: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (Preset("Digits: L2 2.1 (Nicolae, Rawat)", {"eps": 2.1}),)

    eps: float = budget(2.1, gt=0.0, unit="L2, of [0, 1]")
    """L2 norm of the perturbation."""
    iterations: int = budget(1, ge=1, le=100, unit="rounds")
    """Number of rounds of the power iteration."""
    xi: float = method(1e-2, gt=0.0, le=1.0, unit="of [0, 1]", title="step ξ")
    """Length of the finite difference. The paper's 1e-6 is below what float32 resolves near 0 on pixels in [0, 1]."""
    weight: float = method(1.0, ge=0.0, le=1000.0, title="weight α")
    """Weight of the divergence beside the cross-entropy."""

    def loss(self, loss: Tensor, logits: Tensor, batch: Batch, trainee: Trainee) -> Tensor:
        """Add the divergence in the worst direction; the statistics of batch normalisation do not see the perturbed images."""
        images, wanted = batch.images.detach(), logits.detach()
        direction = normalised(trainee.random.normal(images.shape[1:]).to(images))
        with trainee.unobserved():
            for _ in range(self.iterations):
                moved = images + self.xi * direction
                direction = normalised(trainee.gradient(moved, lambda others: divergence(wanted, others)))
            moved_logits = trainee.logits(images + self.eps * direction)
        return loss + self.weight * batch.mean(divergence(wanted, moved_logits))
