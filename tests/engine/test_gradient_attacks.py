"""The gradient attacks in a ball: closed forms, the loops of the papers word for word, and what FGSM keeps for the eps slider."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import engine
from engine import attacks
from engine.access import ModelAccess
from engine.artifacts import Curve, Perturbation
from engine.attacks.toolkit import evaluation as passes
from engine.attacks.toolkit.losses import LossName, ascent, assess, value
from engine.balls import normalised
from engine.operation import Problem
from engine.parameters import parameters_of
from engine.randomness import RowRandom, generator
from tests.engine.conftest import linear_classifier
from tests.engine.test_closed_forms import middle_images, weights
from tests.engine.test_driver import Narrow

# ---------------------------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("name", ["ce", "stable-ce", "margin", "dlr"])
def test_the_slope_written_out_is_that_of_the_graph(name: LossName, targeted: bool) -> None:
    random = torch.Generator().manual_seed(3)
    logits = 4 * torch.randn(40, 7, generator=random, dtype=torch.float64)
    logits[0, 2] += 300  # so sure that the literal gradient would vanish
    labels = torch.randint(7, (40,), generator=random)
    labels[0] = 2
    targets = (labels + 3) % 7 if targeted else None
    graph = logits.clone().requires_grad_()
    expected = torch.autograd.grad(ascent(name, graph, labels, targets).sum(), graph)[0]
    assessed = assess(name, graph, labels, targets)
    slope = torch.autograd.grad(assessed.value, graph, assessed.weights)[0]
    torch.testing.assert_close(slope, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(assessed.loss, value(name, logits, labels, targets))
    assert slope[0].any()


@pytest.mark.parametrize("targeted", [False, True])
def test_one_confident_image_changes_nothing_for_the_others(targeted: bool) -> None:
    """Without it torch's own cross-entropy serves, with it the slope is written out."""
    random = torch.Generator().manual_seed(4)
    logits = torch.randn(20, 7, generator=random).requires_grad_()
    labels = torch.randint(7, (20,), generator=random)
    targets = (labels + 3) % 7 if targeted else None
    plain = assess("ce", logits, labels, targets)
    slope = torch.autograd.grad(plain.value, logits, plain.weights)[0]
    goals = labels if targets is None else targets
    confident = 30 * torch.nn.functional.one_hot(goals[:1], 7).float()
    both, label, target = torch.cat([logits, confident]), torch.cat([labels, labels[:1]]), None
    if targets is not None:
        target = torch.cat([targets, targets[:1]])
    mixed = assess("ce", both, label, target)
    assert plain.value.shape != mixed.value[:-1].shape, "both took the same way"
    torch.testing.assert_close(torch.autograd.grad(mixed.value, logits, mixed.weights)[0], slope, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(mixed.loss[:-1], plain.loss, rtol=0, atol=0)


def test_more_rows_than_fit_go_through_a_part_at_a_time(
    small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = attacks.PGD(eps=0.1, steps=3, restarts=2, towards="likeliest others", n_target_classes=2)
    whole = engine.run(attack, small64, images)
    monkeypatch.setattr(passes, "rows_with_graph", lambda *_: 5)
    parts = engine.run(attack, small64, images)
    torch.testing.assert_close(parts.adversarial, whole.adversarial, rtol=0, atol=1e-9)
    assert (parts.forwards, parts.backwards) == (whole.forwards, whole.backwards)


@pytest.mark.parametrize("attack", [attacks.FGSM(), attacks.PGD(), attacks.APGD(), attacks.MIFGSM(), attacks.RandFGSM()])
def test_one_class_is_refused(attack: engine.Attack) -> None:
    with pytest.raises(engine.GibbonError, match="one class"):
        engine.run(attack, linear_classifier(classes=1), middle_images())


@pytest.mark.parametrize("attack", [attacks.PGD(loss="dlr"), attacks.APGD(loss="dlr"), attacks.APGD(loss="targeted-dlr")])
def test_dlr_of_two_classes_is_refused(attack: engine.Attack) -> None:
    with pytest.raises(engine.GibbonError, match="DLR"):
        engine.run(attack, linear_classifier(), middle_images())


@pytest.mark.parametrize("attack", [attacks.FGSM, attacks.RandFGSM, attacks.PGD, attacks.MIFGSM, attacks.APGD, attacks.Noise])
def test_every_preset_is_a_set_of_parameters(attack: type[engine.Attack]) -> None:
    assert attack.presets
    for parameters in (preset.values for preset in attack.presets):
        attack.build(**parameters)


# ---------------------------------------------------------------------------------------------------------------- chosen classes

CHOOSE = [
    attacks.FGSM(eps=0.1, towards="least likely"),
    attacks.FGSM(eps=0.1, towards="random"),
    attacks.PGD(eps=0.1, steps=2, towards="least likely", restarts=3),
    attacks.PGD(eps=0.1, steps=2, towards="random"),
    attacks.JSMA(),
    attacks.JSMA(untargeted="random", derivatives="logits"),
]


@pytest.mark.parametrize("together", [None, 1, 4])
@pytest.mark.parametrize("attack", CHOOSE)
def test_the_classes_that_an_attack_chooses_are_told(
    attack: engine.Attack, together: int | None, small64: engine.Classifier, images: Tensor
) -> None:
    """And are those that the loss of every step goes towards."""
    labels = small64.predict(images)
    with engine.start(attack, small64, images, labels=labels, seed=9, rows_at_a_time=together) as run:
        for step in run:
            assert isinstance(step, engine.AttackStep)
            assert step.goals is not None
            assert step.logits is not None
            torch.testing.assert_close(step.loss, -F.cross_entropy(step.logits, step.goals, reduction="none"))
            told = run.result().goals
            reached = step.first_row + len(step.adversarial)
            assert told is not None
            assert torch.equal(told[step.first_row : reached], step.goals)
            assert told[reached:].tolist() == [-1] * (6 - reached)
    goals = run.result().goals
    assert goals is not None
    assert bool((goals != labels).all())
    logits = small64(images)
    if getattr(attack, "towards", "") == "least likely":
        assert torch.equal(goals, logits.argmin(1))
    elif getattr(attack, "untargeted", "") == "runner-up":
        assert torch.equal(goals, logits.topk(2, dim=1).indices[:, 1])


@pytest.mark.parametrize("attack", CHOOSE)
def test_the_classes_are_told_where_parts_are_begun_anew(attack: engine.Attack, small64: engine.Classifier, images: Tensor) -> None:
    narrow = engine.Classifier(Narrow(small64.module), small64.labels, small64.input_shape, device="cpu")
    labels = small64.predict(images)
    wide, halved = (engine.run(attack, classifier, images, labels, seed=9) for classifier in (small64, narrow))
    assert len(halved.notes) == 1, "memory ran out"
    assert wide.goals is not None
    assert torch.equal(halved.goals, wide.goals)


def test_the_classes_that_were_chosen_are_a_remark(small64: engine.Classifier, images: Tensor) -> None:
    attack = attacks.FGSM(eps=0.1, towards="least likely")
    result = engine.run(attack, small64, images)
    goals = small64(images).argmin(1)
    (remark,) = result.remarks
    for goal in goals.unique().tolist():
        count = int((goals == goal).sum())
        assert f"“class {goal}”{f' (×{count})' if count > 1 else ''}" in remark
    (remark,) = engine.run(attack, small64, images[:1]).remarks
    assert remark == f"It chose the class to go towards: “class {int(goals[0])}”."
    (remark,) = attacks.fgsm_at_eps(result, 0.2).remarks
    assert remark == result.remarks[0]


@pytest.mark.parametrize(
    ("attack", "targeted"),
    [
        (attacks.FGSM(), False),
        (attacks.FGSM(), True),
        (attacks.PGD(steps=2), False),
        (attacks.PGD(steps=2, towards="likeliest others"), False),
        (attacks.JSMA(), True),
    ],
)
def test_an_attack_that_chooses_none_tells_none(attack: engine.Attack, targeted: bool, small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    with engine.start(attack, small64, images, labels=labels, targets=(labels + 1) % 5 if targeted else None) as run:
        assert all(step.goals is None for step in run)
    assert run.result().goals is None
    assert run.result().remarks == ()


# ---------------------------------------------------------------------------------------------------------------- FGSM and its eps


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
@pytest.mark.parametrize("kind", ["untargeted", "targeted", "masked", "least likely", "random", "objective"])
def test_moving_eps_gives_the_bits_of_a_new_attack_for_one_forward_pass(
    small: engine.Classifier, images: Tensor, norm: str, kind: str
) -> None:
    x = images.float()
    labels = small.predict(x)
    given: dict[str, Any] = {"labels": labels, "seed": 4}
    if kind == "targeted":
        given["targets"] = (labels + 1) % 5
    if kind == "masked":
        given["mask"] = torch.linspace(0, 1, 64).reshape(8, 8)
    if kind == "objective":
        given["objective"] = lambda batch: batch.flatten(1).mean(1)
    towards = kind if kind in ("least likely", "random") else "label or target"
    first, fresh = (engine.run(attacks.FGSM.build(eps=eps, norm=norm, towards=towards), small, x, **given) for eps in (0.1, 0.37))
    again = attacks.fgsm_at_eps(first, 0.37)
    for name in ("adversarial", "logits", "loss", "trace", "steps_to_flip", "failed", "clean_logits"):
        assert torch.equal(getattr(again, name), getattr(fresh, name)), name
    assert (again.forwards, again.backwards) == (len(x), 0)
    assert again.operation == fresh.operation
    assert again.provenance == fresh.provenance
    assert again.reason == "finished"
    assert torch.equal(attacks.fgsm_at_eps(again, 0.1).adversarial, first.adversarial)


def test_only_fgsm_keeps_a_direction_to_move_along(small: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(engine.GibbonError, match="FGSM"):
        attacks.fgsm_at_eps(engine.run(attacks.PGD(steps=1), small, images.float()), 0.1)
    result = engine.run(attacks.FGSM(), small, images.float())
    with pytest.raises(engine.GibbonError, match="eps"):
        attacks.fgsm_at_eps(result, 8)
    with pytest.raises(engine.GibbonError, match="eps"):
        attacks.fgsm_at_eps(result, 0)


@pytest.mark.parametrize(("norm", "eps", "last"), [("linf", 0.1, 0.2), ("linf", 0.7, 1.0), ("l2", 0.7, 1.4)])
def test_the_curve_is_what_attacks_of_every_eps_would_say(
    small64: engine.Classifier, images: Tensor, norm: str, eps: float, last: float
) -> None:
    labels = small64.predict(images)
    targets = (labels + 2) % 5
    attack = attacks.FGSM.build(eps=eps, norm=norm)
    result = engine.run(attack, small64, images, labels=labels, targets=targets)
    direction, curve = result.artifacts["direction"], result.artifacts["curve"]
    assert isinstance(direction, Perturbation)
    assert isinstance(curve, Curve)
    assert list(curve.lines) == [small64.labels[int(labels[0])], small64.labels[int(targets[0])]]
    torch.testing.assert_close(curve.x, torch.linspace(0, last, 33, dtype=torch.float64))
    for place in (0, 5, 20, 32):
        step = curve.x[place] * direction.values[:1]
        p = small64((images[:1] + step).clamp(0, 1)).softmax(1)[0]
        for line, index in zip(curve.lines.values(), (labels[0], targets[0]), strict=True):
            torch.testing.assert_close(line[place], p[index])
    assert result.forwards == 2 * len(images)  # the curve is no part of the attack


@pytest.mark.parametrize("pulls", [1, 2])
def test_the_curve_of_an_attack_under_way(small64: engine.Classifier, images: Tensor, pulls: int) -> None:
    run = engine.start(attacks.FGSM(eps=0.1), small64, images)
    for _ in range(pulls):
        next(run)
    curve = run.result().artifacts["curve"]
    assert isinstance(curve, Curve)
    assert len(curve.lines) == 2


def test_rand_fgsm_without_a_random_step_is_fgsm(small: engine.Classifier, images: Tensor) -> None:
    plain, rand = (engine.run(a, small, images.float()).adversarial for a in (attacks.FGSM(eps=0.1), attacks.RandFGSM(eps=0.1, alpha=0)))
    assert torch.equal(plain, rand)


def test_rand_fgsm_spends_alpha_on_a_corner_and_the_rest_on_the_gradient(linear: engine.Classifier) -> None:
    images, labels = middle_images(), torch.zeros(5, dtype=torch.int64)
    run = engine.start(attacks.RandFGSM(eps=0.05, alpha=0.02), linear, images, labels=labels)
    first, second = (step.adversarial - images for step in run)
    corner = torch.stack([torch.randn(1, 4, 4, generator=generator(0, row)).sign() for row in range(5)]).double()
    d = (weights(linear)[0][1] - weights(linear)[0][0]).sign().reshape(1, 1, 4, 4)
    torch.testing.assert_close(first, 0.02 * corner)
    torch.testing.assert_close(second, 0.02 * corner + 0.03 * d.expand(5, -1, -1, -1))
    with pytest.raises(engine.GibbonError, match="alpha"):
        attacks.RandFGSM.build(eps=0.05, alpha=0.05)


# ---------------------------------------------------------------------------------------------------------------- noise


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("distribution", ["sign", "uniform", "gaussian"])
def test_noise_has_exactly_the_norm_and_is_not_taken_back(norm: str, distribution: str) -> None:
    classifier = linear_classifier(classes=5)
    images = middle_images(30)
    attack = attacks.Noise.build(norm=norm, eps=0.1, distribution=distribution)
    result = engine.run(attack, classifier, images, labels=classifier.predict(images))
    torch.testing.assert_close(result.norms[norm], torch.full((30,), 0.1, dtype=torch.float64))
    assert bool((result.trace[1] < result.trace[0]).any())  # of some rows the noise lowered the loss, and it stays all the same
    assert result.backwards == 0


def test_many_draws_of_noise_keep_the_best() -> None:
    classifier = linear_classifier(classes=5)
    images = middle_images(8)
    result = engine.run(attacks.Noise(eps=0.1, draws=6), classifier, images, labels=classifier.predict(images))
    rows = ~result.success
    torch.testing.assert_close(result.loss[rows], result.trace[1:].amax(0)[rows])


@pytest.mark.parametrize("draws", [1, 4])
@pytest.mark.parametrize("distribution", ["sign", "gaussian"])
def test_the_clean_image_is_no_noise_even_where_it_was_misclassified(distribution: str, draws: int) -> None:
    classifier = linear_classifier(classes=5)
    images = middle_images(30)
    labels = classifier(images).topk(2).indices[:, 1]  # all wrong before, and some no longer so with noise
    result = engine.run(attacks.Noise.build(eps=0.3, distribution=distribution, draws=draws), classifier, images, labels=labels)
    torch.testing.assert_close(result.norms["linf"], torch.full((30,), 0.3, dtype=torch.float64))
    assert torch.equal(result.success, classifier.predict(result.adversarial) != labels)
    if draws == 1:
        assert not result.success.all()


def test_a_later_draw_is_kept_only_where_it_is_better() -> None:
    classifier = linear_classifier(classes=5)
    images = middle_images(8)
    labels = classifier.predict(images)
    steps = [step.adversarial for step in engine.start(attacks.Noise(eps=0.1, draws=5), classifier, images, labels=labels)]
    losses = torch.stack([value("ce", classifier(shown), labels, None) for shown in steps[1:]])
    flips = torch.stack([classifier.predict(shown) != labels for shown in steps[1:]])
    assert bool((losses.diff(dim=0) >= 0)[~flips.diff(dim=0).bool()].all())
    assert bool((losses[-1] > losses[0]).any())


# ---------------------------------------------------------------------------------------------------------------- budgets


@pytest.mark.parametrize("attack", [a for a in attacks.CATALOGUE.values() if "eps" in a.model_fields and parameters_of(a)["eps"].usual])
def test_the_usual_eps_is_offered_for_the_norms_that_the_attack_has(attack: type[engine.Attack]) -> None:
    usual = parameters_of(attack)["eps"].usual
    assert [(name, norm) for name, norm, _ in usual] == [("norm", norm) for norm in attack.norms]
    for _, norm, eps in usual:
        attack.build(norm=norm, eps=eps)


# ---------------------------------------------------------------------------------------------------------------- iterative


@pytest.mark.parametrize(("levels", "steps"), [(1, 2), (2, 3), (4, 5), (8, 10), (16, 20), (32, 36)])
def test_bim_takes_the_steps_of_its_rule(levels: int, steps: int) -> None:
    """Kurakin et al.: min(eps + 4, 1.25 eps)."""
    attack = attacks.PGD(eps=levels / 255, steps=None, step_size=1 / 255, random_start=False)
    assert attack.count == steps
    assert attacks.PGD(eps=None, steps=None, random_start=False).count == 40


@pytest.mark.parametrize("loss", ["ce", "margin"])
def test_several_targets_are_the_best_of_as_many_targeted_attacks(small64: engine.Classifier, images: Tensor, loss: LossName) -> None:
    labels = small64.predict(images)
    settings: dict[str, Any] = {"eps": 0.03, "steps": 5, "random_start": False, "loss": loss}
    many = attacks.PGD(towards="likeliest others", n_target_classes=None, **settings)
    together = engine.run(many, small64, images, labels=labels)
    away = [[] for _ in images]
    for shift in range(1, 5):
        run = engine.start(attacks.PGD(**settings), small64, images, labels=labels, targets=(labels + shift) % 5)
        for step in run:
            assert step.logits is not None
            left = step.logits.argmax(1) != labels
            for row, lost in enumerate(value(loss, step.logits, labels, None)):
                away[row].append((bool(left[row]), float(lost)))
    for row in range(len(images)):
        assert (bool(together.success[row]), float(together.loss[row])) == pytest.approx(max(away[row]), abs=1e-9)


def test_classes_that_the_attack_chooses_want_no_target_and_enough_of_them(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    with pytest.raises(engine.GibbonError, match="a target was given"):
        engine.run(attacks.PGD(towards="likeliest others"), small64, images, labels=labels, targets=(labels + 1) % 5)
    with pytest.raises(engine.GibbonError, match="three classes"):
        engine.run(attacks.PGD(towards="likeliest others"), linear_classifier(), middle_images())


def test_iterative_least_likely_walks_towards_the_least_likely_class(small64: engine.Classifier, images: Tensor) -> None:
    least = small64(images).argmin(1)
    labels = small64.predict(images)
    settings: dict[str, Any] = {"eps": 0.05, "steps": 4, "random_start": False}
    chosen = list(engine.start(attacks.PGD(towards="least likely", **settings), small64, images, labels=labels))
    given = list(engine.start(attacks.PGD(**settings), small64, images, labels=labels, targets=least))
    for ours, theirs in zip(chosen, given, strict=True):
        torch.testing.assert_close(ours.adversarial, theirs.adversarial, rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_momentum_is_the_loop_of_the_paper(small64: engine.Classifier, images: Tensor, norm: str) -> None:
    """Dong et al., algorithm 1, one image at a time."""
    labels, eps, steps, mu = small64.predict(images), 0.2, 5, 0.7
    run = list(engine.start(attacks.MIFGSM.build(norm=norm, eps=eps, steps=steps, decay=mu), small64, images, labels=labels))
    for row in range(len(images)):
        clean = images[row : row + 1]
        x, g = clean.clone(), torch.zeros_like(clean)
        for t in range(steps):
            torch.testing.assert_close(run[t].adversarial[row : row + 1], x, rtol=0, atol=1e-9)
            z = x.clone().requires_grad_()
            slope = torch.autograd.grad(torch.nn.functional.cross_entropy(small64(z), labels[row : row + 1]), z)[0]
            g = mu * g + slope / slope.abs().sum()
            if norm == "linf":
                x = (clean + (x + eps / steps * g.sign() - clean).clamp(-eps, eps)).clamp(0, 1)
            else:
                delta = x + eps / steps * g / g.norm() - clean
                x = (clean + delta * min(1.0, eps / float(delta.norm()))).clamp(0, 1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_mi_fgsm_is_its_formula_to_the_last_bit(small: engine.Classifier, images: Tensor, norm: str) -> None:
    """In float32, where a product and a sum that are rounded together give other bits than one after the other."""
    attack, x = attacks.MIFGSM(norm=norm, eps=0.8, steps=4), images.float()
    labels, momentum, delta, reached = small.predict(x), torch.zeros_like(x), torch.zeros_like(x), []
    problem = Problem(ModelAccess(small, "gradients"), x, labels, RowRandom(0, range(len(x))))
    for _ in range(attack.steps + 1):
        adversarial = x + delta
        reached.append(adversarial)
        seen = passes.loss_and_gradient(problem, adversarial, attack.loss)
        momentum = attack.decay * momentum + normalised(seen.gradient, 1)
        ball = attack.ball()
        moved = delta + attack.length * ball.steepest(momentum)
        delta = (moved.clamp(-0.8, 0.8) if norm == "linf" else ball.project(moved)).clamp(-x, 1 - x)
    with engine.start(attack, small, x, labels=labels) as run:
        assert all(torch.equal(step.adversarial, expected) for step, expected in zip(run, reached, strict=True))
