"""The shortest step to a plane in a box, and across the nearest of several, against formulas and the definition."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import engine
from engine.access import ModelAccess
from engine.attacks.toolkit.planes import Planes, beyond, dual_norm, leads, paper_step, step_across
from engine.attacks.toolkit.shortest_step import shortest
from engine.balls import BALLS
from tests.engine.conftest import linear_classifier
from tests.engine.test_closed_forms import middle_images, weights


def by_bisection(slope: Tensor, gain: float, low: Tensor, high: Tensor, norm: str) -> Tensor:
    """One row: the smallest multiple of the slope (of its sign) that gains enough after clamping."""
    direction = slope if norm == "l2" else slope.sign()
    below, above = 0.0, 1e6
    for _ in range(80):
        middle = (below + above) / 2
        reached = float((slope * (middle * direction).clamp(low, high)).sum())
        below, above = (below, middle) if reached >= gain else (middle, above)
    return (above * direction).clamp(low, high)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_shortest_step_in_a_box(norm: str) -> None:
    random = torch.Generator().manual_seed(3)
    slope = torch.randn(20, 12, generator=random, dtype=torch.float64)
    slope[:, 0] = 0
    low = -torch.rand(20, 12, generator=random, dtype=torch.float64)
    high = torch.rand(20, 12, generator=random, dtype=torch.float64)
    low[:, 1:4] = 0
    most = (slope.abs() * torch.where(slope > 0, high, -low)).sum(1)
    gain = most * torch.linspace(0.05, 0.95, 20, dtype=torch.float64)
    step, length = shortest(slope, gain, low, high, norm, 30)  # type: ignore[arg-type]
    for row in range(20):
        expected = by_bisection(slope[row], float(gain[row]), low[row], high[row], norm)
        torch.testing.assert_close(step[row], expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close((slope * step).sum(1), gain)
    torch.testing.assert_close(length, BALLS[norm](1.0).size(step[:, None, None]))  # type: ignore[index]


def test_tiny_slopes_do_not_underflow_and_planes_out_of_reach_are_approached() -> None:
    slope = torch.tensor([[3e-30, 4e-30], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    low, high = -torch.ones(4, 2), torch.tensor([[1.0, 1.0], [0.5, 0.5], [1.0, 1.0], [0.0, 1.0]])
    step, length = shortest(slope, torch.tensor([5e-30, 9.0, 1.0, 1.0]), low, high, "l2")
    torch.testing.assert_close(step, torch.tensor([[0.6, 0.8], [0.5, 0.5], [0.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(length, torch.tensor([1.0, math.sqrt(0.5), math.inf, math.inf]))


_RANDOM = torch.Generator().manual_seed(11)
_SLOPES = torch.randn(3, 5, 1, 2, 4, generator=_RANDOM, dtype=torch.float64)
_GAPS = torch.rand(3, 5, generator=_RANDOM, dtype=torch.float64) + 0.1


def everywhere() -> tuple[Tensor, Tensor]:
    high = torch.full((5, 8), torch.inf, dtype=torch.float64)
    return -high, high


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2.0), ("linf", 1.0)])
@pytest.mark.parametrize("rounds", [None, 0, 7])
def test_without_a_box_it_is_the_formula_of_the_paper(norm: str, dual: float, rounds: int | None) -> None:
    planes = Planes(_SLOPES, _GAPS)
    step, stuck = paper_step(planes, norm) if rounds is None else step_across(planes, *everywhere(), norm, rounds=rounds)  # type: ignore[arg-type]
    assert not bool(stuck.any())
    for row in range(5):
        lengths = [float(gap / slope.norm(p=dual)) for gap, slope in zip(_GAPS[:, row], _SLOPES[:, row], strict=True)]
        nearest = min(range(3), key=lengths.__getitem__)
        slope, length = _SLOPES[nearest, row], lengths[nearest] + 1e-4
        expected = length * (slope / slope.norm() if norm == "l2" else slope.sign())
        torch.testing.assert_close(step[row], expected)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_overshoot_is_a_share_of_the_gap(norm: str) -> None:
    step, _ = step_across(Planes(_SLOPES[:1], _GAPS[:1]), *everywhere(), norm, overshoot=0.5)  # type: ignore[arg-type]
    gained = (step * _SLOPES[0]).flatten(1).sum(1)
    torch.testing.assert_close(gained, 1.5 * _GAPS[0] + 1e-4 * dual_norm(_SLOPES[0], norm))  # type: ignore[arg-type]
    torch.testing.assert_close(gained, beyond(_GAPS[0], _SLOPES[0], norm, 0.5))  # type: ignore[arg-type]


def test_a_plane_that_no_value_can_move_to_is_no_choice_and_a_row_with_no_other_is_stuck() -> None:
    slopes = torch.zeros(2, 3, 1, 1, 2, dtype=torch.float64)
    slopes[0, :, 0, 0, 0], slopes[1, :, 0, 0, 1] = 10.0, 1.0  # the first plane is the nearer one, along the first value
    slopes[:, 2] = 0
    low, high = torch.full((3, 2), -1.0, dtype=torch.float64), torch.ones(3, 2, dtype=torch.float64)
    high[1, 0] = 0
    step, stuck = step_across(Planes(slopes, torch.full((2, 3), 0.2, dtype=torch.float64)), low, high, "l2")
    assert stuck.tolist() == [False, False, True]
    torch.testing.assert_close(step.flatten(1)[0], torch.tensor([0.02 + 1e-4, 0.0], dtype=torch.float64))
    torch.testing.assert_close(step.flatten(1)[1], torch.tensor([0.0, 0.2 + 1e-4], dtype=torch.float64))
    assert not bool(step[2].any())


def test_the_dual_norm_turns_a_gap_into_a_distance() -> None:
    slope = torch.tensor([[[[3.0, -4.0]]]])
    assert [float(dual_norm(slope, norm)) for norm in ("linf", "l2", "l1")] == [7.0, 5.0, 4.0]


def test_on_a_linear_model_slopes_and_gaps_are_differences_of_weights_and_logits() -> None:
    classifier: engine.Classifier = linear_classifier(4)
    images, (w, _) = middle_images(3).requires_grad_(), weights(classifier)
    view = ModelAccess(classifier, "gradients")
    logits = view(images)
    own, rivals = torch.tensor([0, 1, 2]), torch.tensor([[1, 2, 3], [3, 3, 0]])
    planes = Planes.of(view, leads(logits, own, rivals), images)
    for row in range(3):
        for k in range(2):
            other, mine = int(rivals[k, row]), int(own[row])
            torch.testing.assert_close(planes.slopes[k, row].flatten(), w[other] - w[mine])
            assert math.isclose(float(planes.gaps[k, row]), float((logits[row, mine] - logits[row, other]).detach()))


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_paper_s_step_is_the_shortest_one_without_a_box(norm: str) -> None:
    """Slopes however small, planes without a slope or a gap beside others, and rows that have none at all."""
    slopes, gaps = _SLOPES.clone(), _GAPS.clone()
    slopes[0, 0], gaps[2, 2] = 0, torch.nan
    slopes[:, 3], slopes[:, 4] = 0, slopes[:, 4] * 1e-100
    for planes in (Planes(slopes, gaps), Planes(slopes[:1], gaps[:1])):
        step, stuck = paper_step(planes, norm)  # type: ignore[arg-type]
        expected, without = step_across(planes, *everywhere(), norm)  # type: ignore[arg-type]
        torch.testing.assert_close(step, expected)
        assert torch.equal(stuck, without)
        assert stuck.tolist() == [len(planes.gaps) == 1, False, False, True, False]
    broken = slopes.clone()
    broken[1, 1] = torch.nan
    without = torch.tensor([0, 2])
    assert torch.equal(paper_step(Planes(broken, gaps), norm)[0][1], paper_step(Planes(slopes[without], gaps[without]), norm)[0][1])  # type: ignore[arg-type]


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_clipped_step_of_earlier_records_is_the_same_but_for_rounding(norm: str, small64: engine.Classifier, images: Tensor) -> None:
    given = {"norm": norm, "box": "clipped", "refine": 0, "boundary_steps": 0}
    new, old = (engine.run(engine.attacks.DeepFool(**given, clipped_step=step), small64, images) for step in ("paper", "newton"))
    torch.testing.assert_close(new.adversarial, old.adversarial, rtol=0, atol=1e-9)
    assert torch.equal(new.steps_to_flip, old.steps_to_flip)
