"""The laser beam: the colours of the spectrum, the profile of the line, the search, its counts and refusals."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.artifacts import Table
from engine.attacks.laser_beam.attack import _moved
from engine.attacks.laser_beam.light import beam, colour, light
from engine.errors import BadParameters

ONE = torch.ones(1, dtype=torch.float64)


def test_the_colours_of_the_spectrum() -> None:
    known = {
        440: (0, 0, 1),
        465: (0, 0.5, 1),
        490: (0, 1, 1),
        510: (0, 1, 0),
        545: (0.5, 1, 0),
        580: (1, 1, 0),
        645: (1, 0, 0),
        700: (1, 0, 0),
    }
    made = colour(torch.tensor(list(known), dtype=torch.float64))
    torch.testing.assert_close(made, torch.tensor(list(known.values()), dtype=torch.float64), rtol=0, atol=1e-12)
    ends = colour(torch.tensor([380.0, 400.0, 750.0], dtype=torch.float64))
    expected = [[0.3, 0, 0.3], [(0.3 + 0.35) * 40 / 60, 0, 0.65], [0.3, 0, 0]]
    torch.testing.assert_close(ends, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)
    every = colour(torch.linspace(380, 750, 371, dtype=torch.float64))
    assert float((every[1:] - every[:-1]).abs().max()) < 0.06  # no step from one colour to the next


def test_the_profile_falls_to_a_seventh_at_half_the_width() -> None:
    like = torch.zeros(3, 41, 41, dtype=torch.float64)
    across = beam(like, math.pi / 2 * ONE, 0 * ONE, 20 / 41 * ONE)[0]  # upright, through the middle of the middle column
    torch.testing.assert_close(across, across[:1].expand(41, 41), rtol=0, atol=1e-12)
    assert float(across[0, 20]) == pytest.approx(1)
    assert float(across[0, 30]) == pytest.approx(math.exp(-2))
    flat = beam(like, 0 * ONE, 0 * ONE, 20 / 41 * ONE)[0]
    torch.testing.assert_close(flat, across.T, rtol=0, atol=1e-12)


def test_a_line_rises_to_the_right_at_an_angle_below_a_right_one() -> None:
    shade = beam(torch.zeros(1, 9, 9), math.pi / 4 * torch.ones(1), torch.zeros(1), torch.full((1,), 0.1))[0]
    torch.testing.assert_close(shade.flip(0).diagonal(), torch.ones(9))
    assert float(shade[0, 0]) < 1e-3


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 30, 12), (1, 7, 19)])
def test_every_beam_crosses_the_image(shape: tuple[int, int, int]) -> None:
    random = torch.Generator().manual_seed(0)
    angle, offset = math.pi * torch.rand(500, generator=random), 1.8 * torch.rand(500, generator=random) - 0.9
    shade = beam(torch.zeros(shape), angle, offset, torch.zeros(500))
    assert float(shade.flatten(1).amax(1).min()) > 0.05
    assert 0 <= float(shade.min()) <= float(shade.max()) <= 1


def test_on_grey_images_the_light_is_the_luma_of_the_colour() -> None:
    numbers = (torch.tensor([510.0, 645.0]), torch.zeros(2), torch.zeros(2), torch.ones(2))
    grey, coloured = light(torch.zeros(1, 5, 5), *numbers), light(torch.zeros(3, 5, 5), *numbers)
    torch.testing.assert_close(grey[:, 0], (coloured * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1))


def test_a_step_moves_one_number_and_stays_in_the_box() -> None:
    random = torch.Generator().manual_seed(0)
    points = torch.rand(10, 50, 4, generator=random)
    moved = _moved(points, torch.rand(10, 50, 2, generator=random), 0.3)
    changed = moved != points
    assert int(changed.sum(-1).max()) == 1
    assert set(changed.nonzero()[:, 2].tolist()) == {0, 1, 2, 3}
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    far = (moved - points).abs()
    assert float(torch.minimum(far, 1 - far)[..., 1].max()) <= 0.3 + 1e-6  # the angle goes round
    assert float(far[..., [0, 2, 3]].max()) <= 0.3 + 1e-6
    assert float(far[..., 1].max()) > 0.9


def test_counts(small64: engine.Classifier, images: Tensor) -> None:
    labels, n = small64.predict(images), len(images)
    result = engine.run(attacks.LaserBeam(restarts=5, steps=4, stop="never"), small64, images, labels)
    assert (result.forwards, result.backwards) == (n * (1 + 25), 0)
    ends = engine.run(attacks.LaserBeam(restarts=5, steps=4), small64, images, labels)
    assert ends.forwards < result.forwards
    assert bool(ends.success.any())
    assert bool((~ends.success | result.success).all())


def test_more_steps_never_end_worse(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    few, more = (
        engine.run(attacks.LaserBeam(restarts=3, steps=0, stop="never"), small64, images, labels, seed=1),
        engine.run(attacks.LaserBeam(restarts=3, steps=9, stop="never"), small64, images, labels, seed=1),
    )
    assert bool((more.success | ~few.success).all())
    assert bool((more.loss >= few.loss - 1e-12)[few.success == more.success].all())
    assert bool((more.loss > few.loss).any())


def test_the_beam_in_the_table_is_that_of_the_image(small64: engine.Classifier, images: Tensor) -> None:
    result = engine.run(attacks.LaserBeam(restarts=4, steps=6, stop="never", strength=0.7), small64, images)
    table = result.artifacts["beam"]
    assert isinstance(table, Table)
    for row in table.rows:
        image, wavelength, angle, offset, width = row
        numbers = (torch.tensor([value], dtype=torch.float64) for value in (wavelength, math.radians(angle), offset, width))
        made = (images[image] + 0.7 * light(images, *numbers)[0]).clamp(0, 1)
        torch.testing.assert_close(result.adversarial[image], made, rtol=0, atol=1e-9)


def test_an_image_that_no_beam_makes_worse_has_none() -> None:
    class Bright(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            mean = x.mean((1, 2, 3))
            return torch.stack([20 * mean, 3 - 0 * mean], 1)

    classifier = engine.Classifier(Bright(), ["bright", "dark"], (3, 8, 8), device="cpu")
    images = torch.full((2, 3, 8, 8), 0.5)
    result = engine.run(attacks.LaserBeam(restarts=3, steps=3), classifier, images, torch.tensor([0, 0]))
    assert torch.equal(result.adversarial, images)
    table = result.artifacts["beam"]
    assert isinstance(table, Table)
    assert table.rows[1] == (1, None, None, None, None)


def test_on_a_sign_the_laser_finds_another_class() -> None:
    from pathlib import Path

    classifier = engine.models.load("signs")
    sample = Path(__file__).parents[2] / "resources/samples/sign-stop-32.png"
    image = engine.images.read(sample, classifier)[None]
    result = engine.run(attacks.LaserBeam(restarts=50, steps=10), classifier, image, seed=0)
    assert bool(result.success[0])
    assert result.forwards <= 2 + 50 * 11


@pytest.mark.parametrize(("fields", "named"), [({"shortest": 700, "longest": 500}, "longest"), ({"narrowest": 0.2}, "widest")])
def test_ranges_that_end_before_they_begin_are_refused(fields: dict[str, float], named: str) -> None:
    with pytest.raises(BadParameters, match="Exchange them") as caught:
        attacks.LaserBeam.build(**fields)
    assert list(caught.value.problems) == [named]
