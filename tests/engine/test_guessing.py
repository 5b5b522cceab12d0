"""The architecture of a weights file is found from the shapes of its tensors, whatever the file is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

import engine
from engine.models import ARCHITECTURES, guess_architecture

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("squeezenet1_0", {}),
        ("squeezenet1_1", {"num_classes": 3}),
        ("resnet18", {"num_classes": 10}),
        ("mobilenet_v2", {"num_classes": 2}),
        ("shufflenet_v2_x0_5", {}),
        pytest.param("densenet121", {"num_classes": 43}, marks=pytest.mark.slow),
    ],
)
def test_a_network_of_torchvision_is_found(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    from torchvision import models

    path = tmp_path / "best.pt"
    torch.save(models.get_model(name, weights=None, **options).state_dict(), path)
    assert guess_architecture(path) == (f"torchvision:{name}", "relu")
    assert engine.models.load(path, architecture=f"torchvision:{name}").num_classes == options.get("num_classes", 1000)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_an_own_network_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / "weights.pt"
    torch.save(ARCHITECTURES[name].build("relu").state_dict(), path)
    found = guess_architecture(path)
    assert found is not None
    assert found[0] == name


def test_what_fits_no_network_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pt"
    torch.save({"weight": torch.zeros(10, 10), "bias": torch.zeros(10)}, path)
    assert guess_architecture(path, ("torchvision:resnet18",)) is None


def test_the_suggested_network_is_tried_first_and_must_fit(tmp_path: Path) -> None:
    from torchvision import models

    path = tmp_path / "squeezenet1_0.pt"  # it is another one
    torch.save(models.squeezenet1_1(weights=None).state_dict(), path)
    assert guess_architecture(path, ("torchvision:squeezenet1_0",)) == ("torchvision:squeezenet1_1", "relu")
