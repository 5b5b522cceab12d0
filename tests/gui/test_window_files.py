"""What comes into the window and what goes out of it: images opened, dropped, pasted and saved; figures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from gui.settings import Settings
from gui.shell.actions.file import open_path, save_to
from tests.gui.driving import (
    Hold,
    action,
    choose_attack,
    draw,
    press_keys,
    run_attack,
    settle,
    until,
)
from tests.gui.seen import filled_menu

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.export.figure_dialog import FigureDialog
    from gui.session.log_entry import LogEntry


# ---------------------------------------------------------------------- images in and out


def test_a_broken_image_leaves_everything_as_it_was(bench: Workbench, tmp_path: Path, logged: list[LogEntry]) -> None:
    path = tmp_path / "broken.png"
    path.write_text("<html></html>")
    clean, frame = bench.session.clean, bench.session.frame
    open_path(bench.window, path)
    until(lambda: logged, "the error")
    assert logged[0].kind == "error"
    assert "broken.png" in logged[0].text
    assert bench.session.clean is clean
    assert bench.session.frame is frame
    assert bench.window.statusBar().alert.isVisible()


def test_a_dropped_file_is_opened_and_remembered(bench: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    QImage(40, 40, QImage.Format.Format_Grayscale8).save(str(path))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    nothing, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    at, copy = QPoint(5, 5), Qt.DropAction.CopyAction
    entered = QDragEnterEvent(at, copy, mime, left, nothing)
    QApplication.sendEvent(bench.window, entered)
    assert entered.isAccepted()
    QApplication.sendEvent(bench.window, QDropEvent(QPointF(at), copy, mime, left, nothing))
    until(lambda: bench.session.image.get("name") == "grey.png", "the image")
    assert bench.window.settings.recent_images == [path]
    assert filled_menu(bench.window, "Open recent").actions()[0].text() == "grey.png"


def test_a_recent_file_that_is_gone_leaves_the_list(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    gone = tmp_path / "gone.png"
    bench.window.settings.add_recent_image(gone)
    open_path(bench.window, gone)
    assert bench.window.settings.recent_images == []
    assert "no longer there" in said[-1]


def test_recent_files_are_few_and_each_once(settings: Settings, tmp_path: Path) -> None:
    for number in (*range(14), 9):
        settings.add_recent_image(tmp_path / f"{number}.png")
    names = [path.name for path in settings.recent_images]
    assert names == ["9.png", "13.png", "12.png", "11.png", "10.png", "8.png", "7.png", "6.png", "5.png", "4.png"]


def test_copy_and_paste_an_image(bench: Workbench) -> None:
    frame = bench.session.frame
    assert frame is not None
    press_keys(bench.window, "Ctrl+Shift+C")
    copied = QGuiApplication.clipboard().image()
    assert (copied.width(), copied.height()) == (32, 32)
    assert copied.pixelColor(3, 5).getRgb()[:3] == tuple(frame.adversarial_pixels[5, 3])
    action(bench, "paste_image").trigger()
    until(lambda: bench.session.image.get("name") == "pasted image", "the pasted image")
    until(lambda: bench.session.frame is not None and bench.session.frame.scene.clean is bench.session.clean, "its frame")
    assert np.array_equal(bench.session.frame.clean_pixels, frame.adversarial_pixels)


def test_saving_says_whether_it_is_still_adversarial(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    choose_attack(bench, "PGD")
    run_attack(bench)
    save_to(bench.session, tmp_path / "attacked.png")
    until(lambda: any("adversarial" in text for text in said), "the verdict")
    assert (tmp_path / "attacked.png").exists()
    assert said[-1].endswith("still adversarial.")


def test_saving_without_a_run(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    draw(bench)
    save_to(bench.session, tmp_path / "sticker.png")
    until(lambda: any("sticker.png" in text for text in said), "the verdict")
    assert "adversarial" in said[-1]


# ---------------------------------------------------------------------- figures


def test_a_figure_of_a_run_can_be_replayed(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    from engine.record import Record, digest, replay

    draw(bench)
    choose_attack(bench, "Sticker content")
    run_attack(bench)
    result = bench.session.history.entries[-1].result
    dialog = open_dialog(bench)
    dialog.choices.flags["arrays"].setChecked(True)
    dialog.choices.width_mm.setValue(120)
    assert dialog.choices.preset.currentText().endswith("120 mm")
    path = tmp_path / "figure.svg"
    dialog.export_to(path)
    until(lambda: any("figure.svg" in text for text in said), "the figure")
    assert path.read_text().count("</text>") > 10  # text stays text
    record = Record.read(tmp_path / "figure.svg.json")
    assert record.figure["width_mm"] == 120
    again = replay(record, folder=tmp_path)
    assert digest(again.result.adversarial[0]) == digest(result.adversarial[0])
    with np.load(tmp_path / "figure.npz") as arrays:
        assert np.array_equal(arrays["adversarial"], result.adversarial[0].numpy())
        assert arrays["mask"].sum() == 56


def test_a_figure_of_a_run_says_what_the_bound_does(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    from engine.record import Record

    choose_attack(bench, "PGD")
    run_attack(bench)
    sites = [site.name for site in bench.session.classifier.sites]
    bench.session.set_bounds(dict.fromkeys(sites, 2.0))
    until(lambda: bench.session.frame.observation.bounded is not None, "the bounded prediction")
    dialog = open_dialog(bench)
    assert dialog.source.entry is not None
    for name, check in dialog.checks.items():
        check.setChecked(name in ("adversarial", "histogram"))
    path = tmp_path / "bounded.svg"
    dialog.export_to(path)
    until(lambda: any("bounded.svg" in text for text in said), "the figure")
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text()))
    assert "Bound 2 in all layers: clean Stop" in words
    assert " bound " in f" {words} "  # the key of the histogram's line
    record = Record.read(tmp_path / "bounded.svg.json")
    assert record.figure["bounds"] == dict.fromkeys(sites, 2.0)
    assert record.model.bounds == {}  # the attack knew nothing of it


def test_a_figure_without_a_run(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    draw(bench)
    dialog = open_dialog(bench)
    assert not dialog.checks["loss"].isEnabled()
    assert not dialog.choices.flags["arrays"].isEnabled()
    dialog.checks["saliency"].setChecked(True)
    path = tmp_path / "figure.pdf"
    dialog.export_to(path)
    until(lambda: any("figure.pdf" in text for text in said), "the figure")
    assert path.read_bytes().startswith(b"%PDF")
    sidecar = json.loads((tmp_path / "figure.pdf.json").read_text())
    assert sidecar["model"]["name"] == "signs"
    assert len(sidecar["stickers"]) == 1


def test_a_figure_that_cannot_be_written_keeps_the_dialog(bench: Workbench, tmp_path: Path, logged: list[LogEntry]) -> None:
    dialog = open_dialog(bench)
    dialog.export_to(tmp_path / "nowhere" / "figure.pdf")
    until(lambda: logged, "the error")
    assert dialog.isVisible()
    assert dialog.picture.text() == logged[-1].text
    for check in dialog.checks.values():
        check.setChecked(False)
    assert not dialog.export_button.isEnabled()
    dialog.reject()
    settle()


def open_dialog(bench: Workbench) -> FigureDialog:
    from gui.export.figure_dialog import FigureDialog as Dialog

    press_keys(bench.window, "Ctrl+E")
    dialog = bench.window.findChild(Dialog)
    until(lambda: not dialog.picture.pixmap().isNull(), "the preview")
    return dialog


def test_two_saves_while_the_engine_is_busy_leave_two_files(bench: Workbench, said: list[str], tmp_path: Path) -> None:
    paths = [tmp_path / "first.png", tmp_path / "second.png"]
    with Hold(bench.session):
        for path in paths:
            save_to(bench.session, path)
    until(lambda: not bench.session.waiting("save"), "both files")
    assert [path.is_file() for path in paths] == [True, True]
    assert sum("first.png" in sentence or "second.png" in sentence for sentence in said) == 2
