"""Shadows: LAB lightness times kappa inside a shape with a soft edge."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import stickers as s
from engine.errors import GibbonError
from engine.images.lightness import darkened, lightness
from engine.record.stickers import StickerEntry
from engine.stickers.shadow import with_penumbra

WHITE = (0.95047, 1.0, 1.08883)


def image(channels: int = 3, side: int = 16) -> Tensor:
    return torch.rand(channels, side, side, generator=torch.Generator().manual_seed(4))


def literal_lab(rgb: tuple[float, ...]) -> tuple[float, float, float]:
    """CIE's formulas written out for one colour, in Python's numbers."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb]
    matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    xyz = [sum(m * value for m, value in zip(row, linear, strict=True)) for row in matrix]
    roots = []
    for value, white in zip(xyz, WHITE, strict=True):
        t = value / white
        roots.append(t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * roots[1] - 16, 500 * (roots[0] - roots[1]), 200 * (roots[1] - roots[2])


def test_lightness_is_that_of_cie() -> None:
    picture = image().double()
    found = lightness(picture)[0]
    for row, column in ((0, 0), (3, 7), (15, 15)):
        assert float(found[row, column]) == pytest.approx(literal_lab(tuple(picture[:, row, column].tolist()))[0], abs=1e-3)
    greys = torch.linspace(0, 1, 6, dtype=torch.float64).reshape(1, 1, 6)
    torch.testing.assert_close(lightness(greys), lightness(greys.expand(3, 1, 6)))
    assert lightness(torch.ones(3, 1, 1)).item() == pytest.approx(100, abs=1e-3)
    assert lightness(torch.zeros(3, 1, 1)).item() == pytest.approx(0, abs=1e-4)


def test_a_darkened_colour_has_kappa_of_its_lightness_and_the_same_hue() -> None:
    """Dull colours, whose darker versions stay within the range of sRGB."""
    picture = 0.45 + 0.2 * image().double()
    darker = darkened(picture, 0.6)
    for row, column in ((0, 0), (5, 9), (12, 1)):
        before, after = (literal_lab(tuple(one[:, row, column].tolist())) for one in (picture, darker))
        assert after == pytest.approx((0.6 * before[0], before[1], before[2]), abs=0.02)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_lightness_of_a_grey_image_is_scaled(channels: int) -> None:
    greys = torch.linspace(0, 1, 9, dtype=torch.float64).reshape(1, 3, 3).expand(channels, 3, 3)
    torch.testing.assert_close(lightness(darkened(greys, 0.43)), 0.43 * lightness(greys), atol=1e-3, rtol=0)
    torch.testing.assert_close(darkened(greys, 0.43), darkened(greys[:1], 0.43).expand_as(greys), atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kappa_1_gives_the_image_back_bit_by_bit(channels: int, dtype: torch.dtype) -> None:
    picture = image(channels).to(dtype)
    picture[:, 0, :4], picture[:, 1, :4] = 0, 1
    assert torch.equal(darkened(picture, 1.0), picture)
    shadow = s.Sticker(1, -2.5, 3, 14, 9.3, s.Shadow(1.0, 4.0), opacity=0.7, shape=s.Ellipse(), angle=20)
    assert torch.equal(s.paint(picture, [shadow]), picture)


def test_a_batch_is_darkened_as_its_images() -> None:
    pictures = torch.stack([image(), image().flip(0)])
    together = darkened(pictures, torch.tensor([0.3, 0.8]).reshape(2, 1, 1, 1))
    torch.testing.assert_close(together, torch.stack([darkened(pictures[0], 0.3), darkened(pictures[1], 0.8)]))


def test_darkening_is_differentiable_even_in_black_and_white() -> None:
    picture = image().double()
    picture[:, 0, 0], picture[:, 0, 1] = 0, 1
    kappa = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    picture.requires_grad_()
    slopes = torch.autograd.grad(darkened(picture, kappa).sum(), [picture, kappa])
    assert all(bool(slope.isfinite().all()) for slope in slopes)
    step = 1e-6
    difference = (darkened(picture, 0.5 + step) - darkened(picture, 0.5 - step)).sum().detach() / (2 * step)
    assert float(slopes[1]) == pytest.approx(float(difference), rel=1e-4)


def test_the_edge_rises_over_half_of_the_blur() -> None:
    """A half plane: 0 outside, 1 from ``blur / 2`` pixels inside the outline, in between the integral of a box."""
    covered = torch.zeros(1, 20, dtype=torch.float64)
    covered[:, 10:] = 1
    covered = covered.expand(20, 20)
    for blur, expected in ((0.0, [0, 1, 1]), (1.0, [0, 1, 1]), (3.0, [0, 1 / 3, 1]), (5.0, [0, 0.2, 0.6, 1]), (4.0, [0, 0.25, 0.75, 1])):
        found = with_penumbra(covered, blur)[10, 9 : 9 + len(expected)]
        assert found.tolist() == pytest.approx(expected, abs=1e-9)


def literal_penumbra(covered: Tensor, blur: int) -> Tensor:
    """An odd blur, pixel by pixel."""
    half, (height, width) = blur // 2, covered.shape
    found = torch.zeros_like(covered)
    for row in range(height):
        for column in range(width):
            window = [
                float(covered[y, x]) if 0 <= y < height and 0 <= x < width else 0.0
                for y in range(row - half, row + half + 1)
                for x in range(column - half, column + half + 1)
            ]
            found[row, column] = min(float(covered[row, column]), min(max(2 * float(np.mean(window)) - 1, 0), 1))
    return found


@pytest.mark.parametrize("blur", [3, 5])
def test_the_penumbra_is_that_of_the_formula(blur: int) -> None:
    covered = s.coverage(s.Sticker(1, 2, 3, 11, 9, shape=s.Polygon(), angle=17), 16, 15)[0].double()
    torch.testing.assert_close(with_penumbra(covered, blur), literal_penumbra(covered, blur))


@pytest.mark.parametrize("blur", [0.0, 3.0, 4.0])
def test_outside_of_the_shape_no_bit_changes_and_inside_it_is_darker(blur: float) -> None:
    picture = image()
    shadow = s.Sticker(1, 2.2, 1, 12, 13, s.Shadow(0.43, blur), shape=s.Polygon(((0, 0), (1, 0.2), (0.3, 1))))
    plain = s.Sticker(1, 2.2, 1, 12, 13, shape=shadow.shape)
    painted, outside = s.paint(picture, [shadow]), s.coverage(plain, 16, 16)[0] == 0
    assert torch.equal(painted[:, outside], picture[:, outside])
    inside = s.coverage(shadow, 16, 16)[0] == 1
    assert bool(inside.any())
    torch.testing.assert_close(painted[:, inside], darkened(picture, 0.43)[:, inside], atol=1e-6, rtol=0)


def test_a_shadow_cut_by_the_image_has_no_edge_there() -> None:
    whole = s.coverage(s.Sticker(1, 10, 10, 9, 9, s.Shadow(0.5, 5.0)), 40, 40)
    cut = s.coverage(s.Sticker(1, -4, 10, 9, 9, s.Shadow(0.5, 5.0)), 40, 26)
    torch.testing.assert_close(cut, whole[:, :, 14:])


def test_a_shadow_darkens_the_stickers_below_it_only() -> None:
    picture = image()
    below, above = (s.Sticker(n, 4, 4, 6, 6, s.Colour(rgb)) for n, rgb in ((1, (1.0, 0.0, 0.0)), (3, (0.0, 0.0, 1.0))))
    shadow = s.Sticker(2, 0, 0, 16, 16, s.Shadow(0.4, 0.0))
    under, over = s.paint(picture, [below, shadow]), s.paint(picture, [shadow, above])
    torch.testing.assert_close(under, darkened(s.paint(picture, [below]), 0.4), atol=1e-6, rtol=0)
    assert torch.equal(over[:, 5, 5], torch.tensor([0.0, 0.0, 1.0]))


@pytest.mark.parametrize("blur", [0.0, 4.0])
@pytest.mark.parametrize("opacity", [1.0, 0.6])
@pytest.mark.parametrize("shape", [s.Rectangle(), s.Ellipse()])
def test_what_an_attack_may_change_beneath_a_shadow(blur: float, opacity: float, shape: s.Shape) -> None:
    """``(1 - mask) * base + mask * content`` is the painted image, and where the shadow is full, the mask is 0."""
    clean = image()
    content = torch.rand(3, 10, 9, generator=torch.Generator().manual_seed(7))
    painted = s.Sticker(1, 2, 1, 9, 10, s.Optimised(content), opacity=0.9, shape=shape)
    shadow = s.Sticker(2, 5, 4, 10, 10, s.Shadow(0.4, blur), opacity=opacity, shape=shape)
    for order in ((painted, shadow), (shadow, painted)):
        made = s.compose(clean, order)
        assert made.mask is not None
        torch.testing.assert_close((1 - made.mask) * made.base + made.mask * made.content, made.shown, atol=1e-5, rtol=0)
        assert torch.equal(made.shown, s.paint(clean, order))
        assert 0 <= float(made.base.min()) <= float(made.base.max()) <= 1
    covered = s.coverage(shadow, 16, 16)
    hidden = s.compose(clean, (painted, shadow)).mask
    assert hidden is not None
    torch.testing.assert_close(hidden, s.coverage(painted, 16, 16) * (1 - covered), atol=1e-6, rtol=0)


def test_a_record_keeps_a_shadow() -> None:
    shadow = s.Sticker(4, 1.5, 2, 6, 4, s.Shadow(0.3, 2.5), 0.5, "tree", s.Polygon())
    entry = StickerEntry.of(shadow)
    assert entry.content == "shadow"
    assert StickerEntry.model_validate_json(entry.model_dump_json()).sticker() == shadow


def test_bad_values_are_sentences() -> None:
    with pytest.raises(GibbonError, match=r"lightness is 1\.2\. Give a number from 0 to 1"):
        s.Shadow(1.2)
    with pytest.raises(GibbonError, match=r"blurred over -1 pixels\. Give 0 to"):
        s.Shadow(0.5, -1)
    with pytest.raises(GibbonError, match="blurred edge is nan"):
        s.Shadow(0.5, math.nan)
    with pytest.raises(GibbonError, match="no pixels of its own"):
        s.content_of(s.Sticker(1, 0, 0, 3, 3, s.Shadow()), 3)
