"""FGSM adversarial training with mixed batches of clean and adversarial images."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.crafting import against, one_step
from engine.defenses.objectives.objective import Family, Objective
from engine.errors import GibbonError
from engine.parameters import Preset, budget, method


class FGSMTraining(Objective):
    """Adversarial training with one-step images, made again at every step.

    Replacing, the first ``k`` of the ``m`` rows become adversarial, and the loss is ``(sum_clean CE + weight * sum_adversarial CE) /
    ((m - k) + weight * k)``. Beside, all rows stay, and the loss is ``(1 - weight) * CE(clean) + weight * CE(adversarial)``.

    Trained with the label's gradient, a network may learn to recognise the attack by the label that it leaks ("label leaking"), or to mask
    its gradient: judge it by PGD and by transferred images.
    """

    slug: ClassVar[str] = "fgsm"
    title: ClassVar[str] = "FGSM adversarial training"
    also: ClassVar[tuple[str, ...]] = ("mixed batches", "step l.l.", "adversarial training")
    family: ClassVar[Family] = "Adversarial images"
    paper: ClassVar[str] = "Kurakin, Goodfellow, Bengio 2016, arXiv 1611.01236"
    adversarial: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Kurakin et al. 2016: step l.l., eps drawn for each image", {}),
        Preset(
            "Goodfellow et al. 2015: half of the loss on FGSM images, eps 0.25",
            {"eps": 0.25, "varied": False, "direction": "label", "placed": "beside", "weight": 0.5, "clip": False, "dropout": True},
        ),
    )

    eps: float = budget(16 / 255, gt=0.0, le=1.0, unit="of [0, 1]")
    """Largest change of each value."""
    varied: bool = budget(True, title="draw ε for each image")
    """Draw each image's own eps as ``min(|N(0, eps / 2)|, eps)``, so that the network does not learn one size only."""
    direction: Literal["label", "least-likely", "random"] = method(
        "least-likely",
        choices={"label": "away from the label", "least-likely": "to the least likely class", "random": "to a random class"},
    )
    """The step: away from the label (FGSM), or to the class that the network finds least likely (step l.l.), or to a random one."""
    placed: Literal["replace", "beside"] = method(
        "replace", choices={"replace": "in place of clean ones", "beside": "beside all clean ones"}
    )
    """Whether the adversarial images replace rows of the batch, or are a second batch beside it."""
    k: int | None = method(None, ge=1, unit="images", none="half of the batch", title="adversarial images k", when={"placed": "replace"})
    """Number of adversarial rows in each batch. None: half of them."""
    weight: float = method(0.3, gt=0.0, le=1.0, title="weight λ")
    """Weight of an adversarial row beside a clean row's 1; beside: the adversarial batch's share of the loss."""
    clip: bool = method(True)
    """Clip the adversarial images to [0, 1]."""
    dropout: bool = method(False, title="dropout while crafting")
    """Drop units while the gradient is taken, as in the training pass: the step is then less exact, and the network learns to recognise
    it less. Off: adversarial images are made against the network as it will be used.
    """

    @property
    def linf_eps(self) -> float:
        """Radius of the L∞ ball for which it trains."""
        return self.eps

    def check(self, batch_size: int, classes: int) -> None:
        """Refuse more adversarial images than there are in a batch."""
        if self.k is not None and self.k > batch_size:
            raise GibbonError(f"{self.title}: k is {self.k}, but a batch has {batch_size} images. Lower k, or raise batch_size.")

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Replace the first ``k`` rows, and weigh all."""
        if self.placed == "beside":
            return batch
        k = batch.total // 2 if self.k is None else min(self.k, batch.total)
        crafted = self._crafted(batch, trainee, batch.leading(k))
        weights = torch.ones(len(batch.images), device=batch.images.device)
        weights[: len(crafted)] = self.weight
        before = batch.weights if batch.weights is not None else 1.0
        return replace(
            batch,
            images=torch.cat([crafted, batch.images[len(crafted) :]]),
            weights=weights * before,
            weight=batch.total - k + self.weight * k,
        )

    def loss(self, loss: Tensor, logits: Tensor, batch: Batch, trainee: Trainee) -> Tensor:
        """Mix in the loss of the adversarial batch, where it stands beside."""
        if self.placed == "replace":
            return loss
        crafted = self._crafted(batch, trainee, len(batch.images))
        return (1.0 - self.weight) * loss + self.weight * batch.cross_entropy(trainee.logits(crafted))

    def _crafted(self, batch: Batch, trainee: Trainee, count: int) -> Tensor:
        size = self.eps * torch.ones(count, device=batch.images.device)
        if self.varied:
            size = (0.5 * self.eps * trainee.random.normal(()).to(batch.images).abs()).clamp_max(self.eps)[:count]
        images, labels = batch.images[:count], batch.labels[:count]
        objective = against(labels if self.direction == "label" else self._goals(images, trainee))
        if not count:  # after the draws, which are the same in every process
            return images
        uphill = objective if self.direction == "label" else lambda logits: -objective(logits)
        return one_step(images, trainee, uphill, size, clip=self.clip, dropout=self.dropout)

    def _goals(self, images: Tensor, trainee: Trainee) -> Tensor:
        """Return the classes to which the step goes, ``(count,)``."""
        if self.direction == "random":
            return (trainee.random.uniform(())[: len(images)] * trainee.classes).long()
        with torch.no_grad(), trainee.evaluating():
            return trainee.logits(images).argmin(1)
