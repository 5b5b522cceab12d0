"""A radius for each row: one batch equals the attacks at each radius, for every attack that takes radii."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.attacks import CATALOGUE
from engine.balls import BALLS
from engine.operation import Attack
from tests.engine.variants import VARIANTS

TAKERS = [attack for attack in VARIANTS if attack.takes_radii]
IDS = [f"{attack.slug} {place}" for place, attack in enumerate(TAKERS)]
SCALES = torch.tensor([1.0, 0.5, 0.125, 1.0, 0.25, 0.75], dtype=torch.float64)


def test_attacks_with_a_radius_take_radii_unless_something_else_depends_on_it() -> None:
    assert {attack.slug for attack in TAKERS} == {"fgsm", "pgd", "mi-fgsm", "rand-fgsm", "noise", "apgd"}
    assert not attacks.PGD(steps=None).takes_radii  # the rule of BIM
    assert not attacks.PGD(eps=None, random_start=False).takes_radii
    assert not attacks.RandFGSM(eps=0.1, alpha=0.02).takes_radii
    assert not attacks.APGD(norm="l1", eps=1).takes_radii
    assert not any(kind.build().takes_radii for slug, kind in CATALOGUE.items() if "eps" not in kind.model_fields)


@pytest.mark.parametrize("attack", TAKERS, ids=IDS)
def test_a_batch_of_radii_equals_an_attack_at_each(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    """In float64, where rounding is out of the way; a mask that differs between rows is chosen with them."""
    radii = SCALES * attack.eps  # type: ignore[attr-defined]
    mask = torch.ones(6, 1, 8, 8, dtype=torch.float64)
    mask[::2, :, :2] = 0
    labels = small64.predict(images)
    together = engine.run(attack, small64, images, labels, mask=mask, seed=4, radii=radii, rows_at_a_time=4)
    for row in range(6):
        at = attack.build(**{**attack.model_dump(), "eps": float(radii[row])})
        alone = engine.run(at, small64, images[row : row + 1], labels[row : row + 1], mask=mask[row : row + 1], seed=4, first_row=row)
        torch.testing.assert_close(together.adversarial[row : row + 1], alone.adversarial, rtol=0, atol=1e-9)
    sizes = BALLS[attack.norm](1.0).size(together.perturbation)  # type: ignore[attr-defined]
    assert bool((sizes <= radii + 1e-9).all())
    assert bool((sizes > 0.2 * radii).all())  # each row uses its own radius, not the smallest of all


def test_one_radius_for_all_gives_the_bits_of_eps(small: engine.Classifier, images: Tensor) -> None:
    pixels = images.float()
    for attack in (attacks.PGD(eps=0.125, steps=5), attacks.FGSM(eps=0.125), attacks.MIFGSM(eps=0.125, steps=4), attacks.Noise(eps=0.125)):
        plain = engine.run(attack, small, pixels, seed=2)
        assert torch.equal(engine.run(attack, small, pixels, seed=2, radii=torch.full((6,), 0.125)).adversarial, plain.adversarial)


def test_radii_that_do_not_fit_are_refused(small: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(engine.GibbonError, match="DeepFool with these parameters has one radius for all images"):
        engine.run(attacks.DeepFool(), small, images.float(), radii=torch.ones(6))
    for radii in (torch.ones(5), torch.zeros(6), torch.full((6,), torch.nan)):
        with pytest.raises(engine.GibbonError, match="one above 0 for each image"):
            engine.run(attacks.FGSM(), small, images.float(), radii=radii)
