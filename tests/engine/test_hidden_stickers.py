"""Hidden and locked stickers: no pixel, mask or content is touched by a hidden one, and every file keeps both switches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine import stickers as s
from engine.errors import GibbonError
from engine.record.stickers import StickerEntry
from engine.script.sections import sticker_call
from engine.study.stickers import Stickers, entries_of
from engine.study.tensors import Tensors

IMAGE = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(3))
SHOWN = (
    s.Sticker(1, 1, 1, 6, 6, s.Optimised(torch.rand(3, 6, 6))),
    s.Sticker(2, 5, 5, 4, 4, s.Colour((0, 0, 1)), 0.5),
    s.Sticker(3, 2, 3, 7, 5, s.Optimised(), shape=s.Ellipse(), angle=30),
)


def hide(*ids: int) -> tuple[s.Sticker, ...]:
    return tuple(replace(sticker, visible=sticker.id not in ids) for sticker in SHOWN)


@pytest.mark.parametrize("hidden", [(1,), (2,), (3,), (1, 3), (1, 2, 3)])
def test_hidden_stickers_are_as_if_they_were_not_there(hidden: tuple[int, ...]) -> None:
    there = tuple(sticker for sticker in SHOWN if sticker.id not in hidden)
    assert torch.equal(s.paint(IMAGE, hide(*hidden)), s.paint(IMAGE, there))
    composed, expected = s.compose(IMAGE, hide(*hidden)), s.compose(IMAGE, there)
    assert torch.equal(composed.base, expected.base)
    assert torch.equal(composed.content, expected.content)
    assert (composed.mask is None) == (expected.mask is None)
    assert composed.mask is None or torch.equal(composed.mask, expected.mask)
    for sticker in hide(*hidden):
        assert bool(s.coverage(sticker, 12, 12).any()) == sticker.visible


def test_an_attack_leaves_the_content_of_a_hidden_sticker() -> None:
    after = s.with_content(hide(1), torch.zeros(3, 12, 12))
    assert after[0].content is SHOWN[0].content
    assert after[2].content is not SHOWN[2].content


def test_a_hidden_or_locked_sticker_is_not_under_the_mouse() -> None:
    low, high = s.Sticker(1, 1, 1, 6, 6), s.Sticker(2, 2, 2, 6, 6)
    for out in ({"visible": False}, {"locked": True}):
        found = s.find_hit([low, replace(high, **out)], 4, 4, 0.1, selected=2)
        assert found == s.Hit(low)
        assert s.find_hit([low, replace(high, **out)], 8, 8, 0.5, selected=2) is None  # nor is its handle


@pytest.mark.parametrize("switches", [{}, {"locked": True}, {"visible": False}, {"locked": True, "visible": False}])
def test_records_studies_and_scripts_keep_both_switches(switches: dict[str, bool]) -> None:
    sticker = replace(s.Sticker(7, 1.5, 2, 3, 4, s.Colour((0.5, 0.25, 0)), name="seven", angle=12), **switches)
    assert StickerEntry.model_validate_json(StickerEntry.of(sticker).model_dump_json()).sticker() == sticker
    tensors = Tensors()
    (entry,) = entries_of([sticker], tensors)
    (back,) = Stickers(lambda _digest: torch.zeros(1)).of([entry])
    assert back == sticker
    text, imports = sticker_call(sticker, with_content=True)
    names: dict[str, object] = {}
    exec("\n".join(imports), names)
    assert eval(text, names) == sticker


def test_an_entry_written_before_there_were_switches_is_shown_and_free() -> None:
    entry = StickerEntry.of(s.Sticker(1, 0, 0, 2, 2)).model_dump(exclude={"locked", "visible"})
    old = StickerEntry.model_validate(entry).sticker()
    assert (old.locked, old.visible) == (False, True)


@pytest.mark.parametrize("what", ["locked", "visible"])
def test_a_switch_is_true_or_false(what: str) -> None:
    with pytest.raises(GibbonError, match=f"“{what}”.*True or False"):
        s.Sticker(1, 0, 0, 2, 2, **{what: 1})


@pytest.mark.parametrize("frame", [(0, 0, 3, 2), (0.5, -1.25, 3, 2.5), (-7, 3, 1, 1), (0.1 + 0.2, 0, 0.7 + 2, 9)])
def test_the_outer_box_of_an_upright_sticker_is_that_of_one_turned_by_a_whole_turn(frame: tuple[float, ...]) -> None:
    x, y, width, height = frame
    assert s.Sticker(1, *frame).outer == s.frames.outer_box(x, y, width, height, 360)
