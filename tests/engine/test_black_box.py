"""Attacks that ask for scores or labels only: against slow references, closed forms on linear models, and counted queries."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.access import ModelAccess
from engine.attacks.square.moves import L2Moves, LinfMoves, Plan
from engine.operation import Problem
from engine.randomness import RowRandom
from tests.engine.conftest import linear_classifier, off_the_lattice
from tests.engine.variants import small_data


def problem_of(images: Tensor, mask: Tensor | None = None) -> Problem:
    classifier = linear_classifier(3, tuple(images.shape[1:]))
    n = len(images)
    return Problem(ModelAccess(classifier, "scores"), images, torch.zeros(n, dtype=torch.int64), RowRandom(0, range(n)), mask=mask)


def pixels(n: int = 6, shape: tuple[int, int, int] = (3, 12, 12)) -> Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def draws(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


# ---------------------------------------------------------------------- Square


def test_the_schedule_is_the_papers() -> None:
    """As in the authors' code, written out."""

    def published(p_init: float, it: int, n_iters: int) -> float:
        it = int(it / n_iters * 10000)
        bounds = [(10, 50, 2), (50, 200, 4), (200, 500, 8), (500, 1000, 16), (1000, 2000, 32), (2000, 4000, 64), (4000, 6000, 128)]
        for low, high, divisor in [*bounds, (6000, 8000, 256), (8000, 10000, 512)]:
            if low < it <= high:
                return p_init / divisor
        return p_init

    for queries in (500, 5000, 10_000, 20_000):
        attack = attacks.Square(n_queries=queries, p_init=0.8)
        assert all(attack.share(it) == pytest.approx(published(0.8, it, queries)) for it in range(0, queries, 7))


def test_a_linf_move_is_one_square_at_the_ends_of_the_ball() -> None:
    images = pixels()
    moves = LinfMoves.of(problem_of(images), 0.1)
    low, high = (images - 0.1).clamp_min(0), (images + 0.1).clamp_max(1)
    now = moves.begin(draws(6, moves.first_numbers))
    stripes = now.sub(images)
    assert bool(((now == low) | (now == high)).all())
    assert bool(((now == high).all(2) | (now == low).all(2)).all()), "columns go one way"
    assert float(stripes.abs().max()) <= 0.1 + 1e-12
    plan = moves.plan(draws(6, 50, moves.numbers), [0.3] * 50)
    side = round(math.sqrt(0.3 * 144))
    for move in range(50):
        after = moves.propose(now, plan, move)
        for row in range(6):
            changed = (after[row] != now[row]).any(0)
            assert bool(changed.any()), "no query is spent on an image that is the same"
            rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
            assert int(rows.max() - rows.min()) < side
            assert int(columns.max() - columns.min()) < side
            top, left = int(plan.into[0][row, move].nonzero()[0]), int(plan.into[1][row, move].nonzero()[0])
            inside = after[row, :, top : top + side, left : left + side]
            ends = (low[row, :, top : top + side, left : left + side], high[row, :, top : top + side, left : left + side])
            for channel in range(3):
                assert torch.equal(inside[channel], ends[0][channel]) or torch.equal(inside[channel], ends[1][channel])
        now = after


def test_signs_that_would_change_nothing_are_turned_and_all_others_are_as_likely() -> None:
    images = torch.full((4000, 2, 4, 4), 0.5, dtype=torch.float64)
    moves = LinfMoves.of(problem_of(images), 0.1)
    now = images + 0.1  # both channels up
    plan = moves.plan(torch.rand(4000, 1, moves.numbers, generator=torch.Generator().manual_seed(3)), [1.0])
    after = moves.propose(now, plan, 0)
    up = (after > images).flatten(2).all(2)
    counts = torch.bincount(up[:, 0] * 2 + up[:, 1], minlength=4)
    assert int(counts[3]) == 0
    assert ((counts[:3] - 4000 / 3).abs() < 150).all()


