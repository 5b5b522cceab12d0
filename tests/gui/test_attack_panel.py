"""The Attack dock with a real session and a real, tiny classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt

import engine
from engine.attacks import CATALOGUE
from engine.stickers import Optimised, Sticker
from gui.panels.attack import AttackPanel
from gui.session.readiness import obstacle
from gui.widgets import Message
from tests.gui.attack_dock import AttackDock
from tests.gui.panel_scenes import attack, newest_frame, put_sticker

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.log_entry import LogEntry
    from gui.session.session import Session

LABELS = ("Stop", "Yield", "No entry", "Priority road")


def tiny() -> engine.Classifier:
    """Weights as torch makes them from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 4))
    return engine.Classifier(module, LABELS, (3, 8, 8), name="tiny", device="cpu")


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> AttackDock:
    made = AttackPanel(session)
    qtbot.addWidget(made)
    made.resize(320, 800)
    made.show()
    session.change(ready=True)
    return AttackDock(made, session)


@pytest.fixture
def opened(qtbot: QtBot, panel: AttackDock, session: Session) -> AttackDock:
    """With a classifier and an image, observed."""
    image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    with newest_frame(qtbot, session):  # the first observation of a process imports what it needs
        session.set_classifier(tiny(), image, {"name": "noise"}, None)
    return panel


def click(qtbot: QtBot, button: object) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def long_run(panel: AttackDock) -> None:
    panel.form.set_values({"steps": 100_000})


def test_before_the_engine_is_there_it_is_said_to_be_loading(qtbot: QtBot, session: Session) -> None:
    early = AttackDock(AttackPanel(session), session)
    qtbot.addWidget(early.panel)
    with qtbot.waitSignal(session.notice) as told:
        early.run()
    session.runs.changed.emit()
    early.reset_button.click()
    assert early.attack is None
    found = obstacle(session.state, session.data_sources)
    assert found is not None
    assert found.sentence == told.args[0] == "The engine is still loading."
    assert not found.is_mistake


def test_nothing_can_run_before_there_is_something_to_attack(panel: AttackDock, session: Session) -> None:
    assert not panel.can_run
    assert "model" in panel.message.text
    assert panel.message.kind == "hint"
    panel.run()
    assert not session.runs.running


