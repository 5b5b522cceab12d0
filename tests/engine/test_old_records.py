"""Records that earlier versions wrote, in ``records/``: each replays to the same bits.

There is one for every attack, written when the attack or this format was new, and some more for settings that have changed since. A record
is never written anew: where an algorithm changes, its old form stays reachable.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

import engine
from engine.attacks import CATALOGUE
from engine.record import Record, replay

FOLDER = Path(__file__).parent / "records"
RECORDS = sorted(FOLDER.glob("*.json"))
ARITHMETIC = "c9b116c87d92ba41"
"""`arithmetic()` on the machine that wrote the records."""


@cache
def arithmetic() -> str:
    """A hash of what plain torch computes here from the shipped weights: it differs where processor or torch add in another order."""
    weights = load_file(Path(engine.__file__).parents[1] / "resources" / "models" / "signs.safetensors")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        total = hashlib.sha256()
        for name in sorted(weights):
            if weights[name].dim() == 4:
                kernel = weights[name].float()
                images = torch.rand(1, kernel.shape[1], 32, 32, generator=torch.Generator().manual_seed(1)).requires_grad_()
                logits = functional.conv2d(images, kernel, padding=1).relu().mean((2, 3))
                (slope,) = torch.autograd.grad(functional.cross_entropy(logits, torch.tensor([0])), images)
                total.update(logits.detach().numpy().tobytes() + slope.numpy().tobytes())
        return total.hexdigest()[:16]
    finally:
        torch.set_num_threads(threads)


def test_every_attack_has_one() -> None:
    assert {Record.read(path).operation.slug for path in RECORDS} == set(CATALOGUE)


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_it_replays_to_the_same_bits(path: Path) -> None:
    if arithmetic() != ARITHMETIC:
        pytest.skip("this processor or this torch rounds otherwise than those that wrote the records")
    again = replay(Record.read(path), folder=FOLDER)
    assert again.same, again.sentence
