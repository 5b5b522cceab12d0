"""The one current moment: the iteration on the canvas, which every frame follows, and which anything else on the canvas leaves."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.attacks import FGSM, PGD, CarliniWagnerL2, FoolingImage, StickerPGD
from engine.explain import CATALOGUE as EXPLANATIONS
from engine.images import levels
from engine.record import Record, replay
from engine.result import norms
from engine.stickers import Colour, Optimised, Sticker
from gui.export.figure_source import source_of
from gui.export.recording import record_of_entry
from gui.panels.prediction.verdict import goals_of
from gui.panels.transfer import TransferPanel
from gui.session.history import AttackRun, History
from gui.shell.actions.file import save_to
from tests.gui.driving import settle, until
from tests.gui.panel_scenes import attack, noise, open_image, put_sticker, show, small

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.log_entry import LogEntry
    from gui.session.session import Session

ATTACK = PGD(eps=0.2, steps=12)


@pytest.fixture
def scrubbed(qtbot: QtBot, session: Session) -> Session:
    """A session with a finished attack of twelve steps, at its step 5."""
    open_image(qtbot, session)
    attack(qtbot, session, ATTACK)
    go(session, 5)
    return session


def go(session: Session, index: int | None) -> None:
    session.moments.show(index)
    at(session, index)


def at(session: Session, index: int | None) -> None:
    """Wait for the frame of a moment."""

    def arrived() -> bool:
        frame = session.frame
        return frame is not None and frame.step == index and session.moments.index == index and not session.waiting("frame")

    until(arrived, f"the frame of iteration {index}")


def long(session: Session, steps: int = 100_000) -> None:
    """Start an attack that lasts until it is cancelled, and wait for its tenth step."""
    session.runs.start(PGD(eps=0.2, steps=steps))
    until(lambda: len(session.moments.steps) > 10, "the tenth step")


# ---------------------------------------------------------------------- frames


def test_the_frame_is_of_that_iterate_in_everything(scrubbed: Session) -> None:
    step, frame = scrubbed.moments.step, scrubbed.frame
    assert step is not None
    assert frame is not None
    assert (frame.step, frame.run) == (5, scrubbed.history.entries[-1].number)
    assert torch.equal(frame.observation.adversarial_image, step.adversarial[0])
    expected = {name: float(value) for name, value in norms(step.adversarial - scrubbed.history.shown.result.clean).items()}
    assert frame.observation.norms == pytest.approx(expected)
    assert step.logits is not None
    torch.testing.assert_close(frame.observation.adversarial, step.logits[0].softmax(0))


def test_moves_and_ends(scrubbed: Session) -> None:
    moments = scrubbed.moments
    assert [step.index for step in moments.steps] == list(range(13))
    assert moments.total == 12
    moments.move(1)
    at(scrubbed, 6)
    moments.move(-2)
    at(scrubbed, 4)
    moments.move(-99)
    at(scrubbed, 0)
    moments.last()
    at(scrubbed, 12)
    moments.move(1)
    at(scrubbed, 12)
    moments.first()
    at(scrubbed, 0)
    moments.show(400)
    at(scrubbed, 12)
    moments.to_end()
    at(scrubbed, None)
    run = scrubbed.history.shown
    assert run is not None
    assert moments.end is not None
    end = moments.timeline.nearest(moments.end)
    assert torch.equal(end.adversarial, run.result.adversarial)


def test_the_flip(scrubbed: Session) -> None:
    run = scrubbed.history.shown
    flip = int(run.result.steps_to_flip[0])
    assert flip > 0, "choose an attack that succeeds after some steps"
    assert scrubbed.moments.flip == flip
    scrubbed.moments.to_flip()
    at(scrubbed, flip)
    assert scrubbed.frame.observation.adversarial_prediction != scrubbed.frame.observation.clean_prediction
    scrubbed.moments.move(-1)
    at(scrubbed, flip - 1)
    assert scrubbed.frame.observation.adversarial_prediction == scrubbed.frame.observation.clean_prediction


def test_an_attack_without_a_run_on_the_canvas_has_no_moments(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    moments = session.moments
    assert (moments.timeline, moments.steps, moments.index, moments.end, moments.flip) == (None, (), None, None, None)
    for move in (moments.first, moments.last, moments.to_flip, moments.to_end, moments.play):
        move()
    moments.move(3)
    moments.show(7)
    assert moments.index is None
    assert not moments.playing


def test_a_frame_is_judged_by_the_runs_own_target(qtbot: QtBot, session: Session) -> None:
    """A target that is chosen for the next run says nothing about an iterate of this one."""
    open_image(qtbot, session)
    session.set_target(4)
    attack(qtbot, session, PGD(eps=0.5, steps=6))
    session.set_target(2)
    go(session, 3)
    assert goals_of(session.state, session.history.shown, session.frame).judged_by == 4


def test_skipped_numbers_are_skipped(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, CarliniWagnerL2(rounds=3, steps=30, boundary_steps=0))
    numbers = [step.index for step in session.moments.steps]
    session.moments.first()
    for number in numbers[1:6]:
        session.moments.move(1)
        at(session, number)


# ---------------------------------------------------------------------- leaving


def test_a_bound_and_an_explanation_stay_at_the_moment(scrubbed: Session) -> None:
    site = scrubbed.classifier.sites[0].name
    scrubbed.set_bounds({site: 0.5})
    at(scrubbed, 5)
    assert scrubbed.frame.observation.bounded is not None
    kind = next(iter(EXPLANATIONS.values()))
    scrubbed.change(explanations=(kind(),), explaining=True)
    until(lambda: kind.slug in scrubbed.frame.observation.explanations, "the explanation")
    at(scrubbed, 5)
    assert torch.equal(scrubbed.frame.observation.adversarial_image, scrubbed.moments.step.adversarial[0])


def leaves() -> dict[str, Any]:
    return {
        "sticker": lambda session: session.commit_stickers((Sticker(1, 2, 2, 5, 5, Colour((1, 0, 0))),), "Add"),
        "image": lambda session: session.set_image(noise(7), {"name": "another"}),
        "model": lambda session: session.set_classifier(small(3)),
        "clear": lambda session: session.clear_perturbation(),
        "undo": lambda session: session.undo_stack.undo(),
        "removal": lambda session: session.remove_runs(session.history.entries[-1].number),
        "run": lambda session: session.runs.start(FGSM()),
    }


@pytest.mark.parametrize("what", leaves())
def test_another_content_of_the_canvas_leaves(scrubbed: Session, what: str) -> None:
    seen: list[int | None] = []
    leaves()[what](scrubbed)
    scrubbed.observed.connect(lambda: seen.append(None if scrubbed.frame is None else scrubbed.frame.step))
    assert scrubbed.moments.index is None
    until(lambda: not scrubbed.runs.running and not scrubbed.waiting("frame") and scrubbed.frame is not None, "the frame")
    at(scrubbed, None)
    assert 5 not in seen
    scene = scrubbed.scene
    assert scene is not None
    assert torch.equal(scrubbed.frame.observation.adversarial_image, scene.adversarial())


def test_another_run_leaves_and_coming_back_shows_its_end(qtbot: QtBot, scrubbed: Session) -> None:
    first = scrubbed.history.shown
    attack(qtbot, scrubbed, FGSM(eps=0.1))
    at(scrubbed, None)
    assert len(scrubbed.moments.steps) == 2
    go(scrubbed, 0)
    scrubbed.show_entry(first.number)
    at(scrubbed, None)
    assert len(scrubbed.moments.steps) == 13
    assert scrubbed.moments.timeline is first.timeline


def test_a_late_frame_of_a_left_iterate_is_dropped(scrubbed: Session) -> None:
    """The iterate's frame is being made when the run is taken off the canvas."""
    old = scrubbed.frame
    scrubbed.clear_perturbation()
    at(scrubbed, None)
    scrubbed.show_frame(old)
    assert scrubbed.frame is not old


