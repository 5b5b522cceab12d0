"""An objective: one part of the recipe by which a network is trained. Parts are combined."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Literal

from pydantic import model_serializer
from torch import Tensor, nn

from engine.defenses.objectives.batch import Batch, Trainee
from engine.parameterised import Parameterised
from engine.parameters import parameters_of

Family = Literal["Data", "Targets", "Adversarial images", "Added terms"]


class Objective(Parameterised, ABC):
    """A part of a training recipe: it changes the rows of each batch, or the loss, or both.

    The loss of a recipe is ``loss_n(... loss_1(cross_entropy(logits(rows_n(... rows_1(batch))))))``, in the order of the recipe.
    """

    family: ClassVar[Family]
    paper: ClassVar[str] = ""
    """Authors, year and arXiv id."""
    adversarial: ClassVar[bool] = False
    """Whether it attacks the network in training: such parts are left out during the clean epochs of a schedule."""
    needs_batch_norm: ClassVar[bool] = False

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

    @property
    def words(self) -> str:
        """The part with the parameters that differ from their defaults, as `parse` reads it: ``pgd eps=0.1 steps=10``."""
        given = (f"{name}={_text(value)}" for name, value in self.chosen.items())
        return " ".join((self.slug, *given))

    @property
    def chosen(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        return {name: getattr(self, name) for name, each in parameters_of(type(self)).items() if getattr(self, name) != each.default}

    @model_serializer(mode="wrap")
    def _named(self, serialise: Any) -> dict[str, Any]:
        """Write the slug first, by which `read` finds the class."""
        return {"objective": self.slug, **serialise(self)}


def _text(value: Any) -> str:
    return "none" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
