"""Studies in the window: saved by themselves and on demand, opened in the place of another, never lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

import engine
from engine import attacks
from engine import study as studies
from engine.file_lock import FileLock, began_at
from engine.stickers import Colour, Optimised, Sticker
from gui.session.session import Session
from gui.session.stand_in import is_stand_in
from gui.session.start_image import start_image
from gui.session.studies import places
from gui.session.studies.keeper import StudyKeeper
from tests.gui.driving import Hold, until

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.log_entry import LogEntry


@pytest.fixture(scope="module")
def signs() -> engine.Classifier:
    return engine.models.load("signs", device="cpu")


@pytest.fixture
def made(qapp: object, tmp_path: Path) -> Iterator[Callable[[], Session]]:
    """Make sessions that save themselves in one folder."""
    sessions: list[Session] = []

    def make() -> Session:
        session = Session()
        session.lane.start()
        session.background.start()
        session.studies.begin(tmp_path / "sessions")
        session.change(ready=True)
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        assert session.shut_down()


@pytest.fixture
def here(made: Callable[[], Session], signs: engine.Classifier) -> Session:
    """A session with the stop sign, a sticker and two runs."""
    session = made()
    open_stop_sign(session, signs)
    session.commit_stickers((Sticker(1, 2, 3, 8, 7, Colour((1.0, 0.0, 0.0))),), "Draw")
    for eps in (0.01, 0.02):
        attack(session, attacks.FGSM(eps=eps))
    return session


def open_stop_sign(session: Session, classifier: engine.Classifier) -> None:
    from gui.session.swap_model import show_classifier, with_image

    show_classifier(session, with_image(classifier, None, None, None))
    session.undo_stack.clear()
    until(lambda: session.frame is not None, "the first frame")


def attack(session: Session, operation: Any) -> None:
    before = len(session.history.entries)
    session.runs.start(operation)
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the end of the attack")
    until(lambda: session.frame is not None and session.frame.scene.delta is session.delta, "the frame of its result")


def save(session: Session, path: Path | None = None) -> Path:
    """Save, on demand with a path, and wait for it."""
    done: list[Path] = []
    session.studies.saved.connect(done.append)
    if path is None:
        session.studies.autosave()
    else:
        session.studies.save(path)
    until(lambda: done, "the save")
    session.studies.saved.disconnect(done.append)
    return done[0]


def reopen(session: Session, path: Path, **options: Any) -> None:
    """Open a study in a session, and wait until it is shown under its model."""
    came: list[bool] = []
    session.studies.changed.connect(lambda: came.append(True))
    session.studies.open(path, **options)
    until(lambda: came, "the study")
    until(lambda: session.frame is not None and not is_stand_in(session.classifier), "the study's first frame")


def held_by(lock: FileLock, pid: int) -> None:
    """Write a lock as another process of this computer does."""
    lock.path.write_text(json.dumps({"pid": pid, "host": socket.gethostname(), "began": began_at(pid)}))


def heard(session: Session) -> list[LogEntry]:
    entries: list[LogEntry] = []
    session.logged.connect(entries.append)
    return entries


# ---------------------------------------------------------------------- there and back


def test_a_replayed_run_comes_back_with_its_mask_its_row_and_its_comparison(
    here: Session, made: Callable[[], Session], tmp_path: Path
) -> None:
    run, mask = here.history.attacks[-1], torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(3))
    replayed = studies.Replayed("stop.json", False, "Other bits.")
    number = max(entry.number for entry in here.history.entries) + 1
    here.adopt(replace(run, number=number, inputs=replace(run.inputs, mask=mask, row=4), replayed=replayed))
    other = made()
    reopen(other, save(here, tmp_path / "mine.gibbon"))
    again = other.history.attacks[-1]
    assert again.inputs.mask is not None
    assert torch.equal(again.inputs.mask, mask)
    assert (again.inputs.row, again.replayed) == (4, replayed)


def test_everything_comes_back_in_another_session(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    here.set_label(here.state.labels.index("Yield"))
    here.change("Seed", seed=7)
    path = save(here, tmp_path / "mine.gibbon")
    other = made()
    reopen(other, path)
    state, before = other.state, here.state
    assert torch.equal(state.clean, before.clean)  # type: ignore[arg-type]
    assert torch.equal(state.delta, before.delta)  # type: ignore[arg-type]
    assert state.stickers == before.stickers
    assert (state.label, state.plan.seed, dict(state.image)) == (before.label, 7, dict(before.image))
    assert [run.title for run in other.history.entries] == [run.title for run in here.history.entries]
    for one, again in zip(here.history.attacks, other.history.attacks, strict=True):
        assert torch.equal(one.result.adversarial, again.result.adversarial)
        assert torch.equal(one.result.trace, again.result.trace)
        assert again.result.classifier is other.classifier, "the model has taken the place of its stand-in"
        assert one.timeline is not None
        assert again.timeline is not None
        assert len(one.timeline.settled) == len(again.timeline.settled)
    assert other.history.shown is not None
    assert here.history.shown is not None
    assert other.history.shown.number == here.history.shown.number
    assert other.frame.observation.adversarial_prediction == here.frame.observation.adversarial_prediction  # type: ignore[union-attr]


def test_restoring_is_no_undo_step_and_runs_go_on_counting(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    path = save(here, tmp_path / "mine.gibbon")
    other = made()
    reopen(other, path)
    assert other.undo_stack.count() == 0
    assert not other.studies.is_unsaved
    last = other.history.entries[-1].number
    attack(other, attacks.FGSM(eps=0.03))
    assert other.history.entries[-1].number == last + 1
    assert other.studies.is_unsaved
    other.undo_stack.undo()
    assert other.delta is not None, "undo takes back the new run, and nothing of the study"


def test_a_removed_run_is_kept_for_undo_but_not_listed(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    here.remove_runs(here.history.entries[0].number)
    path = save(here, tmp_path / "mine.gibbon")
    other = made()
    reopen(other, path)
    assert len(other.history.entries) == 1
    assert len(other.history.every) == 2


def test_a_sticker_attack_comes_back_shown(made: Callable[[], Session], signs: engine.Classifier, tmp_path: Path) -> None:
    session = made()
    open_stop_sign(session, signs)
    session.commit_stickers((Sticker(1, 10, 10, 8, 8, Optimised()), Sticker(2, 0, 0, 4, 4, Colour())), "Draw")
    before = len(session.history.entries)
    session.runs.start(attacks.StickerPGD(steps=3))
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the end of the attack")
    path = save(session, tmp_path / "mine.gibbon")
    other = made()
    reopen(other, path)
    assert other.history.shown is not None
    assert other.history.shown.scene.stickers == other.stickers


def test_a_run_can_be_shown_again_in_the_other_session(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    path = save(here, tmp_path / "mine.gibbon")
    other = made()
    reopen(other, path)
    first = other.history.attacks[0]
    other.show_entry(first.number)
    assert other.history.shown is first
    attack(other, attacks.FGSM(eps=0.05))


# ---------------------------------------------------------------------- models


def own_model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = engine.models.ARCHITECTURES["signs"].build()
    torch.save(network.state_dict(), tmp_path / "mine.pt")
    return tmp_path / "mine.pt"


def test_without_its_model_a_study_shows_pictures_numbers_and_one_sentence(made: Callable[[], Session], tmp_path: Path) -> None:
    weights = own_model(tmp_path)
    session = made()
    open_stop_sign(session, engine.models.load(weights, architecture="signs", device="cpu"))
    session.commit_stickers((Sticker(1, 2, 3, 8, 7, Colour((1.0, 0.0, 0.0))),), "Draw")
    attack(session, attacks.FGSM(eps=0.02))
    seen = session.frame.observation  # type: ignore[union-attr]
    path = save(session, tmp_path / "mine.gibbon")
    weights.rename(tmp_path / "gone.pt")

    other = made()
    said = heard(other)
    other.studies.open(path)
    until(lambda: other.frame is not None and any("is not loaded" in entry.text for entry in said), "the frame and the sentence")
    assert is_stand_in(other.classifier)
    assert torch.equal(other.frame.observation.adversarial_logits, seen.adversarial_logits)  # type: ignore[union-attr]
    assert torch.equal(other.frame.observation.clean_logits, seen.clean_logits)  # type: ignore[union-attr]
    assert [entry.kind for entry in said if "mine" in entry.text and entry.kind != "info"] == ["warning"]
    assert is_stand_in(other.history.attacks[0].result.classifier)
    assert other.loaded.models == ()
    start = start_image(seen.clean_image.flip(0), other.classifier, "start")  # type: ignore[arg-type]
    assert start.prediction is None, "it was not recorded, so it is not asked about"
    assert not [entry.text for entry in said if entry.kind == "error"], "no panel asks what a stand-in cannot know"

    # Saved again, and opened where the model is there, nothing is lost.
    again = save(other, tmp_path / "again.gibbon")
    (tmp_path / "gone.pt").rename(weights)
    third = made()
    reopen(third, again)
    assert torch.equal(third.history.attacks[0].result.adversarial, session.history.attacks[0].result.adversarial)
    assert torch.equal(third.frame.observation.adversarial_logits, seen.adversarial_logits)  # type: ignore[union-attr]

    # The user opens the model by hand: everything on the canvas stays.
    other.set_classifier(engine.models.load(weights, architecture="signs", device="cpu"))
    assert not is_stand_in(other.classifier)
    assert other.history.shown is not None
    assert other.history.shown.result.classifier is other.classifier
    attack(other, attacks.FGSM(eps=0.01))


def test_the_trust_lights_of_a_run_are_kept_also_without_its_model(made: Callable[[], Session], tmp_path: Path) -> None:
    weights = own_model(tmp_path)
    session = made()
    open_stop_sign(session, engine.models.load(weights, architecture="signs", device="cpu"))
    session.change(label=int(session.classifier.predict(session.clean[None])[0]))  # type: ignore[union-attr, index]
    attack(session, attacks.PGD(eps=0.01, steps=3))
    until(lambda: session.trust.lights, "the cheap lights")
    path = save(session, tmp_path / "mine.gibbon")
    assert not session.studies.is_unsaved
    session.trust.measure()
    until(lambda: not session.trust.runner.running and session.trust.obstacle == "All lights are measured.", "the other lights")
    assert session.studies.is_unsaved, "a measurement is work"
    lights, warnings = session.trust.lights, session.trust.warnings(session.history.attacks[0])
    save(session, path)
    assert not session.studies.is_unsaved

    other = made()
    reopen(other, path)
    assert other.trust.lights == lights
    assert other.trust.warnings(other.history.attacks[0]) == warnings
    assert other.trust.obstacle == "All lights are measured."
    assert not other.studies.is_unsaved

    weights.rename(tmp_path / "gone.pt")
    third = made()
    third.studies.open(path)
    until(lambda: third.frame is not None and is_stand_in(third.classifier), "the frame")
    assert third.trust.lights == lights
    assert third.trust.obstacle
    (tmp_path / "gone.pt").rename(weights)
    third.set_classifier(engine.models.load(weights, architecture="signs", device="cpu"))
    assert not is_stand_in(third.history.attacks[0].result.classifier)
    assert third.trust.lights == lights, "the run under its model has the lights of the one under the stand-in"
    again = made()
    reopen(again, save(third, tmp_path / "again.gibbon"))
    assert again.trust.lights == lights


@pytest.mark.parametrize("recorded", [True, False])
def test_without_its_model_the_losses_and_the_recorded_iterates_are_shown(
    made: Callable[[], Session], tmp_path: Path, qtbot: QtBot, recorded: bool
) -> None:
    from gui.panels.timeline import TimelineFoot
    from gui.panels.timeline.panel import HEIGHT
    from tests.gui.panel_scenes import show

    weights = own_model(tmp_path)
    network = engine.models.load(weights, architecture="signs", device="cpu")
    images, timeline = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)), engine.Timeline()
    result = engine.run(attacks.PGD(steps=5), network, images, record=timeline)
    path = studies.write(studies.Study.of(result, timelines=[timeline] if recorded else []), tmp_path / "mine.gibbon")
    weights.rename(tmp_path / "gone.pt")

    session = made()
    said = heard(session)
    session.studies.open(path)
    until(lambda: session.frame is not None, "the frame")
    foot: TimelineFoot = show(qtbot, TimelineFoot(session), 640, HEIGHT)
    assert is_stand_in(session.classifier)
    assert foot.strip.curve.losses.tolist() == pytest.approx(result.trace[:, 1].tolist())
    assert foot.play_button.isEnabled() == foot.strip.isEnabled() == recorded
    if not recorded:
        assert (foot.numbers.number, foot.numbers.word) == ("5", "iterations")
        assert (foot.loss.number, foot.loss.word) == (foot.strip.curve.text(float(result.trace[-1, 1])), "last loss")
        assert "were not kept" in foot.play_button.toolTip()
        assert "were not kept" in foot.strip.toolTip()
        return
    for step in timeline.steps[1:4]:
        session.moments.show(step.index)
        until(lambda step=step: session.frame.step == step.index, "the frame of the iterate")  # type: ignore[misc, union-attr]
        seen = session.frame.observation  # type: ignore[union-attr]
        assert torch.equal(seen.adversarial_image, step.adversarial[1])
        assert torch.equal(seen.adversarial_logits, step.logits[1])  # type: ignore[index]
        assert foot.numbers.number == f"{step.index}/5"
    assert not [entry.text for entry in said if entry.kind == "error"]


def test_undo_to_a_stand_in_finds_the_loaded_model(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    other_model = engine.models.load("signs-bounded", device="cpu")
    here.set_classifier(other_model)
    until(lambda: here.frame is not None, "the frame")
    attack(here, attacks.FGSM(eps=0.02))
    path = save(here, tmp_path / "mine.gibbon")
    other = made()
    reopen(other, path)
    first = other.history.attacks[0]
    assert is_stand_in(first.result.classifier), "a model that is not on the canvas is loaded when it is needed"
    other.show_entry(first.number)
    until(lambda: not is_stand_in(other.classifier), "the model of the first run")
    assert other.history.shown is not None
    assert other.history.shown.number == first.number
    other.undo_stack.undo()
    assert other.classifier is not None
    assert other.classifier.name == other_model.name
    other.undo_stack.redo()
    until(lambda: not is_stand_in(other.classifier), "the model again")


# ---------------------------------------------------------------------- saving by itself


def test_nothing_is_saved_before_anything_was_done(made: Callable[[], Session], signs: engine.Classifier, tmp_path: Path) -> None:
    session = made()
    open_stop_sign(session, signs)
    session.studies.autosave()
    assert session.shut_down()
    assert not (tmp_path / "sessions").exists()


def test_a_session_saves_itself_in_its_own_file_and_only_when_something_changed(here: Session, tmp_path: Path) -> None:
    path = save(here)
    assert path.parent == tmp_path / "sessions"
    assert places.is_session_file(path, tmp_path / "sessions")
    stamp = path.stat().st_mtime_ns
    here.studies.autosave()
    assert not here.studies._saver.busy
    here.change("Seed", seed=11)
    save(here)
    assert path.stat().st_mtime_ns > stamp
    assert studies.read(path).plan.seed == 11


def test_after_saving_on_demand_it_saves_itself_there(here: Session, tmp_path: Path) -> None:
    own = save(here)
    named = save(here, tmp_path / "mine")
    assert named == tmp_path / "mine.gibbon"
    assert not own.exists()
    assert here.studies.name == "mine"
    here.change("Seed", seed=11)
    assert save(here) == named
    assert studies.read(named).plan.seed == 11


def test_closing_saves_what_has_changed(here: Session, tmp_path: Path) -> None:
    named = save(here, tmp_path / "mine.gibbon")
    here.change("Seed", seed=12)
    assert here.shut_down()
    assert studies.read(named).plan.seed == 12
    assert not list(tmp_path.glob(".*.lock"))


def test_closing_during_a_run_keeps_its_best_so_far(here: Session, tmp_path: Path) -> None:
    named = save(here, tmp_path / "mine.gibbon")
    here.runs.start(attacks.PGD(steps=100_000))
    until(lambda: here.runs.job is not None and here.runs.job.index > 3, "some steps")
    assert here.shut_down()
    last = studies.read(named).runs[-1]
    assert last.result.operation.slug == "pgd"
    assert last.result.reason == "cancelled"


def test_a_run_in_progress_is_saved_with_its_best_so_far(here: Session, made: Callable[[], Session]) -> None:
    count, number = len(here.history.every), here.history.next_number
    here.runs.start(attacks.PGD(steps=100_000))
    until(lambda: here.runs.job is not None and here.runs.job.index > 3, "some steps")
    path = save(here)
    assert here.runs.running, "saving does not end it"
    assert len(here.history.every) == count
    kept = studies.read(path).runs
    assert len(kept) == count + 1
    assert (kept[-1].number, kept[-1].result.operation.slug, kept[-1].result.reason) == (number, "pgd", "cancelled")
    here.runs.cancel()
    until(lambda: len(here.history.every) > count, "the run")
    assert here.history.every[-1].number == number
    assert here.studies.is_unsaved
    assert len(studies.read(save(here)).runs) == count + 1
    assert not here.studies.is_unsaved


def test_taking_the_snapshot_takes_the_main_thread_no_time(here: Session) -> None:
    import time

    for eps in range(3, 20):
        attack(here, attacks.FGSM(eps=eps / 100))
    taken = []
    for _ in range(20):
        began = time.thread_time()
        assert here.studies.is_unsaved
        here.studies.snapshot()
        taken.append(time.thread_time() - began)
    assert min(taken) < 0.005


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS], ids=["full disk", "read-only"])
def test_a_place_that_cannot_be_written_is_told_once_and_the_work_is_saved_elsewhere(
    number: int, here: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = save(here, tmp_path / "mine.gibbon")
    real, said = os.replace, heard(here)

    def fails(source: Any, target: Any) -> None:
        if Path(target) == named:
            raise OSError(number, os.strerror(number))
        real(source, target)

    monkeypatch.setattr(os, "replace", fails)
    for seed in (21, 22):
        here.change("Seed", seed=seed)
        assert save(here).parent == tmp_path / "sessions"
    monkeypatch.undo()
    warnings = [entry.text for entry in said if entry.kind == "warning"]
    assert len(warnings) == 1
    assert "cannot be written" in warnings[0]
    assert "Until then the work is saved in" in warnings[0]
    assert studies.read(save_elsewhere(here)).plan.seed == 22
    assert studies.read(named).plan.seed != 22, "the file itself is the one before, whole"


def save_elsewhere(session: Session) -> Path:
    own = session.studies._file
    assert own is not None
    return own


def test_a_study_keeps_its_lock_where_saving_elsewhere_fails(here: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, other = save(here, tmp_path / "mine.gibbon"), tmp_path / "other.gibbon"
    real = os.replace

    def fails(source: Any, target: Any) -> None:
        if Path(target) in refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, "replace", fails)
    refused = [other]
    here.studies.save(other)
    until(lambda: not here.studies._saver.busy, "the failed save")
    assert here.studies.path == named
    assert FileLock(named).path.exists(), "no other window may take the study for its own"
    assert not FileLock(other).path.exists()
    refused = [named]
    here.change("Seed", seed=21)
    assert save(here).parent == tmp_path / "sessions"
    assert FileLock(named).path.exists(), "nor while it is saved elsewhere by itself"
    refused = []
    here.change("Seed", seed=22)
    assert save(here) == named
    assert FileLock(named).path.exists()


def test_a_folder_that_is_gone_is_not_made_again_and_the_work_is_saved_elsewhere(here: Session, tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    save(here, tmp_path / "drive" / "mine.gibbon")
    shutil.rmtree(tmp_path / "drive")
    said = heard(here)
    here.change("Seed", seed=5)
    assert save(here).parent == tmp_path / "sessions"
    assert not (tmp_path / "drive").exists()
    (warning,) = [entry.text for entry in said if entry.kind == "warning"]
    assert "there is no folder" in warning
    assert "Until then the work is saved in" in warning


def test_a_run_that_a_study_cannot_hold_is_told_once_and_everything_else_is_saved(here: Session) -> None:
    class Mine(attacks.FGSM):
        slug = "mine"
        title = "Mine"

    said, count = heard(here), len(here.history.every)
    attack(here, Mine(eps=0.02))
    for seed in (1, 2):
        here.change("Seed", seed=seed)
        path = save(here)
    warnings = [entry.text for entry in said if entry.kind == "warning"]
    assert len(warnings) == 1
    assert "“Mine” is in no catalogue" in warnings[0]
    assert len(studies.read(path).runs) == count


def test_where_nothing_can_be_written_it_is_told_once_and_work_goes_on(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    said = heard(here)

    def fails(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fails)
    for seed in (1, 2, 3):
        here.change("Seed", seed=seed)
        here.studies.autosave()
        until(lambda: not here.studies._saver.busy, "the failed save")
    monkeypatch.undo()
    assert len([entry for entry in said if entry.kind == "warning"]) == 1
    attack(here, attacks.FGSM(eps=0.03))
    save(here)


# ---------------------------------------------------------------------- another study


def test_opening_another_study_saves_the_present_one_first(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    first = save(here, tmp_path / "first.gibbon")
    second = made()
    reopen(second, first, copy=True)
    second.change("Seed", seed=31)
    other = save(second, tmp_path / "second.gibbon")
    assert second.shut_down()
    here.change("Seed", seed=32)
    reopen(here, other)
    assert here.studies.path == other
    assert here.plan.seed == 31
    until(lambda: not here.studies._saver.busy, "the save of the first")
    assert studies.read(first).plan.seed == 32


def test_opening_a_study_during_a_run_keeps_its_best_so_far_in_the_study_that_it_belongs_to(
    here: Session, made: Callable[[], Session], tmp_path: Path
) -> None:
    first = save(here, tmp_path / "first.gibbon")
    other = made()
    reopen(other, first, copy=True)
    second = save(other, tmp_path / "second.gibbon")
    assert other.shut_down()
    count = len(here.history.entries)
    here.runs.start(attacks.PGD(steps=100_000))
    until(lambda: here.runs.job is not None and here.runs.job.index > 3, "some steps")
    here.studies.open(second)
    until(lambda: here.studies.path == second, "the other study")
    assert not here.runs.running
    assert len(here.history.entries) == count
    until(lambda: not here.studies._saver.busy, "the save of the first")
    kept = studies.read(first).runs
    assert len(kept) == count + 1
    assert kept[-1].result.reason == "cancelled"


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let every save wait until the event is set, as on a slow disk."""
    import gui.session.studies.saver as saver

    let_go, write = threading.Event(), saver.write

    def slow(snapshot: Any, path: Path) -> Any:
        assert let_go.wait(60)
        return write(snapshot, path)

    monkeypatch.setattr(saver, "write", slow)
    yield let_go
    let_go.set()


