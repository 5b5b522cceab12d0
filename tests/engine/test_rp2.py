"""RP2: its rectangles against an exhaustive search, its objective against autograd, and what it finds on a sign."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.artifacts import Map, StickerContent
from engine.attacks.toolkit.rectangles import Rectangle, as_mask, hottest_rectangles
from tests.engine.variants.patches import STILL


def random_heat(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(height, width, generator=torch.Generator().manual_seed(seed)) ** 4


def exhaustive(values: Tensor) -> float:
    """The largest sum of any rectangle."""
    height, width = values.shape
    rows, columns = itertools.combinations(range(height + 1), 2), list(itertools.combinations(range(width + 1), 2))
    return max(float(values[top:bottom, left:right].sum()) for top, bottom in rows for left, right in columns)


# ---------------------------------------------------------------- rectangles


@pytest.mark.parametrize("seed", range(4))
def test_one_rectangle_is_the_best_of_all(seed: int) -> None:
    heat = random_heat(7, 9, seed)
    gains = heat.double() - heat.double().mean()
    (found,) = hottest_rectangles(heat, torch.ones(7, 9, dtype=torch.bool), 1, 1.0)
    gain = float(gains[found.top : found.bottom, found.left : found.right].sum())
    assert gain == pytest.approx(exhaustive(gains), abs=1e-6)


def test_hot_spots_are_found_hottest_first_and_cold_ones_are_not() -> None:
    heat = torch.zeros(20, 30)
    heat[2:5, 3:8], heat[10:14, 20:24], heat[17:19, 1:4] = 1.0, 3.0, 2.0
    found = hottest_rectangles(heat, torch.ones(20, 30, dtype=torch.bool), 4, 0.2)
    assert found == [Rectangle(10, 14, 20, 24), Rectangle(2, 5, 3, 8), Rectangle(17, 19, 1, 4)]
    assert hottest_rectangles(heat, torch.ones(20, 30, dtype=torch.bool), 2, 0.2) == found[:2]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(12, 9), (130, 200)])
def test_rectangles_are_disjoint_allowed_and_within_the_area(seed: int, shape: tuple[int, int]) -> None:
    heat, allowed = random_heat(*shape, seed), torch.ones(shape, dtype=torch.bool)
    allowed[: shape[0] // 3, : shape[1] // 2] = False
    found = hottest_rectangles(heat, allowed, 4, 0.15)
    assert 1 <= len(found) <= 4
    cover = torch.stack([as_mask([one], *shape)[0] for one in found]).sum(0)
    assert float(cover.max()) == 1
    assert bool(allowed[cover > 0].all())
    assert float(cover.sum()) <= 0.15 * float(allowed.sum()) + 16  # cells at the edge of a large map may be smaller than the others
    inside, outside = heat[cover > 0].mean(), heat[(cover == 0) & allowed].mean()
    assert float(inside) > float(outside)


def test_a_cold_map_has_no_rectangles() -> None:
    assert hottest_rectangles(torch.zeros(5, 5), torch.ones(5, 5, dtype=torch.bool), 4, 0.5) == []
    hot = torch.zeros(5, 5)
    hot[0, 0] = 1
    allowed = torch.ones(5, 5, dtype=torch.bool)
    allowed[0, 0] = False
    assert hottest_rectangles(hot, allowed, 4, 0.5) == []


# ---------------------------------------------------------------- the attack


@pytest.mark.parametrize("penalties", [{}, {"palette": "8 colours", "palette_weight": 2.0, "smoothness": 0.5}])
def test_a_step_follows_the_gradient_of_the_whole_objective(
    penalties: dict[str, object], small64: engine.Classifier, images: Tensor
) -> None:
    """The first step of Adam is the sign of the gradient, whatever its size: that of the loss, since the norm's is zero at zero."""
    from engine.stickers.printable import PALETTES, non_printability, total_variation

    mask = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    mask[..., 2:6, 2:6] = 1
    attack = attacks.RP2(steps=1, step_size=0.01, search=False, **STILL, **penalties)
    labels = small64.predict(images)
    with engine.start(attack, small64, images, labels=labels, mask=mask) as run:
        steps = list(run)
    watched = images.clone().requires_grad_()
    total = torch.nn.functional.cross_entropy(small64(watched), labels, reduction="sum")
    if penalties:
        inside = mask > 0
        total = (
            total
            - 2.0 * non_printability(watched, inside, PALETTES["8 colours"], "nearest").sum()
            - 0.5 * total_variation(watched, inside).sum()
        )
    expected = (images + 0.01 * mask * torch.autograd.grad(total, watched)[0].sign()).clamp(0, 1)
    torch.testing.assert_close(steps[1].adversarial, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("stage", ["search_weight", "weight"])
def test_a_larger_weight_leaves_a_smaller_perturbation(stage: str, small: engine.Classifier, images: Tensor) -> None:
    def size(weight: float) -> float:
        attack = attacks.RP2(**{"steps": 30, "search_steps": 30, "samples": 3, "fresh": 0, "area": 0.9, stage: weight})
        result = engine.run(attack, small, images.float())
        if stage == "search_weight":
            heat = result.artifacts["search"]
            assert isinstance(heat, Map)
            return float(heat.values.sum())
        return float(result.norms["l2"].sum())

    assert size(1.0) < 0.5 * size(0.0)


def test_stickers_lie_in_the_rectangles_and_these_in_the_mask(small: engine.Classifier, images: Tensor) -> None:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 1:7, 2:8] = 1
    attack = attacks.RP2(steps=10, search_steps=10, samples=4, rectangles=3, area=0.4, fresh=0)
    result = engine.run(attack, small, images.float(), mask=mask)
    content = result.artifacts["content"]
    assert isinstance(content, StickerContent)
    assert content.mask.shape == (6, 1, 8, 8)
    assert bool((content.mask <= mask).all())
    assert bool((content.mask.sum((1, 2, 3)) <= 0.4 * 36).all())
    assert torch.equal(result.adversarial, torch.where(content.mask > 0, content.pixels, result.clean))
    assert bool((result.perturbation.abs().sum(1, keepdim=True)[content.mask == 0] == 0).all())


