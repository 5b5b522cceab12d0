"""Draws of a row: its own, in whatever batch it is, and the same again from the beginning."""

from __future__ import annotations

import torch

from engine.randomness import RowRandom


def test_a_row_draws_alike_in_any_batch() -> None:
    whole, alone = RowRandom(5, range(4)), RowRandom(5, [2])
    assert torch.equal(whole.uniform((3,))[2], alone.uniform((3,))[0])
    assert torch.equal(whole.normal((2, 2))[2], alone.normal((2, 2))[0])
    assert torch.equal(whole.integers(1000)[2], alone.integers(1000)[0])
    assert torch.equal(whole.select([3, 2]).uniform((3,))[1], alone.uniform((3,))[0])


def test_rows_and_seeds_are_independent() -> None:
    draws = torch.cat([RowRandom(seed, range(3)).uniform((4,)) for seed in (0, 1)])
    assert len({tuple(row) for row in draws.tolist()}) == 6


def test_anew_is_from_the_first_draw_on() -> None:
    random = RowRandom(1, [7, 8])
    first = [random.uniform((3,)), random.normal((2,)), random.integers(9)]
    again = random.anew()
    assert all(
        torch.equal(draw, same) for draw, same in zip(first, (again.uniform((3,)), again.normal((2,)), again.integers(9)), strict=True)
    )
    assert not torch.equal(random.uniform((3,)), first[0])  # the rows themselves go on where they are
    some = random.select([1])
    some.uniform((5,))
    assert torch.equal(some.anew().uniform((3,)), first[0][1:])


def test_blocks_of_a_row_take_its_next_draws() -> None:
    blocks, plain = RowRandom(2, [4]).repeat(3).uniform((2,)), RowRandom(2, [4])
    assert torch.equal(blocks, torch.cat([plain.uniform((2,)) for _ in range(3)]))