def two_studies(here: Session, made: Callable[[], Session], tmp_path: Path) -> tuple[Path, Path]:
    """Save the present study, and another one that nobody holds."""
    first = save(here, tmp_path / "first.gibbon")
    other = made()
    reopen(other, first, copy=True)
    second = save(other, tmp_path / "second.gibbon")
    assert other.shut_down()
    return first, second


def test_the_lock_of_a_study_that_is_left_is_held_until_its_save_has_landed(
    here: Session, made: Callable[[], Session], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first, second = two_studies(here, made, tmp_path)
    let_go: threading.Event = request.getfixturevalue("slow_disk")
    here.change("Seed", seed=61)
    here.studies.open(second)
    until(lambda: here.studies.path == second, "the other study")
    assert FileLock(first).path.exists(), "the file is about to change"
    assert studies.read(first).plan.seed != 61
    here.studies.open(first)  # it waits for what is still to come
    assert here.studies.path == second
    let_go.set()
    until(lambda: here.studies.path == first, "the first study again")
    assert here.plan.seed == 61, "nothing of it was lost"
    assert FileLock(first).path.exists(), "it is held once more"
    until(lambda: not here.studies._saver.busy, "the saves")
    assert not FileLock(second).path.exists()
    assert here.shut_down()
    assert not list(tmp_path.rglob(".*.lock"))


def test_a_study_is_not_left_before_it_has_got_the_file_that_was_asked_for(
    here: Session, made: Callable[[], Session], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _, second = two_studies(here, made, tmp_path)
    let_go: threading.Event = request.getfixturevalue("slow_disk")
    stamp, third = second.read_bytes(), tmp_path / "third.gibbon"
    here.change("Seed", seed=62)
    here.studies.save(third)
    here.studies.open(second)
    until(lambda: FileLock(second).path.exists(), "the lock of the second")
    let_go.set()
    until(lambda: here.studies.path == second, "the other study")
    until(lambda: not here.studies._saver.busy, "the saves")
    assert here.studies.path == second, "the save of the study before does not give this one its name"
    assert studies.read(third).plan.seed == 62
    assert second.read_bytes() == stamp


def test_closing_while_a_study_is_being_opened_leaves_no_lock(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    first, second = two_studies(here, made, tmp_path)
    hold = Hold(here, background=True)
    here.studies.open(second)
    assert FileLock(second).path.exists()
    hold.release()
    assert here.shut_down()
    assert not list(tmp_path.rglob(".*.lock"))
    assert first.is_file()


def test_a_study_that_a_crash_left_says_so_when_it_is_opened(here: Session, made: Callable[[], Session], tmp_path: Path) -> None:
    _, second = two_studies(here, made, tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    FileLock(second).path.write_text(json.dumps({"pid": ended.pid, "host": socket.gethostname(), "began": 1.0}))
    said: list[str] = []
    here.notice.connect(said.append)
    reopen(here, second)
    (sentence,) = [text for text in said if "in order" in text]
    assert sentence.startswith("Gibbon did not end in order. “second” is back as it was saved at ")
    assert sentence.endswith(", with 2 runs.")
    assert not [text for text in said if "was opened" in text]


def test_a_damaged_study_leaves_everything_as_it_was(here: Session, tmp_path: Path) -> None:
    path = save(here, tmp_path / "mine.gibbon")
    broken = tmp_path / "broken.gibbon"
    broken.write_bytes(path.read_bytes()[:-100])
    state, entries, said = here.state, here.history.entries, heard(here)
    here.studies.open(broken)
    until(lambda: any(entry.kind == "error" for entry in said), "the error")
    assert here.state is state
    assert here.history.entries == entries
    assert here.studies.path == path
    assert next(entry.text for entry in said if entry.kind == "error").startswith("“broken.gibbon” is cut short or damaged")
    assert not list(tmp_path.glob(".broken*.lock"))


def test_a_study_that_another_window_holds_is_opened_as_a_copy_and_says_so(
    here: Session, made: Callable[[], Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(here, tmp_path / "mine.gibbon")
    other = made()
    said = heard(other)
    # Two sessions of one process are the same holder: the lock is made to be that of the test's parent, which lives.
    held_by(FileLock(path), os.getppid())
    stamp = path.read_bytes()
    reopen(other, path)
    assert other.studies.path is None
    assert "is open in another window, so this is a copy" in said[0].text
    other.change("Seed", seed=41)
    own = save(other)
    assert own.parent == tmp_path / "sessions"
    assert path.read_bytes() == stamp
    other.studies.save(path)
    assert "is open in another window" in said[-1].text
    assert path.read_bytes() == stamp


def test_a_new_study_keeps_model_and_image_and_saves_the_one_before(here: Session, tmp_path: Path) -> None:
    path = save(here, tmp_path / "mine.gibbon")
    here.change("Seed", seed=51)
    clean = here.clean
    here.studies.new()
    until(lambda: here.studies.path is None, "the new study")
    assert here.clean is clean
    assert (here.stickers, here.delta, here.history.entries) == ((), None, ())
    assert here.undo_stack.count() == 0
    until(lambda: not here.studies._saver.busy, "the save")
    assert studies.read(path).plan.seed == 51
    attack(here, attacks.FGSM())
    assert here.history.entries[-1].number == 1


# ---------------------------------------------------------------------- images (D2, D4)


def test_opening_another_image_keeps_the_stickers_in_proportion_and_is_undone(here: Session) -> None:
    from gui.session.open_image import open_path
    from gui.session.swap_model import samples_for

    assert here.classifier is not None
    before = here.state
    sample = next(sample for sample in samples_for(here.classifier) if sample.label_name != "Stop")
    open_path(here, sample.path)
    until(lambda: here.clean is not before.clean, "the other image")
    assert here.stickers == before.stickers
    here.undo_stack.undo()
    assert here.clean is before.clean
    assert here.delta is before.delta
    assert here.stickers == before.stickers


def test_opening_another_image_during_a_run_keeps_its_best_so_far_and_says_so(here: Session) -> None:
    from gui.session.open_image import open_path
    from gui.session.swap_model import samples_for

    assert here.classifier is not None
    count, said = len(here.history.entries), heard(here)
    here.runs.start(attacks.PGD(steps=100_000))
    until(lambda: here.runs.job is not None and here.runs.job.index > 3, "some steps")
    sample = next(sample for sample in samples_for(here.classifier) if sample.label_name != "Stop")
    open_path(here, sample.path)
    until(lambda: len(here.history.entries) > count, "the run")
    assert any("Its best image so far is kept" in entry.text for entry in said)


def test_the_oldest_sessions_are_cleared_but_never_one_in_use(tmp_path: Path) -> None:
    paths = [tmp_path / f"session-{number:02}.gibbon" for number in range(places.MOST_SESSIONS + 3)]
    for age, path in enumerate(reversed(paths)):
        path.write_bytes(b"")
        os.utime(path, (1000 - age, 1000 - age))
    lock = FileLock(paths[0])
    held_by(lock, os.getppid())
    places.clear_old(tmp_path, but=paths[1])
    assert set(tmp_path.glob("*.gibbon")) == {paths[0], paths[1], *paths[3:]}


def test_a_keeper_that_was_not_begun_saves_nothing(session: Session, tmp_path: Path) -> None:
    assert isinstance(session.studies, StudyKeeper)
    session.studies.autosave()
    assert session.studies.file is None
