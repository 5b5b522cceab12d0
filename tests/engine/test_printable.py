"""Printable content: palettes, the distance to them, and smoothness, against literal loops."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

import engine
from engine.stickers.printable import PALETTES, non_printability, palette_of, total_variation


def content(channels: int = 3) -> Tensor:
    return torch.rand(2, channels, 5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


INSIDE = torch.rand(2, 1, 5, 4, generator=torch.Generator().manual_seed(2)) > 0.3


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_score_is_the_mean_distance_to_the_nearest_colour(name: str, channels: int) -> None:
    pixels, colours = content(channels), palette_of(name)
    found = non_printability(pixels, INSIDE, colours, "nearest")
    for row in range(2):
        distances = []
        for y, x in itertools.product(range(5), range(4)):
            if INSIDE[row, 0, y, x]:
                pixel = pixels[row, :, y, x].tolist()
                choices = [colour if channels == 3 else (sum(colour) / 3,) for colour in colours]
                distances.append(min(math.dist(pixel, choice) for choice in choices))
        assert float(found[row]) == pytest.approx(sum(distances) / len(distances))


def test_the_smooth_score_is_below_the_nearest_one_and_near_it() -> None:
    """``min - log(count) / 20 <= smooth <= min``."""
    colours = palette_of("27 colours")
    nearest, smooth = (non_printability(content(), INSIDE, colours, nearness) for nearness in ("nearest", "smooth"))
    assert bool((smooth <= nearest).all())
    assert bool((smooth >= nearest - math.log(27) / 20).all())


@pytest.mark.parametrize("nearness", ["nearest", "smooth"])
def test_a_colour_of_the_palette_has_a_finite_slope(nearness: str) -> None:
    """The distance has no derivative at a colour of the palette, where content ends up."""
    pixels = torch.ones(1, 3, 2, 2).requires_grad_()
    non_printability(pixels, torch.ones(1, 1, 2, 2, dtype=torch.bool), PALETTES["black and white"], nearness).sum().backward()
    assert pixels.grad is not None
    assert bool(pixels.grad.isfinite().all())


def test_total_variation_is_the_mean_difference_of_neighbours_inside() -> None:
    pixels = content()
    found = total_variation(pixels, INSIDE)
    for row in range(2):
        means = []
        for dy, dx in ((1, 0), (0, 1)):
            pairs = [((y, x), (y + dy, x + dx)) for y, x in itertools.product(range(5 - dy), range(4 - dx))]
            pairs = [(one, other) for one, other in pairs if INSIDE[row, 0][one] and INSIDE[row, 0][other]]
            differences = [abs(float(pixels[row, c][one] - pixels[row, c][other])) for one, other in pairs for c in range(3)]
            means.append(sum(differences) / len(differences))
        assert float(found[row]) == pytest.approx(sum(means) / 2)


def test_a_flat_content_has_no_variation_and_a_single_pixel_neither() -> None:
    one = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    one[..., 1, 1] = True
    assert float(total_variation(torch.rand(1, 3, 4, 4), one)) == 0
    assert float(total_variation(torch.full((1, 3, 4, 4), 0.3), ~one)) == 0


def test_a_palette_is_read_by_name_or_by_its_colours() -> None:
    assert palette_of(" Black  and WHITE ") == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert len(palette_of("8 colours")) == 8
    assert palette_of("#ff0000, 0000FF") == ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))


@pytest.mark.parametrize("text", ["mauve", "#12345", "#ffffff red", "", "#gggggg"])
def test_what_is_no_palette_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(engine.GibbonError, match=r"is no palette\. Give “black and white”.*#ffffff"):
        palette_of(text)


def test_the_field_of_a_wrong_palette_is_named() -> None:
    with pytest.raises(engine.errors.BadParameters) as caught:
        engine.attacks.AdversarialPatch(palette="mauve")
    assert list(caught.value.problems) == ["palette"]
