"""Rows that leave a batch: against the whole batch written out with plain indices."""

from __future__ import annotations

import torch

from engine.access import ModelAccess
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.operation import AttackStep, Problem
from engine.randomness import RowRandom
from tests.engine.conftest import linear_classifier


def problem(count: int) -> Problem:
    images = torch.arange(count, dtype=torch.float32).reshape(count, 1, 1, 1).expand(count, 1, 2, 2) / count
    access = ModelAccess(linear_classifier(), "gradients")
    return Problem(access, images, torch.arange(count), RowRandom(0, range(count)), targets=torch.arange(count) + 1)


def step_of(part: Problem, index: int) -> AttackStep:
    rows = part.labels.float()
    return AttackStep(index, 9, part.images + index, rows + 100 * index, torch.stack([rows, rows + index], 1))


def test_rows_leave_and_stay_as_they_were() -> None:
    active, whole = ActiveRows(problem(6)), step_of(problem(6), 0)
    rest = list(range(6))
    for index, gone in enumerate([[], [1, 4], [], [0], [2, 3, 5]], 1):
        before = whole
        step = step_of(active.problem, index)
        whole = active.spread(step, before)
        assert (whole.index, whole.total) == (index, 9)
        for row in range(6):
            expected = index if row in rest else int(before.loss[row]) // 100
            assert float(whole.loss[row]) == row + 100 * expected
            assert torch.equal(whole.adversarial[row], problem(6).images[row] + expected)
            assert whole.logits is not None
            assert whole.logits[row].tolist() == [row, row + expected]
        assert before.loss is not whole.loss
        left = active.drop(torch.tensor([row in gone for row in rest]))
        assert (left is None) == (not gone)
        if left is not None:
            assert [rest[place] for place in left.tolist()] == [row for row in rest if row not in gone]
        rest = [row for row in rest if row not in gone]
        assert active.rows.tolist() == active.problem.labels.tolist() == rest
        assert len(active) == len(rest)


def test_other_rows_can_be_taken_up_again() -> None:
    active = ActiveRows(problem(4))
    active.drop(torch.tensor([True, True, False, True]))
    active.work_on(torch.tensor([0, 3]))
    assert active.problem.labels.tolist() == [0, 3]
    active.keep(torch.tensor([1]))
    assert active.problem.targets is not None
    assert (active.rows.tolist(), active.problem.targets.tolist()) == ([3], [4])
    assert active.filled(torch.zeros(4), torch.tensor([7.0])).tolist() == [0, 0, 0, 7]
    active.work_on(torch.arange(4))
    part = torch.ones(4)
    assert active.filled(torch.zeros(4), part) is part


def test_the_draws_of_a_row_go_on_wherever_it_is() -> None:
    """A row draws the same numbers whether others have left the batch or not."""
    alone, among = RowRandom(3, [2]), problem(4)
    active = ActiveRows(Problem(among.classifier, among.images, among.labels, RowRandom(3, range(4))))
    first = active.problem.random.uniform((5,))[2]
    active.drop(torch.tensor([False, True, False, True]))
    second = active.problem.random.uniform((5,))[1]
    assert torch.equal(torch.stack([first, second]), torch.stack([alone.uniform((5,))[0], alone.uniform((5,))[0]]))
