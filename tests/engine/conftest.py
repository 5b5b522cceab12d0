"""Small classifiers whose answers are known, and one that is like the shipped ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import engine

torch.set_num_threads(1)


def linear_classifier(classes: int = 2, shape: tuple[int, int, int] = (1, 4, 4), seed: int = 0) -> engine.Classifier:
    """Softmax regression in float64: every attack on it has a closed form or nearly so."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes)).double()
    return engine.Classifier(module, [f"class {i}" for i in range(classes)], shape, name="linear", device="cpu")


def off_the_lattice() -> engine.Classifier:
    """Takes every image on the 8-bit lattice for the same class: no file can fool it."""

    class OffTheLattice(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            off = ((x * 255) - (x * 255).round()).abs().flatten(1).amax(1)
            return torch.stack([torch.zeros_like(off), off - 0.1], 1)

    return engine.Classifier(OffTheLattice(), ["file", "no file"], (1, 8, 8), device="cpu")


def small_network(dtype: torch.dtype = torch.float32, seed: int = 0) -> nn.Module:
    """Two convolutions with batch norm; an in-place rectifier, a functional one, and a dense layer."""
    torch.manual_seed(seed)

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 8, 3, padding=1)
            self.norm = nn.BatchNorm2d(8)
            self.act = nn.ReLU(inplace=True)
            self.second = nn.Conv2d(8, 8, 3, stride=2, padding=1)
            self.head = nn.Linear(8 * 16, 5)

        def forward(self, x: Tensor) -> Tensor:
            x = self.act(self.norm(self.first(x)))
            x = nn.functional.relu(self.second(x))
            x = self.act(x - 0.1)
            return self.head(x.flatten(1))

    module = Small().to(dtype)
    module.norm.running_mean.uniform_(-0.2, 0.2)
    module.norm.running_var.uniform_(0.5, 1.5)
    # Untrained networks are nearly constant: a larger head gives predictions that differ between images.
    module.head.weight.data *= 4
    return module


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """What a test draws without a generator of its own is the same in every run.

    `torch.manual_seed` would also queue a call with three formatted stacks for each kind of accelerator that is not there.
    """
    torch.default_generator.manual_seed(0)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """A command in an empty folder: exit code, what it said, what it complained."""
    from engine.cli import main  # at the top it comes before torch, and PySide, which pytest-qt loads, trips over pydantic then

    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments], "gibbon")
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def linear() -> engine.Classifier:
    return linear_classifier()


@pytest.fixture(scope="session")
def small() -> engine.Classifier:
    return engine.Classifier(small_network(), [f"class {i}" for i in range(5)], (3, 8, 8), name="small", device="cpu")


@pytest.fixture(scope="session")
def small64() -> engine.Classifier:
    return engine.Classifier(small_network(torch.float64), [f"class {i}" for i in range(5)], (3, 8, 8), name="small64", device="cpu")


@pytest.fixture
def images() -> Tensor:
    return torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
