"""The Stickers dock: the list is the canvas' order, every edit is one step that can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QApplication, QColorDialog, QFileDialog

from engine.stickers import Colour, Optimised, Pixels, Sticker
from gui.canvas import ImageCanvas
from gui.canvas.canvas_link import CanvasLink
from gui.panels.stickers import StickersPanel
from gui.panels.stickers.picture import read_picture
from gui.panels.stickers.sticker_list import content_image, content_kind, sticker_text
from tests.gui.canvas_events import key as press_key
from tests.gui.panel_scenes import newest_frame, open_image, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> StickersPanel:
    made: StickersPanel = show(qtbot, StickersPanel(session), 320, 400)
    open_image(qtbot, session)
    return made


@pytest.fixture
def filled(panel: StickersPanel, session: Session) -> StickersPanel:
    """Three stickers, the middle one selected."""
    session.commit_stickers((Sticker(1, 1, 2, 3, 4), Sticker(2, 5, 6, 7, 8, Optimised()), Sticker(3, 0, 0, 2, 2, Colour((1, 0, 0)))), "Add")
    session.select(2)
    return panel


def ids(session: Session) -> list[int]:
    return [sticker.id for sticker in session.stickers]


def test_empty_says_how_to_draw(panel: StickersPanel) -> None:
    assert panel.pages.currentIndex() == 0
    assert not panel.editor.isEnabled()
    assert not panel.buttons["delete"].isEnabled()


def test_the_list_has_the_topmost_first_and_follows_the_selection(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    assert [sticker.id for sticker in filled.list.stickers.stickers] == [3, 2, 1]
    assert filled.list.currentIndex().row() == 1
    place = filled.list.visualRect(filled.list.stickers.index(2)).center()
    qtbot.mouseClick(filled.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.selected == 1
    qtbot.keyClick(filled.list, Qt.Key.Key_Up)
    assert session.selected == 2
    session.select(None)
    assert not filled.list.selectionModel().hasSelection()
    assert not filled.editor.isEnabled()


@pytest.mark.parametrize(("name", "value"), [("x", 9), ("y", 3), ("width", 5), ("height", 1)])
def test_a_number_is_one_step(qtbot: QtBot, filled: StickersPanel, session: Session, name: str, value: int) -> None:
    steps, box = session.undo_stack.count(), filled.editor.numbers[name]
    before = getattr(session.stickers[1], name)
    assert box.value() == before
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, str(value))
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert getattr(session.stickers[1], name) == value
    assert session.undo_stack.count() == steps + 1
    session.undo_stack.undo()
    assert getattr(session.stickers[1], name) == before
    assert box.value() == before


def test_a_number_cannot_move_it_out_of_reach(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    box = filled.editor.numbers["x"]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "500")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert session.stickers[1].x == box.value() == 15


def test_opacity(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    filled.editor.opacity.setFocus()
    qtbot.keyClick(filled.editor.opacity, Qt.Key.Key_Down)
    assert session.stickers[1].opacity == pytest.approx(0.95)
    assert "95 %" in sticker_text(session.stickers[1])


def test_order_duplicate_delete(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    qtbot.mouseClick(filled.buttons["up"], Qt.MouseButton.LeftButton)
    assert ids(session) == [1, 3, 2]
    assert not filled.buttons["up"].isEnabled()
    qtbot.mouseClick(filled.buttons["down"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(filled.buttons["down"], Qt.MouseButton.LeftButton)
    assert ids(session) == [2, 1, 3]
    assert not filled.buttons["down"].isEnabled()
    qtbot.mouseClick(filled.buttons["duplicate"], Qt.MouseButton.LeftButton)
    assert ids(session) == [2, 1, 3, 4]
    assert session.selected == 4
    assert (session.stickers[3].x, session.stickers[3].width) == (6, 7)  # a sixteenth of the image aside
    qtbot.keyClick(filled.list, Qt.Key.Key_Delete)
    assert ids(session) == [2, 1, 3]
    session.select(1)
    qtbot.mouseClick(filled.buttons["delete"], Qt.MouseButton.LeftButton)
    assert ids(session) == [2, 3]
    for _ in range(6):
        session.undo_stack.undo()
    assert ids(session) == [1, 2, 3]


@pytest.mark.parametrize(
    ("button", "key", "modifier"),
    [
        ("duplicate", Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier),
        ("delete", Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier),
        ("up", Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier),
        ("down", Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier),
    ],
)
@pytest.mark.parametrize("twice", [False, True])
def test_a_button_does_what_the_key_on_the_canvas_does(
    qtbot: QtBot, filled: StickersPanel, session: Session, button: str, key: Qt.Key, modifier: Qt.KeyboardModifier, twice: bool
) -> None:
    canvas = show(qtbot, ImageCanvas(), 400, 300)
    CanvasLink(session, canvas)
    with newest_frame(qtbot, session):
        session.refresh()
    canvas.set_stickers(session.stickers, session.selected)
    before, steps = session.stickers, session.undo_stack.count()
    for _ in range(1 + twice):
        qtbot.mouseClick(filled.buttons[button], Qt.MouseButton.LeftButton)
    by_button = (session.stickers, session.selected, session.undo_stack.undoText(), session.undo_stack.count() - steps)
    while session.undo_stack.count() > steps and session.undo_stack.index() > steps:
        session.undo_stack.undo()
    assert session.stickers == before
    session.select(2)
    for _ in range(1 + twice):
        press_key(canvas, key, modifier)
    assert (session.stickers, session.selected, session.undo_stack.undoText(), session.undo_stack.count() - steps) == by_button


def test_without_an_image_no_sticker_can_be_edited(filled: StickersPanel, session: Session) -> None:
    session.change(clean=None)
    assert len(filled.list.stickers.stickers) == 3
    assert not filled.editor.isEnabled()
    assert not any(button.isEnabled() for button in filled.buttons.values())


def test_colour_through_the_dialog(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    def choose() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QColorDialog)
        dialog.setCurrentColor(QColor(0, 128, 255))
        dialog.accept()

    QTimer.singleShot(0, choose)
    qtbot.keyClick(filled.editor.content, Qt.Key.Key_Down)
    content = session.stickers[1].content
    assert isinstance(content, Colour)
    assert content.rgb == pytest.approx((0, 128 / 255, 1), abs=1e-3)
    assert filled.editor.content.currentData() == "colour"
    qtbot.keyClick(filled.editor.content, Qt.Key.Key_Up)
    assert isinstance(session.stickers[1].content, Optimised)


def test_a_cancelled_dialog_changes_nothing(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    before = session.stickers
    QTimer.singleShot(0, lambda: QApplication.activeModalWidget().reject())  # type: ignore[attr-defined]
    qtbot.keyClick(filled.editor.content, Qt.Key.Key_Down)
    assert session.stickers is before
    assert filled.editor.content.currentData() == "optimised"


def choose_picture(qtbot: QtBot, panel: StickersPanel, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Choose “Image file…” and take that file in the dialog."""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    qtbot.keyClick(panel.editor.content, Qt.Key.Key_End)


