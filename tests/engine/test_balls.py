"""Projections are nearest points, steepest directions are the best of the unit ball, samples lie inside."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.balls import BALLS, L0, L1, L2, Linf, Norm
from engine.randomness import RowRandom

NORMS: list[Norm] = ["linf", "l2", "l1", "l0"]
deltas = hnp.arrays("float64", (3, 2, 3, 3), elements=st.floats(-2, 2, width=32)).map(torch.from_numpy)


@pytest.mark.parametrize("norm", NORMS)
@given(delta=deltas, eps=st.sampled_from([0.01, 0.3, 1.0, 4.0]))
@settings(max_examples=40, deadline=None)
def test_projection_is_inside_idempotent_and_nearest(norm: Norm, delta: torch.Tensor, eps: float) -> None:
    ball = BALLS[norm](max(1, round(eps)) if norm == "l0" else eps)
    projected = ball.project(delta)
    assert bool((ball.size(projected) <= float(ball.eps) + 1e-9).all())
    torch.testing.assert_close(ball.project(projected), projected)
    inside = ball.size(delta) <= float(ball.eps)
    torch.testing.assert_close(projected[inside], delta[inside])
    distance = (projected - delta).flatten(1).norm(dim=1)
    others = ball.sample(RowRandom(0, range(3)), delta)
    assert bool((distance <= (others - delta).flatten(1).norm(dim=1) + 1e-9).all())


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_steepest_is_the_dual_norm(norm: Norm) -> None:
    """max <d, g> over the unit ball is the dual norm of g."""
    g = torch.randn(4, 3, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    dual = {"linf": 1, "l2": 2, "l1": torch.inf}[norm]
    reached = (BALLS[norm](1.0).steepest(g) * g).flatten(1).sum(1)
    torch.testing.assert_close(reached, g.flatten(1).norm(p=dual, dim=1))


@pytest.mark.parametrize("norm", NORMS)
def test_samples_fill_the_ball(norm: Norm) -> None:
    ball = BALLS[norm](3 if norm == "l0" else 0.5)
    like = torch.zeros(400, 1, 2, 2, dtype=torch.float64)
    sizes = ball.size(ball.sample(RowRandom(0, range(400)), like))
    assert float(sizes.max()) <= float(ball.eps) + 1e-9
    if norm != "l0":
        # Uniform in n dimensions: the radius has the distribution u^(1/n), whose mean is n / (n + 1).
        assert float(sizes.mean()) / 0.5 == pytest.approx(4 / 5, abs=0.05)


def test_l1_projection_equals_a_slow_bisection() -> None:
    v = torch.randn(1, 1, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    low, high = 0.0, 10.0
    for _ in range(80):
        level = (low + high) / 2
        if float((v.abs() - level).clamp_min(0).sum()) > 0.7:
            low = level
        else:
            high = level
    torch.testing.assert_close(L1(0.7).project(v), v.sign() * (v.abs() - high).clamp_min(0), atol=1e-9, rtol=0)


def test_every_row_may_have_its_own_radius() -> None:
    v = torch.full((3, 1, 2, 2), 9.0)
    eps = torch.tensor([0.1, 1.0, 2.0])
    for ball in (Linf(eps), L2(eps), L1(eps)):
        torch.testing.assert_close(ball.size(ball.project(v)), eps)
    assert L0(torch.tensor([0, 1, 3])).size(v[:, :1]).tolist() == [4, 4, 4]
    assert L0(torch.tensor([0, 1, 3])).size(L0(torch.tensor([0, 1, 3])).project(v)).tolist() == [0, 1, 3]


def test_zero_rows_stay_zero() -> None:
    zero = torch.zeros(2, 1, 3, 3)
    for norm in NORMS:
        ball = BALLS[norm](1.0)
        assert torch.equal(ball.project(zero), zero)
        assert not ball.steepest(zero).isnan().any()
