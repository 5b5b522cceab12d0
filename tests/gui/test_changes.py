"""Session.change: the one write path. One signal for what changed, one frame, one step to undo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtCore import SignalInstance

import engine
from engine.attacks import FGSM, PGD, StickerPGD
from engine.stickers import Colour, Optimised, Sticker
from gui.session.fields import SIGNALS
from gui.session.open_image import open_array, recrop
from gui.session.state import PLAN_FIELDS, STATE_FIELDS
from gui.session.swap_model import swap_classifier
from gui.shell.status_bar import StatusBar
from tests.gui.panel_scenes import attack, noise, open_image, small

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session

STICKER = Sticker(1, 2, 3, 4, 5, Colour((1.0, 0.0, 0.0)))


class Ear:
    """Hears every signal of a session, and what the session was at that moment."""

    def __init__(self, session: Session) -> None:
        self.heard: list[str] = []
        self.states: list[object] = []
        for name in (*SIGNALS, "imageChanging"):
            signal: SignalInstance = getattr(session, name)
            signal.connect(lambda name=name: self._hear(name, session))

    def _hear(self, name: str, session: Session) -> None:
        self.heard.append(name)
        self.states.append(session.state)


def frames(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The frames that are asked for from now on."""
    asked: list[str] = []
    ask = session.ask

    def noting(key: str, *arguments: object, **more: object) -> None:
        if key == "frame":
            asked.append(key)
        ask(key, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "ask", noting)
    return asked


@pytest.fixture
def opened(qtbot: QtBot, session: Session) -> Session:
    open_image(qtbot, session)
    return session


def test_every_field_has_a_signal_or_is_told_by_the_history() -> None:
    told = {name for names in SIGNALS.values() for name in names}
    assert set(STATE_FIELDS) | set(PLAN_FIELDS) == told | {"explaining", "opened", "run", "removed", "kept"}


def test_the_state_cannot_be_written_past_change(session: Session) -> None:
    for name in ("classifier", "clean", "stickers", "label", "plan", "ready"):
        with pytest.raises(AttributeError, match="change"):
            setattr(session, name, None)


def test_only_the_signals_of_what_changed_are_heard(opened: Session) -> None:
    ear = Ear(opened)
    opened.change(label=2)
    opened.change(label=2)
    opened.change(seed=5)
    opened.change(stickers=(STICKER,), selected=1)
    opened.change(stickers=(Sticker(1, 2, 3, 4, 5, Colour((1.0, 0.0, 0.0))),))  # the same again
    assert ear.heard == ["labelChanged", "planChanged", "stickersChanged", "selectionChanged"]


def test_nobody_sees_a_state_that_is_half_changed(qtbot: QtBot, opened: Session) -> None:
    before, ear = opened.state, Ear(opened)
    other = small(1, channels=1)
    opened.set_classifier(other, noise(channels=1), {"name": "grey"}, 3)
    assert ear.heard[0] == "imageChanging"
    assert ear.states[0] is before
    assert {id(state) for state in ear.states[1:]} == {id(opened.state)}
    assert ear.heard[1:] == ["classifierChanged", "imageChanged", "labelChanged"]
    assert (opened.classifier, opened.image["name"], opened.label) == (other, "grey", 3)


