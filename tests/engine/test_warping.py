"""Warps and colours against closed forms: a quarter turn, whole pixels, inverses, finite differences, the colour wheel."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.images.colours import recoloured
from engine.images.warping import Outside, linear_part, warped

SAMPLES = Path(__file__).parents[2] / "resources/samples"
ONE = torch.ones(1, dtype=torch.float64)


def at(**numbers: float) -> tuple[Tensor, Tensor]:
    """The linear part and the offset of a single warp of a square image."""
    linear = linear_part(numbers.get("angle", 0.0) * ONE, 1.0, numbers.get("zoom", 1.0) * ONE, numbers.get("slant", 0.0) * ONE)
    return linear, torch.tensor([[numbers.get("x", 0.0), numbers.get("y", 0.0)]], dtype=torch.float64)


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("outside", ["black", "reflect"])
def test_a_positive_quarter_turn_is_counter_clockwise(side: int, outside: Outside) -> None:
    image = torch.rand(1, 3, side, side, dtype=torch.float64)
    turned = warped(image, *at(angle=math.pi / 2), outside=outside)
    torch.testing.assert_close(turned, image.rot90(1, (2, 3)), rtol=0, atol=1e-12)
    back = warped(turned, *at(angle=-math.pi / 2), outside=outside)
    torch.testing.assert_close(back, image, rtol=0, atol=1e-12)


def test_an_offset_of_whole_pixels_shows_the_pixels_beside() -> None:
    image = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    moved = warped(image, *at(x=2 * 2 / 8, y=-3 * 2 / 8))
    torch.testing.assert_close(moved[..., 3:, :6], image[..., :5, 2:], rtol=0, atol=1e-12)
    assert not bool(moved[..., :3, :].any())
    assert not bool(moved[..., 6:].any())
    mirrored = warped(image, *at(x=2 * 2 / 8), outside="reflect")
    torch.testing.assert_close(mirrored[..., 6:], image[..., [7, 6]], rtol=0, atol=1e-12)


def test_a_rotation_keeps_angles_on_an_image_that_is_no_square() -> None:
    """A tall bar of 4 x 2 pixels in the middle becomes a wide one."""
    image = torch.zeros(1, 1, 12, 20, dtype=torch.float64)
    image[..., 4:8, 9:11] = 1
    turned = warped(image, linear_part(math.pi / 2 * ONE, 12 / 20), torch.zeros(1, 2, dtype=torch.float64))
    wide = torch.zeros_like(image)
    wide[..., 5:7, 8:12] = 1
    torch.testing.assert_close(turned, wide, rtol=0, atol=1e-12)


def test_twice_the_size_and_a_shear() -> None:
    image = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    image[..., 3:5, 3:5] = 1
    large = warped(image, *at(zoom=2.0))
    assert bool((large[..., 3:5, 3:5] == 1).all())
    assert float(large.sum()) == pytest.approx(4 * float(image.sum()))
    column = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    column[..., 4] = 1
    sheared = warped(column, *at(slant=1.0))
    torch.testing.assert_close(sheared[0, 0].argmax(1), torch.arange(8, -1, -1))


def _inverse(linear: Tensor, offset: Tensor, tilt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    whole = torch.cat([torch.cat([linear, offset[..., None]], 2), torch.cat([tilt, torch.ones(len(tilt), 1)], 1)[:, None]], 1)
    back = torch.linalg.inv(whole)
    back = back / back[:, 2:, 2:]
    return back[:, :2, :2], back[:, :2, 2], back[:, 2, :2]


@pytest.mark.parametrize("sample", ["sign-stop-256.png", "sign-priority-road-256.png", "sign-limit-50-256.png"])
@pytest.mark.parametrize(
    "numbers",
    [
        {"angle": 30.0},
        {"angle": -12.3, "zoom": 1.2},
        {"x": 0.07, "y": -0.11},
        {"angle": 20.0, "zoom": 1.1, "slant": 0.1, "x": 0.05, "tilt": 0.15},
    ],
)
def test_a_warp_and_its_inverse_give_the_image_back(sample: str, numbers: dict[str, float]) -> None:
    """The mean error is below 2 % where no border came in."""
    pixels = torch.from_numpy(np.asarray(Image.open(SAMPLES / sample).convert("RGB"), dtype=np.float32) / 255)
    image = pixels.permute(2, 0, 1)[None]
    linear = linear_part(torch.tensor([math.radians(numbers.get("angle", 0.0))]), 1.0, numbers.get("zoom", 1.0), numbers.get("slant", 0.0))
    offset = torch.tensor([[numbers.get("x", 0.0), numbers.get("y", 0.0)]])
    tilt = torch.tensor([[numbers.get("tilt", 0.0), -numbers.get("tilt", 0.0) / 2]])
    there = warped(image, linear, offset, tilt)
    back = warped(there, *_inverse(linear, offset, tilt))
    seen = warped(warped(torch.ones_like(image), linear, offset, tilt), *_inverse(linear, offset, tilt)) > 0.999
    assert float(seen.double().mean()) > 0.6
    assert float((back - image).abs()[seen].mean()) < 0.02
    assert float((there - image).abs()[seen].mean()) > 0.02  # the warp itself is no small change


def test_gradients_of_a_warp_agree_with_finite_differences() -> None:
    image = torch.rand(1, 1, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weights = torch.rand(6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def total(numbers: Tensor) -> Tensor:
        linear = linear_part(numbers[:1], 6 / 7, numbers[1:2], numbers[2:3])
        return (weights * warped(image, linear, numbers[None, 3:5], numbers[None, 5:7], "reflect")).sum()

    start = torch.tensor([0.3, 1.1, 0.2, 0.04, -0.07, 0.1, 0.13], dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(total(start), start)
    for place in range(7):
        step = torch.zeros(7, dtype=torch.float64)
        step[place] = 1e-7
        slope = float((total(start.detach() + step) - total(start.detach() - step)) / 2e-7)
        assert float(found[place]) == pytest.approx(slope, rel=1e-4, abs=1e-6)


# ---------------------------------------------------------------- colours


def colour(*channels: float) -> Tensor:
    return torch.tensor(channels, dtype=torch.float64).view(1, 3, 1, 1)


def luma(images: Tensor) -> float:
    return float((images[0, :, 0, 0] * torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)).sum())


def test_hue_goes_round_and_keeps_the_luma() -> None:
    red = colour(0.5, 0.3, 0.3)
    parts = [recoloured(red, math.radians(angle) * ONE, ONE) for angle in range(0, 361, 60)]
    assert all(luma(part) == pytest.approx(luma(red), abs=2e-6) for part in parts)
    torch.testing.assert_close(parts[-1], red, rtol=0, atol=1e-6)
    yellow = parts[1][0, :, 0, 0]
    assert float(yellow[0]) > float(yellow[2])
    assert float(yellow[1]) > float(yellow[2])
    opposite = 2 * luma(red) - red
    torch.testing.assert_close(parts[3], opposite, rtol=0, atol=3e-6)


def test_saturation_leads_to_grey_and_beyond() -> None:
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64) * 0.4 + 0.3
    grey = recoloured(image, 0 * ONE, 0 * ONE)
    assert float((grey - grey.mean(1, keepdim=True)).abs().max()) < 3e-6
    torch.testing.assert_close(recoloured(image, 0 * ONE, 1.2 * ONE), grey + 1.2 * (image - grey), rtol=0, atol=5e-6)


def test_the_unchanged_colours_are_the_same_bits_and_have_a_gradient() -> None:
    image = torch.rand(3, 3, 5, 5)
    hue, saturation = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    made = recoloured(image, hue, saturation)
    assert torch.equal(made, image)
    slopes = torch.autograd.grad(made.square().sum(), (hue, saturation))
    assert all(bool((slope != 0).all()) for slope in slopes)
