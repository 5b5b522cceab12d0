"""Many gradients of one forward pass, against one after the other."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import engine
from engine.access import ModelAccess
from tests.engine.test_closed_forms import middle_images


class _ThroughNumPy(torch.autograd.Function):
    """A step of a user's model that vmap cannot batch."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return 2 * x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return torch.from_numpy(2 * gradient.numpy())


class _Numpy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.flat, self.head = nn.Flatten(), nn.Linear(16, 4).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(_ThroughNumPy.apply(self.flat(x)).tanh())


@pytest.mark.parametrize("kind", ["plain", "unbatchable", "many"])
def test_gradients_are_those_of_one_by_one(kind: str, small64: engine.Classifier, images: Tensor) -> None:
    classifier = small64
    if kind == "unbatchable":
        classifier, images = engine.Classifier(_Numpy(), list("abcd"), (1, 4, 4), name="numpy", device="cpu"), middle_images(6)
    if kind == "many":
        images = images.repeat(30, 1, 1, 1)  # beyond what is batched on a CPU
    view = ModelAccess(classifier, "gradients")
    images = images.clone().requires_grad_()
    logits = view(images)
    found = view.gradients(logits[:, :3].T, images)
    assert view.backwards == 3 * len(images)
    for k in range(3):
        expected = torch.autograd.grad(classifier(images)[:, k].sum(), images)[0]
        torch.testing.assert_close(found[k], expected)


def test_gradients_are_refused_where_only_scores_are_known(small64: engine.Classifier, images: Tensor) -> None:
    view = ModelAccess(small64, "scores")
    with pytest.raises(engine.GibbonError, match="knows scores only"):
        view.gradients(view(images).T, images)
