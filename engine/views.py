"""What an operation may know of a classifier: gradients, scores or labels, counted and budgeted."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import BudgetExhausted, GibbonError

Knowledge = Literal["gradients", "scores", "labels"]
_SIDE_BY_SIDE = 100_000
"""Values of all gradients together up to which one batched backward pass is faster on a CPU than one after the other: there a pass of a few
small images is overhead, while a large one is not made cheaper by company (measured on 28 x 28 and 224 x 224)."""


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

    def gradient(self, value: Tensor, images: Tensor, weights: Tensor | None = None, *, again: bool = False) -> Tensor:
        """Gradient of the scalar ``value`` with respect to ``images`` alone: weight gradients are never made.

        With ``weights`` of its shape ``value`` may be any tensor: the gradient is that of ``(weights * value).sum()``. With ``again`` the
        graph is kept, for another gradient of the same forward pass.

        Raises
        ------
        GibbonError
            The attacker knows no gradients, or the model breaks the graph (it is not differentiable).
        """
        if self.knows != "gradients":
            raise GibbonError(f"This attack declares that it knows {self.knows} only, but asked for a gradient.")
        self.backwards += len(images)
        try:
            return torch.autograd.grad(value, images, weights, retain_graph=again)[0]
        except RuntimeError as error:
            if "does not require grad" not in str(error) and "not have been used" not in str(error):
                raise
            raise GibbonError(
                f"The model “{self._classifier.name}” passes no gradient to its input, so attacks that need gradients cannot work on it. "
                "Use one that knows scores only (Square, One pixel) or labels only (HopSkipJump, Substitute)."
            ) from error

    def gradients(self, values: Tensor, images: Tensor) -> Tensor:
        """``(k, N, C, H, W)``: the gradients of ``values`` ``(k, N)``, row n of ``images`` for each of k values of it, of one forward pass.

        Raises
        ------
        GibbonError
            As `gradient`.
        """
        count = len(values)
        together = images.device.type != "cpu" or count * images.numel() <= _SIDE_BY_SIDE
        if count > 1 and together and values.requires_grad and self.knows == "gradients":
            ones = torch.eye(count, device=values.device, dtype=values.dtype)[:, :, None].expand(-1, -1, values.shape[1])
            try:
                found = torch.autograd.grad(values, images, grad_outputs=ones, is_grads_batched=True, retain_graph=True)[0]
            except RuntimeError:  # a function of the model that cannot be batched; whatever else it is, the loop says it
                pass
            else:
                self.backwards += values.numel()
                return found
        return torch.stack([self.gradient(value.sum(), images, again=n < count - 1) for n, value in enumerate(values)])

    @property
    def whole(self) -> Classifier:
        """The classifier itself, uncounted: for operations that take it apart or train it, never for attacks."""
        return self._classifier

    def _count(self, rows: int) -> None:
        if self._max_queries is not None and self.forwards + rows > self._max_queries:
            raise BudgetExhausted
        self.forwards += rows