def test_an_l2_move_is_the_authors_written_out() -> None:
    """``square_attack_l2`` of the authors' code, one image at a time in NumPy."""
    images, eps, share = pixels(4, (3, 13, 13)), 0.9, 0.2
    moves = L2Moves.of(problem_of(images), eps)
    now = moves.begin(draws(4, moves.first_numbers))
    assert torch.allclose((now - images).flatten(1).norm(dim=1).clamp_max(eps), (now - images).flatten(1).norm(dim=1))
    plan = moves.plan(draws(4, 8, moves.numbers), [share] * 8)
    for move in range(8):
        after = moves.propose(now, plan, move)
        for row in range(4):
            expected = literal_l2(images[row].numpy(), now[row].numpy(), eps, share, plan, row, move)
            np.testing.assert_allclose(after[row].numpy(), expected, atol=1e-12)
        now = after


def literal_l2(clean: np.ndarray, best: np.ndarray, eps: float, share: float, plan: Plan, row: int, move: int) -> np.ndarray:
    c, h, w = clean.shape
    s = max(round(math.sqrt(share * h * w)), 3)
    s += s % 2 == 0
    (top, left), (top2, left2) = ([int(sides[row, move].nonzero()[0]) for sides in pair] for pair in (plan.into, plan.out))
    delta = best - clean
    one, two = np.zeros_like(clean), np.zeros_like(clean)
    one[:, top : top + s, left : left + s] = 1
    two[:, top2 : top2 + s, left2 : left2 + s] = 1
    norm_window = np.sqrt(((delta * one) ** 2).sum((1, 2), keepdims=True))
    norm_image = np.sqrt((delta**2).sum())
    norms_windows = np.sqrt(((delta * np.maximum(one, two)) ** 2).sum((1, 2), keepdims=True))
    pattern = literal_pattern(s)
    pattern = pattern.T if bool(plan.other[row, move] % 2) else pattern
    fresh = pattern[None] * plan.signs[row, move].numpy()[:, None, None]
    fresh = fresh + delta[:, top : top + s, left : left + s] / (1e-12 + norm_window)
    fresh = fresh / np.sqrt((fresh**2).sum((1, 2), keepdims=True)) * (max(eps**2 - norm_image**2, 0) / c + norms_windows**2) ** 0.5
    delta = delta.copy()
    delta[:, top2 : top2 + s, left2 : left2 + s] = 0
    delta[:, top : top + s, left : left + s] = fresh
    return np.clip(clean + delta / np.sqrt((delta**2).sum()) * eps, 0, 1)