def test_an_image_file_becomes_the_content(
    qtbot: QtBot, filled: StickersPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (9, 5, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "face.png")
    choose_picture(qtbot, filled, monkeypatch, tmp_path / "face.png")
    qtbot.waitUntil(lambda: isinstance(session.stickers[1].content, Pixels))
    content = session.stickers[1].content
    assert isinstance(content, Pixels)
    assert content.name == "face.png"
    assert torch.equal((content.image * 255).round().byte(), torch.from_numpy(values).permute(2, 0, 1))
    assert filled.editor.content.currentData() == "image"
    assert session.undo_stack.undoText() == "Change content of sticker 2"


def test_a_file_that_is_no_image_is_said_and_changes_nothing(
    qtbot: QtBot, filled: StickersPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.png").write_text("<html></html>")
    before = session.stickers
    with qtbot.waitSignal(session.notice) as said:
        choose_picture(qtbot, filled, monkeypatch, tmp_path / "page.png")
    assert "page.png" in said.args[0]
    assert session.stickers is before


def test_a_large_picture_is_reduced(tmp_path: Path) -> None:
    Image.new("L", (1200, 30), 128).save(tmp_path / "wide.png")
    assert tuple(read_picture(tmp_path / "wide.png").image.shape) == (1, 13, 512)


def test_new_stickers_are_optimised_unless_chosen_otherwise(qtbot: QtBot, panel: StickersPanel, session: Session) -> None:
    assert isinstance(session.content_for_new(), Optimised)
    assert not panel.new.colour.isVisible()
    qtbot.keyClick(panel.new.content, Qt.Key.Key_Down)
    assert session.content_for_new() == Colour(session.new_colour)
    assert panel.new.colour.isVisible()


def test_chips() -> None:
    assert content_image(Colour((1.0, 0.0, 0.0))).pixelColor(0, 0) == QColor(255, 0, 0)
    assert content_image(Optimised()).isNull()
    assert content_image(Optimised(torch.full((1, 3, 2), 0.5))).pixelColor(1, 2) == QColor(128, 128, 128)
    assert [content_kind(c) for c in (Colour(), Optimised(), Pixels(torch.zeros(3, 1, 1)))] == ["colour", "optimised", "image"]


def test_hidden_it_follows_when_shown(filled: StickersPanel, session: Session) -> None:
    filled.hide()
    session.commit_stickers((), "Clear")
    assert filled.list.stickers.rowCount() == 3
    filled.show()
    assert filled.list.stickers.rowCount() == 0
    assert filled.pages.currentIndex() == 0


@pytest.mark.parametrize(
    ("content", "x", "words"),
    [
        (Optimised(), 5, "to be optimised · 7 × 8 at 5, 6"),
        (Optimised(torch.zeros(3, 8, 7)), -3, "optimised · 7 × 8 at −3, 6"),
        (Colour((1, 0, 0)), 0, "one colour · 7 × 8 at 0, 6"),
    ],
)
def test_a_sticker_is_described_with_what_an_attack_has_done_to_it(content: object, x: int, words: str) -> None:
    assert sticker_text(Sticker(2, x, 6, 7, 8, content)) == words


def test_without_a_sticker_the_numbers_are_empty_and_negative_ones_have_a_minus_sign(
    qtbot: QtBot, filled: StickersPanel, session: Session
) -> None:
    boxes = [*filled.editor.numbers.values(), filled.editor.opacity]
    assert [box.text() for box in boxes] == ["5 px", "6 px", "7 px", "8 px", "0°", "100 %"]
    session.select(None)
    assert [box.text() for box in boxes] == [""] * 6
    assert filled.editor.content.currentText() == ""
    session.select(1)
    assert [box.text() for box in boxes] == ["1 px", "2 px", "3 px", "4 px", "0°", "100 %"]
    x = filled.editor.numbers["x"]
    for typed, value in (("-2", -2), ("−1", -1)):
        x.setFocus()
        x.selectAll()
        for sign in typed:  # QTest knows no key for a minus sign
            QApplication.sendEvent(x, QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, sign))
        qtbot.keyClick(x, Qt.Key.Key_Return)
        assert session.stickers[0].x == value
        assert x.text() == f"−{-value} px"


def test_the_menu_of_the_list_edits_the_sticker_under_the_mouse(qtbot: QtBot, filled: StickersPanel, session: Session) -> None:
    def choose(row: int, text: str) -> None:
        place = filled.list.visualRect(filled.list.stickers.index(row)).center()
        qtbot.mouseClick(filled.list.viewport(), Qt.MouseButton.RightButton, pos=place)
        filled.list.customContextMenuRequested.emit(place)
        menu = QApplication.activePopupWidget()
        next(action for action in menu.actions() if action.text() == text).trigger()
        menu.close()

    choose(0, "Lower")
    assert ids(session) == [1, 3, 2]
    choose(2, "Raise")
    assert ids(session) == [3, 1, 2]
    choose(0, "Duplicate")
    assert ids(session) == [3, 1, 2, 4]
    choose(3, "Delete")
    assert ids(session) == [1, 2, 4]


def test_a_thumbnail_has_the_contents_pixels_and_the_stickers_proportions(filled: StickersPanel, session: Session) -> None:
    content = Pixels(torch.tensor([[[0.0, 1.0]], [[0.0, 0.0]], [[1.0, 0.0]]]), "two")  # a blue and a red pixel
    session.commit_stickers((Sticker(1, 0, 0, 12, 4, content),), "Add")
    row = filled.list.visualRect(filled.list.stickers.index(0))
    shown = filled.list.viewport().grab(row).toImage()
    middle = shown.height() // 2
    colours = [shown.pixelColor(x, middle).getRgb()[:3] for x in range(34, 58)]
    assert set(colours) == {(0, 0, 255), (255, 0, 0)}  # no colour in between
    column = [shown.pixelColor(46, y).getRgb()[:3] in ((0, 0, 255), (255, 0, 0)) for y in range(shown.height())]
    assert 6 <= sum(column) <= 12  # a third of its width
