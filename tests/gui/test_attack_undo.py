"""The Attack dock shows the plan: what a person sets up is a step to undo, and undo is seen in the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from engine.attacks import CATALOGUE
from engine.stickers import Optimised, Sticker
from gui.session.state import AttackSettings
from tests.gui.attack_dock import AttackDock
from tests.gui.panel_scenes import drop, grey, open_image

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def dock(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> AttackDock:
    """With an image; nothing to undo yet."""
    open_image(qtbot, session)
    session.undo_stack.clear()
    return attack_panel


def type_into(qtbot: QtBot, dock: AttackDock, name: str, text: str) -> None:
    line = dock.field(name).lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def shown(dock: AttackDock, name: str) -> str:
    return dock.field(name).lineEdit().text()


def test_a_fresh_dock_has_nothing_to_undo(dock: AttackDock, session: Session) -> None:
    assert session.plan.slug == "pgd"
    assert session.plan.settings == AttackSettings()
    assert not session.undo_stack.canUndo()


def test_a_typed_parameter_is_one_step_and_undo_is_seen(qtbot: QtBot, dock: AttackDock, session: Session) -> None:
    before = shown(dock, "eps")
    type_into(qtbot, dock, "eps", "4/255")
    assert dock.attack == CATALOGUE["pgd"](eps=4 / 255)
    assert session.undo_stack.count() == 1
    assert session.undo_stack.undoText() == "Set eps"
    session.undo_stack.undo()
    assert shown(dock, "eps") == before
    assert dock.attack == CATALOGUE["pgd"]()
    assert session.undo_stack.count() == 1  # to show it is no step
    session.undo_stack.redo()
    assert shown(dock, "eps") == "4/255"


def test_a_value_that_is_refused_can_be_undone_too(qtbot: QtBot, dock: AttackDock, session: Session) -> None:
    type_into(qtbot, dock, "steps", "0")
    assert "steps" in dock.says
    assert not dock.can_run
    session.undo_stack.undo()
    assert dock.says == ""
    assert dock.can_run


def test_each_attack_comes_back_with_its_own_parameters(qtbot: QtBot, dock: AttackDock, session: Session) -> None:
    type_into(qtbot, dock, "steps", "7")
    dock.choose("fgsm")
    type_into(qtbot, dock, "eps", "2/255")
    assert [session.undo_stack.text(i) for i in range(3)] == ["Set steps", "Choose FGSM", "Set eps"]
    session.undo_stack.undo()
    assert dock.attack == CATALOGUE["fgsm"]()
    session.undo_stack.undo()
    assert dock.attack == CATALOGUE["pgd"](steps=7)
    assert "PGD" in dock.title
    assert shown(dock, "steps") == "7"
    session.undo_stack.undo()
    assert dock.attack == CATALOGUE["pgd"]()
    for _ in range(3):
        session.undo_stack.redo()
    assert dock.attack == CATALOGUE["fgsm"](eps=2 / 255)


def test_a_preset_and_a_reset_are_one_step_each(qtbot: QtBot, dock: AttackDock, session: Session) -> None:
    title = CATALOGUE["pgd"].presets[0].title
    type_into(qtbot, dock, "steps", "7")
    dock.use_preset(title)
    assert session.plan.settings.preset == title
    assert session.undo_stack.undoText() == f"Preset {title}"
    filled = dock.attack
    dock.press(dock.reset_button)
    assert session.undo_stack.undoText() == "Reset parameters"
    assert session.undo_stack.count() == 3
    assert dock.attack == CATALOGUE["pgd"]()
    session.undo_stack.undo()
    assert dock.attack == filled
    session.undo_stack.undo()
    assert dock.attack == CATALOGUE["pgd"](steps=7)


def test_seed_region_target_and_start_image_too(qtbot: QtBot, dock: AttackDock, session: Session, tmp_path: Path) -> None:
    session.change(stickers=(Sticker(1, 0, 0, 4, 4, Optimised()),))
    for _ in range(3):
        qtbot.keyClick(dock.seed, Qt.Key.Key_Up)
    dock.press(dock.stickers)
    assert (session.plan.seed, session.region) == (3, "stickers")
    assert [session.undo_stack.text(i) for i in range(2)] == ["Set seed", "Attack the stickers"]
    session.undo_stack.undo()
    assert dock.whole.isChecked()
    session.undo_stack.undo()
    assert dock.seed.value() == 0
    dock.choose("hop-skip-jump")
    drop(dock.start_field, grey(tmp_path))
    qtbot.waitUntil(lambda: dock.start is not None)
    assert session.undo_stack.undoText() == "Start image grey.png"
    session.undo_stack.undo()
    assert not dock.start_field.clear_button.isVisible()
    session.undo_stack.redo()
    assert dock.start_field.words.text().startswith("grey.png")
    dock.press(dock.start_field.clear_button)
    assert session.undo_stack.undoText() == "Clear start image"


def test_the_preview_is_no_step(qtbot: QtBot, dock: AttackDock, session: Session) -> None:
    qtbot.mouseClick(dock.live, Qt.MouseButton.LeftButton, pos=dock.live.rect().center() * 0.2)
    assert not session.plan.live
    assert not session.undo_stack.canUndo()


def test_a_plan_that_is_replaced_from_outside_is_what_the_dock_shows(dock: AttackDock, session: Session) -> None:
    session.change(slug="mi-fgsm", settings=AttackSettings({"steps": 3}), seed=9, live=False)
    assert dock.attack == CATALOGUE["mi-fgsm"](steps=3)
    assert shown(dock, "steps") == "3"
    assert (dock.seed.value(), dock.live.isChecked()) == (9, False)
    assert CATALOGUE["mi-fgsm"].title in dock.title
    assert not session.undo_stack.canUndo()


def test_a_text_field_keeps_its_own_undo(qtbot: QtBot, dock: AttackDock, session: Session) -> None:
    session.set_label(1)
    line = dock.field("eps").lineEdit()
    line.setFocus()
    before = line.text()
    qtbot.keyClicks(line, "12")
    qtbot.keyClick(line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == before
    assert session.label == 1
