"""What a minimal-norm attack calls adversarial stays so one by one, in another batch and in exact arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.attacks.toolkit.boundary_search import Nearest
from engine.operation import Attack, AttackStep
from engine.ranking import rounding
from tests.engine.test_black_box import problem_of

MINIMAL: list[Attack] = [
    attacks.FMN(norm="l2", steps=40),
    attacks.FMN(norm="linf", steps=40),
    attacks.FMN(norm="l1", steps=40),
    attacks.DDN(steps=40),
    attacks.DeepFool(),
    attacks.DeepFool(norm="linf"),
    attacks.CarliniWagnerL2(rounds=2, steps=30),
    attacks.CarliniWagnerLinf(steps=20),
    attacks.FMN(steps=20, boundary_steps=30),  # the boundary is met to the last digit
]


@pytest.fixture(scope="module")
def digits() -> tuple[engine.Classifier, Tensor]:
    return engine.models.load("digits", device="cpu"), engine.data.load("generated:digits", count=60).batch(slice(None))[0]


@pytest.mark.parametrize("attack", MINIMAL, ids=lambda attack: f"{attack.slug}-{getattr(attack, 'norm', '')}")
def test_a_success_survives_the_order_of_additions(digits: tuple[engine.Classifier, Tensor], attack: Attack) -> None:
    classifier, images = digits
    result = engine.run(attack, classifier, images, seed=0)
    labels, found = result.labels, result.success
    assert float(found.float().mean()) > 0.95
    for size in (1, 7):
        said = torch.cat([classifier.predict(part) for part in result.adversarial.split(size)])
        assert bool((said != labels)[found].all())
    plain = engine.Classifier(
        _in_double(classifier), classifier.labels, classifier.input_shape, *classifier.normalisation, name="double", device="cpu"
    )
    assert bool((plain.predict(result.adversarial) != labels)[found].all())


def _in_double(classifier: engine.Classifier) -> torch.nn.Module:
    import copy

    class Double(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = copy.deepcopy(classifier.module).double()
            self.small = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images: Tensor) -> Tensor:
            """Logits in float64."""
            logits: Tensor = self.inner(images.double())
            return logits

    return Double()


def test_a_lead_within_rounding_is_not_found_and_one_beyond_it_is() -> None:
    images = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    problem = problem_of(images)
    logits = torch.tensor([[1.0, 0.0, -3.0], [1.0, 1.0, -3.0], [1.0, 0.0, -3.0]])
    after = torch.tensor([[1.0, 1.0 + 2**-22, -3.0], [1.0, 1.0 + 2**-10, -3.0], [-400.0, -400.0 + 2**-12, -500.0]])
    for strict, found in ((True, [False, True, False]), (False, [True, True, True])):
        nearest = Nearest(problem, lambda delta: delta.flatten(1).norm(dim=1), strict=strict)
        nearest.keep(AttackStep(0, 1, images, torch.zeros(3), logits))
        nearest.keep(AttackStep(1, 1, (images + 0.01).clamp(0, 1), torch.zeros(3), after))
        assert nearest.found.tolist() == found
        score = nearest.score_of(eight_bit=False)
        assert (score is None) is not strict
        if score is not None:
            assert (score > -torch.inf).tolist() == found


def test_rounding_grows_with_the_logits_and_falls_with_the_digits() -> None:
    logits = torch.tensor([[1.0, -3.0], [0.0, 300.0]])
    torch.testing.assert_close(rounding(logits)[1], 100 * rounding(logits)[0])
    assert float(rounding(logits.double())[0]) < 1e-8 * float(rounding(logits)[0])


def test_a_batch_of_another_size_differs_by_less_on_every_shipped_network() -> None:
    for name in ("digits", "objects", "signs"):
        classifier = engine.models.load(name, device="cpu")
        images = torch.rand(16, *classifier.input_shape, generator=torch.Generator().manual_seed(1))
        whole = classifier(images)
        for size in (1, 5):
            parts = torch.cat([classifier(part) for part in images.split(size)])
            difference = (parts - parts[:, :1] - whole + whole[:, :1]).abs().amax(1)
            assert bool((difference <= rounding(whole)).all())
