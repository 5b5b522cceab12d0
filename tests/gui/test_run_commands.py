"""Commands on finished runs in the window: compared, as scripts that give the same bits, as images and figures."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog

from engine.record import Record
from gui.export.figure_dialog import FigureDialog
from gui.session.state import AttackSettings
from tests.gui.driving import action, choose_attack, press_keys, run_attack, settle, until, wait_written
from tests.gui.test_runs_panel import carry_out, select

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.panels.runs import RunsPanel


@pytest.fixture
def runs(bench: Workbench) -> RunsPanel:
    """The Runs dock in front, with two runs of PGD, and the newer one on the canvas."""
    bench.window.workspaces.switch("attack")
    choose_attack(bench, "PGD")
    for steps in (3, 5):
        bench.session.change(settings=AttackSettings({"steps": steps}))
        run_attack(bench)
    bench.window.bring_up("runs")
    settle()
    panel: RunsPanel = bench.window.panels["runs"]
    assert len(panel.cards.runs.runs) == 2
    return panel


def ran(script: str) -> str:
    """Run a script; return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def test_compare_shows_the_workspace_and_the_runs(bench: Workbench, runs: RunsPanel) -> None:
    select(runs, 0, 1)
    carry_out(runs, "Compare")
    settle()
    assert bench.window.workspaces.current.name == "compare"
    assert bench.session.compared == tuple(run.number for run in bench.session.history.attacks)
    assert bench.window.panels["runs"].isVisible()
    bench.session.change(compared=())
    bench.window.workspaces.switch("attack")


def test_a_run_copied_as_python_gives_the_same_bits(bench: Workbench, runs: RunsPanel, said: list[str]) -> None:
    select(runs, 1)  # the older one, which is not on the canvas
    run = bench.session.history.attacks[0]
    carry_out(runs, "Copy as Python")
    until(lambda: said[-1:] == [f"A script of {run.title} is on the clipboard."], "the script")
    script = QGuiApplication.clipboard().text()
    assert "steps=3" in script
    assert "the recorded bits: True" in ran(script)


def test_the_run_on_the_canvas_is_copied_by_a_key_and_saved_by_the_menu(
    bench: Workbench, runs: RunsPanel, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    QGuiApplication.clipboard().clear()
    press_keys(bench.window, "Ctrl+Alt+C")
    until(lambda: "steps=5" in QGuiApplication.clipboard().text(), "the script of the newer run")
    path = tmp_path / "again.py"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    action(bench, "save_script").trigger()
    wait_written(bench.session)
    assert "steps=5" in path.read_text("utf-8")
    bench.session.clear_perturbation()
    assert not action(bench, "copy_python").isEnabled()


def test_several_runs_are_one_script(bench: Workbench, runs: RunsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "both.py"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    select(runs, 0, 1)
    carry_out(runs, "Save as script…")
    wait_written(bench.session)
    text = path.read_text("utf-8")
    assert text.index("steps=3") < text.index("steps=5")


def test_the_image_of_a_run_that_is_not_shown_is_saved_with_its_record(
    bench: Workbench, runs: RunsPanel, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "older.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    select(runs, 1)
    carry_out(runs, "Save image…")
    until(lambda: any("older.png" in text for text in said), "the verdict")
    assert Record.read(path).operation.parameters["steps"] == 3


def test_the_figure_of_a_run_shows_it_first(bench: Workbench, runs: RunsPanel) -> None:
    older = bench.session.history.attacks[0]
    select(runs, 1)
    carry_out(runs, "Export figure…")
    assert bench.session.history.shown is older

    def dialogs() -> list[FigureDialog]:
        return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, FigureDialog) and widget.isVisible()]

    until(dialogs, "the dialog")
    for dialog in dialogs():
        dialog.reject()


def test_the_folder_of_the_image_is_opened(bench: Workbench, runs: RunsPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    carry_out(runs, "Open folder of the image")
    assert opened == [str(Path(str(bench.session.image["path"])).parent)]


def test_the_menus_follow_the_run_and_bring_removed_ones_back(bench: Workbench, runs: RunsPanel) -> None:
    before = bench.session.history.entries
    bench.session.change(settings=AttackSettings({"steps": 77}))
    action(bench, "use_parameters").trigger()
    assert bench.session.plan.settings.parameters == {"steps": 5}
    bench.session.remove_runs(before[0].number)
    action(bench, "restore_runs").trigger()
    assert bench.session.history.entries[-2:] == before
    assert not action(bench, "restore_runs").isEnabled()
