"""The lectures' experiments in the window: run in the background, judged, cancelled, saved; the canvas stays free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gui.reproduce_window import ReproduceWindow
from tests.gui.driving import click, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench


@pytest.fixture
def experiments(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReproduceWindow]:
    """The window on an empty folder of data sets: what is drawn here stands in."""
    monkeypatch.setenv("GIBBON_DATA", str(tmp_path))
    bench.window.commands.reproduce("linear")
    window = bench.window.commands._experiments
    assert window is not None
    settle()
    yield window
    window.cancel()
    until(lambda: window._job is None, "the end")
    window.close()


def run(window: ReproduceWindow, slug: str) -> None:
    window.choose(slug)
    click(window.run_button)
    assert window._job is not None
    until(lambda: window._job is None, f"the end of {slug}", 120)
    settle()


def test_the_menu_lists_every_experiment_and_opens_it(bench: Workbench, experiments: ReproduceWindow) -> None:
    from engine.reproduce import CATALOGUE

    menu = bench.window._experiments
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == [f"{kind.title}…" for kind in CATALOGUE.values()]
    for action, (slug, kind) in zip(menu.actions(), CATALOGUE.items(), strict=True):
        action.trigger()
        assert experiments._slug == slug
        assert kind.tolerance in experiments.source.text()
        assert experiments._forms[slug].operation is not None


def test_an_experiment_is_judged_shown_and_saved(bench: Workbench, experiments: ReproduceWindow, tmp_path: Path) -> None:
    assert not experiments.save_button.isEnabled()
    run(experiments, "linear")
    shown = experiments._shown["linear"]
    model = experiments.table.model()
    cells = [[str(model.data(model.index(row, column))) for column in (0, 1)] for row in range(model.rowCount())]
    assert cells == [[row[0], row[-1]] for row in shown.rows]
    assert experiments.picture.pixmap().width() > 300
    assert shown.verdict in experiments.verdict.text()
    folder = tmp_path / "out"
    folder.mkdir()
    experiments.save(folder)
    until(lambda: "Written" in experiments.message.text, "the files")
    assert json.loads((folder / "linear.json").read_text())["experiment"] == "linear"
    assert (folder / "linear.pdf").stat().st_size > 5000
    experiments.save(folder)
    until(lambda: "there already" in experiments.message.text, "the refusal")


def test_data_that_is_missing_is_said_and_nothing_is_claimed(experiments: ReproduceWindow) -> None:
    experiments.choose("h3-one-pixel")
    assert "not on this machine" in experiments.source.text()
    run(experiments, "h3-one-pixel")
    assert "CIFAR-10" in experiments.message.text
    assert "h3-one-pixel" not in experiments._shown
    assert not experiments.save_button.isEnabled()


def test_the_canvas_stays_free_and_cancel_ends_it(bench: Workbench, experiments: ReproduceWindow) -> None:
    experiments.choose("h2-logistic")
    experiments._forms["h2-logistic"].set_values({"epochs": 1000})
    click(experiments.run_button)
    until(lambda: experiments._job is not None and experiments._job.index >= 0, "the first step")
    run_attack(bench)
    assert bench.session.history.entries
    assert experiments._job is not None
    click(experiments.cancel_button)
    until(lambda: experiments._job is None, "the end", 10)
    assert "h2-logistic" not in experiments._shown
    assert experiments.run_button.isEnabled()