def test_the_best_iterate_is_kept_and_a_chunked_batch_has_the_same(small: engine.Classifier, images: Tensor) -> None:
    attack = attacks.RP2(steps=8, search_steps=4, samples=4, fresh=10)
    whole, parts = (engine.run(attack, small, images.float(), seed=1, rows_at_a_time=rows) for rows in (None, 2))
    torch.testing.assert_close(whole.adversarial, parts.adversarial)
    assert [row[1] for row in whole.artifacts["survival"].rows] == [row[1] for row in parts.artifacts["survival"].rows]
    torch.testing.assert_close(whole.artifacts["content"].mask, parts.artifacts["content"].mask)


def test_a_flat_classifier_has_no_place_for_stickers_and_the_result_says_so() -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 3))
    torch.nn.init.zeros_(module[1].weight)
    classifier = engine.Classifier(module, ["a", "b", "c"], (3, 8, 8))
    result = engine.run(attacks.RP2(steps=2, search_steps=2, samples=2, fresh=0), classifier, torch.rand(1, 3, 8, 8))
    assert any("found no pixel that matters" in note for note in result.notes)


def test_a_few_rectangles_on_the_stop_sign_reach_a_target() -> None:
    signs = engine.models.load("signs", device="cpu")
    stop = next(sample for sample in engine.images.samples() if sample.label_name == "Stop")
    image, target = engine.images.read(stop.path, signs)[None], torch.tensor([signs.labels.index("Yield")])
    attack = attacks.RP2(steps=40, search_steps=20, samples=8, fresh=40, weight=0.001)
    result = engine.run(attack, signs, image, targets=target, seed=0)
    assert bool(result.success[0])
    assert float((result.perturbation.abs().sum(1) > 0).float().mean()) <= 0.15
