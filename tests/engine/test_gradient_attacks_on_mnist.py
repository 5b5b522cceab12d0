"""What the papers and lectures say of gradient attacks on MNIST, on the lecture's network: accuracies in percent, first 500 test images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks

pytestmark = [pytest.mark.data, pytest.mark.slow]
EPS = (0.1, 0.2, 0.3)


@pytest.fixture(scope="module")
def network() -> engine.Classifier:
    return engine.models.load("digits-lecture", device="cpu")


@pytest.fixture(scope="module")
def mnist() -> tuple[Tensor, Tensor]:
    return engine.data.load("mnist", "test").batch(range(500))


def accuracy(attack: engine.Attack, network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> float:
    images, labels = mnist
    logits = engine.run(attack, network, images, labels=labels).logits
    return 100 * float((logits.argmax(1) == labels).float().mean())


@pytest.fixture(scope="module")
def fgsm(network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> list[float]:
    return [accuracy(attacks.FGSM(eps=eps), network, mnist) for eps in EPS]


def test_fgsm(fgsm: list[float]) -> None:
    assert fgsm == pytest.approx([76.2, 29.4, 8.5], abs=8)


def test_pgd_is_stronger_than_fgsm(fgsm: list[float], network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> None:
    found = [accuracy(attacks.PGD(eps=eps, steps=40, step_size=0.01), network, mnist) for eps in EPS]
    assert found == pytest.approx([57.0, 1.1, 0.0], abs=8)
    assert all(ours <= theirs for ours, theirs in zip(found, fgsm, strict=True))


def test_bim_is_stronger_than_fgsm(fgsm: list[float], network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> None:
    bim = attacks.PGD(eps=0.1, steps=None, step_size=1 / 255, random_start=False)
    assert accuracy(bim, network, mnist) <= fgsm[0]


def test_rand_fgsm_is_weaker_on_an_undefended_network(fgsm: list[float], network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> None:
    """At the same eps a part of it goes into noise."""
    found = [accuracy(attacks.RandFGSM(eps=eps, alpha=0.05), network, mnist) for eps in EPS]
    assert found == pytest.approx([89.5, 38.6, 11.1], abs=8)
    assert all(ours >= theirs for ours, theirs in zip(found, fgsm, strict=True))


@pytest.mark.parametrize("towards", ["least likely", "random"])
def test_a_chosen_class_fools_no_more_often_than_fgsm(
    towards: str, fgsm: list[float], network: engine.Classifier, mnist: tuple[Tensor, Tensor]
) -> None:
    assert accuracy(attacks.FGSM.build(eps=0.1, towards=towards), network, mnist) >= fgsm[0]


def test_random_noise_does_not_work(network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> None:
    found = [accuracy(attacks.Noise(eps=eps), network, mnist) for eps in EPS]
    assert found == pytest.approx([98.5, 98.3, 97.5], abs=2)
    assert accuracy(attacks.Noise(eps=0.3, distribution="uniform"), network, mnist) >= 96


def test_the_loop_of_the_lecture(network: engine.Classifier, mnist: tuple[Tensor, Tensor]) -> None:
    """Flipped after 5, 10, 15 and 20 steps, of the digits that were right; the median and the mean L2."""
    preset = attacks.PGD.preset("Loop of the lectures: gradient over its maximum, 0.05 × 20").values
    images, labels = mnist
    right = network.predict(images) == labels
    result = engine.run(attacks.PGD.build(**preset), network, images[right], labels=labels[right])
    flips = result.steps_to_flip
    shares = [100 * float(((flips >= 0) & (flips <= steps)).float().mean()) for steps in (5, 10, 15, 20)]
    assert shares == pytest.approx([21, 81, 98.5, 100], abs=8)
    assert float(torch.where(flips < 0, 99, flips).median()) == pytest.approx(8, abs=3)
    assert float(result.norms["l2"].mean()) == pytest.approx(3.4, abs=0.5)
