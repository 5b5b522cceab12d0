"""AdvProp: adversarial images with batch statistics of their own, which are dropped at test time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from torch import Tensor, nn

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against, projected_steps
from engine.defenses.objectives.objective import Family, Objective
from engine.parameters import Preset, budget, method

_BatchNorm = nn.modules.batchnorm._BatchNorm


class DualBatchNorm(nn.Module):
    """Two batch normalisations in one place: the main one, and the auxiliary one for adversarial images."""

    def __init__(self, main: _BatchNorm) -> None:
        super().__init__()
        self.main, self.auxiliary = main, copy.deepcopy(main)
        self.uses_auxiliary = False

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the one that is in use."""
        return self.auxiliary(x) if self.uses_auxiliary else self.main(x)  # type: ignore[no-any-return]


class AdvProp(Objective):
    """Add the cross-entropy of adversarial images that go through auxiliary batch normalisations: ``CE(main, x) + CE(auxiliary, x')``.

    Every batch normalisation is doubled for the training. ``x'`` is made with the auxiliary ones by ``steps`` projected steps; the main
    statistics never see it. The trained network has the main ones only, so its size is that of the plain network.
    """

    slug: ClassVar[str] = "advprop"
    title: ClassVar[str] = "AdvProp"
    also: ClassVar[tuple[str, ...]] = ("auxiliary batch norm",)
    family: ClassVar[Family] = "Adversarial images"
    paper: ClassVar[str] = "Xie et al. 2019, arXiv 1911.09665"
    adversarial: ClassVar[bool] = True
    needs_batch_norm: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Xie et al. 2019: 5 steps of 1/255 in L∞ 4/255", {}),
        Preset("Xie et al. 2019, large networks: one step of 1/255", {"eps": 1 / 255, "steps": 1, "step_size": 1 / 255}),
    )

    eps: float = budget(4 / 255, gt=0.0, le=1.0, unit="of [0, 1]")
    """Radius of the L∞ ball."""
    steps: int = budget(5, ge=1, le=1000, unit="steps")
    """Number of steps for each batch."""
    step_size: float = method(1 / 255, gt=0.0, le=1.0, unit="of [0, 1]")
    """Length of a step."""
    clean_starts: float = method(0.2, ge=0.0, le=1.0, unit="of the batch", title="started at the image")
    """The share of images whose attack begins at the image itself, and not at a random point of the ball."""

    @property
    def linf_eps(self) -> float:
        """Radius of the L∞ ball for which it trains."""
        return self.eps

    def dress(self, network: nn.Module) -> None:
        """Double every batch normalisation of the network, in place."""
        for name, module in list(network.named_modules()):
            if isinstance(module, _BatchNorm):
                parent, _, child = name.rpartition(".")
                setattr(network.get_submodule(parent), child, DualBatchNorm(module))

    def undress(self, network: nn.Module) -> None:
        """Leave the main batch normalisations only, in place."""
        for name, module in list(network.named_modules()):
            if isinstance(module, DualBatchNorm):
                parent, _, child = name.rpartition(".")
                setattr(network.get_submodule(parent), child, module.main)

    def loss(self, loss: Tensor, logits: Tensor, batch: Batch, trainee: Trainee) -> Tensor:
        """Add the cross-entropy of the adversarial images."""
        images = batch.images.detach()
        noise = self.eps * (2.0 * trainee.random.uniform(images.shape[1:]).to(images) - 1.0)
        moved = (trainee.random.uniform(()).to(images) >= self.clean_starts).view(-1, 1, 1, 1)
        with _auxiliary(trainee.network):
            worst = projected_steps(
                images,
                trainee,
                against(batch.labels),
                norm="linf",
                eps=self.eps,
                steps=self.steps,
                step_size=self.step_size,
                start=noise * moved,
            )
            return loss + batch.cross_entropy(trainee.logits(worst))


@contextmanager
def _auxiliary(network: nn.Module) -> Iterator[None]:
    doubled = [module for module in network.modules() if isinstance(module, DualBatchNorm)]
    for module in doubled:
        module.uses_auxiliary = True
    try:
        yield
    finally:
        for module in doubled:
            module.uses_auxiliary = False
