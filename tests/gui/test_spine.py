"""The spine: choosers, goal, the one Run, and the run that is shown, driven with real clicks, drops and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QProgressBar, QPushButton, QToolButton, QWidget

from gui.shell.spine.line import Line, fitted
from gui.shell.spine.room import GAP, ORDER, places
from gui.widgets import LabelCombo
from tests.gui.attack_dock import attack_dock
from tests.gui.driving import Hold, choose_attack, click, draw, press_keys, run_attack, settle, until
from tests.gui.panel_scenes import grey

if TYPE_CHECKING:
    from pathlib import Path

    from gui.app import Workbench
    from gui.shell.spine.bar import Spine
    from gui.shell.spine.chip import Chip


@pytest.fixture
def spine(bench: Workbench) -> Spine:
    return bench.window.spine


def chips(spine: Spine) -> list[Chip]:
    return [spine.model, spine.image, spine.goal, spine.attack, spine.shown.chip]


def parts(spine: Spine) -> list[QWidget]:
    return [*chips(spine), spine.run.run, spine.run.pause, spine.run.cancel, spine.shown.earlier, spine.shown.later]


# ---------------------------------------------------------------------- lines and places


def _width(text: str) -> int:
    return 10 * len(text)


def _elide(text: str, room: int) -> str:
    count = max(0, room) // 10
    return text if len(text) <= count else text[: max(0, count - 1)] + "…" * (count > 0)


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (200, ("PGD", " · 8/255 · 40")),
        (160, ("PGD", " · 8/255 · 40")),
        (150, ("PGD", " · 8/255")),
        (110, ("PGD", " · 8/255")),
        (100, ("P…", " · 8/255")),
        (90, ("P…", "")),
        (30, ("PGD", "")),
        (20, ("P…", "")),
    ],
)
def test_numbers_are_never_cut(room: int, shown: tuple[str, str]) -> None:
    """A number is shown whole or not at all; the name gives way first, then the longer forms."""
    got = fitted(Line("PGD", (" · 8/255 · 40", " · 8/255")), room, _width, _elide)
    assert got[1] in (" · 8/255 · 40", " · 8/255", "")
    assert _width("".join(got)) <= room
    if room != 90:
        assert got == shown


@pytest.mark.parametrize("width", [480, 720, 860, 1000, 1280, 1920, 3001])
def test_the_parts_fill_the_width_without_overlap(width: int) -> None:
    made = places(width, 150)
    assert tuple(made) == ORDER
    left = 0
    for place, wide in made.values():
        assert place == left
        assert wide > 0
        left += wide + GAP
    assert left - GAP == width


# ---------------------------------------------------------------------- what it is made of


def test_every_part_has_a_name_a_tip_and_its_place_in_the_tab_order(spine: Spine) -> None:
    names = [part.accessibleName() for part in parts(spine)]
    assert all(names)
    assert len(set(names)) == len(names)
    assert all(part.toolTip() for part in parts(spine))
    for chip, keys in zip(chips(spine), ("Ctrl+M", "Ctrl+I", "Ctrl+L", "Ctrl+Shift+A", ""), strict=True):
        assert keys in chip.toolTip()
    order, widget = [], spine.model.nextInFocusChain()
    while widget is not spine.model:
        order.append(widget)
        widget = widget.nextInFocusChain()
    places_in_chain = [order.index(part) for part in (spine.image, spine.goal, spine.attack, spine.run.run, spine.shown.chip)]
    assert places_in_chain == sorted(places_in_chain)


def test_there_is_one_of_each_in_the_whole_window(bench: Workbench) -> None:
    """One Run, one Cancel, one progress bar of attacks, one true label, one target. Experiments and training have their own."""
    press_keys(bench.window, "Ctrl+L")
    own = [bench.window.docks[name] for name in ("experiments", "training") if name in bench.window.docks]
    everything = [each for each in bench.window.findChildren(QWidget) if not any(dock.isAncestorOf(each) for dock in own)]
    bench.window.spine.goal.popup.hide()
    for name in ("Run", "Cancel"):
        buttons = [each for each in everything if isinstance(each, QToolButton | QPushButton) and each.window() is bench.window]
        named = [each for each in buttons if name in (each.text(), each.accessibleName())]
        assert [each.objectName() for each in named if "run" in each.toolTip().casefold() or "attack" in each.toolTip().casefold()] == [
            f"spine.{name.lower()}"
        ]
    bars = [bar for bar in everything if isinstance(bar, QProgressBar) and "attack" in bar.accessibleName()]
    assert len(bars) == 1
    for name in ("True label", "Target class"):
        assert len([each for each in everything if isinstance(each, LabelCombo) and each.accessibleName() == name]) == 1


def test_nothing_moves_when_texts_change(bench: Workbench, spine: Spine) -> None:
    before = [part.geometry() for part in parts(spine)]
    bench.session.change(image={**bench.session.image, "name": "a name that is very much longer than any place that there is for it.png"})
    bench.session.set_label(None)
    choose_attack(bench, "Universal perturbation")
    bench.session.set_bounds({bench.session.classifier.sites[0].name: 2.0})
    settle()
    assert [part.geometry() for part in parts(spine)] == before
    bench.session.set_bounds({})
    choose_attack(bench, "PGD")


@pytest.mark.parametrize("width", [1280, 1000, 720])
def test_what_is_painted_fits_and_numbers_stay_whole(bench: Workbench, spine: Spine, width: int) -> None:
    row = spine.row
    before = row.size()
    row.resize(width - 12, row.height())
    settle()
    try:
        for chip in chips(spine):
            for text, line, font in zip(chip.texts, (chip.first, chip.second), chip._fonts(), strict=True):
                assert QFontMetrics(font).horizontalAdvance(text) <= chip._text_rect().width() or not text
                assert any(text.endswith(form) for form in line.forms), (chip.accessibleName(), text, line)
        assert spine.model.texts[1] in ("98.2 % on GTSRB", "98.2 %")
        assert spine.attack.texts[1] in ("L∞ 8/255 · 40 steps", "8/255 · 40")
    finally:
        row.resize(before)


# ---------------------------------------------------------------------- choosers


@pytest.mark.parametrize(("keys", "name"), [("Ctrl+M", "model"), ("Ctrl+I", "image"), ("Ctrl+L", "goal"), ("Ctrl+Shift+A", "attack")])
def test_choosers_open_by_key_with_the_keyboard_in_them(bench: Workbench, spine: Spine, keys: str, name: str) -> None:
    press_keys(bench.window, keys)
    popup = getattr(spine, name).popup
    assert popup.isVisible()
    focused = popup.focusWidget()
    assert focused is not None
    assert focused.accessibleName() in (f"Search {name}s", "True label")
    QTest.keyClick(popup, Qt.Key.Key_Escape)
    assert not popup.isVisible()


def test_an_attack_is_searched_and_taken_with_enter(bench: Workbench, spine: Spine) -> None:
    press_keys(bench.window, "Ctrl+Shift+A")
    catalogue = spine.attack.list
    QTest.keyClicks(catalogue.search, "goodfellow 1412.6572 fgsm")
    assert catalogue.shown[0] == catalogue.current == "fgsm"
    assert bench.session.plan.slug == "pgd"  # typing chooses nothing yet
    QTest.keyClick(catalogue.search, Qt.Key.Key_Return)
    assert not spine.attack.popup.isVisible()
    assert bench.session.plan.slug == "fgsm"
    assert spine.attack.texts == ("FGSM", "L∞ 8/255")
    assert attack_dock(bench).title == "FGSM"
    choose_attack(bench, "PGD")
    assert spine.attack.texts[0] == "PGD"


def test_the_arrow_keys_choose_from_the_search(bench: Workbench, spine: Spine) -> None:
    press_keys(bench.window, "Ctrl+Shift+A")
    catalogue = spine.attack.list
    assert catalogue.current == "pgd"
    QTest.keyClick(catalogue.search, Qt.Key.Key_Down)
    QTest.keyClick(catalogue.search, Qt.Key.Key_Return)
    assert bench.session.plan.slug == "mi-fgsm"
    choose_attack(bench, "PGD")


def test_a_search_without_a_match_takes_nothing(bench: Workbench, spine: Spine) -> None:
    press_keys(bench.window, "Ctrl+Shift+A")
    catalogue = spine.attack.list
    QTest.keyClicks(catalogue.search, "no attack is called so")
    assert catalogue.nothing.isVisible()
    assert catalogue.current is None
    QTest.keyClick(catalogue.search, Qt.Key.Key_Return)
    assert spine.attack.popup.isVisible()
    spine.attack.popup.hide()
    assert bench.session.plan.slug == "pgd"


def test_a_model_is_loaded_by_double_click_or_enter_only(bench: Workbench, spine: Spine) -> None:
    session, before = bench.session, bench.session.classifier
    click(spine.model)
    models = spine.model.list
    assert models.current == "signs"
    (item,) = models.tree.findItems("signs-bounded", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    models.tree.scrollToItem(item)
    place = models.tree.visualItemRect(item).center()
    click(models.tree.viewport(), place)
    assert spine.model.popup.isVisible()
    assert session.classifier is before
    QTest.mouseDClick(models.tree.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert not spine.model.popup.isVisible()
    until(lambda: session.classifier is not before, "the model")
    assert spine.model.texts[0] == "signs-bounded"
    until(lambda: session.frame is not None, "its frame")
    press_keys(bench.window, "Ctrl+M")
    shipped = [entry.source for entry in session.models.shipped]
    for _ in range(shipped.index("signs-bounded") - shipped.index("signs")):
        assert models.current != "signs"
        QTest.keyClick(models.search, Qt.Key.Key_Up)
    assert models.current == "signs"
    QTest.keyClick(models.search, Qt.Key.Key_Return)
    until(lambda: session.classifier.name == "signs", "the first model")
    until(lambda: session.frame is not None, "its frame")


def test_an_image_list_that_is_being_made_says_so(bench: Workbench, spine: Spine) -> None:
    """A chooser that opens for the first time must not say that nothing is called like an empty search."""
    images = spine.image.list
    images._classifier, images._samples = None, []
    with Hold(bench.session, background=True):
        click(spine.image)
        assert not images.shown
        assert images.nothing.isVisible()
        assert images.nothing.text() == "Listing the samples…"
    until(lambda: images.shown, "the samples")
    assert not images.nothing.isVisible()
    QTest.keyClicks(images.search, "nowhere")
    assert images.nothing.text() == "No recent image or sample is called so."
    assert images.nothing.isVisible()
    spine.image.popup.hide()


def test_a_sample_is_opened_by_a_click(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    click(spine.image)
    images = spine.image.list
    until(lambda: any("Yield" in str(getattr(value, "title", "")) for value in images.shown), "the samples")
    (item,) = images.tree.findItems("Yield, 32 px", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    assert not item.icon(0).isNull()
    images.tree.scrollToItem(item)
    click(images.tree.viewport(), images.tree.visualItemRect(item).center())
    assert not spine.image.popup.isVisible()
    until(lambda: session.state.label is not None and session.state.name_of(session.state.label) == "Yield", "the sample")
    assert spine.goal.texts[0] == "Yield"
    until(lambda: session.frame is not None, "its frame")


def drop_on(widget: QWidget, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(4, 4), copy, mime, left, none)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(4, 4), copy, mime, left, none))


def test_a_file_dropped_on_the_spine_is_opened_and_becomes_a_recent_one(bench: Workbench, spine: Spine, tmp_path: Path) -> None:
    path = grey(tmp_path)
    drop_on(spine.row, path)
    until(lambda: bench.session.image.get("name") == "grey.png", "the image")
    assert spine.image.texts[0] == "grey.png"
    assert str(path) in spine.image.toolTip()
    until(lambda: bench.session.frame is not None, "its frame")
    click(spine.image)
    images = spine.image.list
    assert images.shown[0] == path
    heading = images.tree.topLevelItem(0)
    assert heading is not None
    assert heading.text(0) == "Recent"
    assert heading.child(0).toolTip(0) == str(path)
    until(lambda: images._pictures.get(path) is not None, "its thumbnail")
    spine.image.popup.hide()
    assert "(assumed)" in spine.goal.first.whole or " ?" in spine.goal.first.whole


@pytest.mark.parametrize(("button", "control"), [("Data sets…", "Data set"), ("Crop…", "Crop")])
def test_the_image_leads_to_its_dock(bench: Workbench, spine: Spine, button: str, control: str) -> None:
    click(spine.image)
    click(spine.image.popup.content.buttons[button])
    assert not spine.image.popup.isVisible()
    panel = bench.window.panels["image"]
    assert panel.isVisible()
    named = [each for each in panel.findChildren(QWidget) if each.accessibleName() == control]
    assert named
    assert named[0].isVisible()


# ---------------------------------------------------------------------- the goal


def typed(combo: LabelCombo, text: str) -> None:
    line = combo.lineEdit()
    assert line is not None
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def test_label_and_target_are_set_in_one_place(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    assert spine.goal.texts == ("Stop", "→ any other class")
    press_keys(bench.window, "Ctrl+L")
    form = spine.goal.form
    typed(form.target, "roundab")
    assert session.state.name_of(session.target) == "Roundabout"
    assert spine.goal.texts[1] == "→ Roundabout"
    typed(form.label, "Yield")
    assert session.state.name_of(session.label) == "Yield"
    assert spine.goal.texts[0] == "Yield"
    assert form.isVisible()
    session.set_label(None)
    settle()
    assert form.assumed.isVisible()
    assert form.label.currentText() == "prediction (Stop)"
    assert spine.goal.first.forms[0] == " (assumed)"
    spine.goal.popup.hide()
    session.set_target(None)


def test_a_target_that_is_no_class_is_said_in_the_chip_and_in_the_popup(bench: Workbench, spine: Spine) -> None:
    press_keys(bench.window, "Ctrl+L")
    typed(spine.goal.form.target, "Roundabuot")
    assert "Roundabuot" in spine.goal.texts[1]
    assert spine.goal.form.message.text.startswith("No class of this model is called “Roundabuot”")
    assert not spine.run.run.isEnabled()
    assert "Roundabuot" in spine.run.run.toolTip()
    typed(spine.goal.form.target, "Roundabout")
    assert spine.goal.form.message.text == ""
    assert spine.run.run.isEnabled()
    spine.goal.popup.hide()
    bench.session.set_target(None)


# ---------------------------------------------------------------------- the one Run


def long_run(bench: Workbench) -> None:
    attack_dock(bench).form.set_values({"steps": 100_000})


def test_run_pause_and_cancel_by_mouse(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    choose_attack(bench, "PGD")
    long_run(bench)
    height = spine.height()
    click(spine.run.run)
    until(lambda: session.runs.job is not None and session.runs.job.index > 2, "a step")
    assert not spine.run.run.isEnabled()
    assert spine.shown.bar.isVisible()
    until(lambda: spine.shown.bar.value() > 2, "progress")
    assert spine.shown.bar.maximum() == 100_000
    assert spine.shown.chip.first.whole.startswith("PGD · step ")
    click(spine.run.pause)
    assert session.runs.job.paused
    assert spine.run.pause.accessibleName() == "Continue"
    click(spine.run.pause)
    assert not session.runs.job.paused
    until(lambda: "left" in spine.shown.chip.second.whole, "the time left")
    click(spine.run.cancel)
    until(lambda: not session.runs.running and session.history.entries, "the end, with the best so far")
    assert session.history.entries[-1].result.reason == "cancelled"
    assert not spine.shown.bar.isVisible()
    assert spine.height() == height
    attack_dock(bench).form.reset()


def test_run_pause_and_cancel_by_key(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    long_run(bench)
    press_keys(bench.window, "F5")
    until(lambda: session.runs.job is not None and session.runs.job.index > 2, "a step")
    press_keys(bench.window, "Ctrl+P")
    assert session.runs.job.paused
    assert spine.shown.chip.second.whole == "paused"
    assert not spine.run.run.isEnabled()
    assert "paused" in spine.run.run.toolTip()
    press_keys(bench.window, "Ctrl+P")
    assert not session.runs.job.paused
    press_keys(bench.window, "Esc")
    until(lambda: not session.runs.running, "the end")
    assert session.history.entries[-1].result.reason == "cancelled"
    attack_dock(bench).form.reset()


def test_an_image_that_is_misread_already_is_told_before_the_run(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    assert session.label is not None
    session.set_label((session.label + 1) % 43)
    settle()
    assert "already taken for “Stop”" in spine.run.run.toolTip()
    assert "already taken for “Stop”" in attack_dock(bench).says
    assert spine.run.run.isEnabled()
    run_attack(bench)
    assert spine.shown.chip.first.whole.endswith("PGD")  # neither a success nor a failure


def test_stickers_that_flip_the_image_are_told_too(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    draw(bench)
    choose_attack(bench, "Sticker content")
    run_attack(bench)
    assert bool(session.history.shown.result.flipped[0])
    choose_attack(bench, "PGD")
    settle()
    assert "With its stickers the image is already taken for" in spine.attack.toolTip()


# ---------------------------------------------------------------------- the run that is shown


def test_earlier_and_later_runs(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    assert spine.shown.chip.texts[0] == "No run yet"
    choose_attack(bench, "FGSM")
    run_attack(bench)
    choose_attack(bench, "PGD")
    run_attack(bench)
    first, second = session.history.attacks
    assert spine.shown.chip.first.whole == f"#{second.number} PGD ✓"
    assert not spine.shown.later.isEnabled()
    click(spine.shown.earlier)
    assert session.history.shown is first
    assert spine.shown.chip.first.whole.startswith(f"#{first.number} FGSM")
    assert not spine.shown.earlier.isEnabled()
    press_keys(bench.window, "Alt+Right")
    assert session.history.shown is second
    click(spine.shown.chip)
    runs = spine.shown.list
    assert runs.shown == [second.number, first.number]
    (item,) = [runs.tree.topLevelItem(0).child(1)]
    click(runs.tree.viewport(), runs.tree.visualItemRect(item).center())
    assert session.history.shown is first


def test_what_was_changed_since_is_said_and_can_be_taken_back(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    choose_attack(bench, "PGD")
    run_attack(bench)
    assert spine.shown.chip.second.forms[0] == "L∞ 8/255 · 40 steps"
    attack_dock(bench).form.set_values({"eps": 2 / 255, "steps": 10})
    assert spine.shown.chip.second.forms[0] == "changed since: eps 8/255 → 2/255"
    assert "steps 40 → 10" in spine.shown.chip.toolTip()
    click(spine.shown.chip)
    assert "eps 8/255 → 2/255" in spine.shown.changes.text()
    click(spine.shown.use)
    assert not spine.shown.chip.popup.isVisible()
    attack, _ = session.plan.built
    assert attack == session.history.shown.operation
    assert spine.shown.chip.second.forms[0] == "L∞ 8/255 · 40 steps"
    press_keys(bench.window, "Ctrl+Z")
    assert session.plan.built[0].steps == 10
    press_keys(bench.window, "Ctrl+Z")


# ---------------------------------------------------------------------- a bound


def test_a_bound_stays_in_sight_and_is_lifted(bench: Workbench, spine: Spine) -> None:
    session = bench.session
    session.set_bounds({session.classifier.sites[0].name: 2.0})
    settle()
    assert spine.model.texts[1] in ("bounded at 2, 1 layer", "bounded at 2", "bounded")
    assert spine.model.lift.isVisible()
    click(spine.model.lift)
    assert session.bounds == {}
    assert not spine.model.lift.isVisible()
    assert "98.2 %" in spine.model.texts[1]
