"""The lectures' experiments in the window: run in the background, judged, cancelled, saved; the canvas stays free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLineEdit, QMessageBox, QToolButton

from gui import theme
from tests.gui.driving import Hold, click, run_attack, settle, until
from tests.gui.seen import filled_menu

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.panels.experiments import ExperimentsPanel

SMALL = {"h5-fake-zero": {"starts": 4}, "h0-gallery": {"groups": 2, "steps": 3}}
"""Parameters with which an experiment takes no time."""


@pytest.fixture
def experiments(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExperimentsPanel]:
    """The dock on an empty folder of data sets, so that drawn images stand in."""
    monkeypatch.setenv("GIBBON_DATA", str(tmp_path))
    bench.window.open_experiment("linear")
    window: ExperimentsPanel = bench.window.panels["experiments"]
    until(lambda: window.built, "the experiments")
    window.runs.outcomes.clear()
    window.choose("panda")  # another one first, so that what was cleared is not shown any more
    window.choose("linear")
    settle()
    yield window
    window.cancel()
    until(lambda: window.runs.job is None, "the end")
    bench.session.data_sources.root = None
    bench.window.workspaces.switch("attack")


def run(window: ExperimentsPanel, slug: str) -> None:
    window.choose(slug)
    window.about.forms[slug].set_values(SMALL.get(slug, {}))
    click(window.foot.run_button)
    assert window.runs.job is not None
    until(lambda: window.runs.job is None, f"the end of {slug}")
    settle()


def test_the_menu_lists_every_experiment_and_opens_it(bench: Workbench, experiments: ExperimentsPanel) -> None:
    from engine.reproduce import CATALOGUE

    menu = filled_menu(bench.window, "Reproduce")
    assert [action.text() for action in menu.actions()] == [kind.title for kind in CATALOGUE.values()]
    for action, (slug, kind) in zip(menu.actions(), CATALOGUE.items(), strict=True):
        action.trigger()
        assert experiments.about.forms[slug].isVisible()
        assert experiments.about.facts["accepted"].text() == kind.tolerance
        assert "``" not in experiments.about.summary.text()
        assert experiments.about.forms[slug].operation is not None


def test_an_experiment_is_judged_shown_and_saved(bench: Workbench, experiments: ExperimentsPanel, tmp_path: Path) -> None:
    assert not experiments.foot.save_button.isEnabled()
    run(experiments, "linear")
    shown, outcome = experiments.runs.outcomes["linear"], experiments.outcome
    model = outcome.table.model()
    cells = [[str(model.data(model.index(row, column))) for column in range(3)] for row in range(model.rowCount())]
    assert cells == [[row[0], row[-1], row[3]] for row in shown.rows]
    assert outcome.table.horizontalHeader().length() <= outcome.table.viewport().width()
    assert 300 < outcome.figure.picture.pixmap().width() <= outcome.figure.viewport().width() * outcome.devicePixelRatioF()
    assert outcome.verdict.text == shown.verdict == "Both checks passed."
    kept = bench.session.history.entries[-1]
    assert (kept.operation.slug, kept.verdict, kept.passed) == ("linear", shown.verdict, True)
    assert kept.result is shown.result
    assert bench.session.history.shown is None
    folder = tmp_path / "out"
    folder.mkdir()
    experiments.save(folder)
    until(lambda: "Written" in experiments.foot.message.text, "the files")
    assert json.loads((folder / "linear.json").read_text("utf-8"))["experiment"] == "linear"
    assert (folder / "linear.pdf").stat().st_size > 5000
    experiments.save(folder)
    until(lambda: "there already" in experiments.foot.message.text, "the refusal")


def test_the_outcome_follows_the_theme(bench: Workbench, experiments: ExperimentsPanel) -> None:
    run(experiments, "h5-fake-zero")
    before = experiments.runs.outcomes["h5-fake-zero"]
    chosen = bench.window.theme.choice
    try:
        bench.window.theme.choose("light" if before.dark else "dark")
        until(lambda: experiments.runs.outcomes["h5-fake-zero"].dark != before.dark, "the figure for the other theme")
        after = experiments.runs.outcomes["h5-fake-zero"]
        assert after.dark == theme.is_dark(experiments.palette())
        assert after.rows == before.rows
        assert after.picture != before.picture
    finally:
        bench.window.theme.choose(chosen)
        until(lambda: experiments.runs.outcomes["h5-fake-zero"].dark == before.dark, "the figure as it was")


def test_what_stands_in_compares_with_nothing_and_is_said_before(experiments: ExperimentsPanel) -> None:
    experiments.choose("h0-gallery")
    assert "not on this machine" not in experiments.about.facts["data"].text(), "it is said once, beside the button that helps"
    assert "not on this machine" in experiments.foot.message.text
    assert "do not compare" in experiments.foot.message.text
    assert experiments.foot.folder_button.isVisible()
    run(experiments, "h0-gallery")
    assert experiments.outcome.verdict.text == "Not comparable."


def test_data_that_is_missing_is_said_and_looked_for_elsewhere(experiments: ExperimentsPanel, tmp_path: Path) -> None:
    experiments.choose("h3-one-pixel")
    assert "CIFAR-10" in experiments.foot.message.text
    assert not experiments.foot.run_button.isEnabled()
    nothing, unpacked = tmp_path / "nothing", tmp_path / "unpacked"
    nothing.mkdir()
    experiments.look_in(nothing)
    assert "is not in" in experiments.foot.message.text
    assert not experiments.foot.run_button.isEnabled()
    (unpacked / "cifar10/test").mkdir(parents=True)
    experiments.look_in(unpacked)
    assert experiments.foot.message.text == ""
    assert not experiments.foot.folder_button.isVisible()
    assert experiments.foot.run_button.isEnabled()


def test_weights_that_are_missing_can_be_fetched_here(
    experiments: ExperimentsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    experiments.choose("panda")
    assert not experiments.foot.download_button.isVisible()
    click(experiments.foot.run_button)
    until(lambda: "squeezenet1_0" in experiments.foot.message.text, "the sentence")
    assert experiments.runs.job is None
    assert "download=" not in experiments.foot.message.text
    click(experiments.foot.download_button)
    (question,) = (box for box in experiments.findChildren(QMessageBox) if box.isVisible())
    assert str(tmp_path) in question.informativeText()
    question.reject()
    assert not experiments.weights.fetch.running
    experiments.choose("linear")
    assert not experiments.foot.download_button.isVisible()


def test_run_rests_and_cancel_works_while_weights_are_looked_for(bench: Workbench, experiments: ExperimentsPanel) -> None:
    experiments.choose("panda")
    foot = experiments.foot
    with Hold(bench.session):
        click(foot.run_button)
        assert foot.news.text() == "looking for the weights…"
        assert not foot.run_button.isEnabled()
        assert foot.cancel_button.isEnabled()
        click(foot.cancel_button)
        assert foot.news.text() == ""
        assert foot.run_button.isEnabled()
    until(lambda: not bench.session.waiting("weights"), "the response")
    settle()
    assert experiments.runs.job is None  # it was cancelled, so nothing begins when the response comes
    assert foot.run_button.isEnabled()


def test_the_canvas_stays_free_and_cancel_ends_it(bench: Workbench, experiments: ExperimentsPanel) -> None:
    experiments.choose("h0-fooling")
    experiments.about.forms["h0-fooling"].set_values({"starts": 100_000})
    click(experiments.foot.run_button)
    until(lambda: experiments.runs.job is not None and experiments.runs.job.index >= 0, "the first step")
    run_attack(bench)
    assert bench.session.history.entries
    assert experiments.runs.job is not None
    assert experiments.foot.bar.isVisible()
    assert experiments.outcome.empty.text.startswith("It is under way")
    assert [work.title for work in bench.session.jobs.running] == [experiments.list.currentItem().text()]
    bench.window.workspaces.switch("attack")  # it goes on, and the chip of the status bar can end it as well
    bench.window.workspaces.switch("test")
    settle()
    click(experiments.foot.cancel_button)
    assert not experiments.foot.cancel_button.isEnabled()
    until(lambda: experiments.runs.job is None, "the end")
    assert "h0-fooling" not in experiments.runs.outcomes
    assert experiments.foot.message.text.endswith("was cancelled: nothing is kept of it.")
    assert experiments.outcome.empty.text.startswith("Run it")
    assert experiments.foot.run_button.isEnabled()
    assert not experiments.foot.bar.isVisible()


def test_an_experiment_runs_on_weights_of_ones_own(bench: Workbench, experiments: ExperimentsPanel, tmp_path: Path) -> None:
    import engine
    from engine.artifacts import Model
    from engine.defenses import save_model

    shipped = engine.models.load("digits-lecture")
    weights, _ = save_model(Model(shipped.module, shipped.card), tmp_path / "mine.safetensors", name="mine")
    experiments.choose("h5-fake-zero")
    experiments.model.open_weights(weights)
    until(lambda: experiments.model.chosen is not None, "the weights")
    assert experiments.model.currentText() == "mine"
    run(experiments, "h5-fake-zero")
    made = experiments.runs.outcomes["h5-fake-zero"].result.provenance["model"]
    assert made["source"] == str(weights)
    experiments.choose("linear")  # trains a network of its own: there is nothing to choose
    assert not experiments.model.isEnabled()
    assert experiments.model.chosen is None


def test_the_file_of_a_photograph_is_chosen_by_a_dialog_and_its_name_is_whole(
    experiments: ExperimentsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtWidgets import QFileDialog

    path = tmp_path / ("a-folder-with-a-rather-long-name" * 2) / "panda.png"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, **_kwargs: (str(path), ""))
    experiments.choose("panda")
    editor = experiments.about.forms["panda"].editor("image")
    editor.browse.trigger()
    assert experiments.about.forms["panda"].operation is not None
    assert experiments.about.forms["panda"].operation.image == path
    assert str(path) in editor.toolTip()
    assert editor.cursorPosition() == len(str(path))  # the end is in sight, which holds the name


def test_an_experiment_that_is_opened_before_the_engine_is_ready_waits_for_it(bench: Workbench) -> None:
    from gui.panels.experiments import ExperimentsPanel
    from gui.session.session import Session

    session = Session()
    session.lane.start()
    made = ExperimentsPanel(session)
    made.choose("panda")
    assert not made.built
    session.change(ready=True)
    session.engineReady.emit()
    until(lambda: made.built, "the experiments")
    assert made.list.slug() == "panda"
    assert made.about.forms["panda"].operation is not None
    made.deleteLater()
    assert session.shut_down()


def test_it_fits_a_narrow_dock(experiments: ExperimentsPanel) -> None:
    assert experiments.minimumSizeHint().width() <= 300
    for button in (experiments.foot.run_button, experiments.foot.cancel_button, experiments.foot.save_button):
        assert button.width() >= button.sizeHint().width()


def test_in_the_test_workspace_no_title_and_no_path_of_an_experiment_is_cut(bench: Workbench, experiments: ExperimentsPanel) -> None:
    bench.window.workspaces.switch("test")
    bench.window.workspaces.reset()
    bench.window.bring_up("experiments")
    settle()
    for row in range(experiments.list.count()):
        assert experiments.list.visualItemRect(experiments.list.item(row)).width() <= experiments.list.viewport().width()
        assert experiments.list.sizeHintForIndex(experiments.list.indexFromItem(experiments.list.item(row))).width() <= (
            experiments.list.viewport().width()
        )
    experiments.choose("panda")
    settle()
    line = experiments.about.forms["panda"].editor("image")
    assert isinstance(line, QLineEdit)
    browse = line.findChild(QToolButton)
    assert line.fontMetrics().horizontalAdvance(line.placeholderText()) < browse.x() - 4, (line.placeholderText(), browse.x())
