"""Thinned: evenly spaced whatever comes, never more than its room."""

from __future__ import annotations

from engine.thinning import Thinned


def test_what_is_kept_is_every_k_th_and_what_is_pinned() -> None:
    """Written out: k is the smallest power of two at which no more than 8 of the numbers so far were kept."""
    kept: Thinned[str] = Thinned(lambda items: len(items) > 8)
    for number in range(1000):
        kept.add(number, f"item {number}", pin=number == 3)
        assert len(kept.items) <= 8
        assert sorted(kept.items) == sorted({*range(0, number + 1, kept.every), *({3} if number >= 3 else ())})
        assert all(item == f"item {n}" for n, item in kept.items.items())
    assert kept.every == 256  # 0, 256, 512, 768 and 3; with 128 there would be nine


def test_pinned_items_alone_may_be_too_many() -> None:
    kept: Thinned[int] = Thinned(lambda items: len(items) > 2)
    for number in range(5):
        kept.add(number, number, pin=True)
    assert sorted(kept.items) == [0, 1, 2, 3, 4]


def test_gaps_in_the_numbers_are_no_matter() -> None:
    kept: Thinned[int] = Thinned(lambda items: len(items) > 3)
    for number in (0, 5, 6, 8, 16, 24, 32):
        kept.add(number, number)
    assert [n % kept.every for n in kept.items] == [0] * len(kept.items)
    assert len(kept.items) <= 3
