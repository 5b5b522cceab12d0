"""The suffix of a file to be written: the typed one decides, none gets the usual one, a wrong one is said in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from gui.session.state import AttackSettings
from gui.widgets.asked_file import WrongSuffix, ask_file, named
from tests.gui.driving import action, run_attack, until

if TYPE_CHECKING:
    from gui.app import Workbench

FIGURE = (".pdf", ".svg", ".png")


@pytest.mark.parametrize(
    ("typed", "suffixes", "path"),
    [
        ("a/win.png", FIGURE, "a/win.png"),
        ("win.PNG", FIGURE, "win.PNG"),
        ("win", FIGURE, "win.pdf"),
        ("run 1.5", FIGURE, "run 1.5.pdf"),
        ("Dr. No", FIGURE, "Dr. No.pdf"),
        (".hidden", FIGURE, ".hidden.pdf"),
        ("clip.webp", (".gif", ".webp"), "clip.webp"),
        ("net-0.3", (".safetensors",), "net-0.3.safetensors"),
        ("work.gibbon", (".gibbon",), "work.gibbon"),
    ],
)
def test_the_typed_suffix_decides(typed: str, suffixes: tuple[str, ...], path: str) -> None:
    assert named(typed, suffixes) == Path(path)


@pytest.mark.parametrize(("typed", "suffixes"), [("win.jpg", FIGURE), ("table.xlsx", (".csv",)), ("net.pt", (".safetensors",))])
def test_a_suffix_that_cannot_be_written_is_named(typed: str, suffixes: tuple[str, ...]) -> None:
    with pytest.raises(WrongSuffix, match=f"^“{typed}” does not end in .*, so nothing was written. Name it {typed.split('.')[0]}"):
        named(typed, suffixes)


def test_the_dialog_says_it_once_and_gives_no_path(monkeypatch: pytest.MonkeyPatch, qapp: object, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "win.txt"), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda *given: said.append(given[2]))
    assert ask_file(None, "Export figure", tmp_path / "figure.pdf", "PDF (*.pdf)", *FIGURE) is None
    assert said == ["“win.txt” does not end in .pdf, .svg or .png, so nothing was written. Name it win.pdf, for example."]


def test_a_figure_and_an_animation_are_written_in_the_typed_format(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from gui.export.animation_dialog import AnimationDialog
    from gui.export.figure_dialog import FigureDialog

    bench.session.change(settings=AttackSettings({"steps": 4}))
    run_attack(bench)
    run = bench.session.iterates.run
    assert run is not None
    figure = FigureDialog(bench.session, bench.window.settings, bench.window)
    figure.choices.format.setCurrentText("PDF")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "win.png"), ""))
    figure.export_button.click()
    until((tmp_path / "win.png").is_file, "the figure")
    assert (tmp_path / "win.png").read_bytes().startswith(b"\x89PNG")
    until(lambda: bench.session.frame is not None, "the frame")
    animation = AnimationDialog(bench.session, bench.window.settings, run, bench.window)
    animation.choices.width_px.setCurrentIndex(0)
    animation.choices.format.setCurrentText("GIF")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "win.webp"), ""))
    animation.export_button.click()
    until((tmp_path / "win.webp").is_file, "the animation")
    assert (tmp_path / "win.webp").read_bytes()[8:12] == b"WEBP"
    names = ["win.png", "win.png.json", "win.webp", "win.webp.json"]
    until(lambda: sorted(path.name for path in tmp_path.iterdir()) == names, "both with their records and nothing else")
    until(lambda: animation.writing is None, "the end of the writing")


def test_a_script_of_the_study_with_a_number_in_its_name_is_a_script(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_attack(bench)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "try 1.5"), ""))
    action(bench, "save_study_script").trigger()
    until((tmp_path / "try 1.5.py").is_file, "the script")
    until(lambda: (tmp_path / "try 1.5.gibbon").is_file(), "its study")
