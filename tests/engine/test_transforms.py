"""Transformations of stickers and images: draws, geometry against a literal reference, gradients, and what changes nothing."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

import engine
from engine.randomness import RowRandom
from engine.stickers.transforms import NUMBERS, Ranges, Transforms, draw, grids, lit, photographed, placed
from tests.pretended_gpu import pretended_gpu

ALL = Ranges(
    smallest=0.7,
    largest=1.3,
    rotation=30,
    perspective=0.3,
    shift=0.1,
    brightness=0.1,
    contrast=0.3,
    gamma=1.3,
    noise=0.05,
    blur=1,
    quality=60,
)
SHAPE = (3, 12, 10)


def pictures(count: int = 4, shape: tuple[int, ...] = SHAPE, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(3), dtype=dtype)


def exactly(count: int = 1, **values: float | tuple[float, float]) -> Transforms:
    """Transformations of given values, not drawn ones."""
    made = Ranges(rotation=180, perspective=0.9, shift=0.5).transforms(torch.full((count, NUMBERS), 0.5))
    plain = {"scale": 1.0, "angle": 0.0, "tilt": (0.0, 0.0), "shift": (0.0, 0.0)} | values
    return dataclasses.replace(made, **{name: torch.tensor([value] * count) for name, value in plain.items()})


# ---------------------------------------------------------------- draws


def test_ranges_that_change_nothing_return_the_same_images() -> None:
    images = pictures()
    assert Ranges().is_identity
    drawn = draw(Ranges(), RowRandom(0, range(4)), 1, SHAPE)
    assert photographed(images, drawn) is images
    assert photographed(images, drawn, exact=True) is images


def test_draws_fill_their_ranges_and_no_more() -> None:
    drawn = draw(ALL, RowRandom(1, [0]), 4000, (1, 2, 2))
    ends = {
        "scale": (0.7, 1.3),
        "angle": (-math.radians(30), math.radians(30)),
        "tilt": (-0.15, 0.15),
        "shift": (-0.1, 0.1),
        "brightness": (-0.1, 0.1),
        "contrast": (0.7, 1.3),
        "gamma": (1 / 1.3, 1.3),
        "sigma": (0, 0.05),
        "blur": (0, 1),
    }
    for name, (low, high) in ends.items():
        values, room = getattr(drawn, name), 0.01 * (high - low)
        assert low - 1e-6 <= float(values.min()) < low + room, name
        assert high - room < float(values.max()) <= high + 1e-6, name
    assert set(drawn.quality.tolist()) == set(range(60, 101))
    assert drawn.normal is not None
    assert float(drawn.normal.std()) == pytest.approx(1, abs=0.05)


def test_a_batch_draws_what_its_single_images_draw_in_blocks() -> None:
    together = draw(ALL, RowRandom(5, range(3)), 4, SHAPE)
    for row in range(3):
        alone = draw(ALL, RowRandom(5, [row]), 4, SHAPE)
        for name in ("scale", "shift", "quality", "normal"):
            assert torch.equal(getattr(together, name)[row::3], getattr(alone, name))


def test_one_range_changes_no_other_draw() -> None:
    few = draw(Ranges(rotation=30), RowRandom(5, [0]), 8, SHAPE)
    assert torch.equal(few.angle, draw(ALL, RowRandom(5, [0]), 8, SHAPE).angle)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"smallest": 2.0}, "scale cannot range from 2.0 to 1.0"),
        ({"smallest": 0.0}, "above 0"),
        ({"perspective": 1.0}, "perspective must be below 1"),
        ({"contrast": 1.5}, "contrast at most 1"),
        ({"gamma": 0.5}, "gamma is 1 or more"),
        ({"quality": 0}, "quality of JPEG"),
        ({"rotation": -5.0}, "range of rotation is -5.0"),
        ({"noise": math.nan}, "range of noise is nan"),
        ({"blur": "much"}, "range of blur is 'much'"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_in_a_sentence(values: dict[str, float], said: str) -> None:
    with pytest.raises(engine.GibbonError, match=said):
        Ranges(**values)


# ---------------------------------------------------------------- geometry


def literal(transforms: Transforms, row: int, x: float, y: float, size: tuple[int, int], content: tuple[int, int]) -> tuple[float, float]:
    """The point of the content, in units of half its sides, that is seen at the point (x, y) of the image, one number after the other."""
    (height, width), (h, w) = size, content
    shift = transforms.shift[row].tolist()
    dx, dy = x - width / 2 - shift[0] * width, y - height / 2 - shift[1] * height
    angle, scale = float(transforms.angle[row]), float(transforms.scale[row])
    across, down = math.cos(angle) * dx + math.sin(angle) * dy, math.cos(angle) * dy - math.sin(angle) * dx
    u, v = across / scale / (w / 2), down / scale / (h / 2)
    depth = 1 + float(transforms.tilt[row, 0]) * u + float(transforms.tilt[row, 1]) * v
    return u / depth, v / depth


def test_grids_are_the_formula_at_every_pixel() -> None:
    drawn, size, content = draw(ALL, RowRandom(2, [0]), 5, SHAPE), (12, 10), (7, 9)
    found = grids(drawn, size, content)
    for row in range(5):
        expected = torch.tensor([[literal(drawn, row, x + 0.5, y + 0.5, size, content) for x in range(10)] for y in range(12)])
        torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


def test_a_quarter_turn_and_a_shift_of_whole_pixels_are_exact_and_the_border_is_a_mirror() -> None:
    images = pictures(1, (3, 8, 8), torch.float64)
    turned = photographed(images, exactly(angle=math.pi / 2))
    torch.testing.assert_close(turned, images.rot90(-1, (2, 3)), rtol=0, atol=1e-5)  # clockwise, since y points down
    back = photographed(turned, exactly(angle=-math.pi / 2))
    torch.testing.assert_close(back, images, rtol=0, atol=1e-5)
    shifted = photographed(images, exactly(shift=(0.25, -0.125)))
    torch.testing.assert_close(shifted[..., :-1, 2:], images[..., 1:, :-2], rtol=0, atol=1e-5)
    torch.testing.assert_close(shifted[..., :-1, :2], images[..., 1:, :2].flip(3), rtol=0, atol=1e-5)


def test_a_sticker_placed_as_it_was_drawn_is_painted_pixel_for_pixel() -> None:
    images, content = pictures(2), pictures(1, (3, 4, 5))[0]
    coverage = torch.ones(1, 4, 5)
    coverage[0, 0, 0], coverage[0, 3, 4] = 0.0, 0.5
    centres = torch.tensor([[0.5, 1.0], [-2.5, -4.0]])  # left edges at 3 and 0, top edges at 5 and 0
    found = placed(images, content, coverage, exactly(2), centres)
    for row, (left, top) in enumerate([(3, 5), (0, 0)]):
        expected = images[row].clone()
        below = expected[:, top : top + 4, left : left + 5]
        expected[:, top : top + 4, left : left + 5] = (1 - coverage) * below + coverage * content
        torch.testing.assert_close(found[row], expected, rtol=0, atol=1e-5)


def test_a_flat_sticker_does_not_darken_at_its_edge() -> None:
    """A white sticker of any shape on white stays white at every angle, since content and coverage are read through one grid."""
    drawn = draw(Ranges(smallest=0.5, largest=2, rotation=180, perspective=0.4, shift=0.3), RowRandom(3, [0]), 16, SHAPE)
    coverage = torch.rand(1, 6, 5, generator=torch.Generator().manual_seed(0))
    found = placed(torch.ones(16, *SHAPE), torch.ones(3, 6, 5), coverage, drawn)
    torch.testing.assert_close(found, torch.ones(16, *SHAPE))


def test_the_area_of_a_sticker_grows_with_the_square_of_its_scale() -> None:
    black, white, full = torch.zeros(1, 1, 64, 64), torch.ones(1, 10, 10), torch.ones(1, 10, 10)
    for scale in (1.0, 2.0, 3.5):
        area = float(placed(black, white, full, exactly(scale=scale, angle=0.4)).sum())
        assert area == pytest.approx(100 * scale**2, rel=0.03)


def test_foreshortening_makes_the_farther_edge_shorter_by_its_share() -> None:
    black, white, full = torch.zeros(1, 1, 64, 64), torch.ones(1, 30, 30), torch.ones(1, 30, 30)
    painted = placed(black, white, full, exactly(tilt=(0.1, 0.0)))[0, 0]
    columns = painted.sum(0)
    seen = columns[columns > 1][1:-1]  # without the ends, which cover a part of their column
    assert float(seen.min() / seen.max()) == pytest.approx(0.9 / 1.1, abs=0.03)
    assert float(painted[:, :10].sum()) == 0  # nothing appears behind the camera


# ---------------------------------------------------------------- gradients


def test_the_gradient_through_every_transformation_is_that_of_finite_differences() -> None:
    images, along, weights = (torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(n), dtype=torch.float64) for n in range(3))
    images = 0.35 + 0.3 * images
    ranges = dataclasses.replace(ALL, quality=None)
    drawn = draw(ranges, RowRandom(2, [0]), 6, SHAPE)
    watched = images.clone().requires_grad_()
    gradient = torch.autograd.grad((photographed(watched, drawn) * weights).sum(), watched)[0]
    ends = [float((photographed(images + sign * 1e-6 * (along - 0.5), drawn) * weights).sum()) for sign in (1, -1)]
    assert float((gradient * (along - 0.5)).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4)


def test_the_gradient_reaches_only_the_covered_part_of_a_content() -> None:
    content = pictures(1, (3, 6, 6))[0].requires_grad_()
    coverage = torch.zeros(1, 6, 6)
    coverage[:, 2:5, 1:4] = 1
    drawn = draw(Ranges(smallest=0.8, largest=1.4, rotation=60, shift=0.2), RowRandom(2, [0]), 8, SHAPE)
    lit(placed(pictures(8), content, coverage, drawn), drawn).sum().backward()
    assert content.grad is not None
    outside = (coverage == 0).expand_as(content)
    assert bool((content.grad[outside] == 0).all())
    assert bool((content.grad[~outside] > 0).all())


@pytest.mark.parametrize("exact", [False, True])
def test_rows_are_transformed_one_by_one_and_stay_images(exact: bool) -> None:
    images, drawn = pictures(5), draw(ALL, RowRandom(2, [0]), 5, SHAPE)
    together = photographed(images, drawn, exact=exact)
    assert float(together.min()) >= 0
    assert float(together.max()) <= 1
    if not exact:  # a rounding error of the grid may decide on a level
        for row in range(5):
            part = slice(row, row + 1)
            torch.testing.assert_close(photographed(images[part], drawn.rows(part)), together[part], rtol=0, atol=1e-5)


def test_no_transformation_waits_for_the_device() -> None:
    with pretended_gpu(float64=False) as gpu:
        random = RowRandom(0, [0, 1], "cuda")
        drawn, images = draw(ALL, random, 2, SHAPE), pictures(4).to("cuda")
        content, coverage = pictures(1, (3, 4, 4))[0].to("cuda"), torch.ones(1, 4, 4).to("cuda")
        before = gpu.waited
        photographed(images.requires_grad_(), drawn).sum().backward()
        placed(images, content, coverage, drawn)
        assert gpu.waited == before