# ---------------------------------------------------------------------- during a run


def test_scrubbing_during_a_run_and_following_it_again(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    long(session)
    moments = session.moments
    assert moments.live
    assert moments.total == 100_000
    moments.show(4)
    until(lambda: session.frame.step == 4, "iteration 4")
    seen: list[int | None] = []
    session.observed.connect(lambda: seen.append(session.frame.step))
    newest = moments.steps[-1].index
    until(lambda: moments.steps[-1].index > newest + 20, "twenty steps more")
    assert set(seen) <= {4}
    moments.to_end()
    until(lambda: session.frame.step is not None and session.frame.step > newest, "a live frame")
    session.runs.cancel()
    until(lambda: session.history.shown is not None, "the end")
    at(session, None)


def test_the_moment_stays_when_the_run_ends(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    long(session)
    session.moments.show(3)
    session.runs.cancel()
    until(lambda: session.history.shown is not None, "the end")
    at(session, 3)
    assert session.frame.run == session.history.shown.number
    assert torch.equal(session.frame.observation.adversarial_image, session.moments.step.adversarial[0])


def test_iterates_are_kept_while_they_are_not_shown(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    session.change(live=False)
    attack(qtbot, session, ATTACK)
    assert [step.index for step in session.moments.steps] == list(range(13))
    go(session, 7)


def test_a_paused_run_can_be_scrubbed(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    long(session)
    session.runs.pause(True)
    until(lambda: not session.lane.busy, "the end of the step that was in progress")
    session.moments.show(2)
    until(lambda: session.frame.step == 2, "iteration 2")
    session.moments.to_end()
    until(lambda: session.frame.step == session.moments.steps[-1].index, "the newest iterate")
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")


def test_a_sticker_drawn_during_a_run_leaves(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    long(session)
    session.moments.show(2)
    until(lambda: session.frame.step == 2, "iteration 2")
    put_sticker(qtbot, session)
    until(lambda: session.moments.index is None, "that the moment was left")
    assert session.frame.step is None or session.frame.scene.stickers == session.stickers
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")


# ---------------------------------------------------------------------- playing


def test_playing_shows_every_iteration_in_order_and_ends_with_the_result(scrubbed: Session) -> None:
    seen: list[int | None] = []
    scrubbed.observed.connect(lambda: seen.append(scrubbed.frame.step))
    moments = scrubbed.moments
    moments.set_rate(30)
    moments.to_end()
    at(scrubbed, None)
    seen.clear()
    moments.play()
    assert moments.playing
    until(lambda: not moments.playing, "the end of the play")
    at(scrubbed, None)
    assert seen == [*range(13), None]


def test_playing_in_a_loop_until_it_is_paused(scrubbed: Session) -> None:
    seen: list[int | None] = []
    scrubbed.observed.connect(lambda: seen.append(scrubbed.frame.step))
    moments = scrubbed.moments
    moments.set_rate(30)
    moments.set_loop(True)
    moments.last()
    at(scrubbed, 12)
    seen.clear()
    moments.toggle()
    until(lambda: seen.count(12) >= 2, "two rounds")
    moments.toggle()
    assert not moments.playing
    assert seen[:14] == [*range(13), 0]
    at(scrubbed, moments.index)


# ---------------------------------------------------------------------- keeping an iteration


def test_a_kept_iteration_is_a_run_that_replays(scrubbed: Session, tmp_path: Path) -> None:
    source, step = scrubbed.history.shown, scrubbed.moments.step
    scrubbed.iterates.keep()
    until(lambda: len(scrubbed.history.entries) == 2, "the kept run")
    at(scrubbed, None)
    kept = scrubbed.history.shown
    assert isinstance(kept, AttackRun)
    assert kept.title == f"#{kept.number} {ATTACK.title}, iteration 5 of 12, from #{source.number}"
    assert torch.equal(kept.result.adversarial, step.adversarial)
    torch.testing.assert_close(scrubbed.frame.observation.adversarial_image, step.adversarial[0])
    assert kept.result.norms["l2"].tolist() == norms(step.adversarial - source.result.clean)["l2"].tolist()
    record = record_of_entry(kept, tmp_path)
    record = record.model_copy(update={"model": record.model.model_copy(update={"source": "small"})})
    again = replay(Record.read(record.write(tmp_path / "a.json")), folder=tmp_path, load=lambda *_: scrubbed.classifier)
    assert again.same, again.sentence
    # its timeline is that of the run it is of, at the place where it was taken
    assert scrubbed.moments.timeline is source.timeline
    assert scrubbed.moments.end == 5
    go(scrubbed, 7)
    assert scrubbed.frame.run == kept.number
    scrubbed.undo_stack.undo()
    at(scrubbed, None)
    assert scrubbed.history.shown is source


@pytest.mark.parametrize("grown", [False, True])
def test_other_kinds_of_attack_are_kept_too(qtbot: QtBot, session: Session, grown: bool) -> None:
    """The content of a sticker, and an image grown from noise."""
    open_image(qtbot, session)
    if grown:
        session.set_target(3)
        made: Any = FoolingImage(steps=8)
    else:
        session.commit_stickers((Sticker(1, 3, 3, 8, 8, Optimised()),), "Add")
        made = StickerPGD(steps=8)
    attack(qtbot, session, made)
    source = session.history.shown
    go(session, 4)
    assert session.frame.scene.grown == grown
    image = session.moments.step.adversarial[0]
    session.iterates.keep()
    until(lambda: len(session.history.entries) == 2, "the kept run")
    at(session, None)
    assert session.history.shown is session.history.entries[-1] is not source
    torch.testing.assert_close(session.frame.observation.adversarial_image, image, rtol=0, atol=1e-6)
    assert session.frame.scene.grown == grown


def test_what_cannot_be_kept_says_why(qtbot: QtBot, session: Session) -> None:
    heard: list[str] = []
    session.notice.connect(heard.append)
    session.iterates.keep()
    open_image(qtbot, session)
    attack(qtbot, session, ATTACK)
    session.iterates.keep()
    long(session)
    session.moments.show(3)
    session.iterates.keep()
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")
    assert len([text for text in heard if "kept" in text or "No run" in text]) >= 3
    assert len(session.history.entries) == 2


# ---------------------------------------------------------------------- memory


def test_old_timelines_are_thinned_before_runs_are_forgotten(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    heard: list[LogEntry] = []
    session.logged.connect(heard.append)
    attack(qtbot, session, ATTACK)
    first = session.history.shown
    assert first.bytes >= first.timeline.nbytes > 13 * first.result.clean.nbytes
    session.history._max_bytes = int(2.2 * first.bytes)
    for seed in (1, 2):
        attack(qtbot, session, ATTACK, seed)
    assert len(session.history.entries) == 3
    kept = {step.index for step in first.timeline.settled}
    assert kept == {0, 12, *([first.timeline.flip] if first.timeline.flip is not None else [])}
    (said,) = (entry.text for entry in heard if "thinned" in entry.text)
    second = session.history.entries[1]
    assert said == (
        f"The timelines of #{first.number} and #{second.number} were thinned to their first, flip and last steps: "
        "the memory for finished runs is full."
    )
    session.show_entry(first.number)
    at(session, None)
    go(session, 12)


def test_a_history_too_small_forgets_runs_as_before(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, ATTACK)
    run = session.history.shown
    small_history = History(max_bytes=1)
    assert small_history.add(run) == []
    attack(qtbot, session, ATTACK, 1)
    assert small_history.add(session.history.shown) == [f"{run.title} was forgotten: the memory for finished runs is full."]


def test_nothing_of_a_run_stays_when_it_is_gone(qtbot: QtBot, session: Session) -> None:
    """Timelines, iterates and frames are given back once a run was forgotten, with its undo steps, and something else is on the canvas."""
    open_image(qtbot, session)
    lines = []
    for seed in range(4):
        attack(qtbot, session, ATTACK, seed)
        for index in (0, 5, 12):
            go(session, index)
        lines.append(weakref.ref(session.moments.timeline))
    session.runs.start(FGSM())
    until(lambda: len(session.history.entries) == 5 and not session.runs.running, "the last run")
    at(session, None)
    session.history._max_bytes = 1
    attack(qtbot, session, FGSM(), 9)
    assert len(session.history.entries) == 1
    session.undo_stack.clear()
    settle()
    gc.collect()
    assert [line() for line in lines] == [None] * 4


# ---------------------------------------------------------------------- what leaves the program, and what cannot follow


def test_a_saved_image_and_a_figure_are_of_the_iteration_on_the_canvas(scrubbed: Session, tmp_path: Path) -> None:
    step, source = scrubbed.moments.step, scrubbed.history.shown
    shown = scrubbed.iterates.run
    assert shown is not source
    assert shown.title == f"{source.title}, iteration 5 of 12"
    assert source_of(scrubbed).entry.result.adversarial.equal(step.adversarial)
    save_to(scrubbed, tmp_path / "a.png")
    until(lambda: (tmp_path / "a.png").exists() and not scrubbed.waiting("save"), "the file")
    pixels = torch.from_numpy(np.array(Image.open(tmp_path / "a.png"))).permute(2, 0, 1)
    assert torch.equal(pixels, levels(step.adversarial[0]).to(torch.uint8))
    number = source.number
    scrubbed.moments.to_end()
    at(scrubbed, None)
    assert scrubbed.iterates.run is source
    assert source_of(scrubbed).entry is source
    go(scrubbed, 7)
    scrubbed.iterates.keep()
    until(lambda: len(scrubbed.history.entries) == 2, "the kept run")
    assert scrubbed.history.entries[-1].number == number + 1  # looking at an iteration takes no number


def test_the_transfer_table_is_of_the_result_and_says_so(qtbot: QtBot, scrubbed: Session) -> None:
    panel: TransferPanel = show(qtbot, TransferPanel(scrubbed), 700, 300)
    until(lambda: panel.table.model().rowCount() > 0 and not scrubbed.waiting("transfer"), "the table")
    assert not panel.table.isEnabled()
    assert "iteration 5" in panel.verdict.text
    scrubbed.moments.to_end()
    assert panel.table.isEnabled()
    assert "iteration" not in panel.verdict.text


def test_a_paused_attack_shows_the_iteration_that_is_said(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    session.runs.start(PGD(eps=0.2, steps=100_000))
    for _ in range(5):
        begun = -1 if session.runs.job is None else session.runs.job.index
        until(lambda begun=begun: session.runs.job is not None and session.runs.job.index > begun + 5, "some steps")
        session.runs.pause(True)

        def shown() -> bool:
            return session.frame is not None and session.frame.step == session.moments.end == session.runs.job.index

        until(shown, "the frame of the last step")
        session.runs.pause(False)
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end of the attack")