def test_a_frame_is_asked_for_only_where_the_scene_changes(opened: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = frames(opened, monkeypatch)
    opened.set_label(1)
    opened.set_target(2)
    opened.change(seed=3, region="stickers", selected=None)
    assert asked == []
    opened.change(stickers=(STICKER,), bounds={"1": 0.5}, explaining=True)
    assert len(asked) == 1
    opened.set_classifier(small(2), noise(2), {"name": "other"}, None)
    assert len(asked) == 2
    opened.change(bounds={"3": 1.0})
    assert len(asked) == 3


def test_a_drag_asks_once_a_move_and_not_again_at_its_release(opened: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.commit_stickers((STICKER,), "Draw")
    asked = frames(opened, monkeypatch)
    for x in (3, 4, 5, 6, 7):
        opened.drag_stickers((replace(STICKER, x=x),))
    opened.commit_stickers((replace(STICKER, x=7),), "Move", before=(STICKER,))
    assert len(asked) == 5
    assert opened.undo_stack.undoText() == "Move"
    opened.undo_stack.undo()
    assert opened.stickers == (STICKER,)
    opened.undo_stack.redo()
    assert opened.stickers == (replace(STICKER, x=7),)


# ---------------------------------------------------------------------- undo


def everything(session: Session) -> tuple[object, ...]:
    state, plan = session.state, session.plan
    opened = (state.classifier, state.photograph, state.clean, dict(state.image), state.label, state.target)
    made = (state.region, state.stickers, state.delta, state.grown, state.run, state.removed, dict(state.bounds))
    return (*opened, *made, plan.slug, plan.settings, plan.seed, plan.data, plan.start)


def test_every_step_is_undone_and_made_again_with_its_name(qtbot: QtBot, opened: Session) -> None:
    """A long way through everything that a person changes; back step by step, and forth again."""
    attack(qtbot, opened, PGD(steps=2))
    first = opened.history.entries[-1].number
    steps = (
        ("True label Yield", lambda: opened.set_label(1)),
        ("Target No entry", lambda: opened.set_target(2)),
        ("Draw", lambda: opened.commit_stickers((STICKER,), "Draw")),
        ("Bound", lambda: opened.set_bounds({"1": 0.5})),
        ("Choose FGSM", lambda: opened.change("Choose FGSM", **opened.plan.choosing("fgsm"))),
        ("Seed", lambda: opened.change("Seed", seed=9)),
        ("Clear perturbation", opened.clear_perturbation),
        ("Open other", lambda: opened.set_image(noise(5), {"name": "other"}, 4)),
        ("Load small", lambda: opened.set_classifier(small(3))),
        (f"Show #{first} PGD", lambda: opened.show_entry(first)),
        (f"Remove #{first} PGD", lambda: opened.remove_runs(first)),
        ("Lift bound", lambda: opened.change("Lift bound", bounds={"3": 1.0})),
    )
    opened.undo_stack.clear()
    seen = [everything(opened)]
    for name, step in steps:
        step()
        assert opened.undo_stack.undoText() == name
        seen.append(everything(opened))
    assert opened.undo_stack.count() == len(steps)
    for (name, _), before in zip(reversed(steps), reversed(seen[:-1]), strict=True):
        opened.undo_stack.undo()
        assert everything(opened) == before, name
        assert opened.undo_stack.redoText() == name
    for after in seen[1:]:
        opened.undo_stack.redo()
        assert everything(opened) == after


@pytest.mark.parametrize("made", [PGD(steps=3), FGSM()])
def test_a_finished_run_is_a_step(qtbot: QtBot, opened: Session, made: PGD | FGSM) -> None:
    attack(qtbot, opened, made)
    delta, entry = opened.delta, opened.history.shown
    assert delta is not None
    assert opened.undo_stack.undoText() == made.title
    opened.undo_stack.undo()
    assert opened.delta is None
    assert opened.history.shown is None
    assert opened.history.entries == (entry,)  # what was worked out stays in the history
    opened.undo_stack.redo()
    assert opened.delta is delta
    assert opened.history.shown is entry


def test_a_sticker_attack_is_one_step(qtbot: QtBot, opened: Session) -> None:
    opened.commit_stickers((Sticker(1, 2, 2, 6, 6, Optimised()),), "Draw")
    before, steps = opened.stickers, opened.undo_stack.count()
    attack(qtbot, opened, StickerPGD(steps=2))
    assert opened.undo_stack.count() == steps + 1
    assert opened.stickers != before
    opened.undo_stack.undo()
    assert opened.stickers == before


def test_a_removed_run_comes_back(qtbot: QtBot, opened: Session) -> None:
    for steps in (1, 2, 3):
        attack(qtbot, opened, PGD(steps=steps))
    one, two, three = opened.history.entries
    opened.remove_runs(one.number, three.number)
    assert opened.history.entries == (two,)
    assert opened.history.shown is None
    assert opened.undo_stack.undoText() == "Remove 2 runs"
    opened.undo_stack.undo()
    assert opened.history.entries == (one, two, three)
    assert opened.history.shown is three
    opened.undo_stack.redo()
    assert opened.history.entries == (two,)


def test_a_run_that_is_forgotten_for_memory_is_a_removed_one_first(qtbot: QtBot, opened: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in (1, 2, 3):
        attack(qtbot, opened, PGD(steps=steps))
    one, two, three = opened.history.entries
    opened.remove_runs(two.number)
    monkeypatch.setattr(opened.history, "_max_bytes", one.bytes + three.bytes + 2 * one.bytes - one.bytes)
    attack(qtbot, opened, PGD(steps=1))
    assert opened.history.entries[:2] == (one, three)
    opened.undo_stack.undo()  # the run
    opened.undo_stack.undo()  # its removal: it is gone for good, and nothing else changes
    assert opened.history.entries[:2] == (one, three)


def test_edits_of_one_thing_that_follow_each_other_are_one_step(opened: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("gui.session.undo.time.monotonic", lambda: now[0])
    opened.undo_stack.clear()
    for seed in (1, 2, 3):
        opened.change("Seed", key="seed", seed=seed)
        now[0] += 0.5
    assert opened.undo_stack.count() == 1
    opened.set_bounds({"1": 0.5})
    opened.set_bounds({"1": 0.7})
    assert opened.undo_stack.count() == 2
    opened.change("Seed", key="seed", seed=4)
    assert opened.undo_stack.count() == 3
    now[0] += 10
    opened.change("Seed", key="seed", seed=5)
    assert opened.undo_stack.count() == 4
    for seed in (4, 3):
        opened.undo_stack.undo()
        assert opened.plan.seed == seed
    opened.undo_stack.undo()
    assert opened.bounds == {}
    opened.undo_stack.undo()
    assert opened.plan.seed == 0


def test_an_edit_that_is_taken_back_by_hand_leaves_no_step(opened: Session) -> None:
    opened.undo_stack.clear()
    opened.change("Seed", key="seed", seed=1)
    opened.change("Seed", key="seed", seed=0)
    assert not opened.undo_stack.canUndo()


def test_undo_leaves_alone_what_the_step_did_not_change(opened: Session) -> None:
    opened.set_label(1)
    opened.change(live=False, explaining=True, selected=None)
    opened.undo_stack.undo()
    assert opened.label is None
    assert not opened.plan.live
    assert opened.explaining


def test_the_stack_is_bounded(opened: Session) -> None:
    for number in range(300):
        opened.change("Seed", seed=number + 1)
    assert opened.undo_stack.count() == opened.undo_stack.undoLimit() == 100


def test_opening_an_image_keeps_the_stickers_and_undo_brings_both_back(opened: Session) -> None:
    clean = opened.clean
    opened.commit_stickers((STICKER,), "Draw")
    opened.change(region="stickers", delta=torch.zeros(3, 16, 16))
    delta = opened.delta
    opened.set_image(noise(7), {"name": "panda.png"}, 2)
    assert opened.stickers == (STICKER,)
    assert (opened.delta, opened.region) == (None, "stickers")
    assert opened.undo_stack.undoText() == "Open panda.png"
    opened.undo_stack.undo()
    assert opened.clean is clean
    assert opened.delta is delta
    assert opened.stickers == (STICKER,)


def test_the_first_model_is_no_step(opened: Session) -> None:
    assert not opened.undo_stack.canUndo()


# ---------------------------------------------------------------------- the crop, another model, an image during a run


@pytest.fixture
def photographed(qtbot: QtBot, opened: Session) -> Session:
    """A photograph of 60 x 40 pixels on the canvas."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    with qtbot.waitSignal(opened.photographChanged):
        open_array(opened, pixels, "landscape")
    return opened


def crop(qtbot: QtBot, session: Session, rectangle: tuple[int, int, int, int]) -> None:
    with qtbot.waitSignal(session.imageChanged):
        recrop(session, rectangle)


def test_a_crop_is_a_step_and_crops_in_a_row_are_one(qtbot: QtBot, photographed: Session) -> None:
    clean, before = photographed.clean, list(photographed.image["crop"])
    photographed.change(delta=torch.full((3, 16, 16), 0.1))
    delta, steps = photographed.delta, photographed.undo_stack.count()
    for left in (1, 2, 3):
        crop(qtbot, photographed, (left, 2, 20, 20))
    assert photographed.undo_stack.count() == steps + 1
    assert photographed.undo_stack.undoText() == "Crop"
    assert photographed.image["crop"] == [3, 2, 20, 20]
    photographed.undo_stack.undo()
    assert photographed.clean is clean
    assert photographed.delta is delta
    assert photographed.image["crop"] == before
    photographed.undo_stack.redo()
    assert photographed.image["crop"] == [3, 2, 20, 20]


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 24, 24), (1, 16, 16)])
def test_another_model_keeps_the_crop(qtbot: QtBot, photographed: Session, shape: tuple[int, int, int]) -> None:
    crop(qtbot, photographed, (3, 2, 20, 20))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(shape[0] * shape[1] * shape[2], 4))
    other = engine.Classifier(module, list("abcd"), shape, name="other", device="cpu")
    with qtbot.waitSignal(photographed.classifierChanged):
        swap_classifier(photographed, lambda: other, busy="", done=lambda _: None, failed=lambda _: None)
    assert photographed.image["crop"] == [3, 2, 20, 20]
    assert photographed.clean.shape == shape
    assert photographed.undo_stack.undoText() == "Load other"
    photographed.undo_stack.undo()
    assert photographed.classifier.name == "small"
    assert photographed.clean.shape == (3, 16, 16)


def test_a_model_of_another_rectangle_takes_its_own_crop(qtbot: QtBot, photographed: Session) -> None:
    crop(qtbot, photographed, (3, 2, 20, 20))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 16, 4))
    wide = engine.Classifier(module, list("abcd"), (3, 8, 16), name="wide", device="cpu")
    with qtbot.waitSignal(photographed.classifierChanged):
        swap_classifier(photographed, lambda: wide, busy="", done=lambda _: None, failed=lambda _: None)
    _, _, width, height = photographed.image["crop"]
    assert width == 2 * height


@pytest.mark.parametrize("how", ["image", "model", "run", "undo"])
def test_what_ends_a_run_keeps_its_best_and_says_so(qtbot: QtBot, opened: Session, how: str) -> None:
    attack(qtbot, opened, PGD(steps=1))
    opened.set_image(noise(3), {"name": "other"})
    told: list[str] = []
    opened.notice.connect(told.append)
    opened.runs.start(PGD(steps=100_000))
    qtbot.waitUntil(lambda: opened.runs.job is not None and opened.runs.job.index > 2)
    {
        "image": lambda: opened.set_image(noise(4), {"name": "panda.png"}),
        "model": lambda: opened.set_classifier(small(2), noise(4), {"name": "panda.png"}),
        "run": lambda: opened.show_entry(opened.history.entries[0].number),
        "undo": opened.undo_stack.undo,
    }[how]()
    qtbot.waitUntil(lambda: len(opened.history.entries) == 2 and not opened.runs.running)
    kept = opened.history.entries[-1]
    assert str(kept.result.reason) == "cancelled"
    assert kept.result.steps_to_flip.shape == (1,)
    assert told == [f"{kept.title} was ended when something else was opened. Its best image so far is kept with the finished runs."]
    opened.show_entry(kept.number)
    assert opened.image["name"] == "other"


# ---------------------------------------------------------------------- what is said


def test_an_error_leaves_the_status_bar_when_something_newer_happens(
    qtbot: QtBot, opened: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.shell.status_bar.SAME_ACTION_MS", -1)  # nothing counts as a part of the action before
    bar = StatusBar(opened)
    qtbot.addWidget(bar)
    for newer in (
        lambda: opened.set_image(noise(3), {"name": "other"}),
        lambda: opened.set_classifier(small(4)),
        lambda: opened.set_label(2),
        opened.undo_stack.undo,
    ):
        opened.log("error", "trunc.jpg is damaged.")
        assert bar.message.text() == "trunc.jpg is damaged."
        newer()
        assert bar.message.text() == ""
        assert not bar.alert.isVisibleTo(bar)
    opened.notice.emit("The clean image is on the clipboard.")
    opened.set_label(3)
    assert bar.message.text() == ""


@pytest.mark.parametrize("goal", ["label", "target"])
def test_an_attack_on_an_image_that_is_misread_already_is_not_called_a_success_of_its_own(qtbot: QtBot, opened: Session, goal: str) -> None:
    from gui.session.run_facts import run_facts

    assert opened.state.prediction is not None
    other = (opened.state.prediction + 1) % 6
    opened.change(label=other, target=opened.state.prediction if goal == "target" else None)
    said: list[str] = []
    opened.logged.connect(lambda entry: said.append(entry.text))
    attack(qtbot, opened, PGD(steps=1))
    (run,) = opened.history.entries
    facts = run_facts(run)
    assert facts.sign == "already"
    assert facts.figures["success"] == "no: so it was before the attack"
    why = "takes the image for the target" if goal == "target" else "misreads the image"
    assert any(f"PGD had nothing to do, as the model {why} without it" in text for text in said)
    assert facts.remark.startswith("The model ")


def test_a_success_of_the_attack_s_own_is_called_one(qtbot: QtBot, opened: Session) -> None:
    from gui.session.run_facts import run_facts

    opened.change(label=opened.state.prediction)
    attack(qtbot, opened, PGD(steps=20, eps=0.5))
    facts = run_facts(opened.history.entries[-1])
    assert facts.sign == "success"
    assert facts.figures["success"] == "yes"
