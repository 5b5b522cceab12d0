"""The canvas under real mouse events, sent to the viewport with their buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from engine.stickers import HANDLES, Colour, Sticker, handle_position
from gui.canvas import ImageCanvas
from gui.canvas.placement import MARGIN
from tests.gui.canvas_events import LEFT, NONE, SHIFT, Owner, drag, images, key, mouse, move, press, release, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

LOW = Sticker(1, 4, 5, 6, 8)
HIGH = Sticker(2, 12, 14, 10, 6, Colour((0, 0, 1)))


@pytest.fixture
def stickers() -> tuple[Sticker, ...]:
    return LOW, HIGH


def test_draw_an_ellipse_and_take_it_by_its_shape(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("ellipse")
    drag(canvas.panes[0], [(18.5, 3.5), (22.5, 8.5), (27.5, 12.5)])
    assert owner.boxes()[2] == (18, 3, 10, 10)
    assert owner.stickers[2].shape.kind == "ellipse"
    assert canvas.tool == "select"
    canvas.set_stickers(owner.stickers, None)
    drag(canvas.panes[0], [(18.6, 3.6), (18.7, 3.7)])  # within the box, outside of the shape
    assert canvas.selected is None
    drag(canvas.panes[0], [(23.5, 8.5), (25.5, 8.5)])
    assert canvas.selected == owner.stickers[2].id
    assert owner.boxes()[2] == (20, 3, 10, 10)


@pytest.mark.parametrize("side", [0, 1])
def test_draw_a_rectangle_in_either_pane(canvas: ImageCanvas, owner: Owner, side: int) -> None:
    canvas.set_tool("rectangle")
    drag(canvas.panes[side], [(20.5, 3.5), (22.5, 5.5), (25.5, 8.5)])
    assert owner.boxes()[2] == (20, 3, 6, 6)
    assert [name for name, *_ in owner.said] == [
        "toolChanged",
        "dragStarted",
        "stickersDragged",
        "stickersDragged",
        "stickersDragged",
        "stickersCommitted",
        "selectionChanged",
        "dragEnded",
        "toolChanged",
    ]
    before, after, text = owner.heard("stickersCommitted")[0]
    assert (before, after, text) == ((LOW, HIGH), owner.stickers, "Draw sticker 3")
    assert (canvas.tool, canvas.selected) == ("select", 3)


def test_move_tells_every_step_live_and_commits_once(canvas: ImageCanvas, owner: Owner) -> None:
    drag(canvas.clean_pane, [(6.5, 8.5), (7.5, 8.5), (8.5, 9.5), (9.5, 9.5)])
    assert owner.boxes()[0] == (7, 6, 6, 8)
    assert [stickers[0].x for (stickers,) in owner.heard("stickersDragged")] == [5, 6, 7]
    assert owner.heard("stickersCommitted") == [((LOW, HIGH), owner.stickers, "Move sticker 1")]
    assert owner.heard("dragStarted") == owner.heard("dragEnded") == [()]
    assert owner.heard("selectionChanged") == [(1, frozenset())]


@pytest.mark.parametrize("handle", HANDLES)
def test_resize_by_each_handle(canvas: ImageCanvas, owner: Owner, handle: str) -> None:
    press(canvas.adversarial_pane, (6.5, 8.5))
    release(canvas.adversarial_pane, (6.5, 8.5))
    x, y = handle_position(LOW, handle)
    drag(canvas.adversarial_pane, [(x, y), (x + 1, y + 1), (x + 2, y + 3)])
    new = owner.stickers[0]
    assert (new.x - LOW.x, new.right - LOW.right) == (2 * ("w" in handle), 2 * ("e" in handle))
    assert (new.y - LOW.y, new.bottom - LOW.bottom) == (3 * ("n" in handle), 3 * ("s" in handle))
    assert owner.heard("stickersCommitted")[0][2] == "Resize sticker 1"


def test_escape_during_a_drag_brings_back_what_was(canvas: ImageCanvas, owner: Owner) -> None:
    press(canvas.clean_pane, (6.5, 8.5))
    move(canvas.clean_pane, (20.5, 20.5))
    assert canvas.dragging
    assert canvas.stickers[0].x == 18
    key(canvas, Qt.Key.Key_Escape)
    assert not canvas.dragging
    assert owner.stickers == canvas.stickers == (LOW, HIGH)
    assert owner.heard("stickersDragged")[-1] == ((LOW, HIGH),)
    assert owner.heard("stickersCommitted") == []
    assert len(owner.heard("dragEnded")) == 1
    move(canvas.clean_pane, (22.5, 22.5))
    release(canvas.clean_pane, (22.5, 22.5))
    assert owner.stickers == (LOW, HIGH)


def test_a_drag_that_ends_where_it_began_leaves_everything_as_it_was(canvas: ImageCanvas, owner: Owner) -> None:
    press(canvas.clean_pane, (6.5, 8.5))
    move(canvas.clean_pane, (20.5, 20.5))
    assert owner.boxes()[0] == (18, 17, 6, 8)
    release(canvas.clean_pane, (6.5, 8.5))
    assert owner.stickers == canvas.stickers == (LOW, HIGH)
    assert owner.heard("stickersCommitted") == []


def test_a_drag_far_off_the_image_keeps_a_pixel_on_it_and_says_so_once(canvas: ImageCanvas, owner: Owner) -> None:
    drag(canvas.clean_pane, [(6.5, 8.5), (60.5, 8.5), (90.5, 8.5), (300.5, 8.5)])
    assert owner.boxes()[0] == (31, 5, 6, 8)
    assert owner.heard("notice") == [("The sticker stays partly on the image. Press Delete to remove it.",)]


def test_a_click_on_nothing_lets_go_and_a_drag_on_nothing_pans(canvas: ImageCanvas, owner: Owner) -> None:
    drag(canvas.clean_pane, [(6.5, 8.5)])
    assert owner.selected == 1
    before = canvas.viewpoint
    drag(canvas.clean_pane, [(28, 28), (26, 27), (24, 26)])
    assert owner.selected == 1
    assert canvas.viewpoint.x > before.x
    assert canvas.viewpoint.scale == before.scale
    drag(canvas.clean_pane, [(29, 29)])
    assert owner.selected is None
    assert owner.heard("dragStarted") == []


def test_the_middle_button_pans_with_the_mouse_in_any_tool(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("rectangle")
    pane = canvas.clean_pane
    start = pane.position(6.5, 8.5)
    press(pane, (6.5, 8.5), Qt.MouseButton.MiddleButton)
    mouse(pane.viewport, QEvent.Type.MouseMove, start + QPoint(37, -21), NONE, Qt.MouseButton.MiddleButton)
    assert pane.position(6.5, 8.5) == start + QPoint(37, -21)
    release(pane, (6.5, 8.5), Qt.MouseButton.MiddleButton)
    assert owner.stickers == (LOW, HIGH)


def test_space_pans_instead_of_moving_a_sticker(canvas: ImageCanvas, owner: Owner) -> None:
    from PySide6.QtTest import QTest

    before = canvas.viewpoint
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    drag(canvas.clean_pane, [(6.5, 8.5), (9.5, 8.5)])
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.viewpoint != before
    assert owner.stickers == (LOW, HIGH)


def test_zoom_is_linked_both_ways_and_holds_the_point_under_the_mouse(canvas: ImageCanvas) -> None:
    for pane in canvas.panes:
        before, scale = pane.position(5.5, 7.5), pane.placement.scale
        wheel(pane, (5.5, 7.5), 3)
        assert pane.placement.scale == pytest.approx(scale * 1.25**3)
        assert (pane.position(5.5, 7.5) - before).manhattanLength() <= 2
        assert canvas.clean_pane.placement.scale == canvas.adversarial_pane.placement.scale
        ranges = [shown.view.box.viewRect() for shown in canvas.panes]
        assert ranges[0].x() == pytest.approx(ranges[1].x(), abs=0.2)
        assert ranges[0].width() == pytest.approx(ranges[1].width(), abs=0.2)


def test_double_click_and_ctrl_0_fit(canvas: ImageCanvas, owner: Owner) -> None:
    fit = canvas.viewpoint
    wheel(canvas.clean_pane, (5.5, 7.5), 4)
    mouse(canvas.clean_pane.viewport, QEvent.Type.MouseButtonDblClick, canvas.clean_pane.position(6, 2), LEFT, LEFT)
    assert canvas.viewpoint == fit
    wheel(canvas.clean_pane, (5.5, 7.5), -4)
    key(canvas, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert canvas.viewpoint == fit


def test_a_fitted_image_follows_the_window_and_a_zoomed_one_stays(canvas: ImageCanvas, qtbot: QtBot) -> None:
    def filled() -> bool:
        """Whether the image touches two edges of its pane, up to the margin."""
        size, shown = canvas.clean_pane.viewport.size(), 32 * canvas.viewpoint.scale
        return shown + 2 * MARGIN == pytest.approx(min(size.width(), size.height()))

    assert filled()
    canvas.resize(1300, 800)
    qtbot.waitUntil(lambda: canvas.clean_pane.viewport.width() > 600)
    assert filled()
    wheel(canvas.clean_pane, (16, 16), 2)
    scale = canvas.viewpoint.scale
    canvas.resize(900, 520)
    qtbot.waitUntil(lambda: canvas.clean_pane.viewport.width() < 500)
    assert canvas.viewpoint.scale == scale


def test_the_readout_names_both_values_and_empties_outside(canvas: ImageCanvas) -> None:
    clean, adversarial = images()
    move(canvas.clean_pane, (14.5, 9.5), NONE)
    words = canvas.readout.text.replace("\u2007", "").replace("\u2212", "-")
    a, b = clean[9, 14].astype(int), adversarial[9, 14].astype(int)
    change = " ".join(f"{int(d):+d}" if d else "0" for d in b - a)
    assert words == f"x 14, y 9 · clean {' '.join(map(str, a))} · adversarial {' '.join(map(str, b))} · change {change}"
    canvas.set_images(clean, clean)
    assert canvas.readout.text.endswith(f"change {' '.join(['   0'.replace(' ', chr(0x2007))] * 3)}")
    move(canvas.clean_pane, (-1.5, 9.5), NONE)
    assert canvas.readout.text == ""
    move(canvas.clean_pane, (14.5, 9.5), NONE)
    QApplication.sendEvent(canvas.clean_pane.viewport, QEvent(QEvent.Type.Leave))
    assert canvas.readout.text == ""


def test_stickers_given_during_a_drag_wait_for_its_end(canvas: ImageCanvas) -> None:
    canvas.set_stickers((LOW,), None)
    press(canvas.clean_pane, (6.5, 8.5))
    move(canvas.clean_pane, (9.5, 8.5))
    canvas.set_stickers((HIGH,), None)
    assert canvas.stickers[0].id == 1
    move(canvas.clean_pane, (10.5, 8.5))
    committed = []
    canvas.stickersCommitted.connect(lambda *values: committed.append(values))
    release(canvas.clean_pane, (10.5, 8.5))
    assert committed[0][0] == (LOW,)
    assert canvas.stickers[0].x == 8


def test_another_image_size_ends_the_drag(canvas: ImageCanvas, owner: Owner) -> None:
    press(canvas.clean_pane, (6.5, 8.5))
    move(canvas.clean_pane, (9.5, 8.5))
    canvas.set_images(*images(48))
    assert not canvas.dragging
    assert owner.stickers == (LOW, HIGH)
    assert owner.heard("stickersCommitted") == []


def test_shift_draws_a_square(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("rectangle")
    drag(canvas.clean_pane, [(20.5, 3.5), (22.5, 8.5)], keys=SHIFT)
    assert owner.boxes()[2] == (20, 3, 6, 6)


def test_a_lost_release_ends_the_drag_at_the_next_move(canvas: ImageCanvas, owner: Owner) -> None:
    press(canvas.clean_pane, (6.5, 8.5))
    move(canvas.clean_pane, (9.5, 8.5))
    move(canvas.clean_pane, (10.5, 8.5), NONE)
    assert not canvas.dragging
    assert len(owner.heard("stickersCommitted")) == 1


def test_the_mouse_pointer_follows_tool_and_place(canvas: ImageCanvas, owner: Owner) -> None:
    pane = canvas.clean_pane
    drag(pane, [(6.5, 8.5)])
    seen = []
    for point in ((6.5, 8.5), (4, 5), (10, 5), (10, 9), (28, 28)):
        move(pane, point, NONE)
        seen.append(pane.viewport.cursor().shape())
    shapes = Qt.CursorShape
    assert seen == [shapes.SizeAllCursor, shapes.SizeFDiagCursor, shapes.SizeBDiagCursor, shapes.SizeHorCursor, shapes.ArrowCursor]
    canvas.set_tool("rectangle")
    assert pane.viewport.cursor().shape() == shapes.CrossCursor
    canvas.set_tool("pan")
    assert pane.viewport.cursor().shape() == shapes.OpenHandCursor


def test_an_empty_canvas_says_what_would_fill_it_and_takes_no_drag(qtbot: QtBot) -> None:
    empty = ImageCanvas()
    qtbot.addWidget(empty)
    empty.resize(900, 520)
    empty.show()
    said = Owner(empty, (LOW,))
    empty.set_tool("rectangle")
    drag(empty.clean_pane, [(1, 1), (5, 5)])
    key(empty, Qt.Key.Key_Delete)
    assert said.stickers == (LOW,)
    assert said.heard("stickersCommitted") == []
    hints = [pane.hint for pane in empty.panes]
    assert all(hint.isVisible() and hint.text() for hint in hints)
    empty.set_images(images()[0], None)
    assert [hint.isVisible() for hint in hints] == [False, True]
    empty.set_images(None, None)
    assert [hint.isVisible() for hint in hints] == [True, True]


def test_dropped_files_are_named(canvas: ImageCanvas, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "a b.png")), QUrl("https://example.org/x.png")])
    dropped: list[list[str]] = []
    canvas.filesDropped.connect(dropped.append)
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(50, 50), copy, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(canvas, QDropEvent(QPointF(50, 50), copy, mime, LEFT, Qt.KeyboardModifier.NoModifier))
    assert dropped == [[str(tmp_path / "a b.png")]]
    text = QMimeData()
    text.setText("no file")
    refused = QDragEnterEvent(QPoint(50, 50), copy, text, LEFT, Qt.KeyboardModifier.NoModifier)
    refused.ignore()
    QApplication.sendEvent(canvas, refused)
    assert not refused.isAccepted()


def test_arrays_need_not_be_contiguous(canvas: ImageCanvas) -> None:
    chw = np.random.default_rng(1).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    canvas.set_images(chw.transpose(1, 2, 0), chw.transpose(1, 2, 0))
    assert canvas.clean_pane.pixels is not None
    assert canvas.clean_pane.pixels.flags["C_CONTIGUOUS"]
    canvas.grab()
