"""Polygon, brush, eraser, rotation and several selected, under real mouse and key events on the canvas."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.stickers import Brushed, Colour, Ellipse, Optimised, Polygon, Sticker, coverage
from gui.canvas import ImageCanvas
from gui.canvas.tools import grips
from gui.canvas.tools.brush import NOTHING_HERE
from gui.canvas.tools.shapes import MISSED
from tests.gui.canvas_events import CTRL, LEFT, NONE, SHIFT, Owner, drag, images, key, mouse, move, overridden, press, release
from tests.gui.canvas_pixels import array

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.canvas.pane import Pane

LOW = Sticker(1, 4, 5, 6, 8)
HIGH = Sticker(2, 14, 14, 10, 6, Colour((0, 0, 1)))


@pytest.fixture
def stickers() -> tuple[Sticker, ...]:
    return LOW, HIGH


def click(pane: Pane, at: tuple[float, float], keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    press(pane, at, keys=keys)
    release(pane, at, keys=keys)


def double_click(pane: Pane, at: tuple[float, float]) -> None:
    """As Qt sends it: press, release, double click, release."""
    click(pane, at)
    mouse(pane.viewport, QEvent.Type.MouseButtonDblClick, pane.position(*at), LEFT, LEFT)
    release(pane, at)


def covered(sticker: Sticker) -> set[tuple[int, int]]:
    """Columns and rows that a sticker covers."""
    return {(column, row) for row, column in (coverage(sticker, 32, 32)[0] > 0).nonzero().tolist()}


# ---------------------------------------------------------------------- polygon


@pytest.mark.parametrize("end", ["double click", "enter", "first corner"])
def test_a_polygon_is_set_corner_by_corner_and_ended(canvas: ImageCanvas, owner: Owner, end: str) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    corners = [(16.0, 2.0), (28.0, 2.0), (28.0, 10.0)]
    for corner in corners:
        move(pane, corner, NONE)
        click(pane, corner)
    move(pane, (20, 11), NONE)
    assert pane.view.sketch.sketch is not None
    assert len(pane.view.sketch.sketch.line) == 4  # with the rubber line to the mouse
    assert canvas.adversarial_pane.view.sketch.sketch is pane.view.sketch.sketch
    assert owner.stickers == (LOW, HIGH)
    if end == "double click":
        double_click(pane, (16, 10))
        corners.append((16.0, 10.0))
    elif end == "enter":
        key(canvas, Qt.Key.Key_Return)
    else:
        click(pane, (16.3, 2.2))
    drawn = owner.stickers[2]
    assert isinstance(drawn.shape, Polygon)
    assert len(drawn.shape.points) == len(corners)
    assert (drawn.x, drawn.y, drawn.width, drawn.height) == pytest.approx((16, 2, 12, 8), abs=0.1)
    assert [text for _, _, text in owner.heard("stickersCommitted")] == ["Draw sticker 3"]
    assert (canvas.tool, canvas.selected) == ("select", 3)
    assert pane.view.sketch.sketch is None


def test_backspace_and_undo_take_corners_back_and_esc_gives_up(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    for corner in ((16, 2), (28, 2), (28, 10), (2, 30)):
        click(pane, corner)
    assert overridden(canvas, Qt.Key.Key_Z, CTRL)
    key(canvas, Qt.Key.Key_Backspace)
    key(canvas, Qt.Key.Key_Z, CTRL)
    assert owner.stickers == (LOW, HIGH)
    click(pane, (16, 10))
    key(canvas, Qt.Key.Key_Enter)
    assert len(owner.stickers[2].shape.points) == 3  # type: ignore[attr-defined]
    canvas.set_tool("polygon")
    click(pane, (2, 2))
    click(pane, (9, 2))
    for _ in range(2):
        key(canvas, Qt.Key.Key_Backspace)  # the first corner is gone, and the polygon with it
    assert not overridden(canvas, Qt.Key.Key_Z, CTRL)
    click(pane, (2, 2))
    click(pane, (9, 2))
    click(pane, (9, 9))
    key(canvas, Qt.Key.Key_Escape)
    assert (canvas.tool, len(owner.stickers)) == ("polygon", 3)
    assert pane.view.sketch.sketch is None


def test_a_polygon_that_covers_nothing_is_said_and_keeps_its_corners(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    click(pane, (2, 2))
    click(pane, (9, 9))
    key(canvas, Qt.Key.Key_Return)
    click(pane, (16, 16))
    key(canvas, Qt.Key.Key_Return)
    said = [text for (text,) in owner.heard("notice")]
    assert "Set at least three" in said[0]
    assert "lie on one line" in said[1]
    assert owner.stickers == (LOW, HIGH)
    click(pane, (16, 2))
    key(canvas, Qt.Key.Key_Return)
    assert len(owner.stickers[2].shape.points) == 4  # type: ignore[attr-defined]


def test_a_polygon_beside_the_image_is_said_and_one_that_crosses_itself_is_made(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    for corner in ((-4, 2), (-2, 9), (-1, 4)):
        click(pane, corner)
    key(canvas, Qt.Key.Key_Return)
    assert owner.heard("notice") == [(MISSED,)]
    key(canvas, Qt.Key.Key_Escape)
    for corner in ((2, 20), (10, 20), (2, 28), (10, 28)):
        click(pane, corner)
    key(canvas, Qt.Key.Key_Return)
    assert len(owner.stickers) == 3
    hour_glass = covered(owner.stickers[2])
    assert (6, 20) in hour_glass
    assert (6, 27) in hour_glass
    assert (2, 24) not in hour_glass


def test_a_dragged_corner_of_a_polygon_ends_where_the_button_is_let_go(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("polygon")
    drag(canvas.clean_pane, [(16, 2), (20, 2), (28, 2)])
    click(canvas.clean_pane, (28, 10))
    key(canvas, Qt.Key.Key_Return)
    assert len(owner.stickers[2].shape.points) == 3  # type: ignore[attr-defined]


def test_shift_draws_sides_in_eight_directions(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    click(pane, (4, 20))
    click(pane, (16, 20.9), SHIFT)
    click(pane, (20.5, 25.3), SHIFT)
    key(canvas, Qt.Key.Key_Return)
    drawn = owner.stickers[2]
    assert (drawn.x, drawn.y, drawn.right) == pytest.approx((4, 20, 20.9), abs=0.1)
    (_u0, v0), (u1, v1), (u2, v2) = drawn.shape.points  # type: ignore[attr-defined]
    assert v0 == pytest.approx(v1)
    assert (u2 - u1) * drawn.width == pytest.approx((v2 - v1) * drawn.height)


def test_one_backspace_too_many_deletes_no_sticker(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_stickers((LOW, HIGH), 1)
    canvas.set_tool("polygon")
    click(canvas.clean_pane, (20, 2))
    for _ in range(3):
        key(canvas, Qt.Key.Key_Backspace)
    assert owner.stickers == (LOW, HIGH)
    canvas.set_tool("select")
    key(canvas, Qt.Key.Key_Backspace)
    assert owner.stickers == (HIGH,)


@pytest.mark.parametrize("by", ["middle", "space"])
def test_the_view_is_panned_while_a_polygon_is_drawn(canvas: ImageCanvas, owner: Owner, by: str) -> None:
    pane = canvas.clean_pane
    canvas.zoom_by(3)
    before = canvas.viewpoint
    canvas.set_tool("polygon")
    click(pane, (12, 12))
    click(pane, (18, 12))
    if by == "space":
        QTest.keyPress(canvas, Qt.Key.Key_Space)
    button = Qt.MouseButton.MiddleButton if by == "middle" else LEFT
    start = pane.position(15, 15)
    mouse(pane.viewport, QEvent.Type.MouseButtonPress, start, button, button)
    mouse(pane.viewport, QEvent.Type.MouseMove, start + QPoint(-30, 20), NONE, button)
    mouse(pane.viewport, QEvent.Type.MouseButtonRelease, start + QPoint(-30, 20), button, NONE)
    if by == "space":
        QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.viewpoint.x > before.x
    assert canvas.viewpoint.y < before.y
    click(pane, (18, 18))
    key(canvas, Qt.Key.Key_Return)
    assert len(owner.stickers[2].shape.points) == 3  # type: ignore[attr-defined]
    assert owner.boxes()[2] == pytest.approx((12, 12, 6, 6), abs=0.1)


def test_a_right_click_is_no_corner(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    for corner in ((16, 2), (28, 2), (28, 10)):
        click(pane, corner)
    press(pane, (2, 30), Qt.MouseButton.RightButton)
    release(pane, (2, 30), Qt.MouseButton.RightButton)
    key(canvas, Qt.Key.Key_Return)
    assert len(owner.stickers[2].shape.points) == 3  # type: ignore[attr-defined]


def test_a_shape_whose_box_alone_touches_the_image_is_said(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("polygon")
    for corner in ((-6, 4), (-6, -6), (4, -6)):  # the triangle's long side passes the corner of the image outside
        click(pane, corner)
    key(canvas, Qt.Key.Key_Return)
    assert owner.stickers == (LOW, HIGH)
    assert owner.heard("notice") == [(MISSED,)]


def test_what_is_edited_elsewhere_while_a_polygon_is_drawn_stays(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("polygon")
    for corner in ((16, 2), (28, 2), (28, 10)):
        click(canvas.clean_pane, corner)
    owner.stickers = (replace(HIGH, opacity=0.5), Sticker(3, 0, 0, 2, 2))
    canvas.set_stickers(owner.stickers, None)
    key(canvas, Qt.Key.Key_Return)
    assert owner.stickers[:2] == (replace(HIGH, opacity=0.5), Sticker(3, 0, 0, 2, 2))
    assert [sticker.id for sticker in owner.stickers] == [2, 3, 4]
    assert canvas.selected == 4


# ---------------------------------------------------------------------- brush and eraser


def wheel(pane: Pane, at: tuple[float, float], angle: int, keys: Qt.KeyboardModifier) -> None:
    view, place = pane.viewport, pane.position(*at)
    there = QPointF(view.mapToGlobal(place))
    phase = Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(view, QWheelEvent(QPointF(place), there, QPoint(), QPoint(0, angle), NONE, keys, phase, False))


def test_a_stroke_is_one_step_and_the_next_one_extends_the_sticker(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_stickers((LOW, HIGH), None)
    canvas.set_radius(1)
    canvas.set_tool("brush")
    drag(pane, [(16.5, 2.5), (18.5, 2.5), (21.5, 2.5)])
    assert covered(owner.stickers[2]) == {(column, 2) for column in range(16, 22)}
    assert (canvas.tool, canvas.selected) == ("brush", 3)
    click(pane, (25.5, 8.5))
    assert [text for _, _, text in owner.heard("stickersCommitted")] == ["Draw sticker 3", "Paint sticker 3"]
    assert covered(owner.stickers[2]) == {(column, 2) for column in range(16, 22)} | {(25, 8)}
    press(pane, (17.5, 2.5), keys=CTRL)
    move(pane, (18.5, 2.5), keys=CTRL)
    assert pane.view.sketch.sketch is not None
    assert pane.view.sketch.sketch.erases
    release(pane, (18.5, 2.5), keys=CTRL)
    assert covered(owner.stickers[2]) == {(16, 2), (19, 2), (20, 2), (21, 2), (25, 8)}
    assert owner.stickers[:2] == (LOW, HIGH)


def test_esc_during_a_stroke_leaves_everything_as_it_was(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("brush")
    press(canvas.clean_pane, (16.5, 2.5))
    move(canvas.clean_pane, (20.5, 2.5))
    key(canvas, Qt.Key.Key_Escape)
    assert canvas.tool == "brush"
    release(canvas.clean_pane, (20.5, 2.5))
    assert owner.stickers == (LOW, HIGH)
    assert owner.heard("stickersCommitted") == []
    assert canvas.clean_pane.view.sketch.sketch is None


def test_the_eraser_takes_from_any_shape_and_removes_what_is_empty(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_radius(2)
    canvas.set_tool("eraser")
    click(pane, (7.5, 8.5))  # nothing is selected: the one under the press
    assert isinstance(owner.stickers[0].shape, Brushed)
    assert covered(owner.stickers[0]) == covered(LOW) - {(column, row) for column in (6, 7, 8) for row in (7, 8, 9)}
    assert owner.selected == 1
    canvas.set_radius(20)
    click(pane, (7.5, 8.5))
    assert owner.stickers == (HIGH,)
    assert owner.selected is None
    assert "Nothing is left of sticker 1" in owner.heard("notice")[0][0]
    click(pane, (1.5, 30.5))
    assert owner.heard("notice")[1] == (NOTHING_HERE,)


def test_a_stroke_beside_the_image_is_said(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("brush")
    canvas.set_radius(1)
    drag(canvas.clean_pane, [(-3, 4), (-2, 9)])
    assert owner.stickers == (LOW, HIGH)
    assert owner.heard("notice") == [(MISSED,)]


def test_the_radius_follows_the_wheel_with_ctrl_and_a_brush_of_none_is_refused(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_radius(3)
    before = canvas.viewpoint
    wheel(pane, (16, 16), 120, CTRL)
    assert canvas.radius == 3  # without a brush the wheel zooms
    assert canvas.viewpoint.scale > before.scale
    canvas.set_tool("brush")
    before = canvas.viewpoint
    wheel(pane, (16, 16), 240, CTRL)
    assert canvas.radius == 5
    for _ in range(4):
        wheel(pane, (16, 16), -60, CTRL)  # half a notch each
    assert (canvas.radius, canvas.viewpoint) == (3, before)
    wheel(pane, (16, 16), 120, Qt.KeyboardModifier.NoModifier)
    assert canvas.viewpoint.scale > before.scale
    for _ in range(3):
        canvas.resize_brush(-1)
    assert canvas.radius == 1
    ((said,),) = owner.heard("notice")
    assert "at least 1: a single pixel" in said
    canvas.set_radius(50)
    canvas.resize_brush(1)
    assert canvas.radius == 55


def test_the_circle_previews_exactly_the_pixels_of_a_dab(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_stickers((LOW, HIGH), None)
    canvas.set_tool("brush")
    for radius in (1, 2, 5):
        canvas.set_radius(radius)
        move(pane, (20.3, 24.8), NONE)
        circle = pane.view.brush.circle
        assert circle is not None
        x, y, reach = circle
        inside = {(c, r) for c in range(32) for r in range(32) if (c + 0.5 - x) ** 2 + (r + 0.5 - y) ** 2 <= reach**2 + 1e-6}
        canvas.set_stickers((LOW, HIGH), None)
        click(pane, (20.3, 24.8))
        assert covered(owner.stickers[-1]) == inside
    canvas.set_tool("select")
    assert pane.view.brush.circle is None


def test_the_sketched_stroke_is_painted_where_its_pixels_are(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_tool("brush")
    canvas.set_radius(1)
    before = array(pane.viewport.grab())
    press(pane, (25.5, 25.5))
    move(pane, (26.5, 25.5))
    move(pane, (0.5, 0.5), button=LEFT)
    key(canvas, Qt.Key.Key_Escape)
    release(pane, (0.5, 0.5))
    press(pane, (25.5, 25.5))
    pane.view.brush.show_circle(None)
    during = array(pane.viewport.grab())
    changed = (before.astype(int) - during).any(2)
    rows, columns = changed.any(1).nonzero()[0], changed.any(0).nonzero()[0]
    low, high = pane.position(25, 25), pane.position(26, 26)
    assert abs(columns[0] - low.x()) <= 1
    assert abs(columns[-1] + 1 - high.x()) <= 1
    assert abs(rows[0] - low.y()) <= 1
    assert abs(rows[-1] + 1 - high.y()) <= 1
    release(pane, (25.5, 25.5))


# ---------------------------------------------------------------------- rotation


def test_the_round_grip_rotates_and_shift_snaps(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    click(pane, (17.5, 16.5))
    knob = pane.view.handles.knob()
    assert knob is not None
    at = pane.placement.to_image(knob.x(), knob.y())
    centre = HIGH.centre
    reach = centre[1] - at[1]
    assert reach * pane.placement.scale == pytest.approx(6 / 2 * pane.placement.scale + 22, abs=1)
    press(pane, at)
    move(pane, (centre[0] + reach, centre[1]))
    assert owner.stickers[1].angle == pytest.approx(90, abs=1)
    move(pane, (centre[0] + reach, centre[1] - 0.9 * reach), keys=SHIFT)
    assert owner.stickers[1].angle == 45
    release(pane, (centre[0] + reach, centre[1] - 0.9 * reach), keys=SHIFT)
    assert [text for _, _, text in owner.heard("stickersCommitted")] == ["Rotate sticker 2"]
    assert owner.stickers[1].centre == HIGH.centre
    press(pane, pane.placement.to_image(*_point(pane)))
    move(pane, (1, 1))
    key(canvas, Qt.Key.Key_Escape)
    assert owner.stickers[1].angle == 45


def _point(pane: Pane) -> tuple[float, float]:
    knob = pane.view.handles.knob()
    assert knob is not None
    return knob.x(), knob.y()


def test_the_grip_that_rotates_keeps_its_distance_on_the_screen_and_stays_on_the_image(canvas: ImageCanvas) -> None:
    for pixel in (0.05, 0.2, 1.0):
        at = grips(HIGH, pixel, 32, 32)
        place = at.get("turn") or at["turn_below"]
        assert abs(abs(place[1] - HIGH.centre[1]) - 3 - (5 * pixel if 6 / pixel < 28 else 0)) == pytest.approx(22 * pixel)
    top = Sticker(1, 4, 0, 6, 6)
    below = grips(top, 0.1, 32, 32)["turn_below"]
    assert below == pytest.approx((7, 8.2))
    pane = canvas.clean_pane
    owner = Owner(canvas, (top,))
    click(pane, (7, 3))
    press(pane, pane.placement.to_image(*_point(pane)))
    move(pane, (1, 3))  # to the left of the middle: what was below turns clockwise
    assert owner.stickers[0].angle == pytest.approx(90, abs=2)
    release(pane, (1, 3))


@pytest.mark.parametrize(
    ("angle", "expected"), [(0, "SizeHorCursor"), (45, "SizeFDiagCursor"), (90, "SizeVerCursor"), (-45, "SizeBDiagCursor")]
)
def test_cursors_follow_the_rotation(canvas: ImageCanvas, angle: float, expected: str) -> None:
    pane = canvas.clean_pane
    turned = Sticker(1, 8, 10, 16, 12, angle=angle)
    Owner(canvas, (turned,))
    click(pane, (16, 16))
    move(pane, grips(turned, 1 / pane.placement.scale, 32, 32)["e"], NONE)
    assert pane.viewport.cursor().shape() == getattr(Qt.CursorShape, expected)


def test_the_grip_that_rotates_has_a_pointer_of_its_own(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    click(pane, (17.5, 16.5))
    move(pane, pane.placement.to_image(*_point(pane)), NONE)
    cursor = pane.viewport.cursor()
    assert cursor.shape() == Qt.CursorShape.BitmapCursor
    assert not cursor.pixmap().toImage().isNull()
    move(pane, (17.5, 16.5), NONE)
    assert pane.viewport.cursor().shape() == Qt.CursorShape.SizeAllCursor


def test_a_handle_of_a_rotated_sticker_leaves_the_opposite_side(canvas: ImageCanvas) -> None:
    from engine.stickers import handle_position

    turned = Sticker(1, 8, 10, 16, 12, angle=30)
    owner, pane = Owner(canvas, (turned,)), canvas.clean_pane
    click(pane, (16, 16))
    start = handle_position(turned, "e")
    drag(pane, [start, (start[0] + 2, start[1] + 1), (start[0] + 4, start[1] + 2)])
    after = owner.stickers[0]
    assert after.width > turned.width
    assert after.height == turned.height
    assert handle_position(after, "w") == pytest.approx(handle_position(turned, "w"))


# ---------------------------------------------------------------------- several selected


def test_ctrl_click_and_the_band_select_several_which_move_together(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    click(pane, (6.5, 8.5))
    click(pane, (17.5, 16.5), CTRL)
    assert (owner.selected, owner.also) == (2, frozenset({1}))
    assert pane.view.handles.sticker is None  # grips are for one
    drag(pane, [(6.5, 8.5), (7.5, 8.5), (9.5, 9.5)])
    assert owner.boxes() == [(7, 6, 6, 8), (17, 15, 10, 6)]
    assert owner.heard("stickersCommitted")[-1][2] == "Move 2 stickers"
    assert (owner.selected, owner.also) == (2, frozenset({1}))
    click(pane, (20.5, 16.5), CTRL)
    assert (owner.selected, owner.also) == (1, frozenset())
    click(pane, (30, 1))
    assert owner.selected is None
    drag(pane, [(1, 1), (5, 5), (18, 16)], keys=SHIFT)
    assert {owner.selected, *owner.also} == {1, 2}
    assert pane.view.sketch.sketch is None
    click(pane, (8.5, 8.5))  # a click selects one of them alone
    assert (owner.selected, owner.also) == (1, frozenset())


def test_several_keep_their_distances_at_the_edge(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_A, CTRL)
    drag(canvas.clean_pane, [(6.5, 8.5), (10, 8.5), (200, 8.5)])
    (first, _, _, _), (second, _, _, _) = owner.boxes()
    assert second == 31
    assert second - first == 10


def test_keys_edit_all_selected(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_A, CTRL)
    key(canvas, Qt.Key.Key_Right)
    assert owner.boxes() == [(5, 5, 6, 8), (15, 14, 10, 6)]
    key(canvas, Qt.Key.Key_D, CTRL)
    assert len(owner.stickers) == 4
    assert {owner.selected, *owner.also} == {3, 4}
    key(canvas, Qt.Key.Key_PageDown, SHIFT)
    assert [sticker.id for sticker in owner.stickers] == [3, 4, 1, 2]
    key(canvas, Qt.Key.Key_Delete)
    assert [sticker.id for sticker in owner.stickers] == [1, 2]
    texts = [text for _, _, text in owner.heard("stickersCommitted")]
    assert texts == ["Move 2 stickers", "Duplicate 2 stickers", "Lower 2 stickers", "Delete 2 stickers"]


@pytest.mark.parametrize(
    ("edge", "boxes"),
    [
        ("left", [(4, 5), (4, 14)]),
        ("right", [(18, 5), (14, 14)]),
        ("centre", [(11, 5), (9, 14)]),
        ("top", [(4, 5), (14, 5)]),
        ("bottom", [(4, 12), (14, 14)]),
        ("middle", [(4, 9), (14, 10)]),
    ],
)
def test_align_among_each_other(canvas: ImageCanvas, owner: Owner, edge: str, boxes: list[tuple[int, int]]) -> None:
    key(canvas, Qt.Key.Key_A, CTRL)
    canvas.align_selected(edge)  # type: ignore[arg-type]
    assert [box[:2] for box in owner.boxes()] == boxes


def test_align_with_the_image(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_A, CTRL)
    canvas.align_selected("right", on_image=True)
    assert [box[0] for box in owner.boxes()] == [26, 22]
    canvas.set_stickers(owner.stickers, 1)
    canvas.align_selected("middle")  # a single one
    assert owner.boxes()[0] == (26, 12, 6, 8)
    turned = Owner(canvas, (Sticker(1, 8, 10, 16, 12, angle=90),))
    canvas.set_stickers(turned.stickers, 1)
    canvas.align_selected("left")
    assert turned.stickers[0].centre[0] == pytest.approx(6)


# ---------------------------------------------------------------------- lock, eye, clipboard, keyboard


def test_a_locked_sticker_is_left_alone_by_mouse_and_keys(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_stickers((LOW, HIGH), 1)
    canvas.switch_selected("locked")
    assert owner.stickers[0].locked
    assert canvas.clean_pane.view.handles.sticker is None
    for which in (Qt.Key.Key_Right, Qt.Key.Key_Delete):
        key(canvas, which)
    assert owner.boxes() == [(4, 5, 6, 8), (14, 14, 10, 6)]
    assert all("locked" in text for (text,) in owner.heard("notice"))
    assert len(owner.heard("notice")) == 2
    drag(canvas.clean_pane, [(6.5, 8.5), (12, 8.5)])
    assert owner.boxes()[0] == (4, 5, 6, 8)
    key(canvas, Qt.Key.Key_A, CTRL)
    assert (owner.selected, owner.also) == (2, frozenset())


def test_a_hidden_sticker_has_no_outline(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    canvas.set_stickers((), None)
    bare = array(pane.viewport.grab())
    canvas.set_stickers((LOW,), None)
    assert (array(pane.viewport.grab()) != bare).any()
    canvas.set_stickers((replace(LOW, visible=False),), None)
    assert (array(pane.viewport.grab()) == bare).all()


def test_stickers_are_copied_as_text_between_canvases(canvas: ImageCanvas, qtbot: QtBot) -> None:
    stickers = (
        Sticker(4, 4, 5, 6, 8, Optimised(torch.rand(3, 8, 6)), 0.5, "four", Ellipse(), 30),
        Sticker(9, 1, 1, 5, 5, Colour((0, 0.5, 1)), shape=Brushed.of(torch.eye(5)), locked=True),
    )
    Owner(canvas, stickers)
    canvas.set_stickers(stickers, 4, frozenset({9}))
    key(canvas, Qt.Key.Key_C, CTRL)
    assert isinstance(json.loads(QGuiApplication.clipboard().text()), list)
    other = ImageCanvas()
    qtbot.addWidget(other)
    other.show()
    other.set_images(*images())
    theirs = Owner(other)
    key(other, Qt.Key.Key_V, CTRL)
    first, second = theirs.stickers
    assert torch.equal(first.content.image, stickers[0].content.image)  # type: ignore[union-attr,arg-type]
    assert replace(first, content=Colour()) == replace(stickers[0], id=1, content=Colour())
    assert second == replace(stickers[1], id=2, locked=False)
    assert {theirs.selected, *theirs.also} == {1, 2}


def test_cut_takes_the_free_ones_off_and_paste_brings_them_back(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_stickers((LOW, HIGH), 1, frozenset({2}))
    key(canvas, Qt.Key.Key_X, CTRL)
    assert owner.stickers == ()
    key(canvas, Qt.Key.Key_V, CTRL)
    assert owner.stickers == (LOW, HIGH)


@pytest.mark.parametrize(("tool", "kind"), [("rectangle", "rectangle"), ("ellipse", "ellipse"), ("polygon", "polygon"), ("brush", "brush")])
def test_return_makes_every_shape_and_it_is_edited_by_keys_alone(canvas: ImageCanvas, tool: str, kind: str) -> None:
    owner = Owner(canvas)
    canvas.set_tool(tool)  # type: ignore[arg-type]
    key(canvas, Qt.Key.Key_Return)
    (drawn,) = owner.stickers
    assert (drawn.shape.kind, canvas.selected, canvas.tool) == (kind, 1, "select")
    assert 6 <= drawn.width <= 8
    assert abs(drawn.centre[0] - 16) <= 0.5
    key(canvas, Qt.Key.Key_Left, SHIFT)
    assert owner.stickers[0].x == drawn.x - 10


def test_an_eraser_makes_nothing_by_return(canvas: ImageCanvas) -> None:
    canvas.set_tool("eraser")
    assert not overridden(canvas, Qt.Key.Key_Return)
