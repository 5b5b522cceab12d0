"""A patch for many images: its region, its places, its training against a literal loop, and its judgement."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks, batching
from engine.access import ModelAccess
from engine.artifacts import Curve, StickerContent, Table
from engine.attacks.adversarial_patch.learning import DRAWS
from engine.attacks.adversarial_patch.region import Region
from engine.data import DataSet
from engine.intervals import wilson
from engine.randomness import generator
from engine.stickers.transforms import NUMBERS, Ranges, lit, placed
from tests.engine.variants import small_data
from tests.engine.variants.patches import STILL


@pytest.fixture
def mask() -> Tensor:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:5, 3:7] = 1
    mask[..., 2, 3] = 0.5
    return mask


def run(attack: attacks.UniversalPatch, classifier: engine.Classifier, mask: Tensor, **given: object) -> engine.AttackResult:
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(8))
    return engine.run(attack, classifier, image, mask=mask, **({"data": small_data(classifier), "seed": 2} | given))


# ---------------------------------------------------------------- the region


def test_the_region_is_the_masks_bounding_box_and_goes_back_to_its_place(mask: Tensor) -> None:
    region, images = Region.of(mask), torch.rand(2, 3, 8, 8)
    assert torch.equal(region.coverage, mask[0, :, 2:5, 3:7])
    canvas = region.on_canvas(region.cut(images)[:1])
    assert torch.equal(canvas[..., 2:5, 3:7], images[:1, :, 2:5, 3:7])
    assert torch.equal(region.centres(1), torch.tensor([[1.0, -0.5]]))


def test_anywhere_is_inside_of_the_image_and_reaches_its_edges(mask: Tensor) -> None:
    region = Region.of(mask)
    uniform = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0))
    scale = 0.5 + 1.5 * torch.rand(4000, generator=torch.Generator().manual_seed(1))
    x, y = region.anywhere(scale, uniform).unbind(1)
    for centre, side in ((x, 4), (y, 3)):
        assert float((centre.abs() + scale * side / 2).max()) <= 4 + 1e-5
        assert float((centre.abs() + scale * side / 2).max()) > 3.99
    assert torch.equal(region.anywhere(torch.tensor([3.0]), torch.tensor([[0.9, 0.5]])), torch.zeros(1, 2))  # too large: in the middle


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("pixels", [10**9, 64 * 4])
def test_a_step_goes_along_the_gradient_of_a_loop_over_the_batch(
    pixels: int, small: engine.Classifier, mask: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sign step from grey, computed again from the seed: order, places and transformations, one image after the other."""
    monkeypatch.setattr(batching, "_PIXELS_ON_CPU", pixels)
    data, batch = small_data(small), 9
    attack = attacks.UniversalPatch(steps=1, batch_size=batch, optimizer="sign", step_size=0.2, scales=0)
    target = 3
    result = run(attack, small, mask, targets=torch.tensor([target, target]), labels=torch.tensor([0, 0]))
    random = generator(2, "patch", "data")
    order = torch.randperm(24, generator=random)[:20]  # 24 images, in proportion of 1000 to 200
    clean = small.predict(data.batch(range(24))[0])
    order = order[clean[order] != target]
    chosen = order[torch.randperm(len(order), generator=random)][:batch]
    uniform = torch.rand(batch, DRAWS, generator=generator(2, "patch", "places"))
    drawn = Ranges(smallest=0.8, largest=1.2, rotation=20, perspective=0.2, brightness=0.1, contrast=0.2).transforms(uniform[:, :NUMBERS])
    region, content = Region.of(mask), torch.full((3, 3, 4), 0.5).requires_grad_()
    centres = region.anywhere(drawn.scale, uniform[:, NUMBERS:])
    total = torch.zeros(())
    for place, index in enumerate(chosen.tolist()):
        part = slice(place, place + 1)
        image = placed(data.batch([index])[0], content, region.coverage, drawn.rows(part), centres[part])
        total = total + torch.nn.functional.cross_entropy(small(lit(image, drawn.rows(part))), torch.tensor([target]))
    gradient = torch.autograd.grad(total, content)[0]
    expected = (0.5 - 0.2 * gradient.sign()).clamp(0, 1)
    torch.testing.assert_close(result.artifacts["patch"].image, expected)


def test_the_adversarial_image_has_the_patch_where_the_mask_is(small: engine.Classifier, mask: Tensor) -> None:
    result = run(attacks.UniversalPatch(steps=6, batch_size=8), small, mask)
    content, patch = result.artifacts["content"], result.artifacts["patch"]
    assert isinstance(content, StickerContent)
    assert torch.equal(content.pixels[0, :, 2:5, 3:7], patch.image)
    torch.testing.assert_close(result.adversarial, (1 - mask) * result.clean + mask * content.pixels)


