"""The layers of the Stickers dock: eye, padlock, names, several selected, numbers of rotated stickers, and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit

from engine.stickers import Brushed, Colour, Optimised, Pixels, Polygon, Shadow, Sticker
from gui import theme
from gui.panels.stickers import StickersPanel
from gui.panels.stickers.files import open_stickers, save_stickers
from gui.panels.stickers.sticker_list import switch_place
from tests.gui.panel_scenes import open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session

CTRL = Qt.KeyboardModifier.ControlModifier
STICKERS = (Sticker(1, 1, 2, 3, 4), Sticker(2, 5, 6, 7, 8, Optimised()), Sticker(3, 0, 0, 2, 2, Colour((1, 0, 0))))


@pytest.fixture
def filled(qtbot: QtBot, session: Session) -> StickersPanel:
    """Three stickers, the middle one selected."""
    made: StickersPanel = show(qtbot, StickersPanel(session), 320, 460)
    open_image(qtbot, session)
    session.commit_stickers(STICKERS, "Add")
    session.select(2)
    return made


def row_of(panel: StickersPanel, id: int) -> int:
    return next(row for row, sticker in enumerate(panel.list.stickers.stickers) if sticker.id == id)


def click_switch(qtbot: QtBot, panel: StickersPanel, id: int, number: int) -> None:
    rect = panel.list.visualRect(panel.list.stickers.index(row_of(panel, id)))
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=switch_place(rect, number).center())


def click_row(qtbot: QtBot, panel: StickersPanel, id: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    rect = panel.list.visualRect(panel.list.stickers.index(row_of(panel, id)))
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, keys, rect.topLeft() + QPoint(90, 10))


def test_the_eye_hides_and_the_padlock_locks_without_selecting(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    click_switch(qtbot, filled, 3, 0)
    assert not session.stickers[2].visible
    click_switch(qtbot, filled, 1, 1)
    assert session.stickers[0].locked
    assert session.selected == 2
    assert session.undo_stack.undoText() == "Lock sticker 1"
    index = filled.list.stickers.index(row_of(filled, 3))
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Sticker 3 (hidden)"
    session.undo_stack.undo()
    session.undo_stack.undo()
    assert session.stickers == STICKERS
    click_switch(qtbot, filled, 2, 0)
    assert not session.state.paintable  # the only one to be optimised is hidden


def test_a_locked_sticker_s_place_is_not_set_by_numbers_and_the_tool_tip_says_why(filled: StickersPanel, session: Session) -> None:
    session.commit_stickers((replace(STICKERS[1], locked=True),), "Lock")
    session.select(2)
    assert not any(box.isEnabled() for box in filled.editor.numbers.values())
    assert "Unlock it in the list" in filled.editor.numbers["x"].toolTip()
    assert filled.editor.opacity.isEnabled()


@pytest.mark.parametrize(("typed", "name"), [("left eye", "left eye"), ("  ", ""), ("", "")])
def test_f2_renames_as_one_step(qtbot: QtBot, filled: StickersPanel, session: Session, typed: str, name: str) -> None:
    session.commit_stickers((STICKERS[0], replace(STICKERS[1], name="old"), STICKERS[2]), "Name")
    steps = session.undo_stack.count()
    filled.list.setFocus()
    qtbot.keyClick(filled.list, Qt.Key.Key_F2)
    line = filled.list.findChild(QLineEdit)
    assert line is not None
    assert line.text() == "old"
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, typed)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.stickers[1].name == name)  # Qt commits an editor in its next turn
    assert session.undo_stack.count() == steps + 1
    assert session.undo_stack.undoText() == "Rename old"
    session.undo_stack.undo()
    assert session.stickers[1].name == "old"


def test_a_name_that_stays_is_no_step(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    steps = session.undo_stack.count()
    filled.list.setFocus()
    qtbot.keyClick(filled.list, Qt.Key.Key_F2)
    line = filled.list.findChild(QLineEdit)
    assert line is not None
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: filled.list.findChild(QLineEdit) is None)
    assert session.undo_stack.count() == steps


def test_several_are_selected_by_ctrl_click_and_ctrl_a_and_edited_together(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    click_row(qtbot, filled, 1)
    click_row(qtbot, filled, 3, CTRL)
    assert {session.selected, *session.state.also_selected} == {1, 3}
    assert not filled.editor.numbers["x"].isEnabled()
    assert "Select one" in filled.editor.numbers["x"].toolTip()
    filled.editor.opacity.setFocus()
    qtbot.keyClick(filled.editor.opacity, Qt.Key.Key_Down)
    assert [sticker.opacity for sticker in session.stickers] == [0.95, 1, 0.95]
    filled.list.setFocus()
    qtbot.keyClick(filled.list, Qt.Key.Key_A, CTRL)
    assert {session.selected, *session.state.also_selected} == {1, 2, 3}
    qtbot.keyClick(filled.list, Qt.Key.Key_Delete)
    assert session.stickers == ()
    assert session.undo_stack.undoText() == "Delete 3 stickers"
    session.undo_stack.undo()
    assert len(session.stickers) == 3


def test_the_list_follows_several_that_were_selected_elsewhere(filled: StickersPanel, session: Session) -> None:
    session.select(3, frozenset({1}))
    rows = {index.row() for index in filled.list.selectionModel().selectedIndexes()}
    assert rows == {row_of(filled, 1), row_of(filled, 3)}
    assert (session.selected, session.state.also_selected) == (3, frozenset({1}))
    session.select(None)
    assert filled.list.selectionModel().selectedIndexes() == []


def test_align_and_snap_by_buttons(filled: StickersPanel, session: Session) -> None:
    session.select(3, frozenset({1, 2}))
    filled.aligned.emit("left", False)
    assert [sticker.x for sticker in session.stickers] == [0, 0, 0]
    session.commit_stickers((Sticker(1, 1.4, 2.6, 3.3, 4, angle=0),), "Between")
    session.select(1)
    filled.buttons["snap"].click()
    assert (session.stickers[0].x, session.stickers[0].y, session.stickers[0].width) == (1, 3, 4)


# ---------------------------------------------------------------------- numbers


def type_into(qtbot: QtBot, panel: StickersPanel, name: str, text: str) -> None:
    box = panel.editor.numbers[name]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_the_angle_is_a_number_and_places_have_a_decimal_then(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    type_into(qtbot, filled, "x", "4.4")
    assert session.stickers[1].x == 4  # upright: whole pixels
    assert filled.editor.numbers["x"].text() == "4 px"
    type_into(qtbot, filled, "angle", "22.5")
    assert session.stickers[1].angle == 22.5
    assert session.stickers[1].centre == (7.5, 10)
    type_into(qtbot, filled, "x", "4,4")
    assert session.stickers[1].x == 4.4
    assert filled.editor.numbers["x"].text() == "4.4 px"
    assert session.undo_stack.undoText() == "Move sticker 2"
    type_into(qtbot, filled, "angle", "270")
    assert (session.stickers[1].angle, filled.editor.numbers["angle"].text()) == (-90, "−90°")


def test_a_polygon_between_pixels_is_shown_in_list_and_editor(filled: StickersPanel, session: Session) -> None:
    session.commit_stickers((Sticker(1, 1.25, 2.5, 7.75, 4.5, shape=Polygon(), angle=12.3456),), "Draw")
    session.select(1)
    texts = [box.text() for box in filled.editor.numbers.values()]
    assert texts == ["1.2 px", "2.5 px", "7.8 px", "4.5 px", "12.3°"]
    assert not filled.list.viewport().grab().toImage().isNull()
    assert "7.8 × 4.5, 12.3° at 1.2, 2.5" in filled.list.stickers.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert session.stickers[0].angle == 12.3456  # showing a number does not round it


@pytest.mark.parametrize(("place", "content"), [(2, Colour((0, 0, 0))), (3, Colour((1, 1, 1))), (4, Shadow())])
def test_black_white_and_a_shadow_are_chosen_without_a_dialog(
    qtbot: QtBot, filled: StickersPanel, session: Session, place: int, content: object
) -> None:
    filled.editor.content.setFocus()
    filled.editor.content.setCurrentIndex(place - 1)
    qtbot.keyClick(filled.editor.content, Qt.Key.Key_Down)
    assert session.stickers[1].content == content
    assert filled.editor.content.currentData() == ("shadow" if place == 4 else "colour")


# ---------------------------------------------------------------------- files


def choose(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


@pytest.mark.parametrize("suffix", [".png", ".json"])
def test_stickers_are_saved_and_opened_again(
    qtbot: QtBot, filled: StickersPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    session.select(2, frozenset({3}))
    choose(monkeypatch, tmp_path / f"two{suffix}")
    with qtbot.waitSignal(session.notice) as said:
        save_stickers(session, filled)
    assert f"two{suffix}" in said.args[0]
    session.commit_stickers((), "Clear")
    open_stickers(session, filled)
    qtbot.waitUntil(lambda: len(session.stickers) == 2)
    first, second = session.stickers
    assert isinstance(first.content, Optimised)
    assert replace(first, content=STICKERS[1].content) == replace(STICKERS[1], id=1)
    assert second == replace(STICKERS[2], id=2)
    assert session.undo_stack.undoText() == "Open 2 stickers"
    assert {session.selected, *session.state.also_selected} == {1, 2}


def test_a_picture_with_alpha_becomes_a_sticker_or_a_mask_and_its_size_is_said(
    qtbot: QtBot, filled: StickersPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.zeros((64, 32, 4), np.uint8)
    values[10:40, 4:20] = (255, 0, 0, 255)
    values[20:30, 8:12, 3] = 128
    Image.fromarray(values, "RGBA").save(tmp_path / "blot.png")
    choose(monkeypatch, tmp_path / "blot.png")
    with qtbot.waitSignal(session.notice) as said:
        open_stickers(session, filled)
    assert "64 pixels, and the image 16 × 16, so it was fitted" in said.args[0]
    made = session.stickers[-1]
    assert isinstance(made.shape, Brushed)
    assert isinstance(made.content, Pixels)
    assert made.on_pixels
    assert made.height <= 16
    open_stickers(session, filled, mask=True)
    qtbot.waitUntil(lambda: len(session.stickers) == 5)
    assert isinstance(session.stickers[-1].content, Optimised)
    assert session.stickers[-1].shape == made.shape


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("clear.png", lambda path: Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save(path), "fully transparent"),
        ("page.png", lambda path: path.write_text("<html>"), "page.png"),
        ("none.json", lambda path: path.write_text("{}"), "is no sticker"),
        ("other.json", lambda path: path.write_bytes(b"\xff\x00"), "is no sticker"),
        ("gone.png", lambda path: None, "There is no file"),
    ],
)
def test_a_bad_file_is_a_sentence_and_changes_nothing(
    qtbot: QtBot, filled: StickersPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make, words: str
) -> None:
    make(tmp_path / name)
    choose(monkeypatch, tmp_path / name)
    with qtbot.waitSignal(session.notice) as said:
        open_stickers(session, filled)
    assert words in said.args[0]
    assert session.stickers == STICKERS


@pytest.mark.parametrize("dark", [False, True])
def test_the_second_line_of_a_row_is_readable_selected_or_not(filled: StickersPanel, dark: bool) -> None:
    """The darkest or lightest pixel of the words, which are smoothed, beside the row's ground."""
    rows = filled.list
    rows.setPalette(theme.palette(dark))
    picture = rows.viewport().grab().toImage()
    for id in (2, 3):
        rect = rows.visualRect(rows.stickers.index(row_of(filled, id)))
        line = QRect(rect.left() + 70, rect.center().y() + 3, 120, rect.height() // 2 - 5)
        ground = picture.pixelColor(rect.right() - 2, rect.top() + 1)
        seen = [picture.pixelColor(x, y) for x in range(line.left(), line.right()) for y in range(line.top(), line.bottom())]
        assert max(theme.contrast_ratio(colour, ground) for colour in seen) >= 4.5
