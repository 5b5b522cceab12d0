"""An objective: one part of the recipe by which a network is trained. Parts are combined."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Literal

from torch import Tensor, nn

from engine.defenses.objectives.batch import Batch, Trainee
from engine.recipes import Part

Family = Literal["Data", "Targets", "Adversarial images", "Added terms"]


class Objective(Part, ABC):
    """A part of a training recipe: it changes the rows of each batch, or the loss, or both.

    The loss of a recipe is ``loss_n(... loss_1(cross_entropy(logits(rows_n(... rows_1(batch))))))``, in the order of the recipe.
    """

    kind: ClassVar[str] = "objective"
    family: ClassVar[Family]
    paper: ClassVar[str] = ""
    """Authors, year and arXiv id."""
    adversarial: ClassVar[bool] = False
    """Whether it attacks the network in training: such parts are left out during the clean epochs of a schedule."""
    needs_batch_norm: ClassVar[bool] = False

    @property
    def linf_eps(self) -> float | None:
        """Radius of the L∞ ball for which it trains, in which each epoch is then measured; None where it has another ball or none."""
        return None

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Return the batch with other images, targets or weights."""
        return batch

    def loss(self, loss: Tensor, logits: Tensor, batch: Batch, trainee: Trainee) -> Tensor:
        """Return the loss, given the loss so far (a scalar) and the logits ``(N, K)`` of ``batch.images``."""
        return loss

    def check(self, batch_size: int, classes: int) -> None:
        """Raise a `GibbonError` where this part does not fit the batches or the classes."""

    def dress(self, network: nn.Module) -> None:
        """Add the modules to the network that the training needs, in place."""

    def undress(self, network: nn.Module) -> None:
        """Remove in place what `dress` added: this is the network that is used."""
