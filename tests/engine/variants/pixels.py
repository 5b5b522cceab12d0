"""Few pixels, and one perturbation for all."""

import tempfile
from pathlib import Path

import torch

from engine import attacks
from engine.artifacts import Perturbation
from engine.operation import Attack

_FOLDER = tempfile.TemporaryDirectory()  # gone when the tests are


def _saved() -> Path:
    values = 0.1 * torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)).sign()
    return attacks.save_perturbation(Path(_FOLDER.name) / "v", Perturbation(values, "random signs"))


VARIANTS: list[Attack] = [
    attacks.OnePixel(population=20, generations=3),
    attacks.OnePixel(population=12, generations=3, pixels=3, repair="resample", stop="confidence"),
    attacks.OnePixelMap(levels=2),
    attacks.Universal(eps=0.1, steps=6, batch_size=8),
    attacks.Universal(norm="l2", eps=1.5, steps=4, batch_size=8),
    attacks.Universal(mode="paper", eps=0.1, passes=1),
    attacks.SavedPerturbation(file=str(_saved())),
]
