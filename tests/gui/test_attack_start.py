"""Data and start image: dropped, taken from the canvas, opened; what reaches the attack and its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt

from engine.attacks import CATALOGUE
from tests.gui.panel_scenes import LABELS, attack, drop, grey, open_image, small

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


def test_data_and_start_image_reach_the_attack(qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    session.set_target(2)
    drop(probe_panel.start_field, grey(tmp_path))
    qtbot.waitUntil(lambda: probe_panel.start is not None)
    assert probe_panel.start_field.words.text().startswith("grey.png: ")
    with qtbot.waitSignal(session.history.changed):
        probe_panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)
    entry = session.history.entries[-1]
    assert torch.allclose(entry.result.adversarial, torch.full((1, 3, 16, 16), 0.2), atol=1e-6)
    assert probe_panel.readings.readings.isVisible()
    assert probe_panel.readings.readings.text() == f"queries {entry.result.forwards} · held-out fooling rate 100.0 % · data 12"
    assert entry.inputs.data is not None
    assert entry.inputs.data.count == 12


def test_the_record_of_a_run_holds_where_it_began(qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    from gui.export.recording import record_of_entry

    session.set_target(2)
    drop(probe_panel.start_field, grey(tmp_path))
    qtbot.waitUntil(lambda: probe_panel.start is not None)
    with qtbot.waitSignal(session.history.changed):
        probe_panel.run()
    record = record_of_entry(session.history.entries[-1], tmp_path)
    assert record.start is not None
    assert torch.allclose(record.start.tensor(), torch.full((3, 16, 16), 0.2), atol=1e-6)


def test_the_image_on_the_canvas_can_be_the_start(qtbot: QtBot, probe_panel: AttackDock, session: Session) -> None:
    probe_panel.choose("pgd")
    attack(qtbot, session, CATALOGUE["pgd"](steps=3, eps=0.2))
    probe_panel.choose("probe")
    start = probe_panel.start_field
    qtbot.mouseClick(start.canvas_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: probe_panel.start is not None)
    begin, result = probe_panel.start, session.history.entries[-1].result
    assert begin is not None
    assert torch.allclose(begin.image, result.adversarial[0])
    assert begin.name == session.history.entries[-1].title
    assert start.words.text() == f"{begin.name}: {LABELS[begin.prediction]}"
    qtbot.mouseClick(start.clear_button, Qt.MouseButton.LeftButton)
    assert probe_panel.start is None
    assert not start.clear_button.isVisible()


def test_a_start_image_follows_the_model_s_size(qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    start = probe_panel.start_field
    drop(start, grey(tmp_path))
    qtbot.waitUntil(lambda: probe_panel.start is not None)
    open_image(qtbot, session, small(channels=1))
    qtbot.waitUntil(lambda: probe_panel.start is not None and probe_panel.start.image.shape[0] == 1)
    qtbot.mouseClick(start.canvas_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: probe_panel.start is not None and probe_panel.start.name == "canvas")
    open_image(qtbot, session, small())
    assert probe_panel.start is None  # what was on the canvas has no larger original


def test_a_broken_start_image_is_a_sentence(qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_text("<html>")
    with qtbot.waitSignal(session.notice):
        drop(probe_panel.start_field, path)
    assert probe_panel.start is None


@pytest.mark.parametrize("slug", ["pgd", "sticker"])
@pytest.mark.parametrize("region", ["image", "stickers"])
def test_the_record_of_a_run_on_stickers_holds_them_and_replays(
    qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path, slug: str, region: str
) -> None:
    from engine.record import replay
    from engine.stickers import Colour, Ellipse, Optimised, Sticker
    from gui.export.recording import record_of_entry

    picture = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(1))
    session.change(
        stickers=(
            Sticker(1, 1, 1, 5, 4, Optimised(picture), shape=Ellipse()),
            Sticker(2, 4, 3, 6, 6, Colour((0.2, 0.9, 0.1)), opacity=0.5),
            Sticker(3, 9, 9, 4, 4, Optimised()),
        ),
        region=region,
    )
    attack(qtbot, session, CATALOGUE[slug](steps=3))
    entry = session.history.entries[-1]
    record = record_of_entry(entry, tmp_path)
    assert [kept.id for kept in record.stickers] == [1, 2, 3]
    named = record.model_copy(update={"model": record.model.model_copy(update={"source": "small"})})
    again = replay(named, folder=tmp_path, load=lambda *_: entry.before.classifier)
    assert again.same, again.sentence
