"""The figure dialog with mouse and keys: its choices, the preview in two sizes, the clipboard, and what it says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from engine.figures import FigurePlan
from engine.figures.style import percent
from engine.perturbation_view import PerturbationView
from gui.session.state import AttackSettings
from tests.gui.driving import choose_attack, draw, press_keys, run_attack, settle, until, wait_written

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.export.figure_dialog import FigureDialog


def opened(bench: Workbench) -> FigureDialog:
    from gui.export.figure_dialog import FigureDialog as Dialog

    until(lambda: bench.window.findChild(Dialog) is None, "the end of the dialog before")

    def there() -> list[Dialog]:
        return [dialog for dialog in bench.window.findChildren(Dialog) if dialog.isVisible()]

    until(lambda: not there(), "the end of the dialog before")
    press_keys(bench.window, "Ctrl+E")
    (dialog,) = there()
    until(lambda: not dialog.picture.pixmap().isNull(), "the preview")
    return dialog


def close(dialog: FigureDialog) -> None:
    """Close the dialog, and let the window have the keys again."""
    dialog.reject()
    settle()


@pytest.fixture
def attacked(bench: Workbench) -> Workbench:
    choose_attack(bench, "PGD")
    bench.session.change(settings=AttackSettings({"steps": 10}))
    run_attack(bench)
    return bench


def test_the_perturbation_begins_as_in_the_window_and_is_written_so(attacked: Workbench, tmp_path: Path, said: list[str]) -> None:
    attacked.session.change(view=PerturbationView("colour", 20))
    dialog = opened(attacked)
    assert dialog.choices.view.currentText() == "As shown: RGB around grey"
    assert dialog.choices.gain.currentText() == "As shown: ×20"
    assert (dialog.plan.view, dialog.plan.gain) == ("colour", 20)
    dialog.choices.view.setFocus()
    for _ in range(4):
        QTest.keyClick(dialog.choices.view, Qt.Key.Key_Down)
    assert dialog.choices.view.currentText() == "RGB around grey"
    dialog.choices.view.setCurrentIndex(dialog.choices.view.findData("channels"))
    dialog.choices.gain.setCurrentIndex(1)
    assert (dialog.plan.view, dialog.plan.gain) == ("channels", None)
    path = tmp_path / "figure.svg"
    dialog.export_to(path)
    until(lambda: any("figure.svg" in text for text in said), "the figure")
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text()))
    assert "Perturbation, red" in words
    assert "+8/255" in words
    kept = json.loads((tmp_path / "figure.svg.json").read_text())["figure"]
    assert FigurePlan.of({**kept, "panels": ["clean"]}).view == "channels"
    assert kept["caption"].startswith("\\caption{")


def test_font_size_and_anonymity_are_chosen_and_kept(
    attacked: Workbench, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = opened(attacked)
    dialog.choices.font_kind.setFocus()
    QTest.keyClick(dialog.choices.font_kind, Qt.Key.Key_Down)
    dialog.choices.font_size.setFocus()
    QTest.keyClick(dialog.choices.font_size, Qt.Key.Key_Up)
    dialog.choices.flags["anonymous"].click()
    assert (dialog.plan.font, dialog.plan.size, dialog.plan.anonymous) == ("serif", 7.5, True)
    proposed: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (proposed.append(Path(given[2]).name) or "", ""))
    dialog.export_button.click()
    dialog.choices.flags["anonymous"].click()
    dialog.export_button.click()
    dialog.choices.flags["anonymous"].click()
    assert proposed == ["figure.pdf", f"{dialog.source.stem}.pdf"]  # the image's name would stand in the name of an anonymous file
    path = tmp_path / "figure.svg"
    dialog.export_to(path)
    until(lambda: any("figure.svg" in text for text in said), "the figure")
    for text in (path.read_text(), (tmp_path / "figure.svg.json").read_text()):
        assert str(attacked.session.image.get("name")) not in text
        assert str(tmp_path) not in text
    assert "STIXGeneral" in path.read_text() or "Times" in path.read_text()
    assert json.loads((tmp_path / "figure.svg.json").read_text())["figure"]["left_out"]
    again = opened(attacked)
    assert (again.plan.font, again.plan.size, again.plan.anonymous) == ("serif", 7.5, True)
    close(again)


def test_nothing_ticked_shows_nothing_old_and_says_so(attacked: Workbench) -> None:
    dialog = opened(attacked)
    for check in dialog.checks.values():
        if check.isChecked():
            check.click()
    assert dialog.picture.pixmap().isNull()
    assert dialog.picture.text() == "Choose at least one panel."
    assert dialog.preview.size_label.text() == ""
    assert not dialog.export_button.isEnabled()
    assert not dialog.copy_button.isEnabled()
    assert dialog.export_button.toolTip() == "Choose at least one panel."
    dialog.checks["clean"].click()
    until(lambda: not dialog.picture.pixmap().isNull(), "the preview")
    assert dialog.copy_button.isEnabled()
    close(dialog)


def test_the_preview_fits_or_has_its_actual_size(attacked: Workbench) -> None:
    dialog = opened(attacked)
    dialog.choices.width_mm.setValue(85)
    until(lambda: dialog.preview.size_label.text().startswith("Printed at 85 ×"), "the narrow figure")
    until(lambda: not attacked.session.waiting("figure"), "the last preview")
    pixmap, viewport = dialog.picture.pixmap(), dialog.preview.area.viewport()
    assert pixmap.deviceIndependentSize().height() <= viewport.height()
    assert pixmap.deviceIndependentSize().width() <= viewport.width()
    dialog.preview.scale.setFocus()
    QTest.keyClick(dialog.preview.scale, Qt.Key.Key_Down)
    dpi = dialog.preview.actual_dpi
    assert dpi is not None
    until(lambda: abs(dialog.picture.pixmap().width() - 85 / 25.4 * dpi) <= 1, "the figure in its actual size")
    close(dialog)


def test_a_figure_is_copied_as_a_picture_and_its_caption_as_text(attacked: Workbench, said: list[str]) -> None:
    dialog = opened(attacked)
    actions = {action.text(): action for action in dialog.copy_button.menu().actions()}
    assert set(actions) >= {"Picture, 150 dpi", "Picture, 300 dpi", "Caption for LaTeX"}
    for dpi in (150, 300):
        actions[f"Picture, {dpi} dpi"].trigger()
        until(lambda: any(f"{dpi} per inch" in text for text in said), "the picture")  # noqa: B023
        image = QGuiApplication.clipboard().image()
        assert abs(image.width() - 174 / 25.4 * dpi) <= 1
    actions["Caption for LaTeX"].trigger()
    until(lambda: "The caption is on the clipboard." in said, "the caption")
    assert QGuiApplication.clipboard().text().startswith(r"\caption{\textbf{(a)} Clean (")
    close(dialog)
    QGuiApplication.clipboard().clear()
    said.clear()
    press_keys(attacked.window, "Ctrl+Shift+E")
    until(lambda: any("The figure is on the clipboard" in text for text in said), "the picture by the menu")
    assert not QGuiApplication.clipboard().image().isNull()


def test_missing_glyphs_are_said_below_the_preview(attacked: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    result = attacked.session.history.entries[-1].result
    monkeypatch.setattr(result.classifier, "labels", ("\ue9a3 sign",) * len(result.classifier.labels))
    dialog = opened(attacked)
    until(lambda: dialog.preview.remark.isVisible(), "the sentence")
    assert "No font of this machine has \ue9a3" in dialog.preview.remark.text()
    assert "Install a font" in dialog.preview.remark.text()
    close(dialog)


def test_norms_say_the_stickers_that_were_there_before(bench: Workbench, tmp_path: Path, said: list[str]) -> None:
    draw(bench)
    sticker = bench.session.stickers[0]
    from dataclasses import replace

    from engine.stickers import Colour

    bench.session.commit_stickers((replace(sticker, content=Colour((1.0, 0.5, 0.0))),), "Colour")
    choose_attack(bench, "PGD")
    run_attack(bench)
    dialog = opened(bench)
    path = tmp_path / "figure.svg"
    dialog.export_to(path)
    until(lambda: any("figure.svg" in text for text in said), "the figure")
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text())).replace("\N{NO-BREAK SPACE}", " ")
    assert "measured from the clean image with its sticker" in words


def test_the_script_of_a_figure_draws_the_same_pixels(attacked: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.images import open_image

    dialog = opened(attacked)
    dialog.copy_script()
    until(lambda: "figures.export(" in QGuiApplication.clipboard().text(), "the script")
    dialog.export_to(tmp_path / "window.png")
    wait_written(attacked.session)
    monkeypatch.chdir(tmp_path)
    script = QGuiApplication.clipboard().text().replace('"figure.pdf"', '"figure.png"')
    exec(compile(script, "script.py", "exec"), {})
    assert (open_image(tmp_path / "figure.png").pixels == open_image(tmp_path / "window.png").pixels).all()


def test_a_canvas_without_a_run_has_no_script(bench: Workbench, said: list[str]) -> None:
    dialog = opened(bench)
    dialog.copy_script()
    until(lambda: any("No finished run is shown" in sentence for sentence in said), "the sentence")
    settle()
    assert sum("No finished run is shown" in sentence for sentence in said) == 1, "it is said once"
    close(dialog)


def test_a_study_is_written_as_a_script(attacked: Workbench, tmp_path: Path) -> None:
    from gui.shell.actions.study import write_study_script

    write_study_script(attacked.session, tmp_path / "study.py")
    wait_written(attacked.session)
    text = (tmp_path / "study.py").read_text(encoding="utf-8")
    assert "# #" in text
    assert "attacks.PGD(steps=10)" in text


@pytest.mark.parametrize("size", [(1280, 800), (1000, 650)])
def test_the_first_preview_fits_the_room_that_the_dialog_got(attacked: Workbench, size: tuple[int, int]) -> None:
    attacked.window.resize(*size)
    settle()
    dialog = opened(attacked)
    until(lambda: not attacked.session.waiting("figure"), "the last preview")
    settle()
    area = dialog.preview.area
    assert not area.horizontalScrollBar().isVisible()
    assert not area.verticalScrollBar().isVisible()
    close(dialog)


@pytest.mark.parametrize("slug", ["pgd", "fgsm"])
def test_clean_has_one_meaning_on_the_screen_in_the_figure_and_in_the_animation(bench: Workbench, slug: str) -> None:
    """The clean image has no stickers, and the perturbation, which is adversarial minus clean, has them."""
    from engine.figures.animation import film_of
    from engine.stickers import Colour
    from gui.export.figure_source import _subject as subject_in
    from gui.export.figure_source import figure, source_of

    session = bench.session
    draw(bench)
    session.commit_stickers((replace(session.stickers[0], content=Colour((1.0, 1.0, 0.0))),), "Colour")
    session.change(**session.plan.choosing(slug))
    run_attack(bench)
    seen, source = session.frame.observation, source_of(session)
    subject = subject_in(source, FigurePlan())
    torch.testing.assert_close(subject.observation.clean_image, session.clean)
    torch.testing.assert_close(subject.observation.perturbation, seen.perturbation)
    torch.testing.assert_close(subject.observation.clean, seen.clean)
    assert float(subject.observation.perturbation.abs().max()) > 0.5  # the sticker, not the attack's 8/255
    caption = FigurePlan(panels=("clean",)).panels_of(subject)[0].caption
    run = source.entry
    assert run is not None
    before = float(run.result.clean_logits[0].softmax(0).max())
    assert f"with stickers: Stop, {percent(before)}" in caption
    assert figure(source, FigurePlan(panels=("clean", "perturbation"))) is not None
    film = film_of(run.result, run.timeline, clean=run.before.clean)
    np.testing.assert_allclose(film.clean, session.clean.numpy())
    np.testing.assert_allclose(film.clean_probabilities, seen.clean.numpy(), atol=1e-5)
    np.testing.assert_allclose(film.began, run.result.clean_logits[0].softmax(0).numpy())


def test_the_script_of_a_figure_with_stickers_draws_the_clean_image(bench: Workbench) -> None:
    from gui.export.figure_source import script_of, source_of

    draw(bench)
    bench.session.change(**bench.session.plan.choosing("fgsm"))
    run_attack(bench)
    assert "figures.subject_of(result, clean=image)" in script_of(source_of(bench.session), FigurePlan())
    bench.session.commit_stickers((), "Clear")
    run_attack(bench)
    assert "figures.subject_of(result)" in script_of(source_of(bench.session), FigurePlan())
