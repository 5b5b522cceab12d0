"""Carlini & Wagner L2 against Foolbox and torchattacks on 50 MNIST digits: no less success, no larger median distance."""

from __future__ import annotations

import pytest
import torch

import engine
from engine import attacks
from tests.parity.test_pgd import _AsModule

pytestmark = [pytest.mark.parity, pytest.mark.data, pytest.mark.slow]


@pytest.mark.parametrize("library", ["foolbox", "torchattacks"])
def test_no_weaker_than_the_libraries(library: str) -> None:
    digits = engine.models.load("digits", device="cpu")
    x, y = engine.data.load("mnist", "test").batch(range(60))
    right = digits.predict(x) == y
    x, y = x[right][:50], y[right][:50]
    ours = engine.run(attacks.CarliniWagnerL2(), digits, x, labels=y)
    package = pytest.importorskip(library)
    module = _AsModule(digits).eval()
    if library == "foolbox":
        model = package.PyTorchModel(module, bounds=(0, 1), device="cpu")
        theirs = package.attacks.L2CarliniWagnerAttack(binary_search_steps=5, steps=100)(model, x, y, epsilons=None)[1]
    else:
        theirs = package.CW(module, c=1, steps=100, lr=0.01)(x, y)
    fooled = digits.predict(theirs.detach()) != y
    distances = torch.where(fooled, (theirs.detach() - x).flatten(1).norm(dim=1), torch.inf)
    print(library, float(fooled.float().mean()), float(distances[fooled].median()), float(ours.norms["l2"].median()))
    assert bool(ours.success.all())
    assert float(ours.norms["l2"].median()) <= 1.03 * float(distances[fooled].median())
