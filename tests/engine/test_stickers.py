"""Stickers: what is hit, how they move, what they paint and where an attack may."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine import stickers as s

WHITE = s.Colour((1.0, 1.0, 1.0))
rectangles = st.builds(s.Sticker, st.just(1), st.integers(-12, 20), st.integers(-12, 20), st.integers(1, 14), st.integers(1, 14))


@given(sticker=rectangles)
@settings(max_examples=60, deadline=None)
def test_coverage_is_the_set_of_pixels_it_contains(sticker: s.Sticker) -> None:
    covered = s.coverage(sticker, 16, 12)[0] > 0
    slow = torch.tensor([[s.contains(sticker, c + 0.5, r + 0.5) for c in range(12)] for r in range(16)])
    assert torch.equal(covered, slow)


@given(sticker=rectangles)
@settings(max_examples=40, deadline=None)
def test_paint_changes_what_is_covered_and_nothing_else(sticker: s.Sticker) -> None:
    image = torch.rand(3, 16, 12, generator=torch.Generator().manual_seed(0)) * 0.5
    before = image.clone()
    painted = s.paint(image, [replace(sticker, content=WHITE)])
    covered = (s.coverage(sticker, 16, 12) > 0).expand_as(image)
    assert bool((painted[covered] == 1).all())
    assert torch.equal(painted[~covered], image[~covered])
    assert torch.equal(image, before)


@given(sticker=rectangles)
@settings(max_examples=60, deadline=None)
def test_a_sticker_never_leaves_the_image(sticker: s.Sticker) -> None:
    assert float(s.coverage(s.kept_on_image(sticker, 16, 12), 16, 12).sum()) > 0


def test_later_stickers_lie_on_top() -> None:
    image = torch.zeros(1, 4, 4)
    lower = s.Sticker(1, 0, 0, 3, 3, s.Colour((0.2, 0.2, 0.2)))
    upper = s.Sticker(2, 1, 1, 3, 3, s.Colour((0.8, 0.8, 0.8)))
    assert float(s.paint(image, [lower, upper])[0, 2, 2]) == pytest.approx(0.8)
    assert float(s.paint(image, s.reordered([lower, upper], 2, -1))[0, 2, 2]) == pytest.approx(0.2)


def test_opacity_mixes() -> None:
    painted = s.paint(torch.full((1, 2, 2), 0.5), [s.Sticker(1, 0, 0, 1, 1, WHITE, opacity=0.4)])
    assert painted.flatten().tolist() == pytest.approx([0.7, 0.5, 0.5, 0.5])


def test_the_mask_is_where_optimised_stickers_show() -> None:
    clean = torch.zeros(3, 6, 6)
    optimised = s.Sticker(1, 0, 0, 4, 4, s.Optimised())
    fixed = s.Sticker(2, 2, 2, 4, 4, WHITE)
    composition = s.compose(clean, [optimised, fixed])
    assert composition.mask is not None
    assert int(composition.mask.sum()) == 16 - 4
    assert float(composition.base[0, 5, 5]) == 1
    assert float(composition.base[0, 0, 0]) == 0
    assert float(composition.shown[0, 0, 0]) == 0.5
    below = s.compose(clean, [fixed, optimised])
    assert below.mask is not None
    assert int(below.mask.sum()) == 16
    assert s.compose(clean, [fixed]).mask is None


def test_an_attack_goes_on_from_what_a_sticker_that_shines_through_holds(small: engine.Classifier) -> None:
    clean, held = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    stickers = [s.Sticker(1, 1, 1, 4, 4, s.Optimised(held[:, :4, :4]), opacity=0.5), s.Sticker(2, 6, 6, 2, 2, WHITE)]
    composed = s.compose(clean, stickers)
    assert torch.equal(composed.content[:, 1:5, 1:5], held[:, :4, :4])
    attack = engine.attacks.StickerPGD(begin="current")
    run = engine.start(attack, small, composed.base[None], mask=composed.mask, start=composed.content[None])
    torch.testing.assert_close(next(run).adversarial[0], composed.shown)  # type: ignore[attr-defined]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize("opacities", [(1.0, 0.5, 1.0), (0.6, 0.3, 0.7), (1.0, 1.0, 1.0), (0.5, 1.0, 0.5)])
def test_what_is_attacked_is_what_is_painted(order: tuple[int, ...], opacities: tuple[float, ...]) -> None:
    """Whatever lies over whatever and shines through."""
    clean, held = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    places, contents = ((0, 0), (2, 1), (1, 3)), (s.Optimised(), s.Colour((0.9, 0.2, 0.4)), s.Optimised())
    made = [s.Sticker(i, x, y, 5, 4, contents[i], opacities[i]) for i, (x, y) in enumerate(places)]
    stickers = s.with_content([made[i] for i in order], held)
    composed = s.compose(clean, [made[i] for i in order])
    assert composed.mask is not None
    expected = (1 - composed.mask) * composed.base + composed.mask * held
    torch.testing.assert_close(s.paint(clean, stickers), expected)
    assert float(composed.base.min()) >= 0
    assert float(composed.base.max()) <= 1


def test_content_travels_with_its_sticker() -> None:
    image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    sticker = s.Sticker(1, 2, 3, 4, 2, s.Optimised())
    (filled,) = s.with_content([sticker], image)
    assert torch.equal(s.paint(torch.zeros(3, 8, 8), [filled])[:, 3:5, 2:6], image[:, 3:5, 2:6])
    away = s.moved(filled, 2, -3)
    assert torch.equal(s.paint(torch.zeros(3, 8, 8), [away])[:, 0:2, 4:8], image[:, 3:5, 2:6])


def test_hidden_content_stays_as_it_was() -> None:
    optimised = s.Sticker(1, 0, 0, 4, 1, s.Optimised(torch.full((1, 1, 4), 0.3)))
    above = s.Sticker(2, 2, 0, 2, 1, WHITE)
    filled, _ = s.with_content([optimised, above], torch.full((1, 2, 4), 0.9))
    assert isinstance(filled.content, s.Optimised)
    assert filled.content.image is not None
    assert filled.content.image.flatten().tolist() == pytest.approx([0.9, 0.9, 0.3, 0.3])


def test_a_stretched_picture_keeps_its_mean_colour() -> None:
    picture = s.Pixels(torch.tensor([[[0.0, 1.0]]]).expand(3, 1, 2))
    content = s.content_of(s.Sticker(1, 0, 0, 8, 4, picture), 1)
    assert tuple(content.shape) == (1, 4, 8)
    assert float(content.mean()) == pytest.approx(0.5)


def test_the_handle_of_the_selected_sticker_wins_then_the_topmost() -> None:
    lower, upper = s.Sticker(1, 0, 0, 10, 10), s.Sticker(2, 5, 5, 10, 10)
    assert s.find_hit([lower, upper], 7, 7, 1) == s.Hit(upper)
    assert s.find_hit([lower, upper], 2, 2, 1) == s.Hit(lower)
    assert s.find_hit([lower, upper], 9.6, 9.7, 1, selected=1) == s.Hit(lower, "se")
    assert s.find_hit([lower, upper], 9.6, 9.7, 0.1, selected=1) == s.Hit(upper)
    assert s.find_hit([lower, upper], 30, 30, 1) is None


@pytest.mark.parametrize("handle", s.HANDLES)
def test_the_opposite_side_stays(handle: s.Handle) -> None:
    sticker = s.Sticker(1, 4, 4, 6, 5)
    x, y = s.handle_position(sticker, handle)
    changed = s.resized(sticker, handle, x + 2, y + 1)
    assert (changed.x == sticker.x) or "w" in handle
    assert (changed.right == sticker.right) or "e" in handle
    assert (changed.y == sticker.y) or "n" in handle
    assert (changed.bottom == sticker.bottom) or "s" in handle
    assert s.resized(sticker, handle, x, y) == sticker
    far = s.resized(sticker, handle, -99 if "e" in handle else 99, -99 if "s" in handle else 99)
    assert far.width >= 1
    assert far.height >= 1


def test_a_corner_can_keep_the_aspect() -> None:
    changed = s.resized(s.Sticker(1, 0, 0, 4, 2), "se", 8, 3, keep_aspect=True)
    assert (changed.width, changed.height) == (8, 4)
    changed = s.resized(s.Sticker(1, 10, 10, 4, 2), "nw", 6, 11, keep_aspect=True)
    assert (changed.right, changed.bottom, changed.width, changed.height) == (14, 12, 8, 4)


@pytest.mark.parametrize("end", [(9.2, 6.7), (1.1, 6.7), (1.1, 0.2), (9.2, 0.2)])
def test_drawing_covers_both_corners_and_squares_keep_the_first(end: tuple[float, float]) -> None:
    start = (4.4, 3.6)
    drawn = s.between(1, start, end)
    assert s.contains(drawn, *start)
    assert s.contains(drawn, *end)
    square = s.between(1, start, end, square=True)
    assert square.width == square.height
    assert s.contains(square, *start)


def test_ids_are_unique() -> None:
    assert s.next_id([]) == 1
    assert s.next_id([s.Sticker(4, 0, 0, 1, 1), s.Sticker(2, 0, 0, 1, 1)]) == 5
