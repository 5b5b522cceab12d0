"""Attacks in L1 against Foolbox's at equal steps: no weaker than sparse L1 descent, far stronger than its L1 PGD."""

from __future__ import annotations

import pytest
from torch import Tensor

import engine
from engine import attacks
from tests.parity.wrapped import Wrapped

pytestmark = [pytest.mark.parity, pytest.mark.data, pytest.mark.slow]
STEPS = 40


@pytest.fixture(scope="module")
def mnist() -> tuple[Tensor, Tensor]:
    return engine.data.load("mnist", "test").batch(range(200))


def fooled(digits: engine.Classifier, images: Tensor, labels: Tensor) -> float:
    """The share, in percent, that a fresh look finds misclassified."""
    return 100 * float((digits.predict(images) != labels).float().mean())


@pytest.mark.parametrize("eps", [5.0, 12.0, 20.0, 40.0])
def test_pgd_and_apgd_in_l1(digits: engine.Classifier, mnist: tuple[Tensor, Tensor], eps: float) -> None:
    foolbox = pytest.importorskip("foolbox")
    x, y = mnist
    model = foolbox.PyTorchModel(Wrapped(digits), bounds=(0, 1), device="cpu")
    sparse = fooled(digits, foolbox.attacks.SparseL1DescentAttack(steps=STEPS)(model, x, y, epsilons=eps)[1], y)
    dense = fooled(digits, foolbox.attacks.L1PGD(steps=STEPS)(model, x, y, epsilons=eps)[1], y)
    pgd, apgd, fgsm = (
        fooled(digits, engine.run(attack, digits, x, y).adversarial, y)
        for attack in (
            attacks.PGD(norm="l1", eps=eps, steps=STEPS),
            attacks.APGD(norm="l1", eps=eps, steps=STEPS),
            attacks.FGSM(norm="l1", eps=eps),
        )
    )
    print(f"eps {eps:g}: PGD {pgd:.1f}, APGD {apgd:.1f}, FGSM {fgsm:.1f}; Foolbox sparse {sparse:.1f}, L1PGD {dense:.1f}")
    assert pgd >= sparse
    assert apgd >= sparse
    assert pgd > dense
    assert fgsm > 20
