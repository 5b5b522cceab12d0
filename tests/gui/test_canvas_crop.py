"""The crop rectangle: its geometry, and the widget under mouse and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from gui.canvas import CropView
from gui.canvas.crop_geometry import fits, largest, moved_crop, scaled_crop, spanned
from tests.gui.canvas_events import LEFT, NONE, SHIFT, key, mouse

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

sides = st.integers(16, 4000)
aspects = st.sampled_from([1.0, 2.0, 0.5, 4 / 3])
places = st.tuples(st.floats(-500, 5000), st.floats(-500, 5000))


@given(width=sides, height=sides, aspect=aspects, anchor=places, corner=places, factor=st.floats(0.1, 5))
def test_every_crop_lies_on_the_photograph_and_keeps_its_aspect(width, height, aspect, anchor, corner, factor) -> None:
    whole = largest(width, height, aspect)
    drawn = spanned(anchor, corner, aspect, width, height)
    for crop in (whole, drawn, scaled_crop(whole, factor, aspect, width, height), moved_crop(whole, *corner, width, height)):
        assert fits(crop, width, height)
    assert abs(whole[2] - whole[3] * aspect) <= max(1.0, aspect)
    assert whole[2] == width or whole[3] == height


def test_a_drawn_crop_grows_from_its_anchor_in_all_four_ways() -> None:
    for dx, dy in ((40, 10), (-40, 10), (40, -10), (-40, -10)):
        left, top, width, height = spanned((100, 100), (100 + dx, 100 + dy), 1.0, 200, 200)
        assert (width, height) == (40, 40)
        assert 100 in (left, left + width)
        assert 100 in (top, top + height)


@pytest.fixture
def view(qtbot: QtBot) -> CropView:
    made = CropView()
    qtbot.addWidget(made)
    made.resize(410, 210)
    made.show()
    qtbot.waitExposed(made)
    made.set_photograph(np.zeros((400, 800, 3), np.uint8), 1.0, (100, 100, 200, 200))
    return made


def spot(view: CropView, x: float, y: float) -> QPoint:
    """Where a point of the photograph is on the widget."""
    rect, crop = view.crop_rect(), view.crop
    assert crop is not None
    scale = rect.width() / crop[2]
    return QPoint(round(rect.left() + (x - crop[0]) * scale), round(rect.top() + (y - crop[1]) * scale))


def drag(view: CropView, start: tuple[float, float], end: tuple[float, float], let_go: bool = True) -> None:
    first, last = spot(view, *start), spot(view, *end)
    mouse(view, QEvent.Type.MouseButtonPress, first, LEFT, LEFT)
    mouse(view, QEvent.Type.MouseMove, (first + last) / 2, NONE, LEFT)
    mouse(view, QEvent.Type.MouseMove, last, NONE, LEFT)
    if let_go:
        mouse(view, QEvent.Type.MouseButtonRelease, last, LEFT, NONE)


def test_no_crop_means_the_largest_in_the_middle(view: CropView) -> None:
    view.set_photograph(np.zeros((400, 800, 3), np.uint8), 1.0, None)
    assert view.crop == (200, 0, 400, 400)
    view.set_photograph(np.zeros((400, 800, 3), np.uint8), 1.0, (700, 0, 200, 200))
    assert view.crop == (200, 0, 400, 400)
    view.set_photograph(None)
    assert view.crop is None
    view.grab()


def test_drag_moves_live_and_commits_once(view: CropView) -> None:
    live, done = [], []
    view.cropChanged.connect(live.append)
    view.cropCommitted.connect(done.append)
    drag(view, (200, 200), (300, 180))
    assert view.crop == (200, 80, 200, 200)
    assert live == [(150, 90, 200, 200), (200, 80, 200, 200)]
    assert done == [(200, 80, 200, 200)]
    drag(view, (300, 180), (3000, 180))
    assert view.crop == (600, 80, 200, 200)


@pytest.mark.parametrize(
    ("corner", "to", "expected"),
    [
        ((300, 300), (360, 300), (100, 100, 260, 260)),
        ((100, 100), (60, 100), (60, 60, 240, 240)),
        ((300, 100), (340, 100), (100, 60, 240, 240)),
        ((100, 300), (100, 340), (60, 100, 240, 240)),
    ],
)
def test_each_corner_resizes_about_the_opposite_one(view: CropView, corner: tuple, to: tuple, expected: tuple) -> None:
    drag(view, corner, to)
    assert view.crop == expected


def test_a_drag_outside_draws_a_new_crop(view: CropView) -> None:
    drag(view, (500, 100), (600, 150))
    assert view.crop == (500, 100, 100, 100)


def test_escape_aborts(view: CropView) -> None:
    done = []
    view.cropCommitted.connect(done.append)
    drag(view, (200, 200), (300, 200), let_go=False)
    assert view.crop == (200, 100, 200, 200)
    key(view, Qt.Key.Key_Escape)
    mouse(view, QEvent.Type.MouseButtonRelease, spot(view, 300, 200), LEFT, NONE)
    assert view.crop == (100, 100, 200, 200)
    assert done == []


def test_keys_move_and_resize(view: CropView) -> None:
    done = []
    view.cropCommitted.connect(done.append)
    key(view, Qt.Key.Key_Right)
    key(view, Qt.Key.Key_Up, SHIFT)
    assert done == [(102, 100, 200, 200), (102, 80, 200, 200)]
    key(view, Qt.Key.Key_Plus)
    assert view.crop is not None
    assert view.crop[2] == view.crop[3] == 212
    key(view, Qt.Key.Key_Left, SHIFT)
    for _ in range(10):
        key(view, Qt.Key.Key_Left, SHIFT)
    assert view.crop[0] == 0


def turn_wheel(view: CropView, modifiers: Qt.KeyboardModifier) -> bool:
    """Turn the wheel one notch down over the middle of the crop; whether the view took it."""
    at = view.crop_rect().center()
    event = QWheelEvent(at, view.mapToGlobal(at), QPoint(), QPoint(0, -120), NONE, modifiers, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view, event)
    return event.isAccepted()


def test_ctrl_and_the_wheel_resize(view: CropView) -> None:
    assert turn_wheel(view, Qt.KeyboardModifier.ControlModifier)
    assert view.crop is not None
    assert view.crop[2] == round(200 / 1.06)


@pytest.mark.parametrize("modifiers", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier])
def test_the_wheel_by_itself_scrolls_the_dock(view: CropView, modifiers: Qt.KeyboardModifier) -> None:
    before, told = view.crop, []
    view.cropCommitted.connect(told.append)
    assert not turn_wheel(view, modifiers)
    assert view.crop == before
    assert told == []


def test_a_large_photograph_is_made_smaller_once(qtbot: QtBot) -> None:
    view = CropView()
    qtbot.addWidget(view)
    view.set_photograph(np.full((3000, 4000, 3), 200, np.uint8), 1.0)
    assert (view._pixmap.width(), view._pixmap.height()) == (1000, 750)
    assert view.crop == (500, 0, 3000, 3000)
    first = view._at_size(view._frame())
    assert view._at_size(view._frame()) is first


def test_outside_of_the_crop_it_is_dim(view: CropView) -> None:
    view.set_photograph(np.full((400, 800, 3), 200, np.uint8), 1.0, (100, 100, 200, 200))
    shown = view.grab().toImage()
    inside, outside = shown.pixelColor(spot(view, 200, 200)), shown.pixelColor(spot(view, 600, 200))
    assert inside.lightness() == 200
    assert outside.lightness() < 120
