"""Channels last in memory: the same values, gradients as they always lie, and networks that cannot take it are left alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import engine
from engine.memory_format import channels_last, takes_channels_last


@pytest.mark.parametrize("channels", [1, 3])
def test_the_values_and_the_gradient_are_the_same(channels: int) -> None:
    images = torch.rand(4, channels, 6, 5, requires_grad=True)
    laid = channels_last(images)
    assert torch.equal(laid, images)
    assert laid.stride() == (channels * 30, 1, channels * 5, channels)
    weight = torch.rand(2, channels, 3, 3)
    (gradient,) = torch.autograd.grad(nn.functional.conv2d(laid, weight).square().sum(), images)
    (expected,) = torch.autograd.grad(nn.functional.conv2d(images, weight).square().sum(), images)
    torch.testing.assert_close(gradient, expected)
    assert gradient.is_contiguous()


class Viewing(nn.Module):
    """Reads its activations as they lie in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4 * 36, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.conv(images).view(len(images), -1))


def test_a_network_that_reads_memory_as_it_lies_keeps_the_usual_order() -> None:
    torch.manual_seed(0)
    module = Viewing().eval()
    images = torch.rand(2, 3, 8, 8)
    assert not takes_channels_last(module, images, module(images))
    classifier = engine.Classifier(module, list("abcde"), (3, 8, 8), device="cpu")
    assert torch.equal(classifier(images), module(images))


def test_a_classifier_gives_what_its_network_gives(small: engine.Classifier) -> None:
    images = torch.rand(5, 3, 8, 8, requires_grad=True)
    assert takes_channels_last(small.module, images.detach(), small.module(images).detach())
    torch.testing.assert_close(small(images), small.module(images))
    (gradient,) = torch.autograd.grad(small(images).square().sum(), images)
    (expected,) = torch.autograd.grad(small.module(images).square().sum(), images)
    torch.testing.assert_close(gradient, expected)
    assert gradient.is_contiguous()
    recorded = small.record(images.detach()).activations
    assert all(activation.is_contiguous() for activation in recorded.values())
