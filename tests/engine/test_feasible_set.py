"""The ball, the range and the mask as one set: its two descriptions agree, and nothing leaves it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.access import ModelAccess
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.balls import L1, L2, Ball, Linf
from engine.operation import Problem
from engine.randomness import RowRandom
from tests.engine.conftest import linear_classifier

SHAPE = (4, 3, 5, 5)
BALLS = [None, Linf(0.2), L2(0.7), L1(2.0)]


def problem(mask: Tensor | None) -> Problem:
    images = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)).mul(1.4).sub(0.2).clamp(0, 1)  # many values at 0 and 1
    return Problem(
        ModelAccess(linear_classifier(), "gradients"), images, torch.zeros(4, dtype=torch.long), RowRandom(0, range(4)), mask=mask
    )


def a_mask() -> Tensor:
    mask = torch.zeros(1, 1, 5, 5)
    mask[..., 1:4, 2:] = 1
    return mask


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("ball", [None, Linf(0.2)])
def test_what_a_perturbation_can_reach_is_the_box_of_images(ball: Ball | None, masked: bool) -> None:
    feasible = FeasibleSet(problem(a_mask() if masked else None), ball)
    for side, end in ((-9.0, feasible.box.low), (9.0, feasible.box.high)):
        torch.testing.assert_close(feasible.images(feasible.project(torch.full(SHAPE, side))), end.expand(SHAPE), rtol=0, atol=1e-7)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("ball", BALLS)
def test_what_is_projected_lies_inside_and_stays(ball: Ball | None, masked: bool) -> None:
    mask = a_mask() if masked else None
    given = problem(mask)
    feasible = FeasibleSet(given, ball)
    for delta in (torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)), feasible.sample()):
        found = feasible.project(delta)
        images = feasible.images(found)
        assert float(images.min()) >= 0
        assert float(images.max()) <= 1
        if ball is not None:
            assert float(ball.size(found).max()) <= float(ball.eps) + 1e-5
        if mask is not None:
            assert torch.equal(images * (1 - mask), given.images * (1 - mask))
        torch.testing.assert_close(feasible.project(found), found, rtol=0, atol=1e-6)


def test_a_soft_mask_is_a_share_of_the_way_or_a_length() -> None:
    """The one place where the two descriptions differ, as the class says."""
    given = problem(torch.full((1, 1, 1, 1), 0.25).expand(1, 1, 5, 5))
    feasible = FeasibleSet(given)
    up = feasible.images(feasible.project(torch.full(SHAPE, 9.0)))
    torch.testing.assert_close(up, given.images + 0.25 * (1 - given.images))
    torch.testing.assert_close(feasible.box.high, (given.images + 0.25).clamp_max(1))
