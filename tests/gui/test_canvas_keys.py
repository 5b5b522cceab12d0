"""The canvas from the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from engine.stickers import Optimised, Sticker
from gui.canvas import SHORTCUTS, ImageCanvas
from gui.canvas.frame import HighlightFrame
from tests.gui.canvas_events import CTRL, SHIFT, Owner, drag, images, key, overridden

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LOW = Sticker(1, 4, 5, 6, 8)
HIGH = Sticker(2, 12, 14, 10, 6, Optimised())


@pytest.fixture
def stickers() -> tuple[Sticker, ...]:
    return LOW, HIGH


@pytest.fixture
def owner(canvas: ImageCanvas, owner: Owner) -> Owner:
    """Select the lower sticker."""
    drag(canvas.clean_pane, [(6.5, 8.5)])
    owner.said.clear()
    return owner


def test_arrows_nudge_by_one_and_with_shift_by_ten(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_Right)
    key(canvas, Qt.Key.Key_Down, SHIFT)
    assert owner.boxes()[0] == (5, 15, 6, 8)
    assert [text for _, _, text in owner.heard("stickersCommitted")] == ["Move sticker 1"] * 2
    assert owner.heard("dragStarted") == []


def test_a_nudge_off_the_image_stops_at_its_last_pixel_and_says_so(canvas: ImageCanvas, owner: Owner) -> None:
    for _ in range(12):
        key(canvas, Qt.Key.Key_Left)
    assert owner.boxes()[0] == (-5, 5, 6, 8)
    assert len(owner.heard("stickersCommitted")) == 9
    assert len(owner.heard("notice")) == 3


def test_delete_removes_and_lets_go(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_Delete)
    assert owner.stickers == (HIGH,)
    assert owner.selected is None
    assert [name for name, *_ in owner.said] == ["selectionChanged", "stickersCommitted"]
    key(canvas, Qt.Key.Key_Delete)
    assert owner.stickers == (HIGH,)


def test_duplicate_copy_and_paste(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_D, CTRL)
    assert owner.boxes()[2] == (6, 7, 6, 8)
    assert owner.selected == 3
    key(canvas, Qt.Key.Key_C, CTRL)
    key(canvas, Qt.Key.Key_V, CTRL)
    key(canvas, Qt.Key.Key_V, CTRL)
    assert [sticker.id for sticker in owner.stickers] == [1, 2, 3, 4, 5]
    assert len(set(owner.boxes())) == 5
    assert owner.heard("stickersCommitted")[1][2] == "Paste sticker 3"


def test_paste_leaves_an_image_on_the_clipboard_to_the_window(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_C, CTRL)
    assert overridden(canvas, Qt.Key.Key_V, CTRL)
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(0)
    QGuiApplication.clipboard().setImage(image)
    assert not overridden(canvas, Qt.Key.Key_V, CTRL)
    key(canvas, Qt.Key.Key_V, CTRL)
    assert owner.stickers == (LOW, HIGH)


@pytest.mark.parametrize(
    "text", ["something else", "[]", "{}", "[3]", '{"id": 1', '{"id": 1, "x": 0, "y": 0, "width": 0, "height": 3, "content": "colour"}']
)
def test_a_text_that_is_no_sticker_is_a_sentence(canvas: ImageCanvas, owner: Owner, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    key(canvas, Qt.Key.Key_V, CTRL)
    assert owner.stickers == (LOW, HIGH)
    ((said,),) = owner.heard("notice")
    assert said.startswith("The text on the clipboard is no sticker")
    assert said.endswith(".")


def test_page_keys_change_the_z_order(canvas: ImageCanvas, owner: Owner) -> None:
    key(canvas, Qt.Key.Key_PageUp)
    assert owner.stickers == (HIGH, LOW)
    key(canvas, Qt.Key.Key_PageUp)
    assert len(owner.heard("stickersCommitted")) == 1
    key(canvas, Qt.Key.Key_PageDown)
    assert owner.stickers == (LOW, HIGH)
    assert [text for _, _, text in owner.heard("stickersCommitted")] == ["Raise sticker 1", "Lower sticker 1"]


def test_tab_goes_round_and_ctrl_tab_leaves(qtbot: QtBot) -> None:
    window, canvas, line = QWidget(), ImageCanvas(), QLineEdit()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(canvas)
    column.addWidget(line)
    window.show()
    window.activateWindow()
    canvas.set_images(*images())
    owner = Owner(canvas, (LOW, HIGH))
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)
    seen = []
    for _ in range(3):
        key(canvas, Qt.Key.Key_Tab)
        seen.append(owner.selected)
    assert seen == [1, 2, 1]
    assert canvas.hasFocus()
    key(canvas, Qt.Key.Key_Tab, CTRL)
    assert line.hasFocus()
    assert not any(frame.isVisible() for frame in canvas.findChildren(HighlightFrame))
    key(line, Qt.Key.Key_Backtab, SHIFT)
    assert canvas.hasFocus()
    assert [frame.geometry() for frame in canvas.findChildren(HighlightFrame) if frame.isVisible()] == [canvas.rect()]
    canvas.set_stickers((), None)
    key(canvas, Qt.Key.Key_Tab)
    assert line.hasFocus()


def test_escape_leaves_the_tool_and_then_the_selection(canvas: ImageCanvas, owner: Owner) -> None:
    canvas.set_tool("rectangle")
    key(canvas, Qt.Key.Key_Escape)
    assert (canvas.tool, owner.selected) == ("select", 1)
    key(canvas, Qt.Key.Key_Escape)
    assert owner.selected is None
    assert not overridden(canvas, Qt.Key.Key_Escape)


def test_keys_that_do_nothing_are_left_to_the_menus(canvas: ImageCanvas, owner: Owner) -> None:
    assert overridden(canvas, Qt.Key.Key_Delete)
    assert overridden(canvas, Qt.Key.Key_C, CTRL)
    canvas.set_stickers((LOW, HIGH), None)
    assert not overridden(canvas, Qt.Key.Key_Delete)
    assert not overridden(canvas, Qt.Key.Key_C, CTRL)


def test_keys_edit_nothing_during_a_drag(canvas: ImageCanvas, owner: Owner) -> None:
    from tests.gui.canvas_events import move, press, release

    press(canvas.clean_pane, (6.5, 8.5))
    move(canvas.clean_pane, (8.5, 8.5))
    key(canvas, Qt.Key.Key_Delete)
    key(canvas, Qt.Key.Key_Right)
    release(canvas.clean_pane, (8.5, 8.5))
    assert owner.boxes()[0] == (6, 5, 6, 8)
    assert len(owner.heard("stickersCommitted")) == 1


def test_every_shortcut_names_a_method() -> None:
    for shortcut in SHORTCUTS:
        assert callable(getattr(ImageCanvas, shortcut.method))


def test_an_unknown_tool_is_refused(canvas: ImageCanvas) -> None:
    with pytest.raises(ValueError, match="no tool 'lasso'"):
        canvas.set_tool("lasso")  # type: ignore[arg-type]
