"""The mouse tools without Qt: generators fed with pointers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.stickers import HANDLES, Colour, Handle, Optimised, Sticker, handle_position
from gui.canvas import edits
from gui.canvas.gesture import Gesture
from gui.canvas.placement import LARGEST_SCALE, MARGIN, Placement, Viewpoint, fitted
from gui.canvas.readout import pixel_text
from gui.canvas.tools import CLAMPED, MISSED, TOOLS, Board, Draft, Pan, Pointer, ToolName, hit_at, role

LOW = Sticker(1, 4, 5, 6, 8)
HIGH = Sticker(2, 8, 8, 10, 6, Colour((0, 0, 1)))
PIXEL = 0.1


def board(selected: int | None = None) -> Board:
    return Board((LOW, HIGH), selected, height=32, width=32)


def dragged(tool: ToolName, on: Board, *points: tuple[float, float], shift: bool = False, end: str = "release") -> Gesture:
    """Press on the first point, move along the others, and let go on the last."""
    pointers = [Pointer(x, y, PIXEL, shift) for x, y in points]
    gesture = Gesture(TOOLS[tool], replace(pointers[0], kind="press"), on)
    for pointer in pointers[1:]:
        gesture.advance(pointer)
    gesture.advance(replace(pointers[-1], kind=end))
    assert gesture.over
    return gesture


def box(sticker: Sticker) -> tuple[int, int, int, int]:
    return sticker.x, sticker.y, sticker.width, sticker.height


def test_a_drag_moves_the_topmost_sticker_by_whole_pixels() -> None:
    draft = dragged("select", board(), (9, 9), (10, 9.2), (12.4, 8.1)).draft
    assert draft is not None
    assert [box(sticker) for sticker in draft.stickers] == [box(LOW), (11, 7, 10, 6)]
    assert (draft.selected, draft.text) == (2, "Move sticker 2")


def test_a_click_selects_and_changes_nothing() -> None:
    gesture = dragged("select", board(), (5, 6), (5.05, 6.1))
    assert gesture.draft is not None
    assert gesture.draft.stickers == board().stickers
    assert gesture.draft.selected == 1


def test_a_click_on_nothing_lets_go_of_the_selection() -> None:
    draft = dragged("select", board(1), (30, 30)).draft
    assert draft is not None
    assert (draft.stickers, draft.selected) == (board().stickers, None)


def test_a_drag_on_nothing_pans_and_keeps_the_selection() -> None:
    gesture = Gesture(TOOLS["select"], Pointer(30, 30, PIXEL, kind="press"), board(1))
    assert isinstance(gesture.update, Draft)
    gesture.advance(Pointer(28, 29, PIXEL))
    assert gesture.update == Pan(2, 1)
    gesture.advance(Pointer(30, 30, PIXEL))  # the view followed: the same image point is under the mouse
    assert gesture.update == Pan(0, 0)
    gesture.advance(Pointer(30, 30, PIXEL, kind="release"))
    assert gesture.over
    assert gesture.draft is None


@pytest.mark.parametrize("handle", HANDLES)
def test_every_handle_pulls_its_own_sides_only(handle: str) -> None:
    x, y = handle_position(LOW, handle)
    draft = dragged("select", board(1), (x, y), (x + 1, y + 2), (x + 2, y + 3)).draft
    assert draft is not None
    new = draft.stickers[0]
    assert (new.x - LOW.x, new.right - LOW.right) == (2 * ("w" in handle), 2 * ("e" in handle))
    assert (new.y - LOW.y, new.bottom - LOW.bottom) == (3 * ("n" in handle), 3 * ("s" in handle))
    assert draft.text == "Resize sticker 1"


def test_shift_keeps_the_aspect_of_a_resized_corner() -> None:
    draft = dragged("select", board(1), (10, 13), (16, 13), shift=True).draft
    assert draft is not None
    assert box(draft.stickers[0]) == (4, 5, 12, 16)


def test_a_pressed_handle_does_not_jump() -> None:
    draft = dragged("select", board(1), (10.4, 13.4), (10.4, 13.4)).draft
    assert draft is not None
    assert draft.stickers == board().stickers


@pytest.mark.parametrize("off", [-0.4, 0.4])
@pytest.mark.parametrize("handle", HANDLES)
def test_a_handle_taken_beside_its_middle_goes_as_far_as_the_mouse(handle: Handle, off: float) -> None:
    """It is pulled by 1.8 pixels, so by 2. Where it was pressed makes no difference of 0.4, which would be rounded to another pixel."""
    (x, y), way = handle_position(LOW, handle), -1.8 if off > 0 else 1.8
    draft = dragged("select", board(1), (x + off, y + off), (x + off + way, y + off + way)).draft
    assert draft is not None
    new, pulled = draft.stickers[0], round(way)
    assert (new.x - LOW.x, new.right - LOW.right) == (pulled * ("w" in handle), pulled * ("e" in handle))
    assert (new.y - LOW.y, new.bottom - LOW.bottom) == (pulled * ("n" in handle), pulled * ("s" in handle))


def test_escape_aborts_any_drag() -> None:
    for tool, point in (("select", (9, 9)), ("select", (30, 30)), ("rectangle", (1, 1)), ("pan", (1, 1))):
        assert dragged(tool, board(2), point, (20, 20), end="cancel").draft is None  # type: ignore[arg-type]


def test_a_dragged_sticker_keeps_a_pixel_on_the_image_and_says_so() -> None:
    draft = dragged("select", board(), (9, 9), (500, -500)).draft
    assert draft is not None
    assert box(draft.stickers[1]) == (31, -5, 10, 6)
    assert draft.notice == CLAMPED


@pytest.mark.parametrize(
    ("points", "shift", "expected"),
    [
        (((2.5, 3.5), (6.2, 9.9)), False, (2, 3, 5, 7)),
        (((6.2, 9.9), (2.5, 3.5)), False, (2, 3, 5, 7)),
        (((2.5, 3.5), (6.2, 9.9)), True, (2, 3, 7, 7)),
        (((20.5, 20.5),), False, (20, 20, 1, 1)),
    ],
)
def test_a_rectangle_covers_the_pixels_that_it_was_drawn_over(points: Sequence[tuple[float, float]], shift: bool, expected: tuple) -> None:
    draft = dragged("rectangle", board(), *points, shift=shift).draft
    assert draft is not None
    assert box(draft.stickers[-1]) == expected
    assert (draft.selected, draft.text, len(draft.stickers)) == (3, "Draw sticker 3", 3)


def test_a_rectangle_takes_the_content_that_its_owner_makes() -> None:
    content = Optimised()
    draft = dragged("rectangle", replace(board(), new_content=lambda: content), (1, 1), (3, 3)).draft
    assert draft is not None
    assert draft.stickers[-1].content is content


def test_a_rectangle_beside_the_image_is_not_made() -> None:
    draft = dragged("rectangle", board(), (-9, -9), (-2, -2)).draft
    assert draft is not None
    assert draft.stickers == board().stickers
    assert draft.notice == MISSED


def test_a_sticker_that_is_tiny_on_the_screen_can_still_be_moved() -> None:
    tiny = Board((Sticker(1, 10, 10, 2, 2),), 1, 224, 224)
    hit = hit_at(Pointer(11, 11, pixel=1.0), tiny)
    assert hit is not None
    assert hit.handle is None
    outside = hit_at(Pointer(13, 13, pixel=1.0), tiny)
    assert outside is not None
    assert outside.handle == "se"


def test_the_mouse_pointer_says_what_a_press_would_do() -> None:
    at = {"nothing": (30, 30), "body": (7, 9), "corner": (4, 5), "edge": (7, 5), "other": (15, 10)}
    seen = {name: role("select", Pointer(*point, PIXEL), board(1)) for name, point in at.items()}
    assert seen == {"nothing": "arrow", "body": "move", "corner": "falling", "edge": "vertical", "other": "move"}
    assert role("rectangle", Pointer(7, 9, PIXEL), board(1)) == "cross"


def test_keyboard_edits() -> None:
    nudged = edits.nudge(board(1), -5, 0)
    assert nudged is not None
    assert (box(nudged.stickers[0]), nudged.text) == ((-1, 5, 6, 8), "Move sticker 1")
    deleted = edits.delete(board(1))
    assert deleted is not None
    assert (deleted.stickers, deleted.selected) == ((HIGH,), None)
    copied = edits.duplicate(board(1))
    assert copied is not None
    assert (box(copied.stickers[2]), copied.selected) == ((6, 7, 6, 8), 3)
    raised = edits.restack(board(1), 1)
    assert raised is not None
    assert ([sticker.id for sticker in raised.stickers], raised.text) == ([2, 1], "Raise sticker 1")
    assert [edits.nudge(board(), 1, 0), edits.delete(board()), edits.duplicate(board()), edits.restack(board(), 1)] == [None] * 4


def test_the_selection_goes_round() -> None:
    assert [edits.neighbour(board(chosen), 1) for chosen in (None, 1, 2)] == [1, 2, 1]
    assert [edits.neighbour(board(chosen), -1) for chosen in (None, 1, 2)] == [2, 2, 1]


def test_placement_maps_there_and_back() -> None:
    placement = Placement.of(Viewpoint(16, 10, 7.3), 431, 397)
    x, y = placement.to_image(*placement.to_screen(3.25, 30.5))
    assert (x, y) == (pytest.approx(3.25), pytest.approx(30.5))


@pytest.mark.parametrize("size", [430, 431])
def test_a_pan_by_screen_pixels_shifts_the_image_by_as_many(size: int) -> None:
    for scale in (13.0, 2.3, 7.77):
        start = Placement.of(Viewpoint(16, 16, scale), size, size)
        for by in range(-40, 40):
            assert Placement.of(Viewpoint(16, 16, scale).shifted(-by / scale, 0), size, size).left == start.left + by


def test_zooming_keeps_the_point_under_the_mouse() -> None:
    before = Viewpoint(16, 16, 10)
    after = before.zoomed(1.7, 3, 29, smallest=0.5)
    assert (3 - before.x) * before.scale == pytest.approx((3 - after.x) * after.scale)
    assert (29 - before.y) * before.scale == pytest.approx((29 - after.y) * after.scale)
    assert before.zoomed(1e6, 3, 29, smallest=0.5).scale == LARGEST_SCALE
    assert before.zoomed(1e-6, 3, 29, smallest=0.5).scale == 0.5


def test_a_fitted_image_fills_the_pane_up_to_the_margin() -> None:
    view = fitted(32, 32, 430, 460)
    assert view == Viewpoint(16, 16, (430 - 2 * MARGIN) / 32)
    assert fitted(1000, 500, 430, 460).scale == pytest.approx((430 - 2 * MARGIN) / 1000)


def test_the_readout_has_one_width_for_all_values() -> None:
    import numpy as np

    clean = np.zeros((12, 12, 3), np.uint8)
    adversarial = clean.copy()
    clean[9, 4] = 203, 180, 12
    adversarial[9, 4] = 255, 255, 0
    pair = [("clean", clean), ("adversarial", adversarial)]
    full, short = pixel_text(4, 9, (12, 12), pair)
    assert full.replace("\u2007", "") == "x 4, y 9 · clean 203 180 12 · adversarial 255 255 0 · change +52 +75 \u221212"
    assert short.replace("\u2007", "") == "x 4, y 9 · 203 180 12 → 255 255 0"
    assert len(full) == len(pixel_text(10, 11, (12, 12), pair)[0])
    assert pixel_text(-1, 0, (12, 12), pair) == pixel_text(0, 12, (12, 12), pair) == ("", "")
