"""Network of the substitute: its layers, initial weights, an epoch of training, and the gradient of its outputs."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

from engine.operation import Problem


def fresh_network(kind: Literal["mlp", "cnn"], problem: Problem, random: Generator) -> nn.Module:
    """Make a network for the problem's images and classes, on its device and in its type, with initial weights from ``random`` alone."""
    channels, height, width = problem.classifier.input_shape
    classes = problem.classifier.num_classes
    if kind == "mlp":
        dense = [channels * height * width, 200, 200, classes]
        layers: list[nn.Module] = [nn.Flatten()]
    else:
        dense = [32 * (-(-height // 4)) * (-(-width // 4)), 128, classes]
        layers = []
        for before, after in ((channels, 16), (16, 32)):
            layers += [skip_init(nn.Conv2d, before, after, 3, stride=2, padding=1), nn.ReLU()]  # type: ignore[no-untyped-call]
        layers.append(nn.Flatten())
    for before, after in itertools.pairwise(dense):
        layers += [skip_init(nn.Linear, before, after), nn.ReLU()]  # type: ignore[no-untyped-call]
    network = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter in network.parameters():
            fan = parameter[0].numel() if parameter.dim() > 1 else 0
            bound = 1 / math.sqrt(fan) if fan else 0.0  # small, since always dark pixels keep their initial weights and transmit them
            parameter.copy_(bound * (2 * torch.rand(parameter.shape, generator=random) - 1))
    return network.to(problem.images)


def train_epoch(
    network: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor, batch: int, random: Generator
) -> None:
    """Train on all images once, in an order from ``random``, by cross-entropy."""
    parameters = list(network.parameters())
    for chosen in torch.split(torch.randperm(len(images), generator=random).to(images.device), batch):
        loss = F.cross_entropy(network(images[chosen]), labels[chosen])
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimiser.step()


def gradient_of_labels(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return ``d F(x)[label] / dx`` for every image from one backward pass: one row of the Jacobian each."""
    inputs = images.clone().requires_grad_()
    outputs = network(inputs).gather(1, labels[:, None]).sum()
    return torch.autograd.grad(outputs, inputs)[0]
