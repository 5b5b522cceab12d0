"""The animation dialog with mouse and keys: its choices, a frame, the written file with its progress, and cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.perturbation_view import PerturbationView
from engine.record import carried
from gui.session.state import AttackSettings
from tests.gui.driving import action, choose_attack, run_attack, settle, until

if TYPE_CHECKING:
    from pathlib import Path

    from gui.app import Workbench
    from gui.export.animation_dialog import AnimationDialog
    from gui.session.log_entry import LogEntry


@pytest.fixture
def attacked(bench: Workbench) -> Workbench:
    choose_attack(bench, "PGD")
    bench.session.change(settings=AttackSettings({"steps": 24}))
    run_attack(bench)
    return bench


def opened(bench: Workbench) -> AnimationDialog:
    from gui.export.animation_dialog import AnimationDialog as Dialog

    until(lambda: bench.window.findChild(Dialog) is None, "the end of the dialog before")
    action(bench, "export_animation").trigger()
    dialog = bench.window.findChild(Dialog)
    assert dialog is not None
    until(lambda: not dialog.picture.pixmap().isNull(), "the frame")
    return dialog


def close(dialog: AnimationDialog) -> None:
    dialog.reject()
    settle()


def test_an_animation_is_chosen_and_written(attacked: Workbench, tmp_path: Path, said: list[str]) -> None:
    attacked.session.change(view=PerturbationView("colour", 20))
    dialog = opened(attacked)
    assert (dialog.plan.view, dialog.plan.gain) == ("colour", 20)  # as in the window
    before = dialog.facts.text()
    dialog.choices.checks["clean"].click()
    dialog.choices.width_px.setFocus()
    QTest.keyClick(dialog.choices.width_px, Qt.Key.Key_Home)
    dialog.choices.every.setFocus()
    QTest.keyClick(dialog.choices.every, Qt.Key.Key_Up)
    until(lambda: dialog.facts.text() != before and "480 ×" in dialog.facts.text(), "the smaller frame")
    dialog.place.setFocus()
    QTest.keyClick(dialog.place, Qt.Key.Key_End)
    assert dialog.place.value() == dialog.place.maximum() > 3
    path = tmp_path / "a.gif"
    dialog.export_to(path)
    assert dialog.bar.isVisible()
    assert not dialog.export_button.isEnabled()
    until(lambda: any("a.gif" in text for text in said), "the animation")
    with Image.open(path) as image:
        assert image.n_frames > 10  # type: ignore[attr-defined]
    found = carried(path)
    assert found is not None
    assert found["figure"]["animation"]["panels"] == ["adversarial", "perturbation", "bars", "loss"]
    assert found["figure"]["animation"]["every"] == 2
    settle()


def test_cancelling_leaves_no_file_and_answers_at_once(attacked: Workbench, tmp_path: Path, logged: list[LogEntry]) -> None:
    dialog = opened(attacked)
    path = tmp_path / "a.apng"
    dialog.export_to(path)
    until(lambda: dialog.writing is not None and dialog.writing.progress.done > 1, "the first frames")
    writing = dialog.writing
    assert writing is not None
    QTest.mouseClick(dialog.cancel_button, Qt.MouseButton.LeftButton)
    done = writing.progress.done
    assert done < writing.progress.total
    until(lambda: dialog.writing is None, "the end of the writing")
    assert writing.progress.done <= done + 1  # the present frame is finished
    assert list(tmp_path.iterdir()) == []
    assert "No file was written" in dialog.problem.text()
    assert dialog.problem.isVisible()
    assert not dialog.picture.pixmap().isNull(), "the preview stays"
    assert dialog.facts.text(), "so do its numbers"
    assert dialog.export_button.isEnabled()
    assert not [entry for entry in logged if entry.kind == "error"]  # the user wanted it
    close(dialog)


def test_nothing_ticked_says_so(attacked: Workbench) -> None:
    dialog = opened(attacked)
    for check in dialog.choices.checks.values():
        if check.isChecked():
            check.click()
    assert dialog.picture.text() == "Choose at least one panel."
    assert dialog.picture.pixmap().isNull()
    assert not dialog.export_button.isEnabled()
    close(dialog)


def test_a_failed_export_is_said_once_beside_the_preview_which_stays(attacked: Workbench, tmp_path: Path) -> None:
    dialog = opened(attacked)
    assert dialog.choices.every.text() == "all"
    facts = dialog.facts.text()
    dialog.export_to(tmp_path / "no folder" / "a.txt")
    until(lambda: dialog.problem.isVisible(), "the error")
    assert "does not end in .gif" in dialog.problem.text()
    assert not dialog.picture.pixmap().isNull()
    assert dialog.facts.text() == facts
    assert dialog.facts.isVisible()
    assert dialog.export_button.isEnabled()
    close(dialog)
