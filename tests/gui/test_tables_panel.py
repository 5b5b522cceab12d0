"""The Tables dock on the real window: a table is built by hand, computed, cancelled, resumed, and opened to its images."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from engine.errors import GibbonError
from engine.evaluate.tables import TableAttack, TableSpec, evaluate_table, read_spec, spec_toml
from engine.images import digest
from engine.intervals import wilson
from gui.panels.tables.images import verdict_of
from gui.session.evaluations import table_folder
from tests.gui.driving import click, press_keys, run_attack, settle, until, wait_written
from tests.gui.seen import empty_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QTreeWidget

    from gui.app import Workbench
    from gui.choosers.attack_dialog import AttackDialog
    from gui.panels.tables.desk import TableDesk
    from gui.widgets.check_list import CheckList

SIGNS = TableSpec(
    title="Signs",
    models=["signs", "signs + jpeg quality=60"],
    data=[{"name": "generated:signs", "count": 10}],
    attacks=[{"attack": "fgsm", "eps": "4/255"}, {"attack": "pgd", "eps": "4/255", "steps": 4, "random_start": True}],
    together=4,
)


@pytest.fixture
def desk(bench: Workbench) -> Iterator[TableDesk]:
    """The dock in front, with a small table set up and nothing kept of it."""
    bench.window.workspaces.switch("test")
    bench.window.bring_up("tables")
    panel = bench.window.panels["tables"]
    until(lambda: panel.built, "the builder")
    made: TableDesk = panel.desk
    shutil.rmtree(table_folder("Signs"), ignore_errors=True)
    made.builder.show_spec(SIGNS)
    settle()
    yield made
    made.runner.cancel()
    until(lambda: not made.runner.running, "the end")


def finish(desk: TableDesk) -> None:
    assert desk.foot.run.isEnabled(), desk.obstacle
    click(desk.foot.run)
    until(lambda: not desk.runner.running, "the end of the table")
    settle()


def shares(desk: TableDesk) -> dict[tuple[str, ...], tuple[int, int, int]]:
    assert desk.sheet is not None
    found = {}
    for key, cell in desk.sheet.results.cells.items():
        found[key.model, key.place, key.attack] = (cell.robust.hits, cell.success.hits, cell.noise.hits)
    return found


def click_item(tree: QTreeWidget, title: str) -> None:
    (item,) = tree.findItems(title, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    tree.scrollToItem(item)
    click(tree.viewport(), tree.visualItemRect(item).center())


def click_row(checks: CheckList, key: str) -> None:
    item = checks.item(checks.keys.index(key))
    checks.scrollToItem(item)
    click(checks.viewport(), checks.visualItemRect(item).center())


def click_cell(desk: TableDesk, row: str, title: str) -> None:
    index = desk.table.index_of(row, title)
    desk.table.scrollTo(index)
    click(desk.table.viewport(), desk.table.visualRect(index).center())


def add_attack(desk: TableDesk, title: str, eps: str) -> AttackDialog:
    click(desk.builder.attacks.add_button)
    dialog = desk.builder.attacks.dialog
    assert dialog is not None
    click_item(dialog.list.tree, title)
    dialog.eps.selectAll()
    QTest.keyClicks(dialog.eps, eps)
    settle()
    return dialog


# ---------------------------------------------------------------------- building


def test_a_table_that_is_built_by_hand_is_the_engines(desk: TableDesk) -> None:
    builder = desk.builder
    builder.models.list.tick([])
    builder.attacks.set_entries(())
    builder.data.count.setValue(8)
    settle()
    click_row(builder.models.list, "signs")
    QTest.keyClicks(builder.models.line, "signs + bit-depth bits=3")
    QTest.keyClick(builder.models.line, Qt.Key.Key_Return)
    dialog = add_attack(desk, "FGSM", "2/255, 4/255")
    click(dialog.ok)
    settle()
    assert [(entry.attack, entry.eps) for entry in builder.attacks.entries] == [("fgsm", (2 / 255, 4 / 255))]
    places = builder.places
    assert places.ticked == ("itself", "undefended")  # as before: a tick stays while the models change
    click_row(places, "signs + bit-depth bits=3")
    assert builder.spec().crafted_on == ("itself", "undefended", "signs + bit-depth bits=3")
    finish(desk)
    with evaluate_table(builder.spec()) as run:
        for _ in run:
            pass
    whole = run.result()
    assert shares(desk) == {
        (key.model, key.place, key.attack): (cell.robust.hits, cell.success.hits, cell.noise.hits) for key, cell in whole.cells.items()
    }
    assert len(whole.cells) == 2 * 2 * 3 - 2  # the undefended “signs” is its own white box


def test_an_attack_of_the_dialog_has_the_values_that_were_typed_and_is_changed_by_a_double_click(desk: TableDesk) -> None:
    rows = desk.builder.attacks
    dialog = add_attack(desk, "PGD", "0.3")
    QTest.keyClicks(dialog.name, "mine")
    dialog.form.set_values({"steps": 7, "norm": "l2"})
    dialog.aim.setCurrentIndex(dialog.aim.findData("next"))
    settle()
    click(dialog.ok)
    settle()
    made = rows.entries[-1]
    assert made == TableAttack(attack="pgd", name="mine", eps=0.3, aim="next", parameters={"steps": 7, "norm": "l2"})
    item = rows.tree.topLevelItem(len(rows.entries) - 1)
    at = rows.tree.visualItemRect(item).center()
    click(rows.tree.viewport(), at)
    QTest.mouseDClick(rows.tree.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    again = rows.dialog
    assert again is dialog
    assert again.isVisible()
    assert again.entry() == made  # what it shows is what was made
    again.eps.selectAll()
    QTest.keyClicks(again.eps, "nothing")
    assert not again.ok.isEnabled()
    assert "nothing" in again.message.text
    again.reject()
    settle()
    assert rows.entries[-1] == made
    rows.tree.setFocus()
    QTest.keyClick(rows.tree, Qt.Key.Key_Delete)
    assert made not in rows.entries


@pytest.mark.parametrize("slug", ["pgd", "deepfool", "cw-l2", "square"])
def test_every_entry_comes_back_from_the_dialog_as_it_was(desk: TableDesk, slug: str) -> None:
    from engine.attacks import CATALOGUE

    eps = (0.1, 0.25) if "eps" in CATALOGUE[slug].model_fields else ()
    entry = TableAttack(attack=slug, eps=eps, name="it", group="ours")
    rows = desk.builder.attacks
    rows.set_entries([entry], 0)
    click(rows.edit_button)
    dialog = rows.dialog
    assert dialog is not None
    assert [variant.attack for variant in dialog.entry().variants()] == [variant.attack for variant in entry.variants()]
    assert (dialog.entry().name, dialog.entry().group) == ("it", "ours")
    dialog.reject()


def test_what_is_missing_or_wrong_is_said_in_a_sentence(desk: TableDesk) -> None:
    builder = desk.builder
    for text, sentence in (("signs + nonsense", "nonsense"), (" + jpeg", "Name a model first")):
        builder.models.line.clear()
        QTest.keyClicks(builder.models.line, text)
        click(builder.models.add_button)
        assert sentence in builder.models.message.text
    builder.models.line.clear()
    builder.models.list.tick([])
    builder.models.changed.emit()
    assert desk.foot.message.text == "Tick a model."
    assert not desk.foot.run.isEnabled()
    click_row(builder.models.list, "signs")
    builder.attacks.set_entries(())
    assert desk.foot.run.toolTip() == "Add an attack."
    builder.attacks.set_entries([TableAttack(attack="fgsm", eps=0.1), TableAttack(attack="fgsm", eps=0.1)])
    assert "Two attacks have the name" in desk.foot.message.text
    builder.attacks.set_entries([TableAttack(attack="fgsm", eps=0.1)])
    assert desk.foot.run.isEnabled()


def test_a_place_without_a_defense_cannot_be_ticked_and_says_why(desk: TableDesk) -> None:
    builder = desk.builder
    builder.models.list.tick(["signs"])
    builder.models.changed.emit()
    assert builder.places.ticked == ("itself",)
    click_row(builder.places, "undefended")
    assert builder.places.ticked == ("itself",)
    assert "None of the ticked models has a defense" in builder.places.item(1).toolTip()


# ---------------------------------------------------------------------- the table


def test_every_column_states_its_budget_and_every_cell_its_interval(desk: TableDesk) -> None:
    finish(desk)
    sheet = desk.sheet
    assert sheet is not None
    model = desk.table.model()
    heads = [str(model.headerData(place, Qt.Orientation.Horizontal)) for place in range(model.columnCount())]
    group = ["FGSM\nL∞ 4/255", "PGD\nL∞ 4/255\n4 steps", "worst case\nL∞ 4/255", "random noise\nL∞ 4/255\nas large"]
    assert heads == ["clean\nno attack", *group, *group]
    assert [column.group[0] for column in sheet.columns] == ["", *["white box"] * 4, *["made without the defense"] * 4]
    for row in range(model.rowCount()):
        for place, column in enumerate(sheet.columns):
            cell = sheet.cells[row][place]
            tip = str(model.index(row, place).data(Qt.ItemDataRole.ToolTipRole))
            if not sheet.rows[row].endswith("jpeg quality=60") and column.group[0] == "made without the defense":
                assert (cell.value, cell.text) == (None, "–")
                assert "has no defense, so that both attackers are the white box" in tip
                continue
            hits = round(10 * cell.value)
            low, high = wilson(hits, 10)
            assert f"{100 * hits / 10:.1f} %, {hits} of 10 images; 95 % interval {100 * low:.1f}–{100 * high:.1f} % (Wilson)" in tip
            assert cell.interval == f"{100 * low:.1f}–{100 * high:.1f}"
            assert ("Click: show its images" in tip) == (column.kind == "attack")
    worst = [place for place, column in enumerate(sheet.columns) if column.kind == "worst"]
    for row in sheet.cells:
        for place in worst:
            if row[place].value is not None:
                assert row[place].value <= min(row[place - 1].value, row[place - 2].value)


def test_the_canvas_stays_at_hand_and_cancel_keeps_the_cells_for_the_next_time(bench: Workbench, desk: TableDesk) -> None:
    desk.builder.attacks.set_entries(
        [TableAttack(attack="fgsm", eps=4 / 255), TableAttack(attack="pgd", eps=(2 / 255, 4 / 255, 8 / 255), parameters={"steps": 60})]
    )
    desk.builder.data.count.setValue(40)
    settle()
    click(desk.foot.run)
    until(lambda: desk.sheet is not None and len(desk.sheet.results.cells) >= 2, "two cells")
    assert desk.runner.running
    assert not desk.foot.run.isEnabled()
    assert "cell " in desk.foot.news.text()
    assert [work.panel for work in bench.session.jobs.running] == ["tables"]
    run_attack(bench)  # the interactive lane is free
    assert desk.runner.running
    click(desk.foot.pause)
    until(lambda: "paused" in desk.foot.news.text(), "the pause")
    click(desk.foot.pause)
    click(desk.foot.cancel)
    until(lambda: not desk.runner.running, "the end")
    settle()
    sheet = desk.sheet
    assert sheet is not None
    assert sheet.reason == "cancelled"
    first, total = len(sheet.results.cells), 4 + 2 * 4  # without a defense both attackers are one
    assert 2 <= first < total
    assert f"{first} cells of {total}" in desk.summary.text
    kept = {path: path.stat().st_mtime_ns for path in table_folder("Signs").glob("cells/*.safetensors")}
    assert len(kept) == first
    before = shares(desk)
    click(desk.foot.run)
    until(lambda: desk.sheet is not None and len(desk.sheet.results.cells) > first, "a further cell")
    click(desk.foot.cancel)
    until(lambda: not desk.runner.running, "the end")
    settle()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # they were not computed again
    assert before.items() <= shares(desk).items()


def test_other_parameters_under_the_same_name_are_computed_again_and_the_rest_is_not(desk: TableDesk) -> None:
    finish(desk)
    old = {path.name: path.stat().st_mtime_ns for path in table_folder("Signs").glob("cells/*.safetensors")}
    changed = [SIGNS.attacks[0], TableAttack(attack="pgd", eps=4 / 255, parameters={"steps": 6, "random_start": True})]
    desk.builder.attacks.set_entries(changed)
    finish(desk)
    assert desk.sheet is not None
    assert not desk.foot.message.text
    new = {path.name: path.stat().st_mtime_ns for path in table_folder("Signs").glob("cells/*.safetensors")}
    same = {name for name in old if new[name] == old[name]}
    assert len(same) == 3
    assert all("FGSM" in name for name in same)
    assert {cell.facts["parameters"]["steps"] for key, cell in desk.sheet.results.cells.items() if "PGD" in key.attack} == {6}


def test_a_model_with_other_classes_has_a_sentence_in_its_cells(desk: TableDesk) -> None:
    desk.builder.show_spec(TableSpec(**{**SIGNS.model_dump(), "models": ["signs", "digits"], "crafted_on": ["itself"]}))
    finish(desk)
    index = desk.table.index_of("digits", "FGSM")
    assert index.data() == "error"
    tip = str(index.data(Qt.ItemDataRole.ToolTipRole))
    assert "digits" in tip
    assert "Choose a model for such images" in tip
    click_cell(desk, "digits", "FGSM")
    assert "Choose a model for such images" in empty_text(desk.images)
    assert desk.table.index_of("signs", "FGSM").data() != "error"
    click_cell(desk, "signs", "worst case")
    assert "counted from the others" in empty_text(desk.images)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"models": ["signz"]}, "There is no model “signz”. Did you mean signs?"),
        ({"crafted_on": ["itself", "nobody"]}, "crafted_on has “nobody”"),
    ],
)
def test_a_name_that_nothing_has_is_said_once_before_anything_is_made(
    desk: TableDesk, changes: dict[str, list[str]], sentence: str
) -> None:
    desk.builder.show_spec(TableSpec(**{**SIGNS.model_dump(), "title": "Nothing", "crafted_on": ["itself"], **changes}))
    finish(desk)
    assert desk.foot.message.text.count(sentence) == 1
    assert desk.sheet is None
    assert not table_folder("Nothing").exists()


def test_a_number_that_a_light_speaks_against_has_a_mark_and_the_sentence_where_it_is_chosen(desk: TableDesk) -> None:
    """An attack whose steps are too small; its neighbour of the same budget has no mark. The chosen cell is painted like the others."""
    short = TableAttack(attack="pgd", name="short", eps=4 / 255, parameters={"steps": 20, "step_size": 1e-5, "random_start": False})
    desk.builder.show_spec(TableSpec(**{**SIGNS.model_dump(), "models": ["signs"], "crafted_on": ["itself"], "attacks": [short]}))
    finish(desk)
    assert desk.sheet is not None
    index = desk.table.index_of("signs", "short")
    cell = desk.sheet.cells[0][index.column()]
    assert any("Attack unfinished" in warning for warning in cell.warnings)
    assert "▲" in str(index.model().headerData(index.column(), Qt.Orientation.Horizontal))
    assert "Attack unfinished" in str(index.data(Qt.ItemDataRole.ToolTipRole))
    assert desk.trust.isVisible()
    light = next(each.light for each in desk.sheet.results.lights.all if each.light.on)
    assert desk.trust.text == f"▲ Attack unfinished: {light.sign.meaning} {light.sign.cure}"  # the cells carry the mark
    assert not desk.trust.cut
    assert desk.trust.toolTip().startswith(f"{desk.trust.text} Seen: “signs” under short")
    assert "top 5" in cell.top5  # signs has more than ten classes
    clean = desk.sheet.cells[0][0]
    assert not clean.warnings
    assert clean.top5
    place = desk.table.visualRect(index)
    middle = QPoint(place.left() + 4, place.center().y())
    ground = desk.table.viewport().grab().toImage().pixelColor(middle)
    click_cell(desk, "signs", "short")
    settle()
    assert desk.table.viewport().grab().toImage().pixelColor(middle) == ground
    assert desk.trust.text.startswith("▲ Attack unfinished")


def test_a_mark_that_comes_later_is_painted_in_the_header_at_once(desk: TableDesk) -> None:
    finish(desk)
    sheet, table = desk.sheet, desk.table
    assert sheet is not None
    painted: list[tuple[int, int]] = []
    table.model().headerDataChanged.connect(lambda _way, first, last: painted.append((first, last)))
    table.show_sheet(replace(sheet, columns=tuple(replace(column, seen=True) for column in sheet.columns)))
    assert painted == [(0, len(sheet.columns) - 1)]
    assert "▲" in str(table.model().headerData(1, Qt.Orientation.Horizontal))


# ---------------------------------------------------------------------- images


def test_a_click_on_a_cell_shows_its_images_with_their_verdicts(desk: TableDesk) -> None:
    finish(desk)
    click_cell(desk, "signs", "PGD")
    until(lambda: desk.images.grid.count > 0, "the images")
    cell = desk.images.cell
    assert cell is not None
    assert (cell.key.model, cell.key.attack) == ("signs", "PGD, L∞ 4/255")
    verdicts = [verdict_of(cell, index) for index in range(10)]
    assert verdicts.count("fooled") == cell.success.hits
    assert verdicts.count("right") == cell.robust.hits
    assert verdicts.count("misread before") == 10 - cell.clean.hits
    titles = [str(desk.images.grid.model().index(row, 0).data()) for row in range(10)]
    assert [title.partition(":")[0] for title in titles] == [verdict.replace(" before", "") for verdict in verdicts]
    fooled = desk.images.verdicts.findData("fooled")
    assert desk.images.verdicts.itemText(fooled) == f"fooled: {cell.success.hits}"
    desk.images.verdicts.setCurrentIndex(fooled)
    desk.images.verdicts.activated.emit(fooled)
    until(lambda: desk.images.grid.count == cell.success.hits, "the fooled images")
    press_keys(desk.table, "Left")  # the neighbour, by key
    until(lambda: desk.images.cell is not None and desk.images.cell.key.attack.startswith("FGSM"), "the other cell's images")


@pytest.mark.parametrize("row", ["signs", "signs + jpeg quality=60"])
def test_a_click_on_an_image_opens_it_as_a_run_and_alt_left_leads_back(bench: Workbench, desk: TableDesk, row: str) -> None:
    before, workspaces = bench.session.clean, bench.window.workspaces
    finish(desk)
    click_cell(desk, row, "PGD")
    until(lambda: desk.images.grid.count > 0, "the images")
    cell, grid = desk.images.cell, desk.images.grid
    assert cell is not None
    click(grid.viewport(), grid.visualRect(grid.model().index(3, 0)).center())
    until(lambda: bench.session.history.shown is not None, "the run")
    entry = bench.session.history.shown
    assert entry is not None
    assert torch.equal(entry.result.adversarial[0].cpu(), cell.adversarial(3))
    assert entry.result.classifier.fingerprint == cell.facts["crafted on"]
    assert entry.inputs.seed == 3
    assert len(entry.timeline.steps) == 5
    assert workspaces.current.name == "attack"
    press_keys(bench.window, "Alt+Left")
    settle()
    assert workspaces.current.name == "test"
    assert workspaces.tabs.in_sight("tables")
    press_keys(bench.window, "Ctrl+Z")
    assert bench.session.clean is before


# ---------------------------------------------------------------------- files


def test_window_and_command_line_meet_in_a_specification(desk: TableDesk, tmp_path: Path) -> None:
    path, again = tmp_path / "given.toml", tmp_path / "again.toml"
    given = TableSpec(
        title="Given",
        models=["signs-bounded", {"source": "signs", "defense": "median", "name": "ours"}],
        data=[{"name": "generated:signs", "count": 12, "seed": 3}, {"name": "generated:digits", "count": 4}],
        attacks=[{"attack": "pgd", "eps": ["2/255", "8/255"], "steps": 3, "group": "both"}, {"attack": "deepfool", "name": "DF"}],
        crafted_on=["itself", "objects"],
        seed=5,
        together=7,
        keep_megabytes=1.5,
    )
    path.write_text(spec_toml(given), encoding="utf-8")
    desk.files.open_spec(path)
    settle()
    assert desk.builder.spec() == given
    assert "generated:digits" in desk.builder.further.text()
    desk.files.save_spec(again)
    wait_written(desk.session)
    assert read_spec(again) == given
    click(desk.builder.leave_out)
    assert [data.name for data in desk.builder.spec().data] == ["generated:signs"]
    path.write_text("models = 3", encoding="utf-8")
    desk.files.open_spec(path)
    assert "specification" in desk.foot.message.text
    with pytest.raises(GibbonError):
        read_spec(path)


def test_a_data_set_that_is_not_here_is_named(desk: TableDesk, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBBON_DATA", str(tmp_path))
    desk.session.data_sources.find()
    desk.builder.show_spec(TableSpec(**{**SIGNS.model_dump(), "data": ["cifar10:test"]}))
    assert any("“cifar10:test” is not on this machine" in sentence for sentence in said)
    monkeypatch.undo()
    desk.session.data_sources.find()


def test_numbers_record_and_figure_are_written(desk: TableDesk, tmp_path: Path) -> None:
    finish(desk)
    desk.files.save_numbers(tmp_path / "t.csv")
    wait_written(desk.session)
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert [row["kind"] for row in rows].count("cell") == 6
    assert json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["specification"]["title"] == "Signs"
    desk.files.save_figure(tmp_path / "t.svg")
    wait_written(desk.session)
    assert "worst" in (tmp_path / "t.svg").read_text(encoding="utf-8")
    desk.files.copy()
    from PySide6.QtGui import QGuiApplication

    assert QGuiApplication.clipboard().text().startswith("model,")


def test_the_last_table_is_set_up_again(desk: TableDesk) -> None:
    from gui.panels.tables import work
    from gui.settings import Settings

    finish(desk)
    kept = work.parts(Settings().text(work.LAST)).last
    assert kept == desk.builder.spec()
    assert work.parts('models = ["signs"]').last is None


@pytest.mark.parametrize("size", [(1280, 800), (1000, 650)])
def test_nothing_is_cut_at_either_size(bench: Workbench, desk: TableDesk, size: tuple[int, int]) -> None:
    finish(desk)
    before = bench.window.size()
    bench.window.resize(*size)
    settle()
    click_cell(desk, "signs", "PGD")
    until(lambda: desk.images.grid.count > 0, "the images")
    assert bench.window.width() == size[0]
    for part in (desk.foot.run, desk.foot.pause, desk.foot.cancel, desk.afresh, desk.files.button, desk.builder.save_button):
        assert part.width() >= part.minimumSizeHint().width(), part.objectName() or type(part).__name__
        left = part.mapTo(bench.window, QPoint(0, 0)).x()
        assert left >= 0
        assert left + part.width() <= bench.window.width()
    assert desk.table.viewport().height() >= 2 * desk.table.rowHeight(0)
    assert desk.images.grid.viewport().height() >= desk.images.grid.gridSize().height()
    bench.window.resize(before)


def test_the_table_is_saved_with_the_study_and_comes_back(bench: Workbench, desk: TableDesk, tmp_path: Path) -> None:
    session = bench.session
    finish(desk)
    assert desk.sheet is not None
    before, spec = shares(desk), desk.sheet.results.spec
    session.studies.save(tmp_path / "work.gibbon")
    until(lambda: session.studies.path is not None and not session.studies.is_unsaved, "the save")
    session.studies.new()
    until(lambda: session.studies.path is None, "the new study")
    settle()
    assert desk.sheet is None
    session.studies.open(tmp_path / "work.gibbon")
    until(lambda: desk.sheet is not None, "the table of the study")
    settle()
    assert shares(desk) == before
    assert desk.builder.spec() == spec
    assert not session.studies.is_unsaved
    click_cell(desk, "signs", "FGSM")
    until(lambda: desk.images.cell is not None, "the images of a cell")
    cell = desk.images.cell
    assert cell is not None
    desk.open_image(cell, 2)
    until(lambda: session.history.shown is not None, "the run of an image")
    assert session.history.shown is not None
    assert digest(session.history.shown.result.adversarial[0]) == cell.digests[2]
    session.studies.new()
    until(lambda: session.studies.path is None and desk.sheet is None, "the new study")
