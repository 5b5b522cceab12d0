"""What an attack needs beside the image, asked for in the Attack dock: target, data, start image, file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.attacks import CATALOGUE
from tests.gui.panel_scenes import attack, drop, grey, grey_folder, open_image

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


def test_a_saved_perturbation_asks_for_its_file(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    open_image(qtbot, session)
    attack_panel.choose("saved-perturbation")
    assert attack_panel.message.text.startswith("Choose the file of a perturbation")
    assert attack_panel.message.kind == "hint"
    assert not attack_panel.can_run
    attack_panel.form.set_values({"file": "mine.safetensors"})
    assert attack_panel.message.text == ""
    assert attack_panel.can_run


def test_only_what_an_attack_uses_is_asked_for(attack_panel: AttackDock) -> None:
    attack_panel.choose("pgd")
    assert attack_panel.target.isEnabled()
    assert attack_panel.whole.isVisible()
    assert not attack_panel.data.isVisible()
    assert not attack_panel.start_field.isVisible()
    attack_panel.choose("probe")
    assert attack_panel.data.isVisible()
    assert attack_panel.start_field.isVisible()
    assert not attack_panel.whole.isVisible()
    attack_panel.choose("sticker")
    assert not attack_panel.start_field.isVisible()  # it begins at what is painted


def test_what_is_missing_is_asked_for_one_by_one(qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    assert "target" in probe_panel.message.text
    assert probe_panel.message.kind == "hint"
    assert probe_panel.target.currentText() == "choose a class"
    session.set_target(2)
    assert "start image" in probe_panel.message.text
    assert not probe_panel.can_run
    drop(probe_panel.start_field, grey(tmp_path))
    qtbot.waitUntil(lambda: probe_panel.start is not None)
    assert probe_panel.message.text == ""
    assert probe_panel.can_run


def test_a_folder_added_here_is_listed_in_every_chooser(attack_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    from gui.widgets import DataChooser

    other = DataChooser(session.data_sources, attack_panel.panel)
    other.add_folder(tmp_path)
    assert attack_panel.data.sets.findData(f"folder:{tmp_path}") >= 0
    assert attack_panel.data.choice != other.choice  # listed, not chosen


def test_a_target_that_an_attack_does_not_use_is_not_held_against_it(
    qtbot: QtBot, attack_panel: AttackDock, session: Session, tmp_path: Path
) -> None:
    from engine.artifacts import Perturbation
    from engine.attacks import save_perturbation

    path = save_perturbation(tmp_path / "mine", Perturbation(torch.full((1, 3, 16, 16), 0.1), "mine"))
    open_image(qtbot, session)
    session.set_target(1)
    attack_panel.choose("saved-perturbation")
    assert not attack_panel.target.isEnabled()
    attack(qtbot, session, CATALOGUE["saved-perturbation"](file=str(path)))
    assert session.history.entries[-1].result.targets is None


def test_a_data_set_that_does_not_fit_is_refused_before_the_run(
    qtbot: QtBot, attack_panel: AttackDock, session: Session, tmp_path: Path
) -> None:
    open_image(qtbot, session)  # 3 x 16 x 16
    attack_panel.choose("substitute")
    data = attack_panel.data
    data.choose("generated:digits")
    assert attack_panel.message.text.startswith("The images of drawn digits are 1 × 28 × 28, but “small” takes 3 × 16 × 16.")
    assert "Image folder" in attack_panel.message.text  # nothing that is listed fits
    assert attack_panel.message.kind == "error"
    assert not attack_panel.can_run
    fitting, empty = tmp_path / "fitting", tmp_path / "empty"
    for folder in (fitting, empty):
        folder.mkdir()
    data.add_folder(grey_folder(fitting, 2, 16))
    assert attack_panel.message.text == ""
    assert attack_panel.can_run
    data.choose("generated:digits")
    assert attack_panel.message.text.endswith("Choose fitting.")
    data.add_folder(empty)
    assert attack_panel.message.text == ""  # nothing is known of it; the run says that it is empty


def test_known_shapes_are_those_that_are_loaded() -> None:
    from engine.data import available, load, shape_of

    for entry in available():
        assert load(entry.name, next(iter(entry.splits), None), count=1).shape == shape_of(entry.name)
