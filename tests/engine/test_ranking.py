"""The order of candidates against the same order in Python's tuples."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from engine.ranking import beats, best_of, reached

_SCORES = (-torch.inf, -1.0, 0.0, 2.5, torch.inf)
_CANDIDATES = tuple(product((False, True), _SCORES))


def _columns(count: int) -> tuple[Tensor, Tensor]:
    """``(count, combinations)``: every way to choose ``count`` candidates, equal ones included."""
    rows = list(product(_CANDIDATES, repeat=count))
    success, score = zip(*(zip(*row, strict=True) for row in rows), strict=True)
    return torch.tensor(success).T, torch.tensor(score).T


@pytest.mark.parametrize("dim", [0, 1])
def test_a_success_comes_first_then_the_largest_score_then_the_earliest(dim: int) -> None:
    success, score = _columns(3)
    found = best_of(success, score) if dim == 0 else best_of(success.T, score.T, dim=1)
    for place, rank in zip(found.tolist(), zip(success.T.tolist(), score.T.tolist(), strict=True), strict=True):
        candidates = list(zip(*rank, strict=True))
        assert place == candidates.index(max(candidates)), candidates


def test_one_beats_another_where_its_pair_of_success_and_score_is_larger() -> None:
    success, score = _columns(2)
    found = beats(success[0], score[0], success[1], score[1])
    pairs = zip(success.T.tolist(), score.T.tolist(), strict=True)
    assert found.tolist() == [(mine, score_) > (held, best) for (mine, held), (score_, best) in pairs]


def test_what_is_not_a_number_beats_nothing_of_its_kind() -> None:
    nan, success = torch.tensor([torch.nan, 1.0, torch.nan]), torch.tensor([True, False, False])
    assert beats(success, nan, success, torch.tensor([1.0, torch.nan, torch.nan])).tolist() == [False] * 3


def test_the_order_holds_in_every_precision() -> None:
    for dtype in (torch.float16, torch.float32, torch.float64):
        score = torch.tensor([[3.0], [-torch.inf]], dtype=dtype)
        assert best_of(torch.tensor([[False], [True]]), score).item() == 1


def test_what_an_attacker_wants() -> None:
    prediction, labels, targets = torch.tensor([0, 1, 2, -1]), torch.tensor([0, 0, 2, 0]), torch.tensor([1, 1, 2, 1])
    assert reached(prediction, labels, None).tolist() == [False, True, False, True]
    assert reached(prediction, labels, targets).tolist() == [False, True, True, False]
    assert [reached(p, label, None) for p, label in ((3, 3), (4, 3))] == [False, True]
    assert [reached(p, 3, 5) for p in (3, 4, 5)] == [False, False, True]
    # Several predictions of each row, as black-box attacks ask for them.
    many = torch.tensor([[0, 1, 2], [0, 1, 2]])
    assert reached(many, torch.tensor([[0], [1]]), None).tolist() == [[False, True, True], [True, False, True]]
