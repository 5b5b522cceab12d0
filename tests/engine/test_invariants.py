"""What holds for every attack: it is tested by being listed in the catalogue, or here where it has variants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.operation import Attack

STEPS = {"steps": 6}
VARIANTS: list[Attack] = [
    attacks.FGSM(eps=0.1),
    attacks.FGSM(eps=0.8, norm="l2"),
    attacks.FGSM(eps=0.8, norm="l1"),
    attacks.FGSM(eps=0.1, towards="least likely"),
    attacks.FGSM(eps=0.1, towards="random"),
    attacks.PGD(eps=0.1, **STEPS),
    attacks.PGD(eps=0.1, random_start=False, **STEPS),
    attacks.PGD(eps=0.8, norm="l2", restarts=3, **STEPS),
    attacks.PGD(eps=0.8, norm="l1", step_size=0.3, **STEPS),
    attacks.PGD(eps=0.1, direction="truncated", loss="margin", **STEPS),
    attacks.PGD(eps=None, direction="max", random_start=False, **STEPS),
    attacks.PGD(eps=0.1, loss="dlr", restarts=2, **STEPS),
    attacks.StickerPGD(**STEPS),
    attacks.StickerPGD(begin="random", direction="max", **STEPS),
]
IDS = [f"{a.slug}-{i}" for i, a in enumerate(VARIANTS)]
every_attack = pytest.mark.parametrize("attack", VARIANTS, ids=IDS)


@pytest.fixture
def mask() -> Tensor:
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    mask[..., 2:5, 3:7] = 1
    return mask


@pytest.fixture
def soft_mask(mask: Tensor) -> Tensor:
    return mask * torch.linspace(0.2, 1, 8, dtype=torch.float64)


def test_the_whole_catalogue_is_here() -> None:
    assert {a.slug for a in VARIANTS} == set(attacks.CATALOGUE)


def test_a_slug_given_twice_raises() -> None:
    from engine.catalogue import catalogue

    with pytest.raises(RuntimeError, match="fgsm"):
        catalogue(attacks.FGSM, attacks.FGSM)


@every_attack
def test_stays_in_the_ball_in_range_and_in_the_mask(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    result = engine.run(attack, small64, images, mask=mask)
    adversarial = result.adversarial
    assert float(adversarial.min()) >= 0
    assert float(adversarial.max()) <= 1
    outside = (mask == 0).expand_as(images)
    assert torch.equal(adversarial[outside], images[outside])
    assert not torch.equal(adversarial, images)
    ball = attack.ball()
    if ball is not None:
        assert float(ball.size(result.perturbation).max()) <= float(ball.eps) + 1e-9


@every_attack
def test_a_soft_mask_scales_what_may_change(attack: Attack, small64: engine.Classifier, images: Tensor, soft_mask: Tensor) -> None:
    result = engine.run(attack, small64, images, mask=soft_mask)
    reach = soft_mask * (1.0 if attack.ball() is None else float(attack.ball().eps))
    assert bool((result.perturbation.abs() <= reach + 1e-9).all())


@every_attack
def test_a_batch_equals_its_single_images(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    batch = engine.run(attack, small64, images, mask=mask, seed=5)
    for row in range(len(images)):
        single = engine.run(attack, small64, images[row : row + 1], mask=mask, seed=5, first_row=row)
        torch.testing.assert_close(single.adversarial[0], batch.adversarial[row], rtol=0, atol=1e-9)
        assert bool(single.success[0]) == bool(batch.success[row])
        assert int(single.steps_to_flip[0]) == int(batch.steps_to_flip[row])


@every_attack
def test_the_same_seed_gives_the_same_bits(attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    first, second = (engine.run(attack, small, images.float(), mask=mask, seed=3).adversarial for _ in range(2))
    assert torch.equal(first, second)


@every_attack
def test_the_global_generator_is_left_alone(attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    before = torch.random.get_rng_state()
    engine.run(attack, small, images.float(), mask=mask)
    assert torch.equal(before, torch.random.get_rng_state())


@every_attack
def test_the_model_is_untouched(attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    before = {name: value.clone() for name, value in small.module.state_dict().items()}
    for pulls in range(3):
        run = engine.start(attack, small, images.float(), mask=mask)
        for _ in range(pulls):
            next(run, None)
        run.close()
    engine.run(attack, small, images.float(), mask=mask)
    after = small.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.grad is None and not p.requires_grad for p in small.module.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in small.module.modules())
    assert not small.module.training


@every_attack
def test_cancel_at_any_step_keeps_the_best_so_far(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    total = sum(1 for _ in engine.start(attack, small64, images, mask=mask))
    best = torch.full((len(images),), -torch.inf, dtype=torch.float64)
    for pulls in range(1, total + 1):
        with engine.start(attack, small64, images, mask=mask) as run:
            for _ in range(pulls):
                next(run)
        result = run.result()
        assert result.reason == "cancelled"
        score = torch.where(result.success, 1e6, 0.0) + result.loss
        assert bool((score >= best - 1e-9).all())
        best = score


@every_attack
def test_grad_mode_does_not_leak_through_a_suspended_run(attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    with torch.no_grad():
        run = engine.start(attack, small, images.float(), mask=mask)
        next(run)
        assert not torch.is_grad_enabled()
        run.close()
    assert torch.is_grad_enabled()


@every_attack
def test_what_it_says_is_what_the_classifier_says(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    labels = small64.predict(images)
    labels[0] = (labels[0] + 1) % 5
    result = engine.run(attack, small64, images, labels=labels, mask=mask)
    logits = small64(result.adversarial)
    torch.testing.assert_close(result.logits, logits)
    assert torch.equal(result.success, logits.argmax(1) != labels)
    assert torch.equal(result.flipped, logits.argmax(1) != small64.predict(images))
    assert result.wrong_before.tolist() == [True, False, False, False, False, False]
    assert not result.labels_assumed


@pytest.mark.parametrize("attack", [a for a in VARIANTS if getattr(a, "towards", "label or target") == "label or target"])
def test_towards_a_target(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    targets = (labels + 1) % 5
    mask = torch.ones(8, 8)
    result = engine.run(attack, small64, images, labels=labels, targets=targets, mask=mask)
    assert torch.equal(result.success, result.prediction == targets)
    before = small64(images).log_softmax(1).gather(1, targets[:, None])
    after = result.logits.log_softmax(1).gather(1, targets[:, None])
    if attack.slug != "sticker":
        assert bool((after > before).all())


@every_attack
def test_an_objective_is_followed(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    """Brightness weighs so much that the label does not count."""
    labels = small64.predict(images)
    run = engine.start(attack, small64, images, labels, mask=mask, objective=lambda x: 1e6 * x.flatten(1).mean(1))
    first, *_, last = run
    assert isinstance(first, engine.AttackStep)
    assert isinstance(last, engine.AttackStep)
    assert bool((last.adversarial.flatten(1).mean(1) > first.adversarial.flatten(1).mean(1)).all())
    assert bool((last.loss > 1e5).all())


@pytest.mark.parametrize("towards", ["least likely", "random"])
def test_an_attack_that_chooses_the_class_takes_no_target(towards: str, small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    with pytest.raises(engine.GibbonError, match="a target was given"):
        engine.run(attacks.FGSM.build(towards=towards), small64, images, labels=labels, targets=(labels + 1) % 5)


class Suspicious(Attack):
    """Gives NaN in row 1 from its second step on."""

    slug, title, family = "suspicious", "Suspicious", "Test"

    def iterate(self, problem: engine.Problem) -> Iterator[engine.AttackStep]:
        yield engine.AttackStep(0, 1, problem.images, torch.zeros(len(problem.images)))
        broken = problem.images.clone()
        broken[1] = torch.nan
        loss = torch.ones(len(problem.images))
        loss[1] = torch.nan
        yield engine.AttackStep(1, 1, broken, loss)


def test_nan_is_an_attack_error_never_a_success(small64: engine.Classifier, images: Tensor) -> None:
    result = engine.run(Suspicious(), small64, images)
    assert result.failed.tolist() == [False, True, False, False, False, False]
    assert not bool(result.success[1])
    assert bool(result.adversarial.isfinite().all())