def test_the_preview_is_the_first_batch(small: engine.Classifier, mask: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, forward = [], ModelAccess.__call__

    def watching(access: ModelAccess, rows: Tensor) -> Tensor:
        seen.append(rows.detach().clone())
        return forward(access, rows)

    monkeypatch.setattr(ModelAccess, "__call__", watching)
    attack = attacks.UniversalPatch(steps=1, batch_size=5, begin="random", noise=0.05, scales=0)
    run(attack, small, mask)
    random = generator(2, "patch", "data")
    order = torch.randperm(24, generator=random)[:20]
    images = small_data(small).batch(order[torch.randperm(20, generator=random)][:5])[0]
    torch.testing.assert_close(attack.preview(images, mask, seed=2), seen[0])


# ---------------------------------------------------------------- the judgement


@pytest.mark.parametrize("target", [None, 1])
def test_without_transformations_it_is_judged_by_plainly_painting_it_on_images_held_out(
    target: int | None, small: engine.Classifier, mask: Tensor
) -> None:
    data, given = small_data(small, 60), {}
    if target is not None:
        given = {"targets": torch.tensor([target] * 2), "labels": torch.tensor([0, 0])}
    attack = attacks.UniversalPatch(steps=10, batch_size=16, count=40, held_out=20, **STILL, place="as drawn")
    result = run(attack, small, mask, data=data, **given)
    random = generator(2, "patch", "data")
    images = data.batch(torch.randperm(60, generator=random)[40:60])[0]
    clean = small.predict(images)
    pixels = result.artifacts["content"].pixels
    seen = small.predict((1 - mask) * images + mask * pixels)
    hits, of = (seen != clean, 20) if target is None else ((seen == target)[clean != target], int((clean != target).sum()))
    table, curve = result.artifacts["scales"], result.artifacts["scale"]
    assert isinstance(table, Table)
    assert isinstance(curve, Curve)
    assert table.rows == ((1.0, int(hits.sum()), of, int(hits.sum()) / of, *wilson(int(hits.sum()), of)),)
    assert curve.x.tolist() == [1.0]
    assert float(curve.lines["held out"][0]) == pytest.approx(int(hits.sum()) / of)


def test_scales_reach_from_the_smallest_to_the_largest_in_equal_ratios(small: engine.Classifier, mask: Tensor) -> None:
    curve = run(attacks.UniversalPatch(steps=1, smallest=0.5, largest=2.0, scales=3), small, mask).artifacts["scale"]
    torch.testing.assert_close(curve.x, torch.tensor([0.5, 1.0, 2.0]))


def test_a_patch_learns_what_it_is_trained_for_and_a_larger_one_does_it_better() -> None:
    """A patch of a tenth of the image on drawn signs, towards one class: far above grey, and growing with its scale."""
    signs, data = engine.models.load("signs", device="cpu"), engine.data.load("generated:signs", count=172, seed=3)
    mask, image = torch.zeros(1, 1, 32, 32), data.batch([0])[0]
    mask[..., 11:21, 11:21] = 1
    given = {"labels": torch.tensor([0]), "targets": torch.tensor([13]), "mask": mask, "data": data}
    attack = {"count": 100, "held_out": 40, "smallest": 0.6, "largest": 1.6, "scales": 2}
    learned = (
        engine.run(attacks.UniversalPatch(steps=40, batch_size=16, step_size=0.1, **attack), signs, image, **given)
        .artifacts["scale"]
        .lines["held out"]
    )
    grey = engine.run(attacks.UniversalPatch(steps=1, step_size=1e-6, **attack), signs, image, **given).artifacts["scale"].lines["held out"]
    assert float(learned[1]) >= float(grey[1]) + 0.4
    assert float(learned[1]) > float(learned[0])


# ---------------------------------------------------------------- refusals


def test_inputs_that_make_no_one_patch_are_refused(small: engine.Classifier, mask: Tensor) -> None:
    attack = attacks.UniversalPatch(steps=1)
    with pytest.raises(engine.GibbonError, match="same target for all"):
        run(attack, small, mask, labels=torch.tensor([0, 0]), targets=torch.tensor([1, 2]))
    with pytest.raises(engine.GibbonError, match="one mask for all"):
        run(attack, small, torch.cat([mask, mask.flip(3)]))
    with pytest.raises(engine.GibbonError, match="at least two images"):
        run(attack, small, mask, data=small_data(small, 1))
    with pytest.raises(engine.GibbonError, match=r"needs a mask|works on a data set"):
        run(attack, small, mask, data=None)


def test_a_set_of_nothing_but_the_target_class_is_refused(small: engine.Classifier, mask: Tensor) -> None:
    data = small_data(small)
    clean = small.predict(data.batch(range(len(data)))[0])
    target = int(clean.mode().values)
    alike = DataSet("alike", data.labels, data.images[clean == target], data.targets[clean == target], "random pixels")
    with pytest.raises(engine.GibbonError, match="of the target class already"):
        run(
            attacks.UniversalPatch(steps=1),
            small,
            mask,
            data=alike,
            labels=torch.tensor([target - 1] * 2),
            targets=torch.tensor([target] * 2),
        )
