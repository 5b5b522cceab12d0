"""JSMA: its pairs against a table of all pairs, its steps against the paper's text, its budget, and photographs."""

from __future__ import annotations

import resource

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.attacks.jsma import attack as jsma
from engine.attacks.jsma import best_pair as pairs
from tests.engine.conftest import linear_classifier
from tests.engine.test_closed_forms import middle_images, weights


def by_table(alpha: Tensor, beta: Tensor, allowed: Tensor) -> tuple[float, tuple[int, int]]:
    """The definition: all pairs of one row ``(d,)``, those with A > 0 > B, the largest -A * B."""
    across, down = alpha[:, None] + alpha, beta[:, None] + beta
    fits = (across > 0) & (down < 0) & allowed[:, None] & allowed & ~torch.eye(len(alpha), dtype=torch.bool)
    worth = torch.where(fits, -across * down, -torch.inf)
    place = int(worth.argmax())
    return float(worth.max()), (place // len(alpha), place % len(alpha))


def cases(kind: str, count: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Gradients of three rows of one to sixty features, a third of them not allowed in every other case."""
    random, found = torch.Generator().manual_seed(0), []
    for number in range(count):
        shape = (3, int(torch.randint(1, 60, (), generator=random)))
        alpha, beta = (torch.randn(shape, generator=random, dtype=torch.float64) for _ in range(2))
        if kind == "ties":
            alpha, beta = alpha.round(), (1.5 * beta).round()
        elif kind == "all alike in alpha":
            alpha = torch.ones_like(alpha)
        elif kind == "along":
            beta = alpha + 0.05 * beta
        elif kind == "against":
            beta = -alpha
        elif kind == "tiny":
            alpha, beta = 1e-200 * alpha - 1e-200, 1e-170 * beta + 2e-170
        elif kind == "no pair":
            alpha = -alpha.abs()
        allowed = torch.rand(shape, generator=random) < (0.66 if number % 2 else 1.0)
        found.append((alpha, beta, allowed))
    return found


@pytest.mark.parametrize("first", [8, 2, 1])
@pytest.mark.parametrize("kind", ["any", "ties", "all alike in alpha", "along", "against", "tiny", "no pair"])
def test_the_best_pair_is_that_of_the_table(kind: str, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worth as much as the best of all pairs, allowed, and two different ones; whatever the first look knew, however small its tables."""
    monkeypatch.setattr(pairs, "_OF_EACH", (first, first))
    monkeypatch.setattr(pairs, "_TABLE", 200 if first == 1 else pairs._TABLE)
    for alpha, beta, allowed in cases(kind, 40):
        chosen, fits = pairs.best_pairs(alpha, beta, allowed)
        for row in range(3):
            a, b = alpha[row] / alpha[row].abs().max().clamp_min(1e-300), beta[row] / beta[row].abs().max().clamp_min(1e-300)
            best, _ = by_table(a, b, allowed[row])
            assert bool(fits[row]) == (best > -torch.inf)
            if fits[row]:
                p, q = chosen[row].tolist()
                assert p != q
                assert bool(allowed[row, p])
                assert bool(allowed[row, q])
                assert -float((a[p] + a[q]) * (b[p] + b[q])) == pytest.approx(best, rel=1e-9)


def test_a_gradient_that_is_not_finite_is_no_pair() -> None:
    alpha = torch.tensor([[3.0, 1.0, 2.0, torch.nan], [1.0, torch.inf, torch.nan, torch.nan]])
    beta = -alpha.clone()
    chosen, fits = pairs.best_pairs(alpha, beta, torch.ones_like(alpha, dtype=torch.bool))
    assert sorted(chosen[0].tolist()) == [0, 2]
    assert fits.tolist() == [True, False]


def as_written(classifier: engine.Classifier, image: Tensor, target: int, head: str, theta: float, gamma: float) -> tuple[Tensor, int]:
    """The paper's algorithm 3: the whole Jacobian of all classes, a table of all pairs; one image, one pair at a time."""
    x, steps = image.clone(), 0
    while steps < max(1, int(gamma * x.numel() / 2)) and int(classifier(x[None]).argmax()) != target:

        def outputs(pixels: Tensor) -> Tensor:
            z = classifier(pixels[None])[0]
            return z.softmax(0) if head == "softmax" else z

        jacobian = torch.autograd.functional.jacobian(outputs, x).flatten(1)
        alpha = jacobian[target]
        beta = jacobian.sum(0) - alpha
        sign = 1 if theta > 0 else -1
        if head == "softmax":
            beta = -alpha  # exactly so, but for the rounding of the sum of all rows
        allowed = (x < 1 - 1e-6 if theta > 0 else x > 1e-6).flatten()
        worth, pair = by_table(sign * alpha, sign * beta, allowed)
        if worth == -torch.inf:
            break
        x = x.flatten().index_add(0, torch.tensor(pair), torch.full((2,), theta, dtype=x.dtype)).view_as(x).clamp(0, 1)
        steps += 1
    return x, steps


@pytest.mark.parametrize("theta", [1.0, 0.3, -0.4])
@pytest.mark.parametrize("head", ["softmax", "logits"])
def test_it_is_the_algorithm_of_the_paper(head: str, theta: float, small64: engine.Classifier, images: Tensor) -> None:
    """The same images after the same number of steps, as with all classes' gradients and all pairs."""
    labels = small64.predict(images)
    targets = (labels + 1) % 5
    direction = "increasing" if theta > 0 else "decreasing"
    attack = attacks.JSMA.build(derivatives=head, theta=abs(theta), direction=direction, gamma=0.1)
    *_, last = engine.start(attack, small64, images, labels=labels, targets=targets)
    steps = []
    for row in range(6):
        expected, count = as_written(small64, images[row], int(targets[row]), head, theta, 0.1)
        torch.testing.assert_close(last.adversarial[row], expected, rtol=0, atol=1e-12)
        steps.append(count)
    assert max(steps) == last.index
    assert max(steps) >= 4


def test_on_a_linear_model_the_pair_is_known(linear: engine.Classifier) -> None:
    """alpha = w_t, beta = w_o: with two classes the softmax head takes the two largest of w_t - w_o, the logits head the best product."""
    images = middle_images()
    labels = linear.predict(images)
    target = 1 - int(labels[0])
    assert bool((labels != target).all())
    w, _ = weights(linear)
    w = w[[1 - target, target]]
    for head in ("softmax", "logits"):
        _, second, *_ = engine.start(attacks.JSMA.build(derivatives=head, theta=0.1), linear, images, labels=labels, targets=1 - labels)
        if head == "softmax":
            pair = (w[1] - w[0]).topk(2).indices.tolist()
        else:
            pair = list(by_table(w[1], w[0], torch.ones(16, dtype=torch.bool))[1])
        expected = torch.zeros(16, dtype=torch.float64)
        expected[pair] = 0.1
        torch.testing.assert_close(second.adversarial - images, expected.view(1, 4, 4).expand(5, 1, 4, 4))


@pytest.mark.parametrize("number", [1, 3])
def test_the_budget_is_a_share_of_the_features(number: int, small64: engine.Classifier, images: Tensor) -> None:
    """floor(0.05 * 192 / 2) = 4 pairs, however many at a time, each of two different features."""
    labels = small64.predict(images)
    for head in ("softmax", "logits"):
        attack = attacks.JSMA.build(gamma=0.05, pairs=number, derivatives=head, theta=1e-4)
        *_, last = engine.start(attack, small64, images, labels=labels, targets=(labels + 1) % 5)
        assert last.index == (4 if number == 1 else 2)
        changed = (last.adversarial != images).double().mean()
        torch.testing.assert_close(last.readings["share of values changed"], changed)
        moved = ((last.adversarial - images) / 1e-4).flatten(1).sum(1)
        assert bool((moved <= 8 + 1e-6).all())
        if number == 3:
            assert int((last.adversarial != images).flatten(1).sum(1).max()) > 2


def test_rows_that_are_solved_are_dropped(small64: engine.Classifier, images: Tensor) -> None:
    """Forward passes are the steps that each row needs, and what was solved stays as it was."""
    labels = small64.predict(images)
    targets = (labels + 1) % 5
    run = engine.start(attacks.JSMA(gamma=0.3), small64, images, labels=labels, targets=targets)
    steps = list(run)
    result = run.result()
    assert bool(result.success.all())
    assert len(set(result.steps_to_flip.tolist())) > 1
    assert result.forwards == int((result.steps_to_flip + 1).sum())
    assert result.backwards <= result.forwards
    for row, first in enumerate(result.steps_to_flip.tolist()):
        assert all(torch.equal(step.adversarial[row], steps[first].adversarial[row]) for step in steps[first:])


@pytest.mark.parametrize("head", ["softmax", "logits"])
def test_dropping_rows_now_and_then_changes_nothing(
    head: str, small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an accelerator: rows that are done wait, unchanged, until the device is asked."""
    labels = small64.predict(images)
    given = {"labels": labels, "targets": (labels + 1) % 5}
    attack = attacks.JSMA.build(gamma=0.3, derivatives=head)
    at_once = engine.run(attack, small64, images, **given)
    monkeypatch.setitem(jsma._STEPS_BETWEEN, "cpu", 5)
    later = engine.run(attack, small64, images, **given)
    torch.testing.assert_close(later.adversarial, at_once.adversarial, rtol=0, atol=1e-12)
    assert torch.equal(later.steps_to_flip, at_once.steps_to_flip)
    assert later.forwards > at_once.forwards


def test_images_that_are_there_already_cost_one_forward_pass(small64: engine.Classifier, images: Tensor) -> None:
    targets = small64.predict(images)
    result = engine.run(attacks.JSMA(), small64, images, labels=(targets + 1) % 5, targets=targets)
    assert torch.equal(result.adversarial, images)
    assert (result.forwards, result.backwards) == (6, 0)


def test_without_a_target_the_runner_up_or_a_random_class_is_the_goal(small64: engine.Classifier, images: Tensor) -> None:
    logits = small64(images)
    labels = logits.argmax(1)
    second = logits.topk(2).indices[:, 1]
    near = engine.run(attacks.JSMA(), small64, images, labels=labels)
    driven = engine.run(attacks.JSMA(), small64, images, labels=labels, targets=second)
    assert bool(near.success.all())
    assert bool((near.norms["l0"] <= driven.norms["l0"]).all())
    many = images.repeat(20, 1, 1, 1)
    attack = attacks.JSMA(untargeted="random")
    problem = engine.start(attack, small64, many, labels=labels.repeat(20)).problem
    goals = attack._goals(problem, small64(many))
    assert not bool((goals == problem.labels).any())
    assert len(goals[problem.labels == labels[0]].unique()) == 4


def test_what_cannot_change_is_left_alone(small64: engine.Classifier) -> None:
    """All white: nothing can become brighter. A constant classifier: no pair helps."""
    white = torch.ones(2, 3, 8, 8, dtype=torch.float64)
    labels = small64.predict(white)
    for head in ("softmax", "logits"):
        result = engine.run(attacks.JSMA.build(derivatives=head), small64, white, labels=labels, targets=(labels + 1) % 5)
        assert torch.equal(result.adversarial, white)
        assert len(result.trace) <= 2

    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([2.0, 0.0], dtype=x.dtype).expand(len(x), 2) + 0 * x.flatten(1).sum(1, keepdim=True)

    classifier = engine.Classifier(Constant().double(), ["a", "b"], (3, 8, 8), name="constant", device="cpu")
    for head in ("softmax", "logits"):
        result = engine.run(attacks.JSMA.build(derivatives=head), classifier, white * 0.5)
        assert torch.equal(result.adversarial, result.clean)
        assert not bool(result.failed.any())


def test_one_class_is_refused_in_a_sentence() -> None:
    classifier = linear_classifier(classes=1)
    for attack, given in (
        (attacks.JSMA(untargeted="random"), {}),
        (attacks.FoolingImage(), {"targets": torch.zeros(5, dtype=torch.int64)}),
    ):
        with pytest.raises(engine.GibbonError, match="one class"):
            engine.run(attack, classifier, middle_images(), **given)


def test_a_row_whose_logits_are_nan_is_named_and_left_alone(images: Tensor) -> None:
    class Breaks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(192, 3)

        def forward(self, x: Tensor) -> Tensor:
            z = self.head(x.flatten(1))
            return torch.where(x[:, 0, :1, 0] < 0.01, torch.nan, z)

    torch.manual_seed(0)
    classifier = engine.Classifier(Breaks().double(), ["a", "b", "c"], (3, 8, 8), name="breaks", device="cpu")
    broken = images.clone()
    broken[:, 0, 0, 0] = 0.5
    broken[2, 0, 0, 0] = 0
    labels = torch.zeros(6, dtype=torch.int64)
    for head in ("softmax", "logits"):
        result = engine.run(attacks.JSMA.build(derivatives=head), classifier, broken, labels=labels, targets=labels + 1)
        assert result.failed.tolist() == [False, False, True, False, False, False]
        assert not bool(result.success[2])
        assert torch.equal(result.adversarial[2], broken[2])


def test_a_single_feature_makes_no_pair() -> None:
    classifier = linear_classifier(shape=(1, 1, 1))
    image = torch.full((1, 1, 1, 1), 0.5, dtype=torch.float64)
    for head in ("softmax", "logits"):
        result = engine.run(attacks.JSMA.build(derivatives=head), classifier, image)
        assert torch.equal(result.adversarial, image)


@pytest.mark.parametrize("head", ["softmax", "logits"])
def test_a_photograph_needs_no_table(head: str) -> None:
    """150,528 features: a table of their pairs would hold 2.3e10 entries, 84 GiB."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 8, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 28 * 28, 10))
    classifier = engine.Classifier(module, [str(k) for k in range(10)], (3, 224, 224), name="coarse", device="cpu")
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    target = (classifier.predict(image) + 1) % 10
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = engine.start(attacks.JSMA.build(derivatives=head), classifier, image, targets=target)
    for step, _ in zip(run, range(6), strict=False):
        assert isinstance(step, engine.AttackStep)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 400 * 1024  # kB
    changed = (step.adversarial != image).sum()
    assert int(changed) == 2 * step.index
    assert bool(step.loss > run.result().trace[0])


@pytest.mark.data
def test_on_mnist_it_reaches_what_was_published() -> None:
    """97.10 % at 4.02 % of the features were published."""
    digits = engine.models.load("digits", device="cpu")
    images, labels = engine.data.load("mnist", "test").batch(range(100))
    result = engine.run(attacks.JSMA(), digits, images, labels=labels, targets=(labels + 1) % 10)
    changed = (result.perturbation != 0).flatten(1).double().mean(1)[result.success]
    print(float(result.success.double().mean()), float(changed.mean()))
    assert float(result.success.double().mean()) >= 0.95
    assert 0.03 <= float(changed.mean()) <= 0.05
