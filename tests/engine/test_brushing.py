"""Brush strokes against a literal reference, and what extending and erasing leave of a sticker, pixel by pixel."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from engine import stickers as s
from engine.errors import GibbonError
from engine.stickers.brushing import Stroke, brushed, content_for, disc, erased, extended

IMAGE = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(1))


def reference(points: list[tuple[float, float]], radius: int, height: int = 20, width: int = 24) -> torch.Tensor:
    """The stroke pixel by pixel: near enough to one of the segments between middles of pixels."""
    middles = [(math.floor(x) + 0.5, math.floor(y) + 0.5) for x, y in points]
    covered = torch.zeros(height, width, dtype=torch.bool)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            for (ax, ay), (bx, by) in zip(middles, middles[1:] or middles, strict=False):
                length = (bx - ax) ** 2 + (by - ay) ** 2
                share = 0.0 if length == 0 else min(1.0, max(0.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
                if math.dist((x, y), (ax + share * (bx - ax), ay + share * (by - ay))) <= radius - 0.5 + 1e-6:
                    covered[row, column] = True
    return covered


def stroke(points: list[tuple[float, float]], radius: int) -> torch.Tensor:
    made = Stroke(20, 24, radius)
    for point in points:
        made.reach(*point)
    return made.covered


@pytest.mark.parametrize("radius", [1, 2, 3, 7, 40])
@pytest.mark.parametrize(
    "points", [[(3.2, 4.9)], [(1, 1), (20.5, 15.1)], [(5, 18), (5, 2), (22, 2)], [(-9, -4), (30, 25)], [(0, 19.99), (23.99, 0)]]
)
def test_a_stroke_is_every_pixel_near_its_way(points: list[tuple[float, float]], radius: int) -> None:
    assert torch.equal(stroke(points, radius), reference(points, radius))


def test_the_smallest_brush_is_a_single_pixel() -> None:
    assert stroke([(7.9, 3.1)], 1).nonzero().tolist() == [[3, 7]]


@pytest.mark.parametrize("radius", [0, -1, 1.5, True, "2"])
def test_a_brush_without_width_is_refused(radius: object) -> None:
    with pytest.raises(GibbonError, match="at least 1: a single pixel"):
        Stroke(20, 24, radius)  # type: ignore[arg-type]


def test_a_new_sticker_covers_the_stroke_and_nothing_else() -> None:
    covered = stroke([(3, 4), (15, 9)], 2)
    sticker = brushed(5, covered, s.Colour((1, 0, 0)))
    assert torch.equal(s.coverage(sticker, 20, 24)[0], covered.float())
    assert sticker.on_pixels
    with pytest.raises(GibbonError, match="Paint at least one pixel"):
        brushed(5, torch.zeros(20, 24, dtype=torch.bool))


def test_a_disc_is_in_the_middle() -> None:
    covered = s.coverage(disc(1, 21, 21, 4), 21, 21)[0]
    assert torch.equal(covered, covered.flip(0))
    assert torch.equal(covered, covered.flip(1))
    assert covered[10, 10] == 1


STICKERS = [
    s.Sticker(1, 4, 3, 9, 8, s.Colour((0, 1, 0))),
    s.Sticker(1, 4, 3, 9, 8, s.Optimised(torch.rand(3, 8, 9))),
    s.Sticker(1, 4, 3, 9, 8, s.Pixels(torch.rand(3, 5, 4), "picture"), 0.5, shape=s.Ellipse()),
    s.Sticker(1, 4.25, 3.5, 9, 8, s.Optimised(torch.rand(3, 8, 9)), angle=33),
    s.Sticker(1, -3, 12, 9, 12, s.Pixels(torch.rand(3, 12, 9)), shape=s.Polygon()),
    disc(1, 20, 24, 5, s.Optimised()),
]


@pytest.mark.parametrize("sticker", STICKERS)
def test_extended_looks_as_before_beside_the_stroke_and_is_covered_under_it(sticker: s.Sticker) -> None:
    covered = stroke([(2, 15), (20, 17)], 2)
    after = extended(sticker, covered)
    share = s.coverage(after, 20, 24)[0]
    assert (share[covered] - sticker.opacity).abs().max() < 1 / 255
    assert (share - s.coverage(sticker, 20, 24)[0])[~covered].abs().max() <= 1 / 255
    before, now = s.paint(IMAGE, [sticker]), s.paint(IMAGE, [after])
    assert (before - now)[:, ~covered].abs().max() < 0.01
    assert (after.id, after.opacity, after.name) == (sticker.id, sticker.opacity, sticker.name)


@pytest.mark.parametrize("sticker", STICKERS)
def test_erased_looks_as_before_beside_the_stroke_and_is_bare_under_it(sticker: s.Sticker) -> None:
    covered = stroke([(2, 15), (12, 2)], 2)
    after = erased(sticker, covered)
    assert after is not None
    assert s.coverage(after, 20, 24)[0][covered].max() == 0
    before, now = s.paint(IMAGE, [sticker]), s.paint(IMAGE, [after])
    assert torch.equal(now[:, covered], IMAGE[:, covered])
    assert (before - now)[:, ~covered].abs().max() < 0.01


def test_content_that_was_painted_before_a_stroke_stays_in_place_and_goes_along_with_a_box() -> None:
    before = s.Sticker(1, 4, 3, 9, 8, s.Optimised())
    painted = replace(before, content=s.Optimised(torch.rand(3, 8, 9)))
    grown = extended(before, stroke([(2, 15), (20, 17)], 2))
    content = content_for(grown, painted)
    shown = s.paint(IMAGE, [replace(grown, content=content)])
    assert torch.equal(shown[:, 3:11, 4:13], s.paint(IMAGE, [painted])[:, 3:11, 4:13])
    wider = replace(before, width=18)
    assert content_for(wider, painted) is painted.content
    assert content_for(replace(grown, x=grown.x + 3), replace(grown, content=content)) is content


def test_a_stroke_that_changes_nothing_gives_the_sticker_itself() -> None:
    sticker = disc(1, 20, 24, 5)
    inside = stroke([(12, 10)], 1)
    assert extended(sticker, inside) is sticker
    assert erased(sticker, stroke([(1, 1)], 1)) is sticker
    assert extended(sticker, torch.zeros(20, 24, dtype=torch.bool)) is sticker


def test_an_emptied_sticker_is_none_and_its_box_shrinks_with_it() -> None:
    sticker = s.Sticker(1, 4, 3, 6, 6)
    everything = torch.ones(20, 24, dtype=torch.bool)
    assert erased(sticker, everything) is None
    left = everything.clone()
    left[5, 7] = False
    rest = erased(sticker, left)
    assert rest is not None
    assert (rest.x, rest.y, rest.width, rest.height) == (7, 5, 1, 1)


def test_a_part_off_the_image_is_not_erased() -> None:
    sticker = s.Sticker(1, -4, 3, 6, 6)
    rest = erased(sticker, torch.ones(20, 24, dtype=torch.bool))
    assert rest is not None
    assert (rest.x, rest.width, rest.height) == (-4, 4, 6)


def test_a_sticker_that_is_too_large_is_a_sentence() -> None:
    huge = s.Sticker(1, 0, 0, 1_000_000, 1_000_000)
    for change in (extended, erased):
        with pytest.raises(GibbonError, match="too large"):
            change(huge, stroke([(1, 1)], 2))
    assert replace(huge, width=10, height=10).on_pixels
