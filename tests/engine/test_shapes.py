"""Shapes of stickers: coverage, painting, mask and record agree for every shape that is listed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import engine
from engine import attacks, record
from engine import stickers as s
from engine.errors import GibbonError
from engine.record.stickers import StickerEntry
from tests.engine.test_record import load

every_shape = pytest.mark.parametrize("shape", [kind() for kind in s.SHAPES.values()], ids=list(s.SHAPES))
boxes = st.tuples(st.integers(-6, 12), st.integers(-6, 12), st.integers(1, 14), st.integers(1, 14))


def slow_coverage(sticker: s.Sticker, height: int, width: int) -> Tensor:
    """Point by point: 8 x 8 of them in each pixel, through the sticker's own question."""
    points = [(number + 0.5) / 8 for number in range(8)]
    return torch.tensor(
        [[sum(s.contains(sticker, x + dx, y + dy) for dx in points for dy in points) / 64 for x in range(width)] for y in range(height)]
    )[None]


@every_shape
@given(box=boxes)
@settings(max_examples=6, deadline=None)
def test_coverage_is_the_share_of_points_inside(shape: s.Shape, box: tuple[int, int, int, int]) -> None:
    sticker = s.Sticker(1, *box, shape=shape)
    torch.testing.assert_close(s.coverage(sticker, 9, 7), slow_coverage(sticker, 9, 7), atol=1.01 / 64, rtol=0)


@every_shape
def test_the_outline_encloses_what_is_covered(shape: s.Shape) -> None:
    """The polygon's area, by the shoelace formula, is the area that is covered."""
    corners = shape.outline()
    area = abs(sum(a * d - b * c for (a, b), (c, d) in zip(corners, (*corners[1:], corners[0]), strict=True))) / 2
    assert area == pytest.approx(float(shape.coverage(40, 60).mean()), abs=0.005)
    assert all(-1e-9 <= value <= 1 + 1e-9 for corner in corners for value in corner)


def test_an_ellipse_covers_a_quarter_of_pi() -> None:
    assert float(s.Ellipse().coverage(64, 32).mean()) == pytest.approx(torch.pi / 4, abs=2e-3)
    assert float(s.Ellipse().coverage(1, 1)) == pytest.approx(torch.pi / 4, abs=0.03)


@every_shape
def test_paint_blends_by_coverage(shape: s.Shape) -> None:
    image = torch.rand(3, 10, 12, generator=torch.Generator().manual_seed(0))
    sticker = s.Sticker(1, -2, 3, 9, 6, s.Colour((1.0, 0.5, 0.0)), opacity=0.75, shape=shape)
    covered = s.coverage(sticker, 10, 12)
    colour = torch.tensor([1.0, 0.5, 0.0])[:, None, None]
    torch.testing.assert_close(s.paint(image, [sticker]), (1 - covered) * image + covered * colour)


@every_shape
def test_what_an_attack_may_change_is_what_shows_of_the_sticker(shape: s.Shape) -> None:
    """``(1 - mask) * base + mask * content`` equals the painted image, with stickers below and above."""
    clean = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(1))
    below = s.Sticker(1, 0, 0, 6, 12, s.Colour((0.0, 1.0, 0.0)), opacity=0.5)
    painted = s.Sticker(2, 2, 1, 9, 10, s.Optimised(torch.rand(3, 10, 9)), shape=shape)
    above = s.Sticker(3, 5, 4, 6, 3, s.Colour((0.0, 0.0, 1.0)), opacity=0.5, shape=shape)
    made = s.compose(clean, (below, painted, above))
    assert made.mask is not None
    torch.testing.assert_close((1 - made.mask) * made.base + made.mask * made.content, made.shown, atol=1e-5, rtol=0)
    outside = s.coverage(painted, 12, 12) == 0
    assert float(made.mask[outside].max()) == 0


@every_shape
def test_an_attack_paints_within_the_shape_only(shape: s.Shape) -> None:
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    sticker = s.Sticker(1, 1, 1, 6, 5, s.Optimised(), shape=shape)
    scene = s.compose(clean, (sticker,))
    result = engine.run(attacks.StickerPGD(steps=4), classifier, scene.base[None], mask=scene.mask, seed=0)
    untouched = (s.coverage(sticker, 8, 8) == 0).expand(3, -1, -1)
    assert torch.equal(result.adversarial[0][untouched], clean[untouched])
    filled = s.with_content((sticker,), result.adversarial[0])
    assert filled[0].shape == shape


@every_shape
def test_a_record_keeps_the_shape(shape: s.Shape) -> None:
    sticker = s.Sticker(4, 1, 2, 3, 4, s.Colour((0.1, 0.2, 0.3)), 0.5, "round", shape)
    entry = StickerEntry.of(sticker)
    assert StickerEntry.model_validate_json(entry.model_dump_json()).sticker() == sticker
    assert (entry.shape is None) == isinstance(shape, s.Rectangle)


def test_a_shape_of_another_version_is_named() -> None:
    entry = StickerEntry.of(s.Sticker(1, 0, 0, 2, 2, shape=s.Ellipse()))
    with pytest.raises(GibbonError, match=r"no sticker shape “star” here\. There is: rectangle, ellipse"):
        entry.model_copy(update={"shape": record.stickers.ShapeEntry(kind="star")}).sticker()
    with pytest.raises(GibbonError, match="does not take corners"):
        entry.model_copy(update={"shape": record.stickers.ShapeEntry(kind="ellipse", parameters={"corners": 5})}).sticker()
    with pytest.raises(GibbonError, match="no shape of a sticker"):
        s.Sticker(1, 0, 0, 2, 2, shape="round")  # type: ignore[arg-type]


def test_the_mouse_takes_a_round_sticker_by_its_shape() -> None:
    sticker = s.Sticker(1, 0, 0, 10, 10, shape=s.Ellipse())
    assert s.find_hit([sticker], 5, 5, 0) == s.Hit(sticker)
    assert s.find_hit([sticker], 0.4, 0.4, 0) is None
    assert s.find_hit([replace(sticker, shape=s.Rectangle())], 0.4, 0.4, 0) is not None