def literal_pattern(s: int) -> np.ndarray:
    def bump(x: int, y: int) -> np.ndarray:
        delta = np.zeros([x, y])
        corner = [x // 2, y // 2]
        for counter in range(max(x // 2 + 1, y // 2 + 1)):
            rows = slice(max(corner[0], 0), min(corner[0] + 2 * counter + 1, x))
            delta[rows, max(0, corner[1]) : min(corner[1] + 2 * counter + 1, y)] += 1.0 / (counter + 1) ** 2
            corner = [corner[0] - 1, corner[1] - 1]
        return delta / np.sqrt((delta**2).sum())

    pattern = np.zeros([s, s])
    pattern[: s // 2], pattern[s // 2 :] = bump(s // 2, s), -bump(s - s // 2, s)
    return pattern / np.sqrt((pattern**2).sum())


@pytest.mark.parametrize("kind", [LinfMoves, L2Moves])
@pytest.mark.parametrize("to_the_edge", [True, False])
def test_corners_are_drawn_from_the_published_range_or_from_all(kind: type[LinfMoves], to_the_edge: bool) -> None:
    """The authors draw them with ``numpy.random.randint(0, h - s)``, which never gives ``h - s``."""
    images = torch.full((400, 1, 6, 7), 0.5, dtype=torch.float64)
    moves = kind.of(problem_of(images), 0.3, to_the_edge)
    plan = moves.plan(torch.rand(400, 4, moves.numbers, generator=torch.Generator().manual_seed(0)), [9 / 42] * 4)
    reached = [sides.flatten(0, 1).any(0).tolist() for sides in plan.into]
    assert reached == [[True] * (size - 1) + [to_the_edge] for size in (6, 7)]
    assert all(bool((sides.sum(2) == 3).all()) for sides in plan.into)
    whole = kind.of(problem_of(images[..., :6]), 0.3, to_the_edge).plan(torch.rand(400, 1, moves.numbers), [1.0])
    assert all(bool((sides.sum(2) >= 5).all()) for sides in whole.into)  # a square as large as the image still has its one place


@pytest.mark.parametrize("kind", [LinfMoves, L2Moves])
def test_moves_keep_to_masks_of_any_area(kind: type[LinfMoves]) -> None:
    images = pixels()
    mask = torch.zeros(6, 1, 12, 12, dtype=torch.float64)
    for row in range(6):
        mask[row, :, row : row + 2 + row // 2, 3 : 4 + row] = 0.5 + row / 10
    moves = kind.of(problem_of(images, mask), 0.3)
    now = moves.begin(draws(6, moves.first_numbers))
    plan = moves.plan(draws(6, 20, moves.numbers), [0.5, 0.1] * 10)
    for move in range(20):
        now = moves.propose(now, plan, move)
        delta = now - images
        assert torch.equal(now[(mask == 0).expand_as(now)], images[(mask == 0).expand_as(images)])
        assert bool((delta.abs() <= 0.3 * mask + 1e-12).all())
        if kind is L2Moves:
            assert float(delta.flatten(1).norm(dim=1).max()) <= 0.3 + 1e-9


def test_square_counts_a_query_per_move_and_stops_at_the_flip(small: engine.Classifier, images: Tensor) -> None:
    labels = small.predict(images.float())
    with engine.start(attacks.Square(eps=0.1, n_queries=40), small, images.float(), labels=labels) as run:
        steps = list(run)
    result = run.result()
    needed = torch.where(result.steps_to_flip >= 0, result.steps_to_flip, 40)
    assert result.forwards == int((needed + 1).sum())  # one for the clean image
    assert steps[-1].index == int(needed.max())


def test_square_on_a_linear_model_reaches_the_corner(linear: engine.Classifier) -> None:
    """The smallest squares are single pixels, so the search ends at the best corner of the cube."""
    images = 0.4 + 0.2 * pixels(3, (1, 4, 4))
    d = nn.Module.get_parameter(linear.module, "1.weight")
    w = (d[1] - d[0]).reshape(1, 1, 4, 4)
    attack = attacks.Square(eps=0.02, n_queries=1500, p_init=0.3)
    labels = (linear(images)[:, 1] > linear(images)[:, 0]).long()
    result = engine.run(attack, linear, images, labels=labels)
    sign = torch.where(labels == 0, 1.0, -1.0).view(-1, 1, 1, 1) * w.sign()
    left = ~result.success
    assert bool(left.any())
    torch.testing.assert_close(result.perturbation[left], 0.02 * sign[left], rtol=0, atol=1e-9)


# ---------------------------------------------------------------------- HopSkipJump


def test_hop_skip_jump_finds_the_plane_of_a_linear_model() -> None:
    """The nearest point of a plane is known: ``margin / ||w||`` away, ``margin / ||w||_1`` in linf."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).double()
    weight = torch.randn(16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    module[1].weight.data = torch.stack([torch.zeros_like(weight), weight])
    module[1].bias.data = torch.stack([weight.sum() * 0, -0.5 * weight.sum() - 0.2 * weight.norm()])  # 0.2 away from mid-grey
    plane = engine.Classifier(module, ["below", "above"], (1, 4, 4), device="cpu")
    images = 0.48 + 0.04 * pixels(5, (1, 4, 4))
    margin = (plane(images)[:, 1] - plane(images)[:, 0]).abs()
    result = engine.run(attacks.HopSkipJump(steps=10), plane, images)
    assert bool(result.success.all())
    assert bool((result.norms["l2"] >= margin / weight.norm() * (1 - 1e-9)).all())
    assert bool((result.norms["l2"] <= margin / weight.norm() * 1.05).all())
    result = engine.run(attacks.HopSkipJump(steps=20, norm="linf"), plane, images)
    assert bool((result.norms["linf"] >= margin / weight.abs().sum() * (1 - 1e-9)).all())
    assert bool((result.norms["linf"] <= margin / weight.abs().sum() * 1.2).all())


def test_hop_skip_jump_shows_its_distance_over_the_queries(small64: engine.Classifier, images: Tensor) -> None:
    attack = attacks.HopSkipJump(steps=4, initial_evaluations=30)
    with engine.start(attack, small64, images[:1]) as run:
        iterations = [int(step.readings["iteration"]) for step in run]
        result = run.result()
    assert iterations == sorted(iterations)
    assert set(iterations) == {0, 1, 2, 3, 4}
    curve = result.artifacts["distance"]
    distances = curve.lines["L2 distance"]
    assert len(curve.x) == len(distances) == 2 + attack.steps  # where it starts, then the boundary before and after each step
    assert bool((curve.x.diff() > 0).all())
    assert float(curve.x[-1]) <= result.forwards
    assert float(distances[-1]) < float(distances[0])
    assert float(distances.min()) == pytest.approx(float(result.norms["l2"]), rel=1e-6)


def test_hop_skip_jump_begins_at_the_second_image(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    other = torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    said = small64.predict(other)
    row = next(row for row in range(6) if bool((said != labels[row]).any()))
    start = other[(said != labels[row]).nonzero()[0, 0]][None]
    target = small64.predict(start)
    given = {"labels": labels[row : row + 1], "targets": target, "start": start}
    with engine.start(attacks.HopSkipJump(steps=3), small64, images[row : row + 1], **given) as run:
        first, second, *_ = run
    assert torch.equal(first.adversarial, images[row : row + 1])
    torch.testing.assert_close(second.adversarial, start)
    result = run.result()
    assert bool(result.success.all())
    assert float(result.norms["l2"]) < float((start - images[row]).norm())


def test_a_walk_without_a_start_says_what_to_do() -> None:
    """A model that says one class whatever it sees."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).double()
    nn.init.zeros_(module[1].weight)
    module[1].bias.data = torch.tensor([3.0, 0.0, 0.0], dtype=torch.float64)
    stubborn = engine.Classifier(module, list("abc"), (1, 4, 4), device="cpu")
    image = pixels(1, (1, 4, 4))
    with pytest.raises(engine.GibbonError, match="Drop a second image that the model takes for something else"):
        engine.run(attacks.HopSkipJump(), stubborn, image)
    with pytest.raises(engine.GibbonError, match="No starting image is taken for the target"):
        engine.run(attacks.HopSkipJump(), stubborn, image, targets=torch.tensor([2]))
    wrong = engine.run(attacks.HopSkipJump(), stubborn, image, labels=torch.tensor([1]))  # needs none
    assert bool(wrong.success.all())
    assert float(wrong.norms["l2"]) == 0


BOARD = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * torch.ones(1, 1, 8, 8)


def chequered() -> engine.Classifier:
    """Knows a chequerboard, which no noise resembles, and says NaN where it is dark."""

    class Chequered(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            likeness = ((2 * BOARD - 1) * (2 * x - 1)).flatten(1).mean(1)
            likeness = torch.where(x.flatten(1).mean(1) < 0.1, torch.nan, likeness)
            return torch.stack([torch.zeros_like(likeness), likeness - 0.8], 1)

    return engine.Classifier(Chequered(), ["plain", "chequered"], (1, 8, 8), device="cpu")


@pytest.mark.parametrize("together", [None, 1, 2])
def test_images_without_a_start_stay_as_they_are_and_the_others_go_on(together: int | None) -> None:
    images, start = torch.full((4, 1, 8, 8), 0.5), BOARD.repeat(4, 1, 1, 1)
    start[1:3] = 0.6
    attack = attacks.HopSkipJump(steps=2, initial_evaluations=10)
    result = engine.run(attack, chequered(), images, start=start, rows_at_a_time=together)
    assert result.reason == "finished"
    assert result.success.tolist() == [True, False, False, True]
    assert torch.equal(result.adversarial[1:3], images[1:3])
    assert any("stay as they are" in note for note in result.notes)
    assert any("noise was tried" in note for note in result.notes)
    assert len(result.notes) == (1 if together == 1 else 2)
    with pytest.raises(engine.GibbonError, match="no adversarial image to start from"):
        engine.run(attack, chequered(), images[1:3], start=start[1:3], rows_at_a_time=together)


def test_a_walk_never_goes_where_the_model_says_nan() -> None:
    images = torch.full((1, 1, 8, 8), 0.5)
    with pytest.raises(engine.GibbonError, match="no adversarial image to start from"):
        engine.run(attacks.HopSkipJump(steps=1), chequered(), images, start=torch.zeros_like(images))


def test_steps_are_as_many_as_announced_and_the_best_is_asked_about_once(small64: engine.Classifier, images: Tensor) -> None:
    attack = attacks.HopSkipJump(steps=3, initial_evaluations=30)
    with engine.start(attack, small64, images[:2]) as run:
        steps = list(run)
    assert [step.index for step in steps] == list(range(steps[-1].total + 1))
    assert run.result().forwards < 2 * (128 + 3 * 30 * 2 + 16 * 8 + 4 * 60 + 60)


def test_labels_only_means_labels_only(small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the attack itself asks for goes through predict."""

    def refuse(*_: object) -> Tensor:
        raise AssertionError("scores were asked for")

    monkeypatch.setattr(ModelAccess, "__call__", refuse)
    result = engine.run(attacks.HopSkipJump(steps=1, initial_evaluations=10), small64, images[:1])
    assert bool(result.success.all())


def on_the_lattice(images: Tensor) -> Tensor:
    """``(N,)`` bool: every value times 255 is an integer."""
    levels = images.double() * 255
    return ((levels - levels.round()).abs() < 1e-4).flatten(1).all(1)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_with_eight_bit_all_that_succeed_are_files_and_still_near(norm: str, small: engine.Classifier, images: Tensor) -> None:
    clean = engine.images.lattice(images.float())
    labels = small.predict(clean)
    plain, kept = (
        engine.run(attacks.HopSkipJump.build(norm=norm, steps=8, eight_bit=eight_bit), small, clean, labels=labels)
        for eight_bit in (False, True)
    )
    assert bool(plain.success.all())
    assert not bool(plain.survives_8bit.all()), "rounding alone would lose some"
    assert bool(on_the_lattice(kept.adversarial).all())
    assert bool((small.predict(kept.adversarial) != labels).all())
    assert bool((kept.success & kept.survives_8bit).all())
    before, after = 255 * plain.norms[norm], 255 * kept.norms[norm]
    noise = math.sqrt(clean[0].numel() / 12)  # of rounding, in levels
    assert bool((after <= (before.ceil() + 1e-3 if norm == "linf" else 1.05 * before + noise)).all())


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_with_eight_bit_digits_hardly_go_farther(norm: str) -> None:
    digits = engine.models.load("digits", device="cpu")
    samples = [sample for sample in engine.images.samples() if sample.path.name.startswith("digit-")]
    clean = torch.stack([engine.images.read(sample.path, digits) for sample in samples])
    plain, kept = (
        engine.run(attacks.HopSkipJump.build(norm=norm, steps=4, eight_bit=eight_bit), digits, clean) for eight_bit in (False, True)
    )
    assert int(plain.survives_8bit.sum()) < 8
    assert bool((plain.success & kept.success & kept.survives_8bit & on_the_lattice(kept.adversarial)).all())
    assert float(kept.norms[norm].median()) <= 1.02 * float(plain.norms[norm].median())


def test_with_eight_bit_a_file_of_images_between_the_levels_succeeds_too(small64: engine.Classifier, images: Tensor) -> None:
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    mask[..., 1:7, 1:7] = 1
    result = engine.run(attacks.HopSkipJump(steps=3, initial_evaluations=20, eight_bit=True), small64, images, mask=mask)
    assert int(result.success.sum()) >= 4
    assert torch.equal(result.survives_8bit, result.success)
    outside = (mask == 0).expand_as(images)
    assert torch.equal(result.adversarial[outside], images[outside])
    moved = result.adversarial != images
    assert bool(on_the_lattice(result.adversarial[moved][None])[0])


def test_with_eight_bit_whatever_ends_the_run_what_succeeds_is_a_file(small64: engine.Classifier, images: Tensor) -> None:
    clean = engine.images.lattice(images)
    attack = attacks.HopSkipJump(steps=3, initial_evaluations=20, eight_bit=True)
    seen = 0
    with engine.start(attack, small64, clean) as run:
        for _ in run:
            result = run.result()
            assert bool(on_the_lattice(result.adversarial).all())
            seen += int(result.success.sum())
    assert seen > 0
    whole = run.result()
    for most in (60, 200, whole.forwards // len(clean) - 5):
        result = engine.run(attack.model_copy(update={"max_queries": most}), small64, clean)
        assert result.reason == "budget"
        assert result.forwards <= most * len(clean)
        assert torch.equal(result.survives_8bit, result.success)
        assert bool(on_the_lattice(result.adversarial).all())


def test_with_eight_bit_every_row_through_the_model_is_counted(small64: engine.Classifier, images: Tensor) -> None:
    passed = []
    handle = small64.module.register_forward_pre_hook(lambda _, given: passed.append(len(given[0])))
    try:
        result = engine.run(attacks.HopSkipJump(steps=2, initial_evaluations=20, eight_bit=True), small64, images)
    finally:
        handle.remove()
    assert result.forwards == sum(passed)


def test_with_eight_bit_what_no_file_can_hold_is_no_success() -> None:
    """A model that takes every image on the lattice for the same class."""
    model = off_the_lattice()
    images = engine.images.lattice(torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(6)))
    plain, kept = (
        engine.run(attacks.HopSkipJump(steps=2, initial_evaluations=10, eight_bit=eight_bit), model, images) for eight_bit in (False, True)
    )
    assert bool(plain.success.all())
    assert not bool(plain.survives_8bit.any())
    assert not bool(kept.success.any())
    assert torch.equal(kept.adversarial, images)


# ---------------------------------------------------------------------- Substitute


def test_the_oracles_labels_are_counted(small64: engine.Classifier, images: Tensor) -> None:
    attack = attacks.Substitute(eps=0.3, seeds=6, rounds=3, epochs=2, held_out=5)
    labels = small64.predict(images)
    with engine.start(attack, small64, images, labels=labels, data=small_data(small64)) as run:
        steps = list(run)
    labelled = 6 * 2**2 + 5
    assert run.result().forwards == labelled + 2 * len(images)  # and the driver's verdicts on the clean and the made images
    assert float(steps[-1].readings["queries"]) == labelled
    assert [row[1] for row in run.result().artifacts["rounds"].rows] == [6, 12, 24]
    assert [step.index for step in steps] == list(range(3 * 2 + 1 + 1))


def test_the_oracle_labels_a_part_at_a_time(small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, data = small64.predict(images), small_data(small64)
    attack = attacks.Substitute(eps=0.3, seeds=6, rounds=3, epochs=2, held_out=5)
    whole = engine.run(attack, small64, images, labels=labels, data=data)
    monkeypatch.setattr("engine.batching._PIXELS_ON_CPU", 1)
    with engine.start(attack, small64, images, labels=labels, data=data) as run:
        steps = list(run)
    assert [step.index for step in steps] == list(range(steps[-1].total + 1))
    assert len(steps) == len(whole.trace) + 2 + 1 + 2  # 11, 6 and 12 labels, four in a step
    torch.testing.assert_close(run.result().adversarial, whole.adversarial)
    assert run.result().forwards == whole.forwards


def test_more_labels_than_anybody_gives_are_refused() -> None:
    with pytest.raises(engine.GibbonError, match="labels of the oracle"):
        attacks.Substitute.build(seeds=100_000, rounds=12)


def test_a_budget_ends_the_labelling_not_the_attack(small64: engine.Classifier, images: Tensor) -> None:
    labels, data = small64.predict(images), small_data(small64)
    attack = attacks.Substitute(eps=0.3, seeds=6, rounds=5, epochs=1, held_out=0, max_queries=40)
    result = engine.run(attack, small64, images, labels=labels, data=data)
    assert result.reason == "finished"
    assert result.forwards <= 40
    assert len(result.artifacts["rounds"].rows) == 3
    assert not torch.equal(result.adversarial, images)


def test_the_augmentation_is_the_row_of_the_jacobian(small64: engine.Classifier, images: Tensor) -> None:
    from engine.attacks.substitute.network import gradient_of_labels

    labels = small64.predict(images)
    found = gradient_of_labels(small64.module, images, labels)
    for row in range(len(images)):
        jacobian = torch.autograd.functional.jacobian(lambda x: small64.module(x[None])[0], images[row])
        torch.testing.assert_close(found[row], jacobian[labels[row]])


@pytest.mark.parametrize("lambda_", [0.1, -0.1])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("reservoir", [None, 7])
def test_the_set_grows_as_in_the_paper(
    lambda_: float, periodic: bool, reservoir: int | None, small64: engine.Classifier, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every round's set is the one before and, of all its images or of a reservoir of them, those a step along the Jacobian's row away."""
    from engine.attacks.substitute import network as substitute_network

    trained: list[tuple[Tensor, Tensor]] = []
    gradients: list[tuple[Tensor, Tensor, Tensor]] = []

    def train(network: nn.Module, optimiser: torch.optim.Optimizer, known: Tensor, labels: Tensor, *rest: object) -> None:
        trained.append((known, labels))
        substitute_network.train_epoch(network, optimiser, known, labels, *rest)  # type: ignore[arg-type]

    def gradient(network: nn.Module, known: Tensor, labels: Tensor) -> Tensor:
        found = substitute_network.gradient_of_labels(network, known, labels)
        gradients.append((known, labels, found))
        return found

    monkeypatch.setattr("engine.attacks.substitute.attack.train_epoch", train)
    monkeypatch.setattr("engine.attacks.substitute.attack.gradient_of_labels", gradient)
    attack = attacks.Substitute(
        eps=0.3, seeds=5, rounds=5, epochs=1, held_out=4, lambda_=lambda_, periodic=periodic, reservoir=reservoir, doublings=2
    )
    result = engine.run(attack, small64, images, labels=small64.predict(images), data=small_data(small64))
    counts = [5, 10, 20, 40, 80] if reservoir is None else [5, 10, 20, 27, 34]
    assert [len(known) for known, _ in trained] == counts
    assert [row[1] for row in result.artifacts["rounds"].rows] == counts
    assert result.forwards == counts[-1] + 4 + 2 * len(images)
    for number, (base, labels, found) in enumerate(gradients):
        (before, theirs), (after, _) = trained[number], trained[number + 1]
        places = [int((before == image).flatten(1).all(1).nonzero()[0]) for image in base]
        assert len(set(places)) == len(base), "no image is drawn twice"
        assert torch.equal(labels, theirs[places])
        sign = -1 if periodic and number == 3 else 1
        assert torch.equal(after[: len(before)], before)
        torch.testing.assert_close(after[len(before) :], (base + sign * lambda_ * found.sign()).clamp(0, 1))
    for known, labels in trained:
        assert torch.equal(labels, small64.predict(known))


def test_a_reservoir_makes_many_rounds_cheap() -> None:
    attacks.Substitute(rounds=12, reservoir=400)
    with pytest.raises(engine.GibbonError, match="labels of the oracle"):
        attacks.Substitute.build(rounds=12)
    with pytest.raises(engine.GibbonError, match="no new images"):
        attacks.Substitute.build(lambda_=0)


def test_a_substitute_refuses_what_it_cannot_do(small64: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(engine.GibbonError, match="works on a data set"):
        engine.run(attacks.Substitute(), small64, images)
    grey = engine.data.DataSet("grey", ("a",), torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), "test")
    with pytest.raises(engine.GibbonError, match="Choose a set of that size"):
        engine.run(attacks.Substitute(), small64, images, data=grey)
    labels = small64.predict(images)
    with pytest.raises(engine.GibbonError, match="untargeted"):
        engine.run(attacks.Substitute(), small64, images, labels=labels, targets=(labels + 1) % 5, data=small_data(small64))


@cache
def plain_digits() -> engine.Classifier:
    """The architecture of ``digits``, trained on 10,000 digits as they are."""
    from engine.defenses import Train

    digits = engine.models.load("digits", device="cpu")
    train = engine.data.load("mnist", "train").subset(range(10_000))
    module = engine.run(Train(epochs=2, augment="none"), digits, data=train).artifacts["model"].module
    return engine.Classifier(module, digits.labels, digits.input_shape, *digits.normalisation, device="cpu")


@pytest.mark.data
@pytest.mark.slow
def test_a_substitute_fools_a_network_trained_without_augmentation() -> None:
    """Oracle accuracy of at most 45 % at eps = 0.3, where random noise of the same size leaves more than twice as much."""
    from engine.evaluate import control

    oracle, data = plain_digits(), engine.data.load("mnist", "test")
    x, y = data.batch(range(5000, 5500))
    result = engine.run(attacks.Substitute(seeds=1000, rounds=3), oracle, x, labels=y, data=data.subset(range(5000)))
    accuracy = 1 - float(result.success.float().mean())
    noise = float((oracle.predict(control(result.clean, result.adversarial)) == y).float().mean())
    print("oracle accuracy", accuracy, "under noise", noise, result.artifacts["rounds"].rows)
    assert accuracy <= 0.45
    assert noise > 2 * accuracy
    agreement = engine.run(attacks.Substitute(), oracle, x, labels=y, data=data.subset(range(5000))).artifacts["agreement"]
    assert float(agreement.lines["agreement"].max()) > max(0.7, float(agreement.lines["agreement"][0]))


@pytest.mark.data
@pytest.mark.slow
def test_a_hundred_and_fifty_seeds_and_the_sign_of_the_step() -> None:
    """METHODS C3: oracle accuracy of at most 45 % at eps = 0.3. One seed more or less is 4 points, so it is the mean of three."""
    oracle, data = plain_digits(), engine.data.load("mnist", "test")
    x, y = data.batch(range(5000, 5500))

    def accuracy(**parameters: object) -> float:
        attack = attacks.Substitute.build(**parameters)
        runs = [engine.run(attack, oracle, x, labels=y, data=data.subset(range(5000)), seed=seed) for seed in range(3)]
        kept = [1 - float(run.success.float().mean()) for run in runs]
        print("150 seeds", parameters, "oracle accuracy", kept)
        return sum(kept) / 3

    periodic, plain = accuracy(), accuracy(periodic=False)
    assert periodic < plain - 0.05
    assert periodic < 0.5
    assert accuracy(**attacks.Substitute.preset("Against the oracle's labels throughout").values) <= 0.45
