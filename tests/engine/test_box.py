"""The box of [0, 1] and a mask against its definition, value by value."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.attacks.toolkit.box import Box

_IMAGES = torch.tensor([0.0, 0.1, 0.1 + 0.2, 0.5, 0.9, 1.0]).repeat(3, 1).view(3, 1, 1, 6)
_MASKS = torch.tensor([0.0, 0.25, 1.0]).view(3, 1, 1, 1)


def _ends(images: Tensor, reach: Tensor) -> tuple[list[float], list[float]]:
    pairs = list(zip(images.flatten().tolist(), reach.expand_as(images).flatten().tolist(), strict=True))
    return [max(0.0, value - far) for value, far in pairs], [min(1.0, value + far) for value, far in pairs]


@pytest.mark.parametrize(("mask", "eps"), [(_MASKS, None), (_MASKS[1:2], None), (_MASKS, 0.3), (None, 0.3), (None, None)])
def test_it_ends_where_the_mask_or_the_range_does(mask: Tensor | None, eps: float | None) -> None:
    box = Box.around(_IMAGES.double(), mask if mask is None else mask.double(), eps)
    reach = (1.0 if eps is None else eps) * (torch.ones(1) if mask is None else mask).double()
    low, high = _ends(_IMAGES.double(), reach)
    assert box.low.shape == box.high.shape == _IMAGES.shape
    assert box.low.flatten().tolist() == pytest.approx(low)
    assert box.high.flatten().tolist() == pytest.approx(high)


def test_outside_the_mask_stay_the_image_s_own_bits() -> None:
    images = torch.rand(3, 1, 1, 6, generator=torch.Generator().manual_seed(0))
    box = Box.around(images, _MASKS)
    assert torch.equal(box.low[0], images[0])
    assert torch.equal(box.high[0], images[0])
    assert box.inside.flatten(1).all(1).tolist() == [False, True, True]
    assert not bool(box.inside[0].any())
    assert torch.equal(box.clamp(1 - images)[0], images[0])


def test_room_and_farthest_reach_the_ends() -> None:
    box, at = Box.around(_IMAGES, _MASKS), Box.around(_IMAGES, _MASKS).clamp(_IMAGES + 0.1)
    down, up = box.room(at)
    assert bool(((down <= 0) & (up >= 0)).all())
    assert torch.equal(down, (box.low - at).flatten(1))
    assert torch.equal(up, (box.high - at).flatten(1))
    assert torch.equal(box.farthest(at).flatten(1), torch.maximum(-down, up))


def test_a_gradient_is_free_but_at_the_sides_it_drives_to() -> None:
    box = Box.around(torch.full((1, 1, 1, 4), 0.5), torch.ones(1, 1, 1, 1))
    images = torch.tensor([0.0, 0.0, 1.0, 1.0]).view(1, 1, 1, 4)
    fall = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 1, 1, 4)
    assert box.free(images, fall).flatten().tolist() == [0.0, -1.0, 1.0, 0.0]


def test_several_of_each_are_clamped_each_to_its_own_box_and_rows_are_chosen() -> None:
    box = Box.around(_IMAGES, _MASKS)
    several = torch.stack([_IMAGES + 0.3, _IMAGES - 0.3])
    assert torch.equal(box.clamp(several), torch.stack([box.clamp(each) for each in several]))
    rows = torch.tensor([1, 0])
    assert torch.equal(box.select(rows).clamp(several[0, rows]), box.clamp(several[0])[rows])
