"""What an operation may know of a classifier: gradients, scores or labels, counted and budgeted."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import BudgetExhausted, GibbonError

Knowledge = Literal["gradients", "scores", "labels"]


class View:
    """A counting view of a classifier that gives no more than the attacker ``knows``.

    Parameters
    ----------
    classifier
        The model behind it.
    knows
        ``"gradients"``: logits with a graph; ``"scores"``: logits without; ``"labels"``: predictions only.
    max_queries
        Forward rows after which the run ends with the reason "budget"; None: no limit.
    """

    def __init__(self, classifier: Classifier, knows: Knowledge, max_queries: int | None = None) -> None:
        self._classifier, self.knows, self._max_queries = classifier, knows, max_queries
        self.labels, self.num_classes = classifier.labels, classifier.num_classes
        self.input_shape, self.device, self.dtype = classifier.input_shape, classifier.device, classifier.dtype
        self.forwards = 0
        self.backwards = 0

    def __call__(self, images: Tensor) -> Tensor:
        """Logits ``(N, K)``; with a graph only where the attacker knows gradients.

        Raises
        ------
        GibbonError
            The attacker knows labels only.
        BudgetExhausted
            The rows would exceed ``max_queries``.
        """
        if self.knows == "labels":
            raise GibbonError(
                "This attack declares that it knows labels only, but asked for scores. Use predict(), or declare knows='scores'."
            )
        self._count(len(images))
        if self.knows == "gradients":
            return self._classifier(images)
        with torch.no_grad():
            return self._classifier(images)

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """Predicted labels ``(N,)``."""
        self._count(len(images))
        return self._classifier(images).argmax(1)

    @torch.no_grad()
    def verdict(self, images: Tensor) -> Tensor:
        """Logits of an iterate that an attack hands over without them: for the driver, whatever the attacker knows. Counted."""
        self._count(len(images))
        return self._classifier(images)

    def gradient(self, value: Tensor, images: Tensor, *, again: bool = False) -> Tensor:
        """Gradient of the scalar ``value`` with respect to ``images`` alone: weight gradients are never made.

        With ``again`` the graph is kept, for another gradient of the same forward pass.

        Raises
        ------
        GibbonError
            The attacker knows no gradients, or the model breaks the graph (it is not differentiable).
        """
        if self.knows != "gradients":
            raise GibbonError(f"This attack declares that it knows {self.knows} only, but asked for a gradient.")
        self.backwards += len(images)
        try:
            return torch.autograd.grad(value, images, retain_graph=again)[0]
        except RuntimeError as error:
            if "does not require grad" not in str(error) and "not have been used" not in str(error):
                raise
            raise GibbonError(
                f"The model “{self._classifier.name}” passes no gradient to its input, so attacks that need gradients cannot work on it. "
                "Use an attack that knows scores or labels only."
            ) from error

    @property
    def whole(self) -> Classifier:
        """The classifier itself, uncounted: for operations that take it apart or train it, never for attacks."""
        return self._classifier

    def _count(self, rows: int) -> None:
        if self._max_queries is not None and self.forwards + rows > self._max_queries:
            raise BudgetExhausted
        self.forwards += rows
