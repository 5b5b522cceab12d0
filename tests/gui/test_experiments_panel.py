"""The lectures' experiments in the window: run in the background, judged, cancelled, saved; the canvas stays free."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QMessageBox

from gui import theme
from gui.lanes.jobs import Job
from gui.panels.experiments.experiment_runner import ExperimentRunner
from gui.panels.experiments.foot import time_left
from gui.panels.experiments.panel import ReproduceWindow
from tests.gui.driving import Hold, click, run_attack, settle, until
from tests.gui.seen import filled_menu

if TYPE_CHECKING:
    from gui.app import Workbench

SMALL = {"h5-fake-zero": {"starts": 4}, "h0-gallery": {"groups": 2, "steps": 3}}
"""Parameters with which an experiment takes no time."""


@pytest.fixture
def experiments(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReproduceWindow]:
    """The window on an empty folder of data sets: what is drawn here stands in."""
    monkeypatch.setenv("GIBBON_DATA", str(tmp_path))
    bench.window.reproduce.open_experiment("linear")
    (window,) = bench.window.findChildren(ReproduceWindow)
    window.runs.outcomes.clear()
    window.choose("panda")  # another one first, so that what was cleared is not shown any more
    window.choose("linear")
    settle()
    yield window
    window.cancel()
    until(lambda: window.runs.job is None, "the end")
    bench.session.data_sources.root = None
    window.close()


def run(window: ReproduceWindow, slug: str) -> None:
    window.choose(slug)
    window.about.forms[slug].set_values(SMALL.get(slug, {}))
    click(window.foot.run_button)
    assert window.runs.job is not None
    until(lambda: window.runs.job is None, f"the end of {slug}")
    settle()


def test_the_menu_lists_every_experiment_and_opens_it(bench: Workbench, experiments: ReproduceWindow) -> None:
    from engine.reproduce import CATALOGUE

    menu = filled_menu(bench.window, "Reproduce")
    assert [action.text() for action in menu.actions()] == [f"{kind.title}…" for kind in CATALOGUE.values()]
    for action, (slug, kind) in zip(menu.actions(), CATALOGUE.items(), strict=True):
        action.trigger()
        assert experiments.about.forms[slug].isVisible()
        assert experiments.about.facts["accepted"].text() == kind.tolerance
        assert "``" not in experiments.about.summary.text()
        assert experiments.about.forms[slug].operation is not None


def test_an_experiment_is_judged_shown_and_saved(bench: Workbench, experiments: ReproduceWindow, tmp_path: Path) -> None:
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


def test_the_outcome_follows_the_theme(bench: Workbench, experiments: ReproduceWindow) -> None:
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


def test_what_stands_in_compares_with_nothing_and_is_said_before(experiments: ReproduceWindow) -> None:
    experiments.choose("h0-gallery")
    assert "not on this machine" in experiments.about.facts["data"].text()
    assert "do not compare" in experiments.foot.message.text
    assert experiments.foot.folder_button.isVisible()
    run(experiments, "h0-gallery")
    assert experiments.outcome.verdict.text == "Not comparable."


def test_data_that_is_missing_is_said_and_looked_for_elsewhere(experiments: ReproduceWindow, tmp_path: Path) -> None:
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
    experiments: ReproduceWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    assert not experiments._fetch.running
    experiments.choose("linear")
    assert not experiments.foot.download_button.isVisible()


def test_run_rests_and_cancel_works_while_weights_are_looked_for(bench: Workbench, experiments: ReproduceWindow) -> None:
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


def test_the_time_left_is_guessed_once_something_can_be_said() -> None:
    assert time_left(10, None) == time_left(10, 0) == time_left(1, 0.5) == ""
    assert time_left(10, 0.25) == "; about 30 s left"
    assert time_left(60, 0.25) == "; about 3 min left"
    assert time_left(1, 0.25, since=1) == ""
    assert time_left(2, 0.1, since=8) == "; about 10 s left"
    assert time_left(2, 0.1, since=20) == ""


def test_the_time_left_goes_on_while_a_step_lasts(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = ExperimentRunner(bench.session, {}, bench.window)
    job = runs.runner.job = Job("experiment", lambda: pytest.fail("nothing is run"), context="any")
    monkeypatch.setattr(runs, "_began", time.monotonic() - 10)
    job.news, job.share_done = "trying starts", 0.2
    runs.runner.progressed.emit()
    assert runs.news == "trying starts; about 40 s left"
    now = time.monotonic() + 15
    monkeypatch.setattr(time, "monotonic", lambda: now)
    runs.runner.progressed.emit()
    assert runs.news == "trying starts; about 25 s left"


def test_the_canvas_stays_free_and_cancel_ends_it(bench: Workbench, experiments: ReproduceWindow, said: list[str]) -> None:
    experiments.choose("h0-fooling")
    experiments.about.forms["h0-fooling"].set_values({"starts": 100_000})
    click(experiments.foot.run_button)
    until(lambda: experiments.runs.job is not None and experiments.runs.job.index >= 0, "the first step")
    run_attack(bench)
    assert bench.session.history.entries
    assert experiments.runs.job is not None
    assert experiments.foot.bar.isVisible()
    assert experiments.outcome.empty.text.startswith("It is under way")
    experiments.close()
    assert "goes on in the background" in said[-1]
    experiments.show()
    click(experiments.foot.cancel_button)
    assert not experiments.foot.cancel_button.isEnabled()
    until(lambda: experiments.runs.job is None, "the end", 10)
    assert "h0-fooling" not in experiments.runs.outcomes
    assert experiments.foot.message.text.endswith("was cancelled: nothing is kept of it.")
    assert experiments.outcome.empty.text.startswith("Run it")
    assert experiments.foot.run_button.isEnabled()
    assert not experiments.foot.bar.isVisible()
