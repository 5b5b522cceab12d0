"""The views of two pictures and the grid of more, as they are painted, under real mouse and key events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.stickers import Colour, Sticker
from gui.canvas import ImageCanvas
from gui.canvas.difference import coloured, limit_of, limit_text, signed_difference
from gui.canvas.drawing import NOT_HERE
from gui.canvas.pictures import VIEWS, Caption, Picture
from gui.canvas.stage import BLINK_MS, OTHER_SIZES, SAME_RUNS, UNCHANGED
from gui.canvas.views import HELD
from gui.plots.colour_maps import DIVERGING, diverging
from gui.session.comparison import letter_at
from tests.gui.canvas_events import CTRL, NONE, SHIFT, Owner, drag, images, key, mouse, move, press, release, wheel
from tests.gui.canvas_pixels import middles
from tests.gui.driving import settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.canvas.pictures import ViewName

SINGLE = tuple(view for view in VIEWS if view != "side")
LOW = Sticker(1, 4, 5, 6, 8, Colour((0, 1, 0)))


@pytest.fixture
def canvas(canvas: ImageCanvas) -> ImageCanvas:
    canvas.set_grid(False)
    return canvas


def show_difference(canvas: ImageCanvas) -> None:
    clean, adversarial = (torch.from_numpy(pixels).permute(2, 0, 1) / 255 for pixels in images())
    canvas.set_view("difference")
    canvas.set_difference(signed_difference(clean, adversarial))


# ---------------------------------------------------------------------- each view shows what it says


def test_a_single_view_gives_the_image_all_the_room(canvas: ImageCanvas) -> None:
    beside = canvas.viewpoint.scale
    for view in SINGLE:
        canvas.set_view(view)
        assert canvas.panes == (canvas.stage,)
        assert canvas.stage.isVisible()
        assert not canvas.clean_pane.isVisible()
        assert canvas.viewpoint.scale > 1.05 * beside
        shown = 32 * canvas.viewpoint.scale
        assert shown > 0.95 * min(canvas.stage.viewport.width(), canvas.stage.viewport.height())
    canvas.set_view("side")
    assert canvas.panes == (canvas.clean_pane, canvas.adversarial_pane)
    assert canvas.viewpoint.scale == beside


def test_a_zoomed_view_stays_where_it_is_in_another_view(canvas: ImageCanvas) -> None:
    wheel(canvas.clean_pane, (5.5, 7.5), 4)
    before = canvas.viewpoint
    for view in (*SINGLE, "side"):
        canvas.set_view(view)
        assert canvas.viewpoint == before


def test_the_wipe_shows_one_image_left_and_the_other_right_of_the_divider(canvas: ImageCanvas) -> None:
    clean, adversarial = images()
    canvas.set_view("wipe")
    for share in (0.5, 0.25, 1.0, 0.0):
        canvas.stage.set_divider(share)
        shown = middles(canvas.stage, 32, 32)
        at = round(32 * share)
        line = [x for x in (at - 1, at) if 0 <= x < 32]  # the line itself may cover these
        others = np.array([x for x in range(32) if x not in line])
        expected = np.where(np.arange(32)[None, :, None] < at, clean, adversarial)
        rows = slice(0, 28)  # the grip is below
        np.testing.assert_array_equal(shown[rows][:, others], expected[rows][:, others])


def test_the_difference_is_red_where_the_second_is_higher(canvas: ImageCanvas) -> None:
    show_difference(canvas)
    clean, adversarial = (pixels.astype(float) / 255 for pixels in images())
    change = adversarial - clean
    strongest = np.take_along_axis(change, np.abs(change).argmax(2)[..., None], 2)[..., 0]
    limit = float(np.abs(change).max())
    shown, expected = middles(canvas.stage, 32, 32).astype(int), diverging(strongest, limit).astype(int)
    ordered = np.sort(np.abs(change), 2)
    below = (ordered[..., 2] > ordered[..., 1] + 1e-6) & (np.arange(32)[:, None] >= 6)  # no ties, and the scale covers a corner
    assert np.abs(shown[below] - expected[below]).max() <= 6  # one of the 256 colours
    assert np.abs(shown[below] - expected[below]).mean() < 0.5
    canvas.stage.set_gain(4)
    shown, expected = middles(canvas.stage, 32, 32).astype(int), diverging(strongest, 1 / 4).astype(int)
    assert np.abs(shown[below] - expected[below]).max() <= 6


def test_a_difference_of_any_size_has_all_colours_at_auto_gain() -> None:
    for size in (1.0, 8 / 255, 1e-4, 1e-9):
        first = torch.zeros(3, 4, 64)
        second = torch.linspace(-1, 1, 64).mul(size).expand(3, 4, 64).clone()
        second[1] /= 2
        made = signed_difference(first, second)
        colours = coloured(made, limit_of(made, None))
        assert colours.dtype == np.uint8
        assert colours.flags["C_CONTIGUOUS"]
        expected = diverging(second[0].numpy().astype(float), size)
        assert np.abs(colours[..., :3].astype(int) - expected.astype(int)).max() <= 6
    same = signed_difference(first, first)
    assert (coloured(same, limit_of(same, None))[..., :3] == DIVERGING[128]).all()


def test_a_difference_that_shows_nothing_says_why(canvas: ImageCanvas) -> None:
    tensor = torch.from_numpy(images()[0]).permute(2, 0, 1) / 255
    canvas.set_view("difference")
    assert canvas.stage.hint.isHidden()  # it is being computed
    canvas.set_difference(signed_difference(tensor, tensor))
    assert canvas.stage.hint.isVisible()
    assert canvas.stage.hint.text() == UNCHANGED
    assert canvas.stage.pixels is None
    canvas.set_view("wipe")
    assert canvas.stage.hint.isHidden()
    show_difference(canvas)
    assert canvas.stage.hint.isHidden()
    assert canvas.stage.pixels is not None
    faint = tensor.clone()
    faint[0, 0, 0] += 1e-6 if faint[0, 0, 0] < 0.5 else -1e-6
    canvas.set_difference(signed_difference(tensor, faint))
    assert canvas.stage.hint.isHidden()  # as little as it is, there is a difference
    canvas.set_images(None, None)
    assert canvas.stage.hint.text().startswith("Open an image")


def test_two_runs_without_a_difference_say_why(canvas: ImageCanvas) -> None:
    clean, adversarial = images()
    tensor = torch.from_numpy(clean).permute(2, 0, 1) / 255
    canvas.set_view("difference")
    canvas.set_compared([Picture("#1", "#E69F00", clean, run=1), Picture("#2", "#56B4E9", clean, run=2)])
    canvas.set_difference(signed_difference(tensor, tensor))
    assert canvas.stage.hint.text() == SAME_RUNS
    assert canvas.stage.hint.isVisible()
    canvas.set_compared([Picture("#1", "#E69F00", clean, run=1), Picture("#2", "#56B4E9", clean[::2, ::2], run=2)])
    canvas.set_difference(None)
    assert canvas.stage.hint.text() == OTHER_SIZES
    assert canvas.stage.hint.isVisible()
    canvas.set_compared([Picture("#1", "#E69F00", clean, run=1), Picture("#2", "#56B4E9", adversarial, run=2)])
    canvas.set_difference(None)
    assert canvas.stage.hint.isHidden()


@pytest.mark.parametrize(
    ("limit", "text"), [(8 / 255, "8/255"), (0.031372547, "8/255"), (0.5 / 255, "0.00196"), (1.0, "1"), (0.887, "0.887"), (0.25, "0.25")]
)
def test_the_end_of_the_scale_is_a_fraction_of_255_where_it_is_one(limit: float, text: str) -> None:
    assert limit_text(limit) == text


def test_blink_shows_the_two_in_turn_and_stops_at_either(canvas: ImageCanvas, qtbot: QtBot) -> None:
    clean, adversarial = images()
    canvas.set_view("blink")
    stage = canvas.stage
    assert stage._timer.interval() == BLINK_MS
    stage._timer.setInterval(40)
    seen: set[bytes] = set()
    qtbot.waitUntil(lambda: seen.add(stage.pixels.tobytes()) or len(seen) == 2)
    assert seen == {clean.tobytes(), adversarial.tobytes()}
    stage.set_taking_turns(False)
    stopped = stage.second_up
    qtbot.wait(100)
    assert stage.second_up == stopped
    stage.swap()
    np.testing.assert_array_equal(middles(stage, 32, 32), clean if stopped else adversarial)
    stage.set_taking_turns(True)
    canvas.set_view("side")
    last = stage.second_up
    qtbot.wait(100)
    assert stage.second_up == last  # nothing goes on unseen


@pytest.mark.parametrize("view", VIEWS)
def test_held_b_shows_the_clean_image_in_every_view_and_says_so(canvas: ImageCanvas, view: ViewName) -> None:
    clean, _ = images()
    if view == "difference":
        show_difference(canvas)
    canvas.set_view(view)
    pane = canvas.panes[-1]
    before = middles(pane, 32, 32)
    canvas.set_stickers((LOW,), None)
    canvas.hold_clean_while_pressed()
    shown = middles(pane, 32, 32)
    covered = 4  # the line covers the upper edge
    np.testing.assert_array_equal(shown[covered:][:, 12:], clean[covered:][:, 12:])
    assert pane.line == HELD
    QTest.keyRelease(canvas, Qt.Key.Key_B)
    canvas.set_stickers((), None)
    if view != "blink":
        np.testing.assert_array_equal(middles(pane, 32, 32), before)
    assert pane.line == ""


def test_the_clean_image_is_let_go_when_the_window_loses_the_keyboard(canvas: ImageCanvas) -> None:
    canvas.hold_clean_while_pressed()
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.WindowDeactivate))
    assert not canvas.held


# ---------------------------------------------------------------------- the divider under mouse and keys


def test_the_divider_is_dragged_and_esc_takes_it_back(canvas: ImageCanvas) -> None:
    canvas.set_view("wipe")
    stage = canvas.stage
    drag(stage, [(16, 20), (18, 20), (24, 21)])
    assert stage.divider == pytest.approx(24 / 32, abs=0.01)
    press(stage, (24, 20))
    move(stage, (10, 20))
    assert stage.divider == pytest.approx(10 / 32, abs=0.01)
    key(canvas, Qt.Key.Key_Escape)
    assert stage.divider == pytest.approx(24 / 32, abs=0.01)
    release(stage, (10, 20))
    drag(stage, [(24, 20), (90, 20)])
    assert stage.divider == 1.0


def test_the_divider_is_moved_with_keys_in_the_wipe_only(canvas: ImageCanvas) -> None:
    canvas.set_view("wipe")
    key(canvas, Qt.Key.Key_Right, CTRL)
    assert canvas.stage.divider == pytest.approx(0.55)
    key(canvas, Qt.Key.Key_Left, CTRL | SHIFT)
    assert canvas.stage.divider == pytest.approx(0.54)
    canvas.set_view("blink")
    key(canvas, Qt.Key.Key_Right, CTRL)
    assert canvas.stage.divider == pytest.approx(0.54)


def test_the_mouse_pointer_says_that_the_divider_can_be_taken_unless_a_tool_draws(canvas: ImageCanvas) -> None:
    canvas.set_view("wipe")
    owner = Owner(canvas, ())
    move(canvas.stage, (16, 20), NONE)
    assert canvas.stage.viewport.cursor().shape() == Qt.CursorShape.SizeHorCursor
    canvas.set_tool("rectangle")
    move(canvas.stage, (16, 20), NONE)
    assert canvas.stage.viewport.cursor().shape() == Qt.CursorShape.CrossCursor
    drag(canvas.stage, [(16.1, 20.5), (18.5, 22.5), (20.5, 24.5)])
    assert canvas.stage.divider == 0.5
    assert owner.boxes() == [(16, 20, 5, 5)]


def test_a_handle_at_the_divider_goes_first(canvas: ImageCanvas) -> None:
    canvas.set_view("wipe")
    owner = Owner(canvas, (Sticker(1, 8, 8, 8, 8),))
    drag(canvas.stage, [(10, 10)])
    drag(canvas.stage, [(16, 12), (18, 12), (20, 12)])  # the middle of its right edge
    assert owner.boxes() == [(8, 8, 12, 8)]
    assert canvas.stage.divider == 0.5


# ---------------------------------------------------------------------- stickers in every view


@pytest.mark.parametrize("view", VIEWS)
def test_a_sticker_is_drawn_selected_dragged_and_deleted_in_every_view(canvas: ImageCanvas, view: ViewName) -> None:
    owner = Owner(canvas, (LOW,))
    touched: list[int] = []
    canvas.stickerTouched.connect(lambda: touched.append(1))
    canvas.set_view(view)
    for pane in canvas.panes:
        assert pane.view.outlines.stickers == (LOW,)
        drag(pane, [(6.5, 8.5), (7.5, 8.5), (8.5, 9.5)])
        assert owner.boxes() == [(6, 6, 6, 8)]
        assert pane.view.handles.sticker == owner.stickers[0]
        drag(pane, [(8.5, 9.5), (7.5, 9.5), (6.5, 8.5)])
    assert touched
    canvas.set_tool("ellipse")
    drag(canvas.panes[-1], [(20.5, 3.5), (22.5, 8.5), (24.5, 9.5)])
    assert owner.boxes() == [(4, 5, 6, 8), (20, 3, 5, 7)]
    key(canvas, Qt.Key.Key_Delete)
    assert owner.boxes() == [(4, 5, 6, 8)]


@pytest.mark.parametrize("tool", ["rectangle", "ellipse"])
def test_return_puts_a_sticker_into_the_middle_and_arrows_move_it(canvas: ImageCanvas, tool: str) -> None:
    owner = Owner(canvas, ())
    key(canvas, Qt.Key.Key_Return)
    assert owner.stickers == ()  # no drawing tool is in hand
    canvas.set_tool(tool)  # type: ignore[arg-type]
    key(canvas, Qt.Key.Key_Return)
    key(canvas, Qt.Key.Key_Left)
    key(canvas, Qt.Key.Key_Down, SHIFT)
    assert owner.boxes() == [(11, 22, 8, 8)]
    assert owner.stickers[0].shape.kind == tool
    assert (canvas.tool, canvas.selected) == ("select", 1)
    assert [text for _, _, text in owner.heard("stickersCommitted")] == ["Draw sticker 1", "Move sticker 1", "Move sticker 1"]


@pytest.mark.parametrize("view", VIEWS)
def test_thirty_updates_a_second_while_a_sticker_is_dragged(canvas: ImageCanvas, view: ViewName) -> None:
    side = 224
    clean = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    canvas.set_images(clean, clean[::-1].copy())
    owner = Owner(canvas, (Sticker(1, 40, 50, 60, 80),))
    canvas.set_view(view)
    canvas.set_difference(signed_difference(torch.zeros(3, side, side), torch.rand(3, side, side)))
    pane = canvas.panes[-1]
    press(pane, (60.5, 80.5))
    took = []
    for step in range(12):
        began = time.process_time()
        move(pane, (60.5 + 3 * step, 80.5 + step))
        frame = clean.copy()
        canvas.set_images(clean, frame)
        canvas.repaint()
        QApplication.processEvents()
        took.append(time.process_time() - began)
    release(pane, (93.5, 91.5))
    assert owner.boxes()[0][:2] == (73, 61)
    assert sorted(took)[len(took) // 2] < 1 / 30  # in time of this process, since the machine may be loaded


def test_another_view_is_painted_within_a_frame_of_the_screen(canvas: ImageCanvas) -> None:
    side = 224
    clean = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    canvas.set_images(clean, clean[::-1].copy())
    canvas.set_difference(signed_difference(torch.zeros(3, side, side), torch.rand(3, side, side)))
    for view in (*VIEWS, *VIEWS):
        canvas.set_view(view)
        QApplication.processEvents()
    took: dict[str, list[float]] = {view: [] for view in VIEWS}
    for _ in range(5):
        for view in VIEWS:
            began = time.process_time()
            canvas.set_view(view)
            QApplication.processEvents()
            took[view].append(time.process_time() - began)
    assert {view: best for view, times in took.items() if (best := min(times)) > 0.016} == {}


# ---------------------------------------------------------------------- compared runs


@pytest.mark.parametrize("width", [640, 420, 210])
def test_attack_class_and_norm_of_a_grid_s_cell_are_readable(qtbot: QtBot, width: int) -> None:
    """The widths are those of two to four cells beside each other; all have as many lines as the one that needs most."""
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(3 * width, 900)
    canvas.show()
    pixels = np.zeros((32, 32, 3), np.uint8)
    caption = Caption("Speed limit 20", "79.1 %")
    sizes = ["L2 0.485 and more" if n == 2 else "L∞ 8/255" for n in range(6)]
    canvas.set_compared(
        [Picture(f"#{n} Carlini & Wagner L2", "#E69F00", pixels, caption, n, pixels, (), letter_at(n), sizes[n]) for n in range(6)]
    )
    settle()
    for n, pane in enumerate(canvas.panes):
        name, seen, size = pane.heading.texts
        assert name == f"#{n} Carlini & Wagner L2"
        assert seen == caption.text
        assert size == sizes[n]
        assert pane.heading.rect().contains(pane.heading.size_label.geometry())
    assert len({pane.heading.lines for pane in canvas.panes}) == 1
    assert len({pane.heading.height() for pane in canvas.panes}) == 1
    canvas.set_compared(())
    settle()
    assert canvas.clean_pane.heading.lines == 1


def pictures(count: int, sides: tuple[int, ...] = (32,)) -> list[Picture]:
    made = []
    for number in range(count):
        clean, adversarial = images(sides[number % len(sides)])
        shade = np.full_like(adversarial, 20 * number)
        made.append(Picture(f"#{number + 1} PGD 8/255", "#E69F00", shade, Caption("Speed limit 50", "99.8 %"), number + 1, clean))
    return made


def test_two_runs_are_shown_in_every_view_and_cannot_be_drawn_on(canvas: ImageCanvas) -> None:
    owner = Owner(canvas, (LOW,))
    canvas.set_compared(pictures(2))
    for view in VIEWS:
        canvas.set_view(view)
        assert [heading.name for pane in canvas.panes for heading in pane.headings] == ["#1 PGD 8/255", "#2 PGD 8/255"]
        assert all(pane.view.outlines.stickers == () for pane in canvas.panes)
        canvas.set_tool("rectangle")
        drag(canvas.panes[-1], [(20.5, 3.5), (22.5, 8.5)])
        key(canvas, Qt.Key.Key_Return)
    assert owner.stickers == (LOW,)
    assert set(owner.heard("notice")) == {(NOT_HERE,)}
    canvas.set_tool("select")
    canvas.set_view("side")
    before = canvas.viewpoint
    drag(canvas.panes[0], [(6.5, 8.5), (7.5, 8.5), (9.5, 8.5)])  # pans, where a sticker of the pair would be
    assert canvas.viewpoint != before
    assert owner.stickers == (LOW,)
    canvas.set_compared(())
    assert canvas.clean_pane.heading.name == "Clean"
    assert canvas.clean_pane.view.outlines.stickers == (LOW,)


@pytest.mark.parametrize("count", [3, 4, 5, 9])
def test_a_grid_of_runs_zooms_and_pans_together(canvas: ImageCanvas, count: int) -> None:
    canvas.set_view("wipe")
    canvas.set_compared(pictures(count))
    panes = canvas.panes
    assert len(panes) == count
    assert all(pane.isVisible() for pane in panes)
    QApplication.processEvents()
    assert len({pane.placement.scale for pane in panes}) == 1
    wheel(panes[-1], (5.5, 7.5), 3)
    drag(panes[0], [(20, 20), (18, 21), (15, 22)])
    assert (
        len({(pane.position(3, 4).x(), pane.position(3, 4).y()) for pane in panes if pane.viewport.size() == panes[0].viewport.size()}) == 1
    )
    assert len({pane.placement.scale for pane in panes}) == 1
    for number, pane in enumerate(panes):
        assert pane.heading.caption.text == "Speed limit 50 · 99.8 %"
        assert (pane.pixels == 20 * number).all()
    move(panes[1], (6.5, 7.5), NONE)
    assert canvas.readout.text.replace("\u2007", "").startswith("x 6, y 7 · #1 0 0 0 · #2 20 20 20 · #3 40 40 40")
    canvas.set_compared(())
    assert canvas.panes == (canvas.stage,)


def test_runs_of_models_of_other_sizes_share_their_places(canvas: ImageCanvas) -> None:
    canvas.set_compared(pictures(2, (32, 64)))
    canvas.set_view("side")
    first, second = canvas.panes
    assert second.pixels.shape[:2] == (64, 64)
    assert second.size_ == (32, 32)
    np.testing.assert_array_equal(middles(second, 32, 32), np.full((32, 32, 3), 20))
    outside = second.position(33, 16)
    grab = second.viewport.grab().toImage().pixelColor(outside)
    assert grab.red() != 20
    move(first, (31.5, 31.5), NONE)
    assert canvas.readout.text.replace("\u2007", "").startswith("x 31, y 31 · #1 0 0 0 · #2 20 20 20")


def test_the_readout_leaves_the_mouse_and_takes_no_room(canvas: ImageCanvas) -> None:
    room = canvas.clean_pane.viewport.height()
    assert canvas.clean_pane.geometry().bottom() > canvas.height() - 10
    move(canvas.clean_pane, (5.5, 5.5), NONE)
    assert canvas.readout.isVisible()
    low = canvas.readout.geometry()
    at = canvas.clean_pane.view.mapFrom(canvas, low.center())
    mouse(canvas.clean_pane.viewport, QEvent.Type.MouseMove, at, NONE, NONE)
    here = canvas.clean_pane.view.mapTo(canvas, at)
    assert not canvas.readout.geometry().contains(here)
    assert canvas.clean_pane.viewport.height() == room


def test_an_outdated_image_is_dimmed_on_its_side_alone(canvas: ImageCanvas) -> None:
    clean, adversarial = images()
    canvas.set_state_line("Out of date since #1 PGD: eps 8/255 → 2/255", stale=True)
    np.testing.assert_array_equal(middles(canvas.clean_pane, 32, 32), clean)
    assert np.abs(middles(canvas.adversarial_pane, 32, 32)[4:].astype(int) - adversarial[4:]).mean() > 30
    assert canvas.adversarial_pane.line.startswith("Out of date")
    canvas.set_view("wipe")
    shown = middles(canvas.stage, 32, 32)
    np.testing.assert_array_equal(shown[4:, :15], clean[4:, :15])
    assert np.abs(shown[4:, 17:].astype(int) - adversarial[4:, 17:]).mean() > 30
    canvas.set_state_line("", stale=False)
    np.testing.assert_array_equal(middles(canvas.stage, 32, 32)[4:28, 17:], adversarial[4:28, 17:])
    canvas.set_compared(pictures(2))
    canvas.set_state_line("Out of date", stale=True)
    assert canvas.stage.line == ""  # the compared runs are what they are
    assert not canvas.stage.view.veil.shown


def test_an_unknown_view_is_refused(canvas: ImageCanvas) -> None:
    with pytest.raises(ValueError, match="no view 'onion'"):
        canvas.set_view("onion")  # type: ignore[arg-type]


def test_the_context_menu_is_asked_for_the_picture_under_the_mouse(canvas: ImageCanvas) -> None:
    from PySide6.QtGui import QContextMenuEvent

    asked: list[tuple[object, int]] = []
    canvas.menuAsked.connect(lambda at, place: asked.append((at, place)))
    owner = Owner(canvas, (LOW,))
    for pane, point in ((canvas.clean_pane, (6.5, 8.5)), (canvas.adversarial_pane, (20, 20))):
        press(pane, point, Qt.MouseButton.RightButton)
        release(pane, point, Qt.MouseButton.RightButton)
        at = pane.viewport.mapToGlobal(pane.position(*point))
        QApplication.sendEvent(pane.viewport, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, pane.position(*point), at))
        assert asked[-1][0] == at
    assert [place for _, place in asked] == [0, 1]
    assert owner.heard("selectionChanged") == [(1, frozenset()), (None, frozenset())]
    canvas.set_view("wipe")
    for point, place in (((4, 20), 0), ((28, 20), 1)):
        at = canvas.stage.viewport.mapToGlobal(canvas.stage.position(*point))
        QApplication.sendEvent(canvas.stage.viewport, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, canvas.stage.position(*point), at))
        assert asked[-1] == (at, place)
    assert canvas.selected is None


def test_letters_go_on_after_z() -> None:
    assert [letter_at(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
