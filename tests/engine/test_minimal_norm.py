"""What ends every minimal-norm attack: the boundary search and the 8-bit lattice."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.access import ModelAccess
from engine.attacks.toolkit.minimal_norm import MinimalNorm
from engine.attacks.toolkit.rounding import MOST_TRIES, Rounding
from engine.operation import Problem
from engine.randomness import RowRandom
from tests.engine.conftest import off_the_lattice
from tests.engine.test_closed_forms import middle_images, weights
from tests.engine.test_deepfool import affine


class Far(MinimalNorm):
    """Finds one image, given, in its only step."""

    slug, title, family = "far", "Far", "Test"
    norm: str = "l2"
    margin: float = 0.0

    @property
    def least_margin(self) -> float:
        return self.margin

    def search(self, problem: engine.Problem) -> Iterator[engine.AttackStep]:
        zero = torch.zeros(len(problem.images), dtype=problem.images.dtype)
        yield engine.AttackStep(0, 1, problem.images, zero)
        assert problem.start is not None
        yield engine.AttackStep(1, 1, problem.start, zero)


def run_far(classifier: engine.Classifier, images: Tensor, far: Tensor, **parameters: object) -> engine.AttackResult:
    attack = Far(**parameters)  # type: ignore[arg-type]
    type(attack).uses = frozenset({"labels", "start"})
    result = engine.run(attack, classifier, images, labels=classifier.predict(images), start=far)
    assert isinstance(result, engine.AttackResult)
    return result


@pytest.mark.parametrize("steps", [0, 3, 10, 30])
def test_the_boundary_is_met_to_the_precision_asked_for(steps: int, small64: engine.Classifier, images: Tensor) -> None:
    far = images.flip(0)  # another image each
    labels = small64.predict(images)
    result = run_far(small64, images, far, boundary_steps=steps)
    apart = small64.predict(far) != labels
    assert torch.equal(result.success, apart)
    t = result.norms["l2"] / (far - images).flatten(1).norm(dim=1)
    assert torch.equal(result.adversarial[~apart], images[~apart])
    for row in apart.nonzero().flatten().tolist():
        just_before = max(0.0, float(t[row]) - 0.5**steps)
        if steps == 0:
            assert float(t[row]) == pytest.approx(1)
        else:
            nearer = images[row] + just_before * (far[row] - images[row])
            assert int(small64.predict(nearer[None])[0]) == int(labels[row])
    tried = result.forwards - 2 * len(images)
    assert tried <= int(apart.sum()) * min(2 * steps, 12)  # interpolation: far fewer than one pass for each halving


class Steps(nn.Module):
    """A margin that tells nothing of the boundary: two plateaus."""

    def forward(self, x: Tensor) -> Tensor:
        past = (x.flatten(1).mean(1) > 0.7123).to(x.dtype)
        return torch.stack([1 - past, 999 * past - 1], 1)


def test_a_margin_that_jumps_costs_at_most_two_passes_for_each_halving() -> None:
    classifier = engine.Classifier(Steps(), ["low", "high"], (1, 2, 2), name="steps", device="cpu")
    images = torch.zeros(3, 1, 2, 2)
    result = run_far(classifier, images, torch.ones(3, 1, 2, 2), boundary_steps=10)
    value = result.adversarial.flatten(1).mean(1)
    assert bool((value > 0.7123).all())
    assert bool((value < 0.7123 + 0.5**10 + 1e-6).all())
    assert result.forwards <= 2 * 3 + 20 * 3


def test_in_l0_the_pixels_of_the_smallest_changes_are_given_up_first() -> None:
    classifier, images = affine(), middle_images(5)
    labels = classifier.predict(images)
    d = (weights(classifier)[0][1] - weights(classifier)[0][0]) * torch.where(labels == 0, 1.0, -1.0)[:, None]
    delta = d.sign() * torch.linspace(0.02, 0.38, 16, dtype=torch.float64)[torch.randperm(16)]
    result = run_far(classifier, images, images + delta.view_as(images), norm="l0", boundary_steps=10)
    for row in range(5):
        order = delta[row].abs().argsort(descending=True)
        for count in range(1, 17):
            kept = torch.zeros(16, dtype=torch.float64).index_fill(0, order[:count], 1)
            if int(classifier.predict((images[row].flatten() + kept * delta[row]).view(1, 1, 4, 4))[0]) != int(labels[row]):
                break
        torch.testing.assert_close(result.perturbation[row].flatten(), kept * delta[row])


def test_a_margin_that_is_asked_for_is_kept() -> None:
    classifier, images = affine(), middle_images(5)
    labels = classifier.predict(images)
    d = (weights(classifier)[0][1] - weights(classifier)[0][0]) * torch.where(labels == 0, 1.0, -1.0)[:, None]
    result = run_far(classifier, images, images + (0.35 * d.sign()).view_as(images), margin=0.1, boundary_steps=20)
    lead = result.logits.gather(1, 1 - labels[:, None]) - result.logits.gather(1, labels[:, None])
    assert bool((lead >= 0.1).all())
    assert bool((lead < 0.1001).all())


@pytest.mark.parametrize("grid", [True, False], ids=["8-bit images", "any images"])
@pytest.mark.parametrize(
    "attack",
    [attacks.DeepFool(eight_bit=True), attacks.DDN(steps=20, eight_bit=True), attacks.FMN(norm="linf", steps=20, eight_bit=True)],
    ids=lambda attack: attack.slug,
)
def test_what_succeeds_survives_rounding_and_stays_near(attack: MinimalNorm, grid: bool, small: engine.Classifier, images: Tensor) -> None:
    images = engine.images.lattice(images.float()) if grid else images.float()
    plain = engine.run(type(attack).build(**{**attack.model_dump(), "eight_bit": False}), small, images)
    result = engine.run(attack, small, images)
    assert torch.equal(result.success, plain.success)
    assert int(plain.success.sum()) >= 4
    assert torch.equal(result.survives_8bit, result.success)
    before, after = attack.distance(plain.perturbation), attack.distance(result.perturbation)
    level = {"linf": 1 / 255, "l2": math.sqrt(images[0].numel()) / 255}[attack.norm]  # type: ignore[attr-defined]
    assert bool((after <= 1.1 * before + level)[plain.success].all())


def test_what_no_file_can_hold_is_told() -> None:
    """By a model that takes every image on the lattice for the same class."""
    model = off_the_lattice()
    images = engine.images.lattice(torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(6)))
    far = (images + 0.4 / 255).clamp(0, 1)
    far[0] = images[0]
    plain, result = (run_far(model, images, far, boundary_steps=0, eight_bit=eight_bit) for eight_bit in (False, True))
    assert plain.success.tolist() == [False, True, True]
    assert plain.remarks == ()
    assert torch.equal(result.success, plain.success)
    assert torch.equal(result.adversarial, plain.adversarial)
    assert not bool(result.survives_8bit.any())
    assert result.remarks == ("No rounding of what was found for 2 of 3 images is adversarial, so an 8-bit file will not hold it.",)


def test_rounding_alone_would_lose_some(small: engine.Classifier, images: Tensor) -> None:
    """Or else the tests above could not fail."""
    result = engine.run(attacks.DeepFool(boundary_steps=20), small, engine.images.lattice(images.float()))
    assert int(result.survives_8bit.sum()) < int(result.success.sum())


def test_a_perturbation_far_below_a_level_is_rounded_away_from_the_clean_image(small64: engine.Classifier, images: Tensor) -> None:
    """Neither the nearest levels nor four times its length leave anything of it."""
    clean = engine.images.lattice(images)
    problem = Problem(ModelAccess(small64, "labels"), clean, torch.zeros(6, dtype=torch.int64), RowRandom(0, range(6)))
    ray = torch.zeros_like(clean)
    ray[:, 0, 2, 3], ray[:, 1, 4, 4] = 0.05 / 255, -0.05 / 255

    def changed(tried: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        moved = (tried != clean[rows]).flatten(1).any(1)
        return moved, moved

    found = torch.tensor([True, True, False, True, True, True])
    tries = list(Rounding(problem, changed).outward((clean + ray).clamp(0, 1), found))
    assert all(not bool((tried.rows == 2).any()) for tried in tries)
    assert len(tries) <= MOST_TRIES
    assert [bool(tried.survives.any()) for tried in tries] == [False, True] + [False] * (len(tries) - 2)
    expected = (clean * 255).round()
    expected[:, 0, 2, 3] = (expected[:, 0, 2, 3] + 1).clamp_max(255)
    expected[:, 1, 4, 4] = (expected[:, 1, 4, 4] - 1).clamp_min(0)
    torch.testing.assert_close(tries[1].images, (expected / 255)[found], rtol=0, atol=0)
