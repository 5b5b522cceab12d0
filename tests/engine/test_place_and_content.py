"""Place and content of a sticker together: halving, the sticker found, and what the place is worth."""

from __future__ import annotations

import pytest
import torch

import engine
from engine import attacks, record
from engine.errors import GibbonError
from engine.stickers import Pixels, paint
from tests.engine.test_sticker_search import found, signs


def test_the_sticker_found_gives_the_adversarial_image_bit_by_bit() -> None:
    classifier, images, labels = signs()
    region = torch.zeros(32, 32)
    region[4:28, 6:26], region[12:14, 12:20] = 1, 0
    attack = attacks.PlaceAndContent(width=4, height=3, places=8, round_steps=2, steps=4)
    result = engine.run(attack, classifier, images[:4], labels[:4], mask=region, seed=1)
    for image, adversarial, stickers in zip(images[:4], result.adversarial, found(result).stickers, strict=True):
        (sticker,) = stickers
        assert isinstance(sticker.content, Pixels)
        assert (sticker.width, sticker.height) == (4, 3)
        assert bool((region[int(sticker.y) : int(sticker.y) + 3, int(sticker.x) : int(sticker.x) + 4] == 1).all())
        assert torch.equal(paint(image, stickers), adversarial)
        outside = torch.ones(32, 32, dtype=torch.bool)
        outside[int(sticker.y) : int(sticker.y) + 3, int(sticker.x) : int(sticker.x) + 4] = False
        assert torch.equal(adversarial[:, outside], image[:, outside])


@pytest.mark.parametrize(("places", "rows"), [(1, [1] * 4), (5, [5, 5, 3, 3, 2, 2] + [1] * 4), (8, [8, 8, 4, 4, 2, 2] + [1] * 4)])
def test_the_worse_half_is_given_up_after_every_round(places: int, rows: list[int]) -> None:
    """One row for the clean image, then ``round_steps`` steps of every round, and ``steps + 1`` looks at the winner."""
    classifier, images, labels = signs()
    attack = attacks.PlaceAndContent(width=4, height=4, places=places, round_steps=2, steps=3)
    result = engine.run(attack, classifier, images[:1], labels[:1])
    assert result.forwards == 1 + sum(rows)
    assert result.backwards == sum(rows[:-1])


def test_one_place_is_the_sticker_attack_at_that_place() -> None:
    classifier, images, labels = signs()
    region = torch.zeros(32, 32)
    region[13:19, 13:19] = 1
    placed = engine.run(attacks.PlaceAndContent(places=1, steps=10, step_size=0.1), classifier, images[:3], labels[:3], mask=region)
    fixed = engine.run(
        attacks.StickerPGD(steps=10, step_size=0.1, loss="margin", begin="grey"), classifier, images[:3], labels[:3], mask=region
    )
    torch.testing.assert_close(placed.trace[1:], fixed.trace.cummax(0).values.clamp(min=placed.trace[:1]), atol=1e-3, rtol=0)


def test_the_best_of_many_places_beats_the_middle() -> None:
    """Small stickers: the same number of steps for the winner as for the one in the middle."""
    classifier, images, labels = (signs()[0], *(each[:12] for each in signs()[1:]))
    middle = torch.zeros(32, 32)
    middle[14:17, 14:17] = 1
    fixed = engine.run(attacks.PlaceAndContent(width=3, height=3, places=1, steps=12), classifier, images, labels, mask=middle)
    chosen = engine.run(attacks.PlaceAndContent(width=3, height=3, places=16, round_steps=3, steps=12), classifier, images, labels)
    assert int(chosen.success.sum()) > int(fixed.success.sum())


def test_it_replays_and_bad_input_is_a_sentence() -> None:
    classifier, images, labels = signs()
    result = engine.run(
        attacks.PlaceAndContent(places=4, steps=2, round_steps=1, begin="random"), classifier, images[:1], labels[:1], seed=3
    )
    assert record.replay(record.record_of(result, image=record.image_entry(images[0]))).same
    with pytest.raises(GibbonError, match=r"40 × 6 pixels, does not fit into the region"):
        engine.run(attacks.PlaceAndContent(width=40), classifier, images[:1], labels[:1])
