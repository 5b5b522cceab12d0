"""The Runs dock: a card for each finished run, its details, the comparison of several, and what can be done with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

import engine
from engine.attacks import CATALOGUE, FGSM, PGD
from engine.parameters import parameters_of
from engine.stickers import Colour
from gui.export.recording import record_of_entry
from gui.panels.runs import RunsPanel
from gui.panels.runs.cards import fitted, nearest
from gui.panels.runs.run_commands import COMMANDS
from gui.session.attack_job import parameter_lines
from gui.session.run_differences import rows_of
from gui.session.run_facts import run_facts
from gui.session.scene import to_pixels
from gui.session.state import AttackSettings
from tests.gui.driving import settle, until
from tests.gui.panel_scenes import LABELS, attack, open_image, put_sticker, show

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QRect
    from PySide6.QtWidgets import QTreeWidgetItem
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session

CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> RunsPanel:
    made: RunsPanel = show(qtbot, RunsPanel(session), 400, 600)
    return made


@pytest.fixture
def runs(qtbot: QtBot, panel: RunsPanel, session: Session) -> RunsPanel:
    """Two runs."""
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    attack(qtbot, session, PGD(eps=8 / 255, steps=5))
    return panel


def place(runs: RunsPanel, row: int) -> QRect:
    return runs.cards.visualRect(runs.cards.runs.index(row))


def select(runs: RunsPanel, *rows: int) -> None:
    """Click one card, the others with Ctrl."""
    for number, row in enumerate(rows):
        QTest.mouseClick(runs.cards.viewport(), Qt.MouseButton.LeftButton, CTRL if number else NONE, place(runs, row).center())


def details(runs: RunsPanel) -> dict[str, list[str]]:
    """Return the rows of the details by name, those of groups too."""
    tree, found = runs.details.table, {}
    for n in range(tree.topLevelItemCount()):
        top = tree.topLevelItem(n)
        assert top is not None
        children = [top.child(row) for row in range(top.childCount())]
        found |= {item.text(0): _values(tree.columnCount(), item) for item in (children or [top])}
    return found


def _values(columns: int, item: QTreeWidgetItem) -> list[str]:
    return [item.text(column) for column in range(1, columns)]


def differing(runs: RunsPanel) -> dict[str, list[str]]:
    """Return the rows outside of groups: those in which compared runs differ."""
    tree = runs.details.table
    tops = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    return {top.text(0): _values(tree.columnCount(), top) for top in tops if top is not None and not top.childCount()}


def carry_out(runs: RunsPanel, title: str) -> None:
    """Open the context menu by the mouse, and trigger a command of it."""
    viewport, at = runs.cards.viewport(), place(runs, 0).center()
    QApplication.sendEvent(viewport, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, viewport.mapToGlobal(at)))
    (menu,) = [menu for menu in runs.cards.findChildren(QMenu) if menu.isVisible()]
    (action,) = [action for action in menu.actions() if action.text() == title]
    assert action.isEnabled()
    action.trigger()
    menu.close()


# ---------------------------------------------------------------------- cards


def test_a_card_per_run_the_newest_first(runs: RunsPanel, session: Session) -> None:
    oldest, newest = session.history.attacks
    cards = runs.cards.runs
    assert [card.title for card in cards.runs] == [newest.title, oldest.title]
    assert cards.shown == newest.number
    card = cards.runs[0]
    assert card.budget == "8/255 · 5 steps"
    result = newest.result
    assert card.outcome.startswith(LABELS[int(result.clean_prediction[0])])
    assert f"→ {LABELS[int(result.prediction[0])]} " in card.outcome
    assert card.size == f"L2 {float(result.norms['l2'][0]):.3g}, L∞ 8/255 from the clean image"
    assert card.sign == ("success" if bool(result.success[0]) else "none")
    assert card.device == "cpu"
    assert f"{newest.seconds:.2f} s" in card.time
    assert np.array_equal(card.picture, to_pixels(result.adversarial[0]))


def test_the_card_of_a_kept_iteration_says_which_it_is_however_narrow_it_is(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    session.history.restore(())  # whose runs begin at 1: a number of three digits takes more room
    open_image(qtbot, session)
    attack(qtbot, session, PGD(eps=8 / 255, steps=12))
    source = session.history.attacks[-1]
    session.moments.show(5)
    session.iterates.keep()
    until(lambda: len(session.history.attacks) == 2, "the kept iteration")
    kept = session.history.attacks[-1]
    card = panel.cards.runs.runs[0]
    assert card.title == f"#{kept.number} PGD, iteration 5 of 12, from #{source.number}"
    assert card.lines[0] == (f"{card.title} · 8/255", card.title, f"#{kept.number} PGD, iteration 5 of 12", f"#{kept.number} PGD, 5 of 12")
    assert "steps" not in card.budget  # it has not made them
    assert card.figures["ended"] == "taken at iteration 5 of 12"
    panel.resize(260, 700)
    qtbot.waitUntil(lambda: panel.width() == 260)
    bold, *_ = panel.cards.fonts
    room = panel.cards.card_width - panel.cards.card_height - 10
    assert fitted(card.lines[0], QFontMetrics(bold), room) == f"#{kept.number} PGD, iteration 5 of 12"
    assert rows_of([panel.cards.runs.runs[1], card])[0][0].values == ("PGD", "PGD, iteration 5 of 12")


def test_the_card_the_script_and_the_record_count_the_same_rows(qtbot: QtBot, panel: RunsPanel, session: Session, tmp_path: Path) -> None:
    """The window predicts the label that it assumes before the attack begins; that query counts as in a script."""
    open_image(qtbot, session)
    attack(qtbot, session, PGD(steps=7))
    (entry,) = session.history.attacks
    assert entry.result.labels_assumed
    assert session.classifier is not None
    assert session.clean is not None
    scripted = engine.run(PGD(steps=7), session.classifier, session.clean[None], seed=0)
    counts = {scripted.forwards, entry.result.forwards, record_of_entry(entry, tmp_path).outcome.forwards}
    assert counts == {9}  # the label, the seven steps, and the verdict on the last of them
    assert panel.cards.runs.runs[0].figures["rows forward"] == "9"


def test_the_picture_has_every_pixel_as_it_is(qtbot: QtBot) -> None:
    pixels = np.arange(3 * 3 * 3, dtype=np.uint8).reshape(3, 3, 3) * 9
    image = nearest(pixels, 48).toImage()
    assert (image.width(), image.height()) == (48, 48)
    for y in range(48):
        for x in range(48):
            assert image.pixelColor(x, y).getRgb()[:3] == tuple(pixels[y // 16, x // 16])
    assert nearest(pixels, 48, 2.0).toImage().width() == 96


def test_the_card_is_painted_with_its_picture(runs: RunsPanel, session: Session) -> None:
    """The picture of the newest run is on the screen, at the left of its card."""
    select(runs, 1)  # so that the first card is not highlighted
    grabbed = runs.cards.viewport().grab().toImage()
    card, pixels = place(runs, 0), to_pixels(session.history.attacks[-1].result.adversarial[0])
    side = card.height() - 1 - 2 * 6
    for y, x in ((0, 0), (8, 8), (15, 15), (3, 12)):
        at = QPoint(card.left() + 6 + int((x + 0.5) * side / 16), card.top() + 6 + int((y + 0.5) * side / 16))
        assert grabbed.pixelColor(at).getRgb()[:3] == tuple(pixels[y, x])


def test_cards_say_what_norms_are_measured_from_and_what_was_misread(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    open_image(qtbot, session)
    assert session.state.prediction is not None
    session.change(label=(session.state.prediction + 1) % len(LABELS))
    put_sticker(qtbot, session)
    attack(qtbot, session, FGSM(eps=1 / 255))
    (card,) = panel.cards.runs.runs
    assert card.size.endswith(" from the clean image with its stickers")
    if card.sign == "already":
        assert card.remark.startswith("The model misread the clean image with its stickers before the attack")
        spoken = panel.cards.runs.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert "so it was before the attack" in spoken
        assert card.lines[1][0].startswith("– misread before · ")
        assert card.remark in spoken


def test_a_text_that_does_not_fit_has_shorter_forms(panel: RunsPanel) -> None:
    metrics = panel.cards.fontMetrics()
    forms = ("Stop 99.9 % → Yield 88.0 %", "Stop → Yield")
    assert fitted(forms, metrics, metrics.horizontalAdvance(forms[0])) == forms[0]
    assert fitted(forms, metrics, metrics.horizontalAdvance(forms[0]) - 1) == forms[1]
    assert fitted(forms, metrics, metrics.horizontalAdvance("Stop →")).endswith("…")


def test_the_narrowest_card_still_says_what_its_norms_are_measured_from(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, PGD(steps=1))
    put_sticker(qtbot, session)
    attack(qtbot, session, PGD(steps=1))
    *_, small = panel.cards.fonts
    panel.resize(260, 700)
    qtbot.waitUntil(lambda: panel.width() == 260)
    metrics, room = QFontMetrics(small), panel.cards.card_width - panel.cards.card_height - 10  # beside the picture
    with_stickers, clean = (fitted(run.lines[2], metrics, room) for run in panel.cards.runs.runs)
    assert clean == "L∞ 8/255 from the clean image"
    assert with_stickers.startswith("L∞ 8/255, its stickers")


def test_a_wide_list_has_columns_and_keeps_the_order(qtbot: QtBot, runs: RunsPanel) -> None:
    runs.resize(1500, 300)
    cards = runs.cards
    qtbot.waitUntil(lambda: place(runs, 0).top() == place(runs, 1).top())
    assert place(runs, 0).left() < place(runs, 1).left()
    assert place(runs, 1).right() <= cards.viewport().width()
    runs.resize(400, 600)
    qtbot.waitUntil(lambda: place(runs, 0).left() == place(runs, 1).left())
    assert place(runs, 0).right() <= cards.viewport().width()


# ---------------------------------------------------------------------- selection and comparison


def test_the_newest_is_selected_with_every_parameter(runs: RunsPanel, session: Session) -> None:
    shown = details(runs)
    operation = session.history.entries[-1].result.operation
    for name, parameter in parameters_of(type(operation)).items():
        assert shown[parameter.title] == [parameter.told(getattr(operation, name))]  # as in the form, with units
    assert shown["eps"] == ["8/255"]
    assert shown["model fingerprint"] == [session.classifier.fingerprint]  # type: ignore[union-attr]
    assert shown["image"] == ["noise"]
    assert shown["measured from"] == ["the clean image"]


def test_of_several_runs_that_came_while_it_was_hidden_the_newest_is_selected(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    open_image(qtbot, session)
    panel.hide()
    for steps in (1, 2, 3):
        attack(qtbot, session, PGD(steps=steps))
    assert panel.cards.runs.runs == ()  # hidden, it does no work
    panel.show()
    qtbot.waitUntil(lambda: len(panel.cards.runs.runs) == 3)
    assert [run.number for run in panel.cards.selected] == [session.history.entries[-1].number]
    assert details(panel)["steps"] == ["3"]
    assert panel.buttons["show"].isEnabled()


def test_two_selected_runs_are_compared(runs: RunsPanel) -> None:
    select(runs, 0, 1)
    shown = differing(runs)
    assert shown["attack"] == ["FGSM", "PGD"]
    assert shown["eps"] == ["4/255", "8/255"]
    assert "model fingerprint" not in shown
    assert details(runs)["model fingerprint"][0] == details(runs)["model fingerprint"][1]  # in the folded group
    one, other = runs.cards.selected
    assert {row.name for row in rows_of([one, other])[0]} == set(shown)
    assert rows_of([one, one])[0] == []
    assert runs.details.summary.text == f"#{one.number}, #{other.number}: {len(shown)} differences."
    assert [run.number for run in runs.details.pictures.runs] == [one.number, other.number]
    assert runs.details.pictures.isVisible()
    assert not runs.buttons["show"].isEnabled()
    assert runs.buttons["show"].toolTip() == "Show again: Select one run."


def test_three_runs_stand_in_three_columns(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    attack(qtbot, session, PGD(eps=2 / 255, steps=5))
    qtbot.keyClick(runs.cards, Qt.Key.Key_A, CTRL)
    assert differing(runs)["eps"] == ["4/255", "8/255", "2/255"]
    tree = runs.details.table
    assert [tree.headerItem().text(column) for column in range(1, 4)] == [f"#{run.number}" for run in session.history.attacks]
    (group,) = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount()) if tree.topLevelItem(n).childCount()]  # type: ignore[union-attr]
    assert group is not None
    assert group.text(0) == f"The same in all ({group.childCount()})"
    assert not group.isExpanded()


def test_compare_chooses_the_runs_for_the_canvas(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    assert not runs.buttons["compare"].isEnabled()
    assert "Select two or more runs" in runs.buttons["compare"].toolTip()
    select(runs, 1, 0)
    with qtbot.waitSignals([session.comparedChanged, runs.asked]):
        qtbot.mouseClick(runs.buttons["compare"], Qt.MouseButton.LeftButton)
    assert session.compared == tuple(run.number for run in session.history.attacks)  # the older one is A


# ---------------------------------------------------------------------- commands


def test_show_again(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    older = session.history.attacks[0]
    select(runs, 1)  # a double click begins with a click
    qtbot.mouseDClick(runs.cards.viewport(), Qt.MouseButton.LeftButton, pos=place(runs, 1).center())
    assert session.history.shown is older
    assert session.delta is older.scene.delta
    assert runs.cards.runs.shown == older.number
    select(runs, 0)
    qtbot.keyClick(runs.cards, Qt.Key.Key_Return)
    assert session.history.shown is session.history.entries[1]
    session.clear_perturbation()
    assert runs.cards.runs.shown is None


def test_use_these_parameters(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    session.change(slug="pgd", settings=AttackSettings({"steps": 99}), seed=4)
    select(runs, 1)
    carry_out(runs, "Use these parameters")
    assert (session.plan.slug, session.plan.seed) == ("fgsm", 0)
    assert session.plan.built[0] == session.history.attacks[0].operation
    session.undo_stack.undo()
    assert (session.plan.slug, session.plan.seed) == ("pgd", 4)


def test_a_removed_run_comes_back_and_its_removal_names_the_undo(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    before = session.history.entries
    select(runs, 0)
    with qtbot.waitSignal(session.notice) as said:
        qtbot.keyClick(runs.cards, Qt.Key.Key_Delete)
    assert said.args == [f"{before[-1].title} was removed. Undo (Ctrl+Z) brings it back."]
    assert session.history.entries == before[:-1]
    assert session.undo_stack.undoText() == f"Remove {before[-1].title}"
    session.undo_stack.undo()
    assert session.history.entries == before
    assert runs.cards.runs.runs[0].number == before[-1].number


def test_all_removed_runs_come_back_by_the_menu(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    before = session.history.entries
    qtbot.keyClick(runs.cards, Qt.Key.Key_A, CTRL)
    qtbot.mouseClick(runs.buttons["remove"], Qt.MouseButton.LeftButton)
    assert session.history.entries == ()
    assert not runs.cards.isVisible()
    (back,) = [action for action in runs.menu().actions() if action.text() == "Bring back removed runs"]
    back.trigger()
    assert session.history.entries == before
    session.undo_stack.undo()
    assert session.history.entries == ()


def test_copy_as_json(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    select(runs, 0)
    carry_out(runs, "Copy as JSON")
    copied = json.loads(QGuiApplication.clipboard().text())
    result = session.history.entries[1].result
    assert copied["operation"] == {"slug": "pgd", "parameters": result.operation.model_dump(mode="json")}
    assert copied["outcome"]["norms"]["l2"] == pytest.approx(float(result.norms["l2"][0]))  # type: ignore[attr-defined]
    assert copied["outcome"]["norms_measured_from"] == "the clean image"
    assert copied["model"]["fingerprint"] == result.classifier.fingerprint  # type: ignore[attr-defined]
    select(runs, 0, 1)
    carry_out(runs, "Copy as JSON")
    assert [one["operation"]["slug"] for one in json.loads(QGuiApplication.clipboard().text())] == ["fgsm", "pgd"]


def test_the_menu_says_why_a_command_cannot_be_carried_out(runs: RunsPanel) -> None:
    actions = {action.text(): action for action in runs.menu().actions()}
    assert set(actions) >= {command.title for command in COMMANDS}
    assert actions["Open folder of the image"].toolTip() == "The run's image came from no file."
    assert not actions["Open folder of the image"].isEnabled()
    assert actions["Save image…"].isEnabled()
    select(runs, 0, 1)
    actions = {action.text(): action for action in runs.menu().actions()}
    assert actions["Save image…"].toolTip() == "Select one run."
    assert actions["Copy as Python"].isEnabled()


def test_commands_that_need_the_shell_are_passed_on(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    select(runs, 0)
    for title, name in (("Save as script…", "save_script"), ("Export figure…", "export_figure"), ("Copy as Python", "copy_python")):
        with qtbot.waitSignal(runs.asked) as asked:
            carry_out(runs, title)
        assert asked.args == [name, (session.history.entries[-1].number,)]


def test_facts_of_a_sticker_s_run_count_it(qtbot: QtBot, panel: RunsPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session, Colour((0.0, 0.0, 1.0)).rgb)
    attack(qtbot, session, FGSM(eps=1 / 255))
    facts = run_facts(session.history.entries[-1])
    assert facts.provenance["stickers"] == "1"
    assert facts.provenance["where"] == "whole image"


def test_the_selection_stays_when_another_run_is_shown(runs: RunsPanel, session: Session) -> None:
    select(runs, 1)
    session.show_entry(session.history.attacks[0].number)
    assert [run.number for run in runs.cards.selected] == [session.history.attacks[0].number]
    model = runs.cards.selectionModel()
    model.select(runs.cards.runs.index(0), QItemSelectionModel.SelectionFlag.Select)
    session.show_entry(session.history.attacks[1].number)
    assert len(runs.cards.selected) == 2


def test_buttons_keep_their_titles_where_there_is_room(runs: RunsPanel) -> None:
    styles = []
    for width in (1400, 500, 300):
        runs.resize(width, 700)
        settle()
        assert runs.width() == width
        styles.append({button.toolButtonStyle() for button in runs.buttons.values()})
        right = max(button.geometry().right() for button in runs.buttons.values())
        assert right <= runs.cards.width()
    beside, alone = {Qt.ToolButtonStyle.ToolButtonTextBesideIcon}, {Qt.ToolButtonStyle.ToolButtonIconOnly}
    assert styles == [beside, alone, alone]


def test_a_small_dock_has_cards_alone_and_no_text_is_cut_at_the_right(qtbot: QtBot, runs: RunsPanel) -> None:
    for width, height, details_seen in ((340, 200, False), (340, 600, True), (700, 200, True), (400, 500, True)):
        runs.resize(width, height)
        settle()
        assert (runs.width(), runs.height()) == (width, height)
        assert runs.details.isVisible() is details_seen
        table = runs.details.table
        assert not details_seen or table.header().length() <= table.viewport().width()
        assert runs.cards.isVisible()


def test_a_run_that_the_model_reads_again_after_the_memory_was_full_is_said(qtbot: QtBot, runs: RunsPanel, session: Session) -> None:
    said: list[str] = []
    session.logged.connect(lambda entry: said.append(entry.text))
    first = session.history.entries[0]
    session.history._max_bytes = 1
    attack(qtbot, session, FGSM(eps=1 / 255))
    until(lambda: len(runs.cards.runs.runs) == 1, "the newest card alone")
    assert any(text.startswith(f"{first.title} was forgotten") for text in said)


@pytest.mark.parametrize("slug", ["pgd", "fgsm", "deepfool", "cw-l2", "square", "one-pixel"])
def test_the_facts_and_the_messages_of_a_run_name_parameters_by_their_titles(qtbot: QtBot, session: Session, slug: str) -> None:
    open_image(qtbot, session)
    small_budget = {"square": {"n_queries": 5}, "one-pixel": {"generations": 1}, "cw-l2": {"steps": 2, "rounds": 1}}
    made = CATALOGUE[slug].build(**small_budget.get(slug, {}))
    attack(qtbot, session, made)
    entry = session.history.attacks[-1]
    facts = run_facts(entry)
    lines = parameter_lines(entry.result).splitlines()
    for name, parameter in parameters_of(type(made)).items():
        assert facts.parameters[parameter.title] == parameter.told(getattr(made, name))
        assert f"{parameter.title}: {parameter.told(getattr(made, name))}" in lines
    names = [*facts.parameters, *facts.figures, *facts.provenance, *(line.partition(":")[0] for line in lines)]
    assert [name for name in names if "_" in name] == []
