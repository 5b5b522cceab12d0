"""What holds for every attack: it is tested by being listed in the catalogue, or here where it has variants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.artifacts import Curve, Table
from engine.operation import Attack
from tests.engine.variants import IDS, VARIANTS, situation

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
    result = engine.run(attack, small64, images, mask=mask if attack.masked else None, **situation(attack, small64, images))
    adversarial = result.adversarial
    assert float(adversarial.min()) >= 0
    assert float(adversarial.max()) <= 1
    outside = (mask == 0).expand_as(images)
    if attack.masked:
        assert torch.equal(adversarial[outside], images[outside])
    assert not torch.equal(adversarial, images)
    ball = attack.ball()
    if ball is not None:
        assert float(ball.size(result.perturbation).max()) <= float(ball.eps) + 1e-9


@every_attack
def test_a_soft_mask_scales_what_may_change(attack: Attack, small64: engine.Classifier, images: Tensor, soft_mask: Tensor) -> None:
    if not attack.masked:
        pytest.skip("it takes no mask")
    result = engine.run(attack, small64, images, mask=soft_mask, **situation(attack, small64, images))
    reach = soft_mask * (1.0 if attack.ball() is None else float(attack.ball().eps))
    assert bool((result.perturbation.abs() <= reach + 1e-9).all())


@every_attack
def test_a_batch_equals_its_single_images(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    given = situation(attack, small64, images)
    batch = engine.run(attack, small64, images, mask=mask if attack.masked else None, seed=5, **given)
    for row in range(len(images)):
        alone = {name: value[row : row + 1] if isinstance(value, Tensor) else value for name, value in given.items()}
        single = engine.run(attack, small64, images[row : row + 1], mask=mask if attack.masked else None, seed=5, first_row=row, **alone)
        torch.testing.assert_close(single.adversarial[0], batch.adversarial[row], rtol=0, atol=1e-9)
        assert bool(single.success[0]) == bool(batch.success[row])
        assert int(single.steps_to_flip[0]) == int(batch.steps_to_flip[row])


@every_attack
def test_its_readings_and_artifacts_are_of_the_units_that_are_declared(
    attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor
) -> None:
    given = situation(attack, small, images.float())
    with engine.start(attack, small, images.float(), mask=mask if attack.masked else None, **given) as run:
        for step in run:
            for name, value in step.readings.items():
                assert attack.reading_units.get(name) != "share" or 0 <= float(value) <= 1
                assert attack.reading_units.get(name) == "share" or not {"rate", "share", "probability"} & set(name.split())
    for artifact in run.result().artifacts.values():
        if isinstance(artifact, Curve) and artifact.y_axis.unit == "share":
            assert all(0 <= float(value) <= 1 for line in artifact.lines.values() for value in line)
        if isinstance(artifact, Table):
            assert set(artifact.units) <= set(artifact.columns)


@every_attack
def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_generator_alone(
    attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor
) -> None:
    given = situation(attack, small, images.float())
    before = torch.random.get_rng_state()
    first, second = (
        engine.run(attack, small, images.float(), mask=mask if attack.masked else None, seed=3, **given).adversarial for _ in range(2)
    )
    assert torch.equal(first, second)
    assert torch.equal(before, torch.random.get_rng_state())


@every_attack
def test_the_model_is_untouched(attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    given = situation(attack, small, images.float())
    before = {name: value.clone() for name, value in small.module.state_dict().items()}
    for pulls in range(3):
        run = engine.start(attack, small, images.float(), mask=mask if attack.masked else None, **given)
        for _ in range(pulls):
            next(run, None)
        run.close()
    engine.run(attack, small, images.float(), mask=mask if attack.masked else None, **given)
    after = small.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.grad is None and not p.requires_grad for p in small.module.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in small.module.modules())
    assert not small.module.training


@every_attack
def test_cancel_at_any_step_keeps_the_best_so_far(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    """Pulled once, looked at after every step: what was reached is never lost again, by what the attack keeps."""
    given = situation(attack, small64, images)
    best = torch.full((len(images),), -torch.inf, dtype=torch.float64)
    reached = torch.zeros(len(images), dtype=torch.bool)
    pulled = 0
    with engine.start(attack, small64, images, mask=mask if attack.masked else None, **given) as run:
        for step in run:
            pulled += 1
            result = run.result()
            assert attack.keeps == "last" or bool((result.success | ~reached).all())
            reached = result.success
            if step.score is None and attack.keeps != "last":
                score = result.loss if attack.keeps == "loss" else -attack.distance(result.perturbation)
                score = torch.where(result.success, 1e6, 0.0) + score
                assert bool((score >= best - 1e-9).all())
                best = score
    for pulls in {1, pulled // 2 or 1}:
        with engine.start(attack, small64, images, mask=mask if attack.masked else None, **given) as run:
            for _ in range(pulls):
                next(run)
        assert run.result().reason == "cancelled"


@every_attack
def test_grad_mode_does_not_leak_through_a_suspended_run(attack: Attack, small: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    with torch.no_grad():
        run = engine.start(attack, small, images.float(), mask=mask if attack.masked else None, **situation(attack, small, images.float()))
        next(run)
        assert not torch.is_grad_enabled()
        run.close()
    assert torch.is_grad_enabled()


@every_attack
def test_what_it_says_is_what_the_classifier_says(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    labels = small64.predict(images)
    labels[0] = (labels[0] + 1) % 5
    given = situation(attack, small64, images) | {"labels": labels}
    if "targets" in given:
        given["targets"] = (labels + 1) % 5
    result = engine.run(attack, small64, images, mask=mask if attack.masked else None, **given)
    logits = small64(result.adversarial)
    torch.testing.assert_close(result.logits, logits)
    assert torch.equal(result.success, logits.argmax(1) == given["targets"] if "targets" in given else logits.argmax(1) != labels)
    assert torch.equal(result.flipped, logits.argmax(1) != small64.predict(images))
    assert result.wrong_before.tolist() == [True, False, False, False, False, False]
    assert not result.labels_assumed


CONTROLS = "Baseline"  # a control aims at nothing
TARGETED = [
    a for a in VARIANTS if "targets" in a.uses and a.family != CONTROLS and getattr(a, "towards", "label or target") == "label or target"
]


WEIGHTLESS = {"proximity": {"weight": 0.01, "steps": 60}}
"""Parameters at which an attack that its variants hold back gets somewhere."""


@pytest.mark.parametrize("attack", TARGETED)
def test_towards_a_target(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    attack = type(attack).build(**attack.model_dump() | WEIGHTLESS.get(attack.slug, {}))
    labels = small64.predict(images)
    targets = (labels + 1) % 5
    mask = torch.ones(8, 8)
    given = situation(attack, small64, images) | {"labels": labels, "targets": targets}
    result = engine.run(attack, small64, images, mask=mask if attack.masked else None, **given)
    assert torch.equal(result.success, result.prediction == targets)
    before = small64(images).log_softmax(1).gather(1, targets[:, None])[:, 0]
    after = result.logits.log_softmax(1).gather(1, targets[:, None])[:, 0]
    if attack.ball() is not None:
        assert bool((after > before).all())
    else:
        nearer = (after > before) | result.success
        assert not attack.by_rows or bool(nearer[result.flipped].all())
        assert float((after - before).mean()) > 0  # also where a small sticker or a beam flips none: an attack turned round loses


FOLLOWS = [a for a in VARIANTS if a.follows_objective]


@pytest.mark.parametrize("attack", FOLLOWS)
def test_an_objective_is_followed(attack: Attack, small64: engine.Classifier, images: Tensor, mask: Tensor) -> None:
    """Brightness weighs so much that the label does not count."""
    labels = small64.predict(images)
    given = situation(attack, small64, images) | {"labels": labels}
    run = engine.start(
        attack, small64, images, mask=mask if attack.masked else None, **given, objective=lambda x: 1e6 * x.flatten(1).mean(1)
    )
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
