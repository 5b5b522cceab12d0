"""Distortions of images: literal references, gradients, and the strength at which nothing changes."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from engine.images.distortions import blur, brightness, contrast, gamma, jpeg, noise, soft_jpeg
from tests.pretended_gpu import pretended_gpu

Distortion = Callable[[Tensor, Tensor], Tensor]


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def grain(images: Tensor, sigma: float | Tensor) -> Tensor:
    return noise(images, sigma, random(*images.shape[1:], seed=9, dtype=images.dtype).to(images.device) - 0.5)


NOTHING = {brightness: 0.0, contrast: 1.0, gamma: 1.0, grain: 0.0, blur: 0.0}
STRENGTHS = {brightness: (-0.2, 0.1), contrast: (0.6, 1.5), gamma: (0.7, 1.4), grain: (0.05, 0.2), blur: (0.6, 1.7), soft_jpeg: (30, 75)}
ALL = pytest.mark.parametrize("distortion", [*STRENGTHS, jpeg], ids=lambda one: one.__name__)


@pytest.mark.parametrize("distortion", NOTHING, ids=lambda one: one.__name__)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_strength_that_changes_nothing_returns_the_same_bits(distortion: Distortion, dtype: torch.dtype) -> None:
    images = random(3, 3, 9, 7, dtype=dtype)
    images[0, 0, 0, :3] = torch.tensor([0.0, 1.0, 1e-7])
    strengths = torch.full((3,), NOTHING[distortion])
    assert torch.equal(distortion(images, strengths), images)
    assert torch.equal(distortion(images, NOTHING[distortion]), images)
    weights = random(3, 3, 9, 7, seed=1, dtype=dtype)
    (distortion(images.requires_grad_(), strengths) * weights).sum().backward()
    assert images.grad is not None
    torch.testing.assert_close(images.grad, weights)  # at black and at white, too


@ALL
def test_a_batch_of_strengths_equals_its_single_images(distortion: Distortion) -> None:
    images, strengths = random(2, 3, 19, 21), torch.tensor(STRENGTHS.get(distortion, (20, 90)))
    together = distortion(images, strengths)
    for row, strength in enumerate(strengths.tolist()):
        alone = distortion(images[row : row + 1], strength if distortion not in (jpeg, soft_jpeg) else int(strength))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-6)
    assert float(together.min()) >= 0
    assert float(together.max()) <= 1
    assert not torch.allclose(together, images, atol=1e-3)


@pytest.mark.parametrize("distortion", STRENGTHS, ids=lambda one: one.__name__)
def test_the_gradient_is_that_of_finite_differences(distortion: Distortion) -> None:
    images, weights, along = (random(2, 3, 11, 9, seed=seed, dtype=torch.float64) for seed in (1, 2, 3))
    images, along, strengths = 0.25 + 0.4 * images, along - 0.5, torch.tensor(STRENGTHS[distortion])
    if distortion is soft_jpeg:
        images = 0.4 + 0.05 * images  # far from black and white, where it clips
    watched = images.clone().requires_grad_()
    (distortion(watched, strengths) * weights).sum().backward()
    assert watched.grad is not None
    found = float((watched.grad * along).sum())
    ends = [float((distortion(images + sign * 1e-6 * along, strengths) * weights).sum()) for sign in (1, -1)]
    assert found == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-3)
    assert abs(found) > 1e-3


def test_brightness_contrast_and_noise_are_their_formulas() -> None:
    images, normal = random(2, 3, 5, 6), torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(1))
    values = images.double().numpy()
    np.testing.assert_allclose(
        brightness(images, torch.tensor([0.3, -0.4])), np.clip(values + np.array([0.3, -0.4]).reshape(2, 1, 1, 1), 0, 1), atol=1e-6
    )
    mean = values.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(contrast(images, 1.8), np.clip(mean + 1.8 * (values - mean), 0, 1), atol=1e-6)
    np.testing.assert_allclose(noise(images, 0.1, normal), np.clip(values + 0.1 * normal.numpy(), 0, 1), atol=1e-6)


def test_gamma_is_a_power_and_finite_at_black() -> None:
    images = torch.tensor([0.0, 1e-4, 0.01, 0.25, 1.0])[None, None, None].requires_grad_()
    found = gamma(images, 0.5)
    torch.testing.assert_close(found[..., 2:], torch.tensor([0.1, 0.5, 1.0])[None, None, None])
    assert found[0, 0, 0, 0] == 0
    assert 0 < float(found[0, 0, 0, 1].detach()) < 0.01
    found.sum().backward()
    assert images.grad is not None
    assert bool(images.grad.isfinite().all())
    assert bool((images.grad > 0).all())


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.3])
def test_blur_is_scipys_gaussian_over_the_share_of_it_inside(sigma: float) -> None:
    images = random(1, 2, 20, 17, dtype=torch.float64)

    def filtered(values: Tensor) -> np.ndarray:
        reach = math.floor(4 * sigma)
        return np.stack([ndimage.gaussian_filter(one.numpy(), sigma, mode="constant", radius=reach) for one in values[0]])

    np.testing.assert_allclose(blur(images, sigma)[0], filtered(images) / filtered(torch.ones_like(images)), atol=1e-12)


def test_a_blurred_flat_image_stays_flat() -> None:
    flat = torch.full((2, 3, 8, 9), 0.4)
    torch.testing.assert_close(blur(flat, torch.tensor([0.7, 5.0])), flat)


def test_jpeg_of_several_qualities_is_pillows_at_each() -> None:
    levels = (random(3, 3, 4, 5).repeat_interleave(5, 2).repeat_interleave(5, 3) * 255).round()
    qualities = torch.tensor([15, 50, 93])
    found = jpeg(levels / 255, qualities)
    for row, quality in enumerate(qualities.tolist()):
        file = io.BytesIO()
        Image.fromarray(levels[row].permute(1, 2, 0).to(torch.uint8).numpy()).save(file, "JPEG", quality=quality)
        opened = np.asarray(Image.open(file)).transpose(2, 0, 1)
        assert np.array_equal((found[row] * 255).round().numpy(), opened)


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_the_stand_in_for_jpeg_is_near_it_and_nearer_than_the_image(quality: int) -> None:
    images = torch.nn.functional.interpolate(random(1, 3, 8, 8), 32, mode="bilinear", align_corners=False)
    true = jpeg(images, quality)
    assert float((soft_jpeg(images, quality) - true).abs().mean()) < 0.7 * float((images - true).abs().mean())


@ALL
def test_no_distortion_waits_for_the_device(distortion: Distortion) -> None:
    with pretended_gpu() as gpu:
        images, strengths = random(2, 3, 16, 16).to("cuda"), torch.tensor(STRENGTHS.get(distortion, (20, 90))).to("cuda")
        before = gpu.waited
        distortion(images.requires_grad_(), strengths).sum().backward()
        assert gpu.waited == before