def test_run_changes_the_image_and_enters_the_history(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    panel = opened
    assert panel.can_run
    assert panel.message.text == ""
    with qtbot.waitSignal(session.history.changed):
        panel.run()
    entry = session.history.entries[-1]
    assert entry.result.operation == CATALOGUE["pgd"]()
    assert session.delta is not None
    assert float(session.delta.abs().max()) > 0
    assert panel.readings.text.text() == "last run: 40 steps"


def test_without_live_preview_no_iterate_is_shown(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    panel = opened
    steps: list[int | None] = []
    session.observed.connect(lambda: steps.append(session.frame.step if session.frame else None))
    qtbot.mouseClick(panel.live, Qt.MouseButton.LeftButton, pos=panel.live.rect().center() * 0.2)
    assert not session.plan.live
    with qtbot.waitSignal(session.history.changed):
        panel.run()
    with newest_frame(qtbot, session):
        session.refresh()
    assert set(steps) == {None}


@pytest.mark.parametrize(("name", "value"), [("eps", -1.0), ("steps", 0), ("eps", 8.0), ("eps", "eight")])
def test_bad_parameters_start_nothing(opened: AttackDock, session: Session, name: str, value: object) -> None:
    panel = opened
    panel.form.set_values({name: value})
    assert panel.attack is None
    assert not panel.can_run
    assert panel.message.isVisible()
    assert panel.message.text == panel.form.error
    assert panel.message.kind == "error"
    assert not any(message.isVisible() for message in panel.form.findChildren(Message))  # said once, where it is always in sight
    panel.run()
    assert not session.runs.running
    panel.form.reset()
    assert panel.can_run


def test_a_target_equal_to_the_label_is_said_in_place(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    panel = opened
    session.set_label(1)
    session.set_target(1)
    assert "Yield" in panel.message.text
    assert not panel.can_run
    panel.run()
    assert not session.runs.running
    session.set_target(2)
    assert panel.message.text == ""
    assert panel.can_run


def test_the_assumed_label_is_that_of_the_image_without_its_stickers(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    assert session.label is None
    for grey in (0.0, 0.5, 1.0):
        put_sticker(qtbot, session, (grey, 1 - grey, grey))
        qtbot.waitUntil(lambda: session.frame is not None and session.frame.scene.stickers is session.stickers)
        seen = session.frame.observation
        if seen.adversarial_prediction != seen.clean_prediction:
            break
    assert seen.adversarial_prediction != seen.clean_prediction, "no sticker changes the prediction: choose others"
    attack(qtbot, session, CATALOGUE["pgd"](steps=2))
    result = session.history.entries[-1].result
    assert int(result.labels[0]) == seen.clean_prediction
    assert result.labels_assumed
    assert bool(result.wrong_before[0])


def test_a_target_equal_to_the_assumed_label_too(opened: AttackDock, session: Session) -> None:
    assert session.frame is not None
    predicted = session.frame.observation.clean_prediction
    session.set_target(predicted)
    assert LABELS[predicted] in opened.message.text
    assert LABELS[predicted] in opened.label.currentText()  # said to be the prediction
    assert not opened.can_run


def test_a_targeted_attack_takes_the_target(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    assert session.frame is not None
    target = (session.frame.observation.clean_prediction + 1) % 4
    combo = opened.target
    combo.lineEdit().selectAll()  # type: ignore[union-attr]
    qtbot.keyClicks(combo.lineEdit(), LABELS[target][:-1].upper())
    qtbot.keyClick(combo.lineEdit(), Qt.Key.Key_Return)
    assert session.target == target
    assert combo.currentText() == LABELS[target]
    with qtbot.waitSignal(session.history.changed):
        opened.run()
    targets = session.history.entries[-1].result.targets
    assert targets is not None
    assert int(targets[0]) == target


def test_a_target_that_is_no_class_is_marked_and_refused(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    combo = opened.target
    combo.lineEdit().selectAll()  # type: ignore[union-attr]
    qtbot.keyClicks(combo.lineEdit(), "Yeild")
    qtbot.keyClick(combo.lineEdit(), Qt.Key.Key_Return)
    assert session.target is None
    assert combo.lineEdit().text() == "Yeild"  # type: ignore[union-attr]
    assert "No class of this model is called “Yeild”" in opened.message.text
    assert opened.message.kind == "error"
    assert not opened.can_run
    session.refresh()
    assert combo.lineEdit().text() == "Yeild"  # type: ignore[union-attr]
    opened.choose("universal")
    assert "Yeild" not in opened.message.text  # takes no target
    opened.choose("pgd")
    combo.lineEdit().selectAll()  # type: ignore[union-attr]
    qtbot.keyClicks(combo.lineEdit(), "Yield")
    qtbot.keyClick(combo.lineEdit(), Qt.Key.Key_Return)
    assert session.target == 1
    assert "Yeild" not in opened.message.text
    combo.lineEdit().selectAll()  # type: ignore[union-attr]
    qtbot.keyClicks(combo.lineEdit(), "99")
    qtbot.keyClick(combo.lineEdit(), Qt.Key.Key_Return)
    assert "No class of this model is called “99”" in opened.message.text
    combo.lineEdit().clear()  # type: ignore[union-attr]
    qtbot.keyClick(combo.lineEdit(), Qt.Key.Key_Return)
    assert combo.currentText() == "Yield"  # nothing typed: the one from before
    assert "99" not in opened.message.text


def test_a_sticker_attack_needs_a_sticker_and_forces_the_region(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    panel = opened
    panel.choose("sticker")
    assert "sticker" in panel.message.text
    assert panel.message.kind == "hint"
    assert not panel.can_run
    assert panel.stickers.isChecked()
    assert not panel.whole.isEnabled()
    session.commit_stickers((Sticker(1, 2, 2, 3, 3, Optimised()),), "Draw")
    assert panel.can_run
    with qtbot.waitSignal(session.history.changed):
        panel.run()
    content = session.stickers[0].content
    assert isinstance(content, Optimised)
    assert content.image is not None
    assert content.image.shape == (3, 3, 3)


def test_the_region_keeps_every_other_pixel(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    panel = opened
    assert not panel.stickers.isEnabled()
    session.commit_stickers((Sticker(1, 2, 2, 3, 3, Optimised()),), "Draw")
    click(qtbot, panel.stickers)
    assert session.region == "stickers"
    with qtbot.waitSignal(session.history.changed):
        panel.run()
    assert session.delta is not None
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[2:5, 2:5] = True
    assert float(session.delta[:, ~inside].abs().max()) == 0
    assert float(session.delta[:, inside].abs().max()) > 0


@pytest.mark.parametrize(("slug", "title"), [(slug, preset.title) for slug, attack in CATALOGUE.items() for preset in attack.presets])
def test_presets_are_attacks(panel: AttackDock, slug: str, title: str) -> None:
    panel.choose(slug)
    panel.form.set_values({"max_queries": 77})
    action = next(action for action in panel.presets.menu().actions() if action.text() == title)
    action.trigger()
    assert panel.attack == CATALOGUE[slug].build(**CATALOGUE[slug].preset(title).values)


def test_an_attack_keeps_its_parameters_while_another_is_looked_at(panel: AttackDock) -> None:
    panel.form.set_values({"steps": 7})
    panel.choose("fgsm")
    assert panel.attack == CATALOGUE["fgsm"]()
    panel.choose("pgd")
    assert panel.attack == CATALOGUE["pgd"].build(steps=7)
    panel.reset_button.click()
    assert panel.attack == CATALOGUE["pgd"]()


def test_an_attack_that_fails_says_so_and_the_panel_is_free(qtbot: QtBot, opened: AttackDock, session: Session) -> None:
    panel = opened
    entries: list[LogEntry] = []
    session.logged.connect(entries.append)
    panel.form.set_values({"max_queries": 1, "restarts": 3})  # not even the first step fits
    with qtbot.waitSignal(session.logged):
        panel.run()
    qtbot.waitUntil(lambda: not session.runs.running)
    assert entries
    assert panel.can_run


def test_at_300_pixels_nothing_is_cut(opened: AttackDock) -> None:
    panel = opened
    panel.panel.resize(300, 500)
    inner = panel.set_up
    assert inner.minimumSizeHint().width() <= 280


def test_advanced_stays_as_it_was_left(qtbot: QtBot, panel: AttackDock, session: Session) -> None:
    panel.choose("pgd")
    assert not panel.form.advanced.opened
    click(qtbot, panel.form.advanced.button)
    assert panel.form.advanced.opened
    panel.choose("mi-fgsm")
    assert panel.form.advanced.opened
    other = AttackPanel(session)  # as after a restart
    qtbot.addWidget(other)
    assert AttackDock(other, session).form.advanced.opened
    click(qtbot, panel.form.advanced.button)
    panel.choose("pgd")
    assert not panel.form.advanced.opened


def test_an_empty_eps_is_warned_of(panel: AttackDock, opened: AttackDock) -> None:
    panel.form.set_values({"eps": None})
    assert panel.message.text.startswith("eps is empty, so nothing limits")
    assert panel.message.kind == "hint"
    assert panel.can_run
    assert panel.field("eps").lineEdit().placeholderText() == "no limit"  # type: ignore[union-attr]
    panel.form.set_values({"eps": 0.1})
    assert panel.message.text == ""
