"""The dialog that reads a photograph of a print: corners by the mouse and by keys, the chart, and what does not match."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from engine.record import carried
from engine.stickers import Optimised, Sticker
from tests.engine.test_photo import GAIN, OFFSET, photographed
from tests.gui.driving import action, choose_attack, click, drag, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.export.photo_dialog import PhotoDialog

STICKERS = (Sticker(1, 10, 11, 12, 11, Optimised()),)
Points = tuple[tuple[float, float], ...]


def opened(bench: Workbench, path: Path, monkeypatch: pytest.MonkeyPatch) -> PhotoDialog:
    from gui.export.photo_dialog import PhotoDialog as Dialog

    until(lambda: not [one for one in bench.window.findChildren(Dialog) if one.isVisible()], "the end of the dialog before")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    action(bench, "photo_of_print").trigger()
    until(lambda: [one for one in bench.window.findChildren(Dialog) if one.isVisible()], "the dialog")
    return next(one for one in bench.window.findChildren(Dialog) if one.isVisible())


def pull(dialog: PhotoDialog, frame: int, corners: Points) -> None:
    """Drag each corner of a frame to its place with the mouse, the upper left one first."""
    view = dialog.view
    for number, (x, y) in enumerate(corners):
        start = view.on_screen(*view.corners(frame)[number]).toPoint()
        end = view.on_screen(x, y).toPoint()
        drag(view, [start, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2), end])


def is_near(found: Points, expected: Points, pixels: float) -> bool:
    return bool(np.abs(np.array(found) - np.array(expected)).max() <= pixels)


def test_the_corners_are_set_by_the_mouse_and_the_chart_takes_the_shift_away(
    bench: Workbench, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bench.session
    session.change(stickers=STICKERS, region="stickers")
    choose_attack(bench, "Sticker content")
    run_attack(bench)
    entry = session.history.shown
    assert entry is not None
    photo, frame, chart = photographed((entry.result.classifier, entry.before.clean, STICKERS, entry.result))
    Image.fromarray(photo).save(tmp_path / "street.png")
    dialog = opened(bench, tmp_path / "street.png", monkeypatch)
    assert dialog.source.entry is entry
    pull(dialog, 0, frame)
    pixel = photo.shape[1] / dialog.view._area.width()
    assert is_near(dialog.view.corners(0), frame, 1.01 * pixel)
    until(lambda: "The photograph is read as" in dialog.preview.remark.text(), "the reading")
    assert "The digital image is read as" in dialog.preview.remark.text()
    assert "Colour shift" not in dialog.preview.remark.text()
    click(dialog.chart, QPoint(8, dialog.chart.height() // 2))
    assert dialog.view.with_chart
    pull(dialog, 1, chart)
    assert is_near(dialog.view.corners(1), chart, 1.01 * pixel)
    assert is_near(dialog.view.corners(0), frame, 1.01 * pixel)  # these stayed
    until(lambda: "Colour shift" in dialog.preview.remark.text(), "the colour shift")
    path = tmp_path / "reading.pdf"
    dialog.export_to(path)
    until(lambda: any("reading.pdf" in text for text in said), "the figure")
    told = carried(path)
    assert told is not None
    assert np.allclose(told["figure"]["shift"]["gain"], GAIN, atol=0.02)
    assert np.allclose(told["figure"]["shift"]["offset"], OFFSET, atol=0.02)
    assert told["figure"]["corrected"]["prediction"]["index"] == int(entry.result.logits[0].argmax())
    assert told["operation"]["slug"] == "sticker"
    assert json.loads((tmp_path / "reading.pdf.json").read_text("utf-8")) == told


def test_crossing_corners_and_another_picture_are_sentences(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    dialog = opened(bench, tmp_path / "noise.png", monkeypatch)
    until(lambda: "does not show the recorded image" in dialog.preview.picture.text(), "the refusal")
    assert not dialog.export_button.isEnabled()
    click(dialog.compared, QPoint(8, dialog.compared.height() // 2))
    until(lambda: dialog.export_button.isEnabled(), "the reading without the original")
    assert "The digital image" not in dialog.preview.remark.text()
    view = dialog.view
    upper, lower = view.corners(0)[1:3]
    drag(view, [view.on_screen(*upper).toPoint(), view.on_screen(*lower).toPoint() + QPoint(30, -3)])
    drag(view, [view.on_screen(*lower).toPoint(), view.on_screen(*upper).toPoint()])
    until(lambda: "cross each other" in dialog.preview.picture.text(), "the sentence")
    assert not dialog.export_button.isEnabled()
    dialog.reject()
    settle()


def test_corners_are_moved_by_keys_alone_and_stay_in_the_photograph(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.full((200, 300, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    dialog = opened(bench, tmp_path / "wall.png", monkeypatch)
    view = dialog.view
    view.setFocus()
    before = view.corners(0)
    QTest.keyClick(view, Qt.Key.Key_3)
    QTest.keyClick(view, Qt.Key.Key_Left)
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.corners(0) == (*before[:2], (before[2][0] - 1, before[2][1] + 10), before[3])
    for _ in range(30):
        QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.corners(0)[2][1] == 200
    dialog.chart.setChecked(True)
    chart = view.corners(1)
    QTest.keyClick(view, Qt.Key.Key_2)
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.corners(1)[1] == (chart[1][0], chart[1][1] - 1)
    QTest.keyClick(view, Qt.Key.Key_C)
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.corners(0)[1][1] == before[1][1] - 1
    start = view.on_screen(*view.corners(0)[0]).toPoint()
    drag(view, [start, QPoint(-50, -50)])
    assert view.corners(0)[0] == (0, 0)
    dialog.reject()
    settle()


def test_a_file_that_is_no_photograph_is_said(bench: Workbench, tmp_path: Path, logged: list, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "note.png").write_text("no picture")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "note.png"), ""))
    action(bench, "photo_of_print").trigger()
    until(lambda: any("note.png" in entry.text for entry in logged), "the sentence")
