"""Access of an operation to a classifier: gradients, scores or labels, with queries counted and limited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import torch
from torch import Tensor

from engine.classifier import Classifier, Recording
from engine.contract import no_gradient
from engine.devices import is_out_of_memory, release_memory
from engine.errors import BudgetExhausted, GibbonError
from engine.gradient_watch import GradientWatch

Knowledge = Literal["gradients", "scores", "labels"]
Chunk = TypeVar("Chunk")
_SIDE_BY_SIDE = 100_000
"""Total number of gradient values below which one batched backward pass beats several single ones on a CPU. Passes of a few small
images are mostly overhead, which batching saves; large images gain nothing (measured on 28 x 28 and 224 x 224).
"""


class ModelAccess:
    """Access to a classifier that counts queries and returns no more than the attacker ``knows``.

    Parameters
    ----------
    classifier
        The model that is queried.
    knows
        ``"gradients"``: logits with a graph; ``"scores"``: logits without; ``"labels"``: predictions only.
    max_queries
        Forward rows after which the run ends with the reason "budget"; None: no limit. `allow` sets another limit.
    """

    def __init__(self, classifier: Classifier, knows: Knowledge, max_queries: int | None = None) -> None:
        self._classifier, self.knows = classifier, knows
        self.labels, self.num_classes = classifier.labels, classifier.num_classes
        self.input_shape, self.device, self.dtype = classifier.input_shape, classifier.device, classifier.dtype
        self.copies = classifier.copies
        self.forwards = 0
        self.backwards = 0
        self.gradient_watch = GradientWatch()
        self._ends_at = max_queries
        self.rows_limit: int | None = None
        """Rows of a forward pass after the device's memory ran out; None: it has not."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return logits ``(N, K)``, with a graph only where the attacker knows gradients.

        Raises
        ------
        GibbonError
            The attacker knows labels only.
        BudgetExhausted
            The rows would exceed ``max_queries``.
        """
        self._refuse_labels()
        self._count(len(images))
        if self.knows == "gradients" and torch.is_grad_enabled():
            return self._classifier(images)
        with torch.no_grad():
            return self._scores(images)

    @torch.no_grad()
    def scores_by(self, count: int, work: Callable[[slice], Tensor], most: int | None = None) -> Tensor:
        """Return logits ``(count, K)``, computed by ``work`` for slices of at most ``most`` of the ``count`` images.

        It serves attacks that need not evaluate again what images have in common. Rows are counted, and slices made smaller where memory
        runs out, as if the classifier itself had been queried.

        Raises
        ------
        GibbonError
            The attacker knows labels only.
        BudgetExhausted
            The rows would exceed ``max_queries``.
        """
        self._refuse_labels()
        self._count(count)
        return torch.cat(self.in_chunks(count, work, most))

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """Return predicted classes ``(N,)``; -1, which is no class, where the logits hold NaN."""
        self._count(len(images))
        logits = self._scores(images)
        return logits.argmax(1).masked_fill_(logits.isnan().any(1), -1)

    @torch.no_grad()
    def verdict(self, images: Tensor) -> Tensor:
        """Return logits of an iterate that an attack yields without them. Counted, and queried whatever the attacker knows."""
        self._count(len(images))
        return self._scores(images)

    def activations(self, images: Tensor, sites: Iterable[str] | None = None) -> Recording:
        """Return logits ``(N, K)`` and activations of ``sites`` (names; None: all), with a graph from the images through them.

        This counts as a forward pass.

        Raises
        ------
        GibbonError
            The attacker knows no gradients, or there is no site of that name.
        """
        if self.knows != "gradients":
            raise GibbonError(f"This operation declares that it knows {self.knows} only, but asked for activations.")
        self._count(len(images))
        return self._classifier.record(images, sites, graph=True)

    def gradient(
        self, value: Tensor, images: Tensor, weights: Tensor | None = None, *, again: bool = False, copies: int | None = 1
    ) -> Tensor:
        """Return the gradient of the scalar ``value`` with respect to ``images`` alone: weight gradients are never made.

        With ``weights`` of its shape ``value`` may be any tensor: the gradient is that of ``(weights * value).sum()``. With ``again`` the
        graph is kept, for another gradient of the same forward pass. `GradientWatch.cleaned` describes ``copies``. NaN and infinite entries
        become zero.

        Raises
        ------
        GibbonError
            The attacker knows no gradients, or the model breaks the graph (it is not differentiable).
        """
        if self.knows != "gradients":
            raise GibbonError(f"This attack declares that it knows {self.knows} only, but asked for a gradient.")
        self.backwards += len(images)
        try:
            found = torch.autograd.grad(value, images, weights, retain_graph=again)[0]
        except RuntimeError as error:
            if "does not require grad" not in str(error) and "not have been used" not in str(error):
                raise
            raise GibbonError(no_gradient(self._classifier.name)) from error
        return self.gradient_watch.cleaned(found, copies)

    def gradients(self, values: Tensor, images: Tensor) -> Tensor:
        """Return the gradients ``(k, N, C, H, W)`` of ``values`` ``(k, N)``: k values of each row of ``images``, from one forward pass.

        NaN and infinite entries become zero.

        Raises
        ------
        GibbonError
            The same two cases as for `gradient`.
        """
        count = len(values)
        together = images.device.type != "cpu" or count * images.numel() <= _SIDE_BY_SIDE
        if count > 1 and together and values.requires_grad and self.knows == "gradients":
            ones = torch.eye(count, device=values.device, dtype=values.dtype)[:, :, None].expand(-1, -1, values.shape[1])
            try:
                found = torch.autograd.grad(values, images, grad_outputs=ones, is_grads_batched=True, retain_graph=True)[0]
            except RuntimeError:  # the model holds a function that cannot be batched; if the cause is another one, the loop below raises it
                pass
            else:
                self.backwards += values.numel()
                return self.gradient_watch.cleaned(found)
        return torch.stack([self.gradient(value.sum(), images, again=n < count - 1) for n, value in enumerate(values)])

    @property
    def whole(self) -> Classifier:
        """The classifier itself without counting, for operations that take it apart or train it.

        Attacks that evaluate parts of it count their queries with `scores_by`.
        """
        return self._classifier

    def allow(self, rows: int | None) -> None:
        """Allow ``rows`` further forward rows, then raise `BudgetExhausted`; None: any number."""
        self._ends_at = None if rows is None else self.forwards + rows

    def narrow(self, rows: int) -> bool:
        """Halve the rows of a forward pass, since ``rows`` of them did not fit into memory. False where it was a single row."""
        if rows < 2:
            return False
        self.rows_limit = (rows + 1) // 2
        release_memory(self.device)
        return True

    def in_chunks(self, count: int, work: Callable[[slice], Chunk], most: int | None = None) -> list[Chunk]:
        """Apply ``work`` to slices of ``count`` rows, at most ``most`` at a time, and fewer where the device's memory runs out."""
        rows = max(1, min(count, most or count, self.rows_limit or count))
        counted = self.forwards, self.backwards
        try:
            return [work(slice(first, first + rows)) for first in range(0, count, rows)]
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or not self.narrow(rows):
                raise
        self.forwards, self.backwards = counted
        return self.in_chunks(count, work, most)  # outside of the handler, whose exception would keep the memory

    def _refuse_labels(self) -> None:
        if self.knows == "labels":
            raise GibbonError(
                "This attack declares that it knows labels only, but asked for scores. Use predict(), or declare knows='scores'."
            )

    def _scores(self, images: Tensor) -> Tensor:
        if len(images) < 2:
            return self._classifier(images)
        found = self.in_chunks(len(images), lambda part: self._classifier(images[part]))
        return found[0] if len(found) == 1 else torch.cat(found)

    def _count(self, rows: int) -> None:
        if self._ends_at is not None and self.forwards + rows > self._ends_at:
            raise BudgetExhausted
        self.forwards += rows
