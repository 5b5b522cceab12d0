"""The batch and the network in training, as training objectives see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.randomness import BatchRandom

_BatchNorm = nn.modules.batchnorm._BatchNorm
_Dropout = nn.modules.dropout._DropoutNd


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of one training step, as the objectives so far have changed them.

    Where several processes share a batch, each holds the rows ``first``, ``first + 1``, ... of ``total``; the sum of their losses is the
    loss of the whole batch.
    """

    clean: Tensor
    """The images ``(N, C, H, W)`` in [0, 1], as they came from the data and its augmentation."""
    images: Tensor
    """The images that the network is trained on, ``(N, C, H, W)``."""
    labels: Tensor
    """The true classes, ``(N,)`` int64."""
    first: int
    total: int
    targets: Tensor | None = None
    """The probabilities ``(N, K)`` that the network shall give; None: 1 for the label."""
    weights: Tensor | None = None
    """The weight of each row's loss, ``(N,)``; None: 1."""
    weight: float = 0.0
    """The sum of the weights over the whole batch, where there are any."""

    def mean(self, values: Tensor) -> Tensor:
        """Return these rows' share of the whole batch's mean of ``values`` ``(N,)``: ``sum(values) / total``."""
        return values.sum() / self.total

    def cross_entropy(self, logits: Tensor) -> Tensor:
        """Return these rows' share of the weighted mean cross-entropy, a scalar: ``sum(weights * CE) / weight``."""
        targets = self.labels if self.targets is None else self.targets
        if self.weights is None and len(logits) == self.total:
            return functional.cross_entropy(logits, targets)
        losses = functional.cross_entropy(logits, targets, reduction="none")
        return losses.sum() / self.total if self.weights is None else (self.weights * losses).sum() / self.weight

    def leading(self, count: int) -> int:
        """Return how many of the whole batch's first ``count`` rows are among these rows; they lead them, too."""
        return min(max(count - self.first, 0), len(self.images))


@dataclass(frozen=True, eq=False)
class Trainee:
    """The network in training, with all that an objective may do to it.

    Objectives never call ``backward``: they take gradients with respect to images only.
    """

    network: nn.Module
    """The network, in training mode, from normalised images to logits."""
    normalise: Callable[[Tensor], Tensor]
    """The step from images in [0, 1] to the network's input."""
    random: BatchRandom
    """Random numbers for the rows of this batch."""
    classes: int
    """Number of classes."""
    epoch: float = 0.0
    """Finished epochs, with the share of the present one."""
    mixed: bool = False
    """Whether the forward passes compute in bfloat16 where this loses little (`torch.autocast`)."""

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, K)`` of images in [0, 1], in float32."""
        if not self.mixed:
            return self.network(self.normalise(images))  # type: ignore[no-any-return]
        with torch.autocast(images.device.type, torch.bfloat16):
            logits: Tensor = self.network(self.normalise(images))
        return logits.float()

    @contextmanager
    def evaluating(self, *, dropout: bool = False) -> Iterator[None]:
        """Put the network into evaluation mode: no dropout, and the running statistics of batch normalisation, which stay as they are.

        Adversarial images are crafted in it, against the network that will be used. With ``dropout``, only dropout stays as in training.
        """
        self.network.eval()
        for module in self.network.modules() if dropout else ():
            if isinstance(module, _Dropout):
                module.train()
        try:
            yield
        finally:
            self.network.train()

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        """Let a pass in training mode leave the running statistics of batch normalisation as they are."""
        tracking = [module for module in self.network.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
        for module in tracking:
            module.track_running_stats = False
        try:
            yield
        finally:
            for module in tracking:
                module.track_running_stats = True

    def gradient(self, images: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the gradient of the sum of ``loss(logits)`` with respect to ``images``, in the mode that the network is in."""
        images = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(self.logits(images)).sum(), images)
        return gradient
