"""The dialog that prints stickers: sizes that fit and that do not, the sheets, and the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.record import Record, carried
from engine.stickers import Colour, Optimised, Sticker
from tests.engine.pdf_page import pages
from tests.gui.driving import action, choose_attack, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.export.print_dialog import PrintDialog

STICKERS = (Sticker(1, 12, 12, 8, 8, Optimised()), Sticker(2, 2, 3, 6, 4, Colour((1.0, 0.2, 0.1)), name="red"))


def opened(bench: Workbench) -> PrintDialog:
    from gui.export.print_dialog import PrintDialog as Dialog

    until(lambda: not [one for one in bench.window.findChildren(Dialog) if one.isVisible()], "the end of the dialog before")
    action(bench, "print_stickers").trigger()
    (dialog,) = [one for one in bench.window.findChildren(Dialog) if one.isVisible()]
    until(lambda: not dialog.preview.picture.pixmap().isNull() or dialog.preview.picture.text().startswith("“"), "the preview")
    return dialog


def test_without_stickers_a_sentence_says_what_to_do(bench: Workbench, said: list[str]) -> None:
    action(bench, "print_stickers").trigger()
    assert said == ["There is no sticker on the canvas to print. Draw one first, with R or E."]


def test_sheets_are_shown_and_an_impossible_size_is_a_sentence(bench: Workbench) -> None:
    bench.session.change(stickers=STICKERS)
    until(lambda: bench.session.scene is not None and bench.session.scene.stickers == STICKERS, "the stickers")
    dialog = opened(bench)
    dialog.choices.known.setCurrentIndex(0)
    dialog.choices.mm.setFocus()
    dialog.choices.mm.selectAll()
    QTest.keyClicks(dialog.choices.mm, "20000")
    QTest.keyClick(dialog.choices.mm, Qt.Key.Key_Tab)
    until(lambda: "has room for" in dialog.preview.picture.text(), "the sentence")
    assert not dialog.export_button.isEnabled()
    assert "has room for" in dialog.export_button.toolTip()
    dialog.choices.mm.setValue(600)
    until(lambda: dialog.export_button.isEnabled(), "the sheet")
    assert "Sticker 1: 150.0 × 150.0 mm, on sheet 1." in dialog.preview.remark.text()
    assert "red: 112.5 × 75.0 mm, on sheet 2." in dialog.preview.remark.text()
    assert dialog.sheet.maximum() >= 2
    first = dialog.preview.picture.pixmap().toImage()
    dialog.sheet.setFocus()
    QTest.keyClick(dialog.sheet, Qt.Key.Key_Up)
    until(lambda: dialog.preview.picture.pixmap().toImage() != first, "the second sheet")
    dialog.choices.known.setCurrentIndex(3)  # the sticker named red
    dialog.choices.mm.setValue(60)
    until(lambda: "red: 60.0 × 40.0 mm" in dialog.preview.remark.text(), "the size by a sticker")
    dialog.reject()
    settle()


def test_the_file_has_the_stickers_of_the_run_and_its_record(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    bench.session.change(stickers=STICKERS[:1], region="stickers")
    choose_attack(bench, "Sticker content")
    run_attack(bench)
    dialog = opened(bench)
    assert dialog.source.entry is not None
    dialog.choices.mm.setValue(320)
    path = tmp_path / "stickers.pdf"
    dialog.export_to(path)
    until(lambda: any("stickers.pdf" in text for text in said), "the file")
    assert Record.read(path).operation.slug == "sticker"
    found = carried(path)
    assert found is not None
    assert found["figure"]["pixel_mm"] == 10
    (page,) = pages(path)
    xs = [x for x, _ in page.pictures[0]]
    assert abs((max(xs) - min(xs)) * 25.4 / 72 - 80) < 1e-3
    again = opened(bench)
    assert again.choices.mm.value() == 320
    again.reject()
    settle()
