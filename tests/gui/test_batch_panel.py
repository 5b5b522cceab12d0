"""The Images dock on the real window: the planned attack on many images, their table, and one of them opened as a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

import engine
from engine.defenses.preprocessing import read, words
from engine.evaluate.batch import BothAttackers
from gui.panels.batch.table import COLUMNS
from gui.panels.batch.work import write
from tests.gui.driving import Hold, choose_attack, click, draw, press_keys, run_attack, settle, until, wait_written
from tests.gui.panel_scenes import drop_files
from tests.gui.seen import empty_text

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageRow
    from gui.app import Workbench
    from gui.panels.batch import BatchPanel
    from gui.session.history import AttackRun


@pytest.fixture
def panel(bench: Workbench) -> BatchPanel:
    """The dock in front, with PGD of few steps and eight drawn signs chosen."""
    bench.window.bring_up("batch")
    choose_attack(bench, "PGD")
    bench.session.change(settings=bench.session.plan.settings.__class__({"steps": 4, "eps": 4 / 255, "random_start": True}), seed=0)
    found: BatchPanel = bench.window.panels["batch"]
    found.setup.set_files(())
    found.setup.chooser.choose("generated:signs")
    found.setup.chooser.count.setValue(8)
    found.setup.classes.setText("")
    found.setup.seed.setValue(0)
    found.setup.together.setChecked(False)
    found.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    settle()
    return found


def finish(panel: BatchPanel) -> tuple[ImageRow, ...]:
    assert panel.foot.run.isEnabled(), panel.obstacle
    click(panel.foot.run)
    until(lambda: not panel.runner.running, "the end of the batch")
    settle()
    assert panel.results is not None
    return panel.results.rows


def test_each_row_is_what_the_attack_dock_makes_of_the_image_alone(bench: Workbench, panel: BatchPanel) -> None:
    rows = finish(panel)
    assert [row.seed for row in rows] == list(range(8))
    row = next(row for row in rows if row.success and row.number)
    panel.open_row(row)
    until(lambda: bench.session.history.shown is not None, "the run of the row")
    opened = bench.session.history.shown
    assert opened is not None
    assert row.result is not None
    assert torch.equal(opened.result.adversarial, row.result.adversarial)
    assert bench.session.label == row.label
    bench.session.change(seed=row.seed)
    run_attack(bench)  # with F5, on the image that is on the canvas now
    again = bench.session.history.shown
    assert again is not None
    assert again is not opened
    assert torch.equal(again.result.adversarial, row.result.adversarial)
    assert engine.images.digest(again.result.adversarial[0]) == row.sha256


def test_rows_come_while_it_runs_and_the_image_on_the_canvas_stays_at_hand(bench: Workbench, panel: BatchPanel) -> None:
    panel.setup.chooser.count.setValue(200)
    clean = bench.session.clean
    click(panel.foot.run)
    until(lambda: panel.results is not None and len(panel.results.rows) >= 3, "three rows")
    assert panel.runner.running
    assert not panel.foot.run.isEnabled()
    assert panel.foot.cancel.isEnabled()
    assert "image" in panel.foot.news.text()
    assert [work.panel for work in bench.session.jobs.running] == ["batch"]
    run_attack(bench)  # the interactive lane is free
    assert panel.runner.running
    assert bench.session.clean is clean
    click(panel.foot.pause)
    assert panel.foot.pause.text() == "Resume"
    until(lambda: "paused" in panel.foot.news.text(), "the pause")
    click(panel.foot.pause)
    click(panel.foot.cancel)
    until(lambda: not panel.runner.running, "the end")
    settle()
    assert panel.results is not None
    assert panel.results.reason == "cancelled"
    assert 3 <= len(panel.results.rows) < 200
    assert panel.table.model().rowCount() == len(panel.results.rows)
    assert panel.selection.text.startswith(f"Cancelled, the table holds {len(panel.results.rows)} of 200 rows: ")
    assert panel.foot.run.isEnabled()
    assert not panel.foot.cancel.isEnabled()


def test_the_table_sorts_by_value_and_rows_without_one_come_last(panel: BatchPanel) -> None:
    rows = finish(panel)
    header = panel.table.horizontalHeader()
    titles = [
        str(panel.table.model().headerData(column, Qt.Orientation.Horizontal)).strip()
        for column in range(panel.table.model().columnCount())
    ]
    for title, value in (("L2", lambda row: row.norms["l2"]), ("flip", lambda row: row.steps_to_flip)):
        column = titles.index(title)
        for reverse in (False, True):
            panel.table.sortByColumn(column, Qt.SortOrder.DescendingOrder if reverse else Qt.SortOrder.AscendingOrder)
            found = [value(row) for row in panel.table.shown]
            numbers = [number for number in found if number is not None]
            assert numbers == sorted(numbers, reverse=reverse)
            assert found[: len(numbers)] == numbers
    header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
    assert [row.number for row in panel.table.shown] == [row.number for row in rows]
    at = QPoint(header.sectionViewportPosition(titles.index("outcome")) + 8, header.height() // 2)
    click(header.viewport(), at)
    verdicts = [row.verdict for row in panel.table.shown]
    assert verdicts == sorted(verdicts)


def test_enter_opens_a_row_in_the_attack_workspace_and_alt_left_leads_back(bench: Workbench, panel: BatchPanel) -> None:
    rows = finish(panel)
    before, workspaces = bench.session.clean, bench.window.workspaces
    workspaces.switch("test")
    settle()
    panel.table.setFocus()
    panel.table.setCurrentIndex(panel.table.model().index(2, 0))
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    until(lambda: bench.session.history.shown is not None, "the run")
    entry = bench.session.history.shown
    assert entry is not None
    assert rows[2].result is not None
    assert torch.equal(entry.result.adversarial, rows[2].result.adversarial)
    assert entry.inputs.seed == rows[2].seed
    assert workspaces.current.name == "attack"
    press_keys(bench.window, "Alt+Left")
    settle()
    assert workspaces.current.name == "test"
    assert workspaces.tabs.in_sight("batch")
    assert bench.session.history.shown is entry  # it led to the table, not to an earlier run
    press_keys(bench.window, "Ctrl+Z")
    assert bench.session.clean is before
    workspaces.switch("attack")


def test_the_way_back_is_forgotten_when_the_user_goes_elsewhere(bench: Workbench, panel: BatchPanel) -> None:
    rows = finish(panel)
    for row in rows[:2]:
        panel.open_row(row)
        until(lambda row=row: bench.session.history.shown is not None and bench.session.history.shown.inputs.seed == row.seed, "the run")  # type: ignore[misc]
    bench.window.workspaces.switch("explain")
    bench.window.workspaces.switch("attack")
    press_keys(bench.window, "Alt+Left")
    settle()
    assert bench.window.workspaces.current.name == "attack"
    assert bench.session.history.shown is not None
    assert bench.session.history.shown.inputs.seed == rows[0].seed  # the earlier run


def test_a_row_whose_images_were_not_kept_is_made_again(bench: Workbench, panel: BatchPanel) -> None:
    rows = finish(panel)
    row = rows[1]
    panel.open_row(row.without_images())
    until(lambda: bench.session.history.shown is not None, "the run")
    assert bench.session.history.shown is not None
    assert row.result is not None
    assert torch.equal(bench.session.history.shown.result.adversarial, row.result.adversarial)


def test_the_selection_is_said_and_is_the_one_that_was_chosen(panel: BatchPanel) -> None:
    QTest.keyClicks(panel.setup.classes, "stop, 13")
    panel.setup.draw.setValue(7)
    rows = finish(panel)
    assert {row.name_of(row.label) for row in rows} == {"Stop", "Yield"}
    assert panel.selection.text == "drawn signs: 8 images of the classes Yield, Stop, in their order"
    assert panel.results is not None
    assert panel.results.subjects.origin["seed"] == 7
    panel.setup.draw.setValue(8)
    assert [row.file_sha256 for row in finish(panel)] != [row.file_sha256 for row in rows]


def test_a_class_that_is_not_there_is_said_before_the_run(panel: BatchPanel) -> None:
    QTest.keyClicks(panel.setup.classes, "unicorn")
    assert not panel.foot.run.isEnabled()
    assert "unicorn" in panel.foot.message.text
    panel.setup.classes.clear()
    QTest.keyClicks(panel.setup.classes, "stop")
    assert panel.foot.run.isEnabled()


def test_dropped_files_are_attacked_and_a_damaged_one_is_a_row(bench: Workbench, panel: BatchPanel, tmp_path: Path) -> None:
    for name in ("one", "three"):
        Image.effect_noise((40, 30), 60).convert("RGB").save(tmp_path / f"{name}.png")
    (tmp_path / "two.png").write_bytes(b"broken")
    drop_files(panel, [tmp_path / f"{name}.png" for name in ("one", "two", "three")])
    assert panel.setup.from_files.isChecked()
    rows = finish(panel)
    assert [bool(row.error) for row in rows] == [False, True, False]
    assert panel.selection.text == "all 3 files"
    assert [panel.table.model().index(row, 0).data() for row in range(3)] == ["one.png", "two.png", "three.png"]
    said: list[str] = []
    bench.session.notice.connect(said.append)
    panel.open_row(rows[1])
    assert said == [rows[1].error]
    assert bench.session.history.shown is None


def test_every_image_gets_a_target_of_its_own(panel: BatchPanel) -> None:
    panel.setup.aim.setCurrentIndex(panel.setup.aim.findData("next"))
    rows = finish(panel)
    assert [row.target for row in rows] == [((row.label or 0) + 1) % 43 for row in rows]
    panel.setup.aim.setCurrentIndex(0)
    panel.session.set_target(14)
    assert panel.setup.aim.currentText() == "as planned: Stop"
    assert {row.target for row in finish(panel) if not row.error} == {14}


def test_the_table_is_saved_with_numbers_and_a_record(panel: BatchPanel, tmp_path: Path) -> None:
    rows = finish(panel)
    panel.files.pictures.setChecked(True)
    panel.files.save(tmp_path / "mine.csv")
    wait_written(panel.session)
    assert len(list((tmp_path / "mine").iterdir())) == 8
    panel.files.pictures.setChecked(False)
    written = list(csv.DictReader((tmp_path / "mine.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["l2"]) for row in written] == [row.norms["l2"] for row in rows]
    assert json.loads((tmp_path / "mine.json").read_text())["images"]["count"] == 8


def test_what_keeps_it_from_running_is_said(bench: Workbench, panel: BatchPanel) -> None:
    bench.session.change(region="stickers")
    assert "Draw a sticker" in panel.foot.message.text
    assert not panel.foot.run.isEnabled()
    bench.session.change(region="image")
    assert panel.foot.message.text == ""
    bench.session.change(settings=bench.session.plan.settings.__class__({"steps": "many"}))
    assert "steps" in panel.foot.message.text
    panel.setup.from_files.click()
    bench.session.change(settings=bench.session.plan.settings.__class__({}))
    assert "Choose image files" in panel.foot.message.text


def test_an_empty_panel_says_what_would_fill_it(bench: Workbench) -> None:
    from gui.panels.batch import BatchPanel

    bench.session.batch.show(None)
    made = BatchPanel(bench.session)
    made.resize(900, 400)
    made.show()
    assert "Attack all" in empty_text(made)
    made.deleteLater()


def test_a_busy_background_lane_only_delays_it(bench: Workbench, panel: BatchPanel) -> None:
    with Hold(bench.session, background=True):
        click(panel.foot.run)
        settle()
        assert panel.runner.running
    until(lambda: not panel.runner.running, "the end")
    assert panel.results is not None
    assert len(panel.results.rows) == 8


def test_nothing_is_cut_in_a_narrow_dock(panel: BatchPanel) -> None:
    assert panel.minimumSizeHint().width() <= 330
    for button in (panel.foot.run, panel.foot.pause, panel.foot.cancel, panel.files.save_button):
        assert button.width() >= button.sizeHint().width()


def opened_run(bench: Workbench, panel: BatchPanel, row: ImageRow) -> AttackRun:
    """Open a row, and return the run that it became."""
    before = len(bench.session.history.entries)
    panel.open_row(row)
    until(lambda: len(bench.session.history.entries) > before, "the run of the row")
    run = bench.session.history.shown
    assert run is not None
    return run


@pytest.mark.parametrize("together", [False, True])
def test_an_opened_row_has_its_timeline(bench: Workbench, panel: BatchPanel, together: bool) -> None:
    panel.setup.together.setChecked(together)
    row = next(row for row in finish(panel) if row.steps_to_flip and row.number)
    for kept in (row, row.without_images()):
        run = opened_run(bench, panel, kept)
        assert engine.images.digest(run.result.adversarial[0]) == row.sha256
        assert run.timeline is not None
        assert [step.index for step in run.timeline.settled] == list(range(5))
        assert run.timeline.flip == row.steps_to_flip
        assert bench.session.moments.source is run, "the foot of the canvas shows it"
        assert action_is_on(bench, "export_animation")
    panel.setup.together.setChecked(False)


def action_is_on(bench: Workbench, id: str) -> bool:
    return bench.window.actions_table[id].isEnabled()


def test_opening_a_row_shows_progress_and_can_be_cancelled(bench: Workbench, panel: BatchPanel) -> None:
    bench.session.change(settings=bench.session.plan.settings.__class__({"steps": 600, "eps": 4 / 255}))
    panel.setup.chooser.count.setValue(1)
    row = finish(panel)[0]
    said: list[str] = []
    bench.session.notice.connect(said.append)
    runs = bench.session.history.entries
    panel.open_row(row)
    until(lambda: "opening" in panel.foot.news.text() and panel.opener.runner.job is not None, "the progress")
    assert [work.title for work in bench.session.jobs.running] == [f"Opening {row.name}"]
    click(panel.foot.cancel)
    until(lambda: not panel.opener.runner.running, "the end")
    settle()
    assert said[-1] == f"“{row.name}” was not opened: you cancelled it. The table stays as it is."
    assert bench.session.history.entries == runs
    assert panel.table.model().rowCount() == 1


def test_the_table_needs_no_scrolling_sideways(bench: Workbench, panel: BatchPanel) -> None:
    window = bench.window
    window.resize(1280, 800)
    window.workspaces.switch("test")
    window.bring_up("batch")
    finish(panel)
    table, titles = panel.table, [column.title for column in COLUMNS]
    for width, height in ((1280, 800), (1000, 650), (1920, 1080)):
        window.resize(width, height)
        settle()
        assert table.horizontalScrollBar().maximum() == 0, (width, height)
        shown = {title for place, title in enumerate(titles) if not table.isColumnHidden(place)}
        assert {"image", "outcome", "label", "after", "flip", "L∞"} <= shown
    assert shown == set(titles) - {"not knowing"}, "on a large screen nothing is hidden"
    window.resize(1280, 800)
    settle()
    hidden = titles.index("before")
    assert table.isColumnHidden(hidden)
    menu = table.columns_menu()
    next(action for action in menu.actions() if action.text() == "before").trigger()
    assert not table.isColumnHidden(hidden), "shown by hand it stays"
    table._chosen.clear()
    bench.session.set_defense(read("bit-depth"))
    finish(panel)
    for width, height in ((1280, 800), (1000, 650), (1920, 1080)):
        window.resize(width, height)
        settle()
        assert table.horizontalScrollBar().maximum() == 0, (width, height)
        assert {"image", "outcome", "not knowing"} <= set(shown_titles(panel))
    bench.session.set_defense(())
    window.workspaces.switch("attack")


@pytest.mark.parametrize("defense", ["", "jpeg quality=30"])
def test_the_table_is_saved_with_the_study_and_comes_back(bench: Workbench, panel: BatchPanel, tmp_path: Path, defense: str) -> None:
    session = bench.session
    session.set_defense(read(defense) if defense else ())
    rows, summary = finish(panel), panel.results.summary if panel.results is not None else None
    session.studies.save(tmp_path / "work.gibbon")
    until(lambda: session.studies.path is not None, "the save")
    session.studies.new()
    until(lambda: session.studies.path is None, "the new study")
    settle()
    assert panel.results is None
    assert "Attack all" in empty_text(panel)
    session.studies.open(tmp_path / "work.gibbon")
    until(lambda: session.studies.path is not None, "the study")
    settle()
    assert panel.results is not None
    assert panel.results.summary == summary
    again = panel.results.rows
    assert [(row.verdict, row.norms, row.sha256) for row in again] == [(row.verdict, row.norms, row.sha256) for row in rows]
    assert panel.table.model().rowCount() == 8
    assert (words(panel.results.defense) == defense) == bool(defense)
    assert (panel.results.unaware is not None) == bool(defense)
    assert not session.studies.is_unsaved
    run = opened_run(bench, panel, again[3])
    assert engine.images.digest(run.result.adversarial[0]) == rows[3].sha256
    assert run.timeline is not None
    assert run.inputs.defense == panel.results.defense
    panel.files.save(tmp_path / "table.csv")
    wait_written(session)
    assert (tmp_path / "table.json").is_file()
    session.studies.new()
    until(lambda: session.studies.path is None, "the new study")


def test_another_study_ends_the_batch_and_its_rows_stay_in_the_one_before(bench: Workbench, panel: BatchPanel, tmp_path: Path) -> None:
    session = bench.session
    session.studies.save(tmp_path / "work.gibbon")
    until(lambda: session.studies.path is not None, "the save")
    panel.setup.chooser.count.setValue(200)
    click(panel.foot.run)
    until(lambda: panel.results is not None and len(panel.results.rows) >= 3, "three rows")
    session.studies.new()
    until(lambda: session.studies.path is None and not panel.runner.running, "the new study")
    settle()
    assert panel.results is None
    until(lambda: not session.studies._saver.busy, "the save")
    kept = engine.study.read(tmp_path / "work.gibbon").batch
    assert kept is not None
    assert 3 <= len(kept.rows) < 200
    session.studies.open(tmp_path / "work.gibbon")
    until(lambda: session.studies.path is not None, "the study")
    settle()
    assert panel.selection.text.startswith(f"Interrupted, the table holds {len(kept.rows)} of 200 rows: ")
    session.studies.new()
    until(lambda: session.studies.path is None, "the new study")


def test_stickers_that_are_painted_on_every_image_are_told_and_can_be_left_out(bench: Workbench, panel: BatchPanel, tmp_path: Path) -> None:
    assert panel.setup.paint.isHidden()
    draw(bench)
    bench.window.bring_up("batch")
    settle()
    assert panel.setup.paint.isVisible()
    assert panel.setup.paint.text() == "paint 1 sticker on every image"
    assert "with 1 sticker painted on every image" in panel.plan.text
    painted = finish(panel)
    assert "with 1 sticker painted on every image" in panel.selection.text
    assert panel._title() == "PGD on images with 1 sticker"
    results = panel.results
    assert results is not None
    path, *_ = write(results, tmp_path / "painted.csv", images=False)
    assert {row["stickers"] for row in csv.DictReader(path.open())} == {"1"}
    click(panel.setup.paint, QPoint(8, panel.setup.paint.height() // 2))
    assert "sticker" not in panel.plan.text
    bare = finish(panel)
    assert "sticker" not in panel.selection.text
    assert [row.sha256 for row in bare] != [row.sha256 for row in painted]
    bench.session.change(region="stickers")  # then the attack has no other place, and paints them anyway
    assert not panel.setup.paint.isEnabled()
    assert panel.setup.paints
    bench.session.change(region="image")
    panel.setup.paint.setChecked(True)


def test_an_image_that_was_misread_before_has_no_step_of_a_flip(bench: Workbench, panel: BatchPanel) -> None:
    panel.setup.classes.setText("")
    panel.setup.chooser.count.setValue(60)
    panel.setup.together.setChecked(True)
    rows = finish(panel)
    (column,) = [column for column in COLUMNS if column.title == "flip"]
    for row in rows:
        text = column.text(row)
        assert text == ("before" if row.reached_before else "" if row.steps_to_flip is None else f"{row.steps_to_flip:,}")
        assert not (row.reached_before and row.steps_to_flip is not None)
    assert any(row.steps_to_flip is not None for row in rows)


def test_behind_a_defense_both_attackers_stand_beside_each_other(bench: Workbench, panel: BatchPanel, tmp_path: Path) -> None:
    """The switched-on defense is said, used and recorded, and a row opens as a run of the attacker who knows it."""
    session = bench.session
    steps = read("jpeg quality=30")
    session.set_defense(steps)
    settle()
    assert "behind jpeg quality=30" in panel.plan.text
    rows = finish(panel)
    results = panel.results
    assert results is not None
    assert results.unaware is not None
    assert len(results.unaware.rows) == len(rows) == 8
    both = BothAttackers(results, results.unaware)
    tiles = {tile.name.removesuffix(" ▲"): tile.value for tile in panel.summary.figures}
    shares = {"robust, knows": both.aware.summary.robust, "robust, does not": both.unaware.summary.robust, "robust, both": both.worst}
    assert {name: tiles[name] for name in shares} == {name: f"{100 * (share.value or 0):.1f} %" for name, share in shares.items()}
    assert tiles["fooled, does not"] == f"{100 * (both.unaware.summary.success.value or 0):.1f} %"
    column = shown_titles(panel).index("not knowing")
    said = [panel.table.model().index(row, column).data() for row in range(8)]
    assert said == [row.verdict for row in results.unaware.rows]
    assert "against an attacker who knows the defense" in bench.window.panels["messages"].entries[-1].text

    row = next(row for row in rows if row.success)
    panel.open_row(row)
    until(lambda: session.history.shown is not None, "the run of the row")
    opened = session.history.shown
    assert opened is not None
    assert engine.images.digest(opened.result.adversarial[0]) == row.sha256
    assert opened.inputs.defense == results.defense
    assert opened.before.classifier is results.undefended
    assert session.plan.knows_defense
    assert words(session.defense) == "jpeg quality=30"
    run_attack(bench)
    assert session.history.shown is not opened
    assert engine.images.digest(session.history.shown.result.adversarial[0]) == row.sha256  # type: ignore[union-attr]

    write(results, tmp_path / "table.csv", images=False)
    record = json.loads((tmp_path / "table.json").read_text())
    assert record["defense"][0]["quality"] == 30
    assert len(record["unaware"]["rows"]) == 8

    bench.window.bring_up("batch")
    settle()
    click(panel.files.copy_button)
    until(lambda: "attack_images(" in QGuiApplication.clipboard().text(), "the script")
    assert 'defense="jpeg quality=30"' in QGuiApplication.clipboard().text()

    session.set_defense(())
    settle()
    assert "behind" not in panel.plan.text
    finish(panel)
    assert "not knowing" not in shown_titles(panel)
    assert "robust accuracy" in {tile.name.removesuffix(" ▲") for tile in panel.summary.figures}


def shown_titles(panel: BatchPanel) -> list[str]:
    return ["" if panel.table.isColumnHidden(place) else column.title for place, column in enumerate(COLUMNS)]
