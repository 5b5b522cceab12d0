"""Homographies from four corners, their refusals, and the rectangle that they cut out of a photograph."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine import GibbonError, images
from engine.images import from_array
from engine.images.homography import Corners, applied, checked_corners, square_to_quad
from engine.images.rectifying import in_channels_of, rectified, samples_for

UNIT = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
QUADS: list[Corners] = [
    ((0, 0), (1, 0), (1, 1), (0, 1)),
    ((12, 7), (90, 20), (80, 95), (5, 70)),
    ((50, 0), (100, 50), (50, 100), (0, 50)),
    ((100, 80), (20, 80), (10, 10), (110, 5)),  # upside down
    ((0, 0), (40, 10), (60, 60), (10, 40)),
]


def solved(corners: Corners) -> np.ndarray:
    """The eight linear equations of the eight unknowns, literally."""
    rows, right = [], []
    for (u, v), (x, y) in zip(UNIT.tolist(), corners, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        right += [x, y]
    return np.append(np.linalg.solve(np.array(rows), np.array(right)), 1).reshape(3, 3)


@pytest.mark.parametrize("corners", QUADS)
def test_the_closed_form_solves_the_eight_equations(corners: Corners) -> None:
    matrix = square_to_quad(corners)
    assert torch.allclose(applied(matrix, UNIT), torch.tensor(corners, dtype=torch.float64), atol=1e-10)
    assert np.allclose(matrix.numpy(), solved(corners), atol=1e-9)


def test_random_quadrilaterals_agree_with_the_eight_equations() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        base = np.array([[0, 0], [100, 0], [100, 100], [0, 100]]) + random.uniform(-30, 30, (4, 2)) + 50
        corners: Corners = tuple(map(tuple, base.tolist()))  # type: ignore[assignment]
        assert np.allclose(square_to_quad(corners).numpy(), solved(corners), rtol=1e-8, atol=1e-8)


def test_a_camera_is_found_again_from_the_corners_alone() -> None:
    """Points of a plane through a pinhole camera: what the four corners give must hold for every other point."""
    tilt, turn, focal, distance = 0.5, 0.3, 700.0, 3.0
    across = np.array([math.cos(turn), 0.1, math.sin(turn)])
    down = np.array([0.05, math.cos(tilt), math.sin(tilt)])

    def seen(u: float, v: float) -> tuple[float, float]:
        x, y, z = (u - 0.5) * across + (v - 0.5) * down + np.array([0.1, -0.2, distance])
        return focal * x / z + 320, focal * y / z + 240

    matrix = square_to_quad(tuple(seen(u, v) for u, v in UNIT.tolist()))  # type: ignore[arg-type]
    points = torch.rand(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.tensor([seen(u, v) for u, v in points.tolist()], dtype=torch.float64)
    assert torch.allclose(applied(matrix, points), expected, atol=1e-9)


SIZE = (100, 80)
GOOD = ((10, 10), (90, 12), (85, 70), (8, 66))


@pytest.mark.parametrize(
    ("corners", "sentence"),
    [
        (GOOD[:3], "needs four corners"),
        ("10,10", "needs four corners"),
        (((10, 10), (90, float("nan")), (85, 70), (8, 66)), "needs four corners"),
        (((10, 10), (90, float("inf")), (85, 70), (8, 66)), "needs four corners"),
        (((10, 10), ("a", 12), (85, 70), (8, 66)), "needs four corners"),
        (((10, 10), (101, 12), (85, 70), (8, 66)), "upper right corner .* outside the photograph of 100 × 80"),
        (((10, -1), (90, 12), (85, 70), (8, 66)), "upper left corner .* outside"),
        (((10, 10), (10.5, 11), (85, 70), (8, 66)), "upper left and the upper right corner .* coincide"),
        (((10, 10), (90, 12), (85, 70), (10, 10)), "upper left and the lower left corner .* coincide"),
        (((10, 10), (50, 40), (90, 70), (8, 66)), "on one line"),
        (((10, 10), (30, 10), (60, 10), (90, 10)), "on one line"),
        (((10, 10), (85, 70), (90, 12), (8, 66)), "cross each other"),
        ((GOOD[0], GOOD[1], GOOD[3], GOOD[2]), "cross each other"),
        (GOOD[::-1], "anticlockwise"),
        ((GOOD[0], GOOD[3], GOOD[2], GOOD[1]), "anticlockwise"),
        (((10, 10), (90, 12), (30, 20), (8, 66)), "within the triangle"),
    ],
)
def test_corners_that_no_camera_sees(corners: object, sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence):
        checked_corners(corners, SIZE)  # type: ignore[arg-type]


def test_good_corners_also_when_the_photograph_is_turned() -> None:
    assert checked_corners(GOOD, SIZE) == GOOD
    for turns in (1, 2, 3):
        checked_corners((*GOOD[turns:], *GOOD[:turns]), SIZE)
    checked_corners(((0, 0), (100, 0), (100, 80), (0, 80)), SIZE)


def picture(height: int, width: int, channels: int = 3) -> images.Photograph:
    values = np.random.default_rng(3).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return images.from_array(values if channels == 3 else values[:, :, 0], "noise")


@pytest.mark.parametrize("size", [(9, 9), (7, 12)])
def test_the_corners_of_an_image_give_it_back(size: tuple[int, int]) -> None:
    height, width = size
    photograph = picture(height, width)
    corners: Corners = ((0, 0), (width, 0), (width, height), (0, height))
    expected = torch.from_numpy(photograph.pixels).permute(2, 0, 1).float() / 255
    assert torch.allclose(rectified(photograph, corners, height, width), expected, atol=1e-7)


def test_turned_corners_turn_the_image() -> None:
    photograph = picture(8, 8)
    upright: Corners = ((0, 0), (8, 0), (8, 8), (0, 8))
    straight = rectified(photograph, upright, 8, 8)
    for turns in (1, 2, 3):
        a, b, c, d = (*upright[turns:], *upright[:turns])
        assert torch.allclose(rectified(photograph, (a, b, c, d), 8, 8), torch.rot90(straight, turns, (1, 2)), atol=1e-6)


def test_every_pixel_of_a_larger_photograph_counts() -> None:
    """A part of 24 x 40 pixels, read as 6 x 5: each pixel of the output is the mean of 4 x 8."""
    photograph = picture(50, 60)
    part = torch.from_numpy(photograph.pixels[10:34, 5:45]).permute(2, 0, 1).double() / 255
    expected = part.reshape(3, 6, 4, 5, 8).mean((2, 4)).float()
    corners: Corners = ((5, 10), (45, 10), (45, 34), (5, 34))
    assert samples_for(corners, 6, 5) == (4, 8)
    assert torch.allclose(rectified(photograph, corners, 6, 5), expected, atol=1e-6)


def test_a_very_large_photograph_is_averaged_first_and_gives_the_same() -> None:
    """A checkerboard of single pixels over large squares: sparse samples would show a pattern, the mean does not."""
    fine = np.indices((2400, 3000)).sum(0) % 2 * 100
    coarse = np.random.default_rng(1).integers(0, 156, (6, 5)).repeat(400, 0).repeat(600, 1)
    photograph = from_array((fine + coarse).astype(np.uint8), "large")
    corners: Corners = ((0, 0), (3000, 0), (3000, 2400), (0, 2400))
    expected = torch.from_numpy((coarse[::400, ::600] + 50) / 255).float()
    found = rectified(photograph, corners, 6, 5)
    assert float((found[0] - expected).abs().max()) < 0.006  # a sample at the edge of two squares mixes them a little
    turned = rectified(photograph, ((3000, 0), (3000, 2400), (0, 2400), (0, 0)), 5, 6)
    assert torch.allclose(turned, torch.rot90(found, 1, (1, 2)), atol=0.006)


def test_a_grey_photograph_has_equal_channels_and_a_grey_model_gets_luma() -> None:
    grey = rectified(picture(8, 8, 1), ((0, 0), (8, 0), (8, 8), (0, 8)), 8, 8)
    assert grey.shape == (3, 8, 8)
    assert torch.equal(grey[0], grey[2])
    assert torch.allclose(in_channels_of(grey, 1), grey[:1], atol=1e-6)
    red = torch.zeros(3, 2, 2)
    red[0] = 1
    assert torch.allclose(in_channels_of(red, 1), torch.full((1, 2, 2), 0.299))
    assert in_channels_of(red, 3) is red
