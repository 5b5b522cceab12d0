"""Things done while an attack, a model or an image is under way: no stale image, no number of another one, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.attacks import PGD, StickerPGD
from engine.operation import AttackStep, Problem
from engine.stickers import Colour, Optimised, Sticker, moved
from gui.lanes.engine_thread import EngineThread, stop
from gui.lanes.jobs import Job
from gui.session.open_image import open_path
from gui.session.swap_model import samples_for
from tests.gui.driving import drag, line, on_pane, press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.session.log_entry import LogEntry
    from gui.session.scene import Frame
    from gui.session.session import Session

LONG = 100_000
STICKER = Sticker(1, 10, 10, 7, 7, Optimised())


@pytest.fixture
def session(bench: Workbench, logged: list[LogEntry]) -> Session:
    """On the stop sign under ``signs``; no test here may end with an error in the messages."""
    session = bench.session
    if session.classifier.name != "signs":
        swap(bench, "signs")
        stop = next(sample for sample in samples_for(session.classifier) if sample.label_name == "Stop")
        open_path(session, stop.path, stop.label)
        until(lambda: session.image["name"] == stop.path.name, "the stop sign")
        fresh(session)
    logged.clear()
    yield session
    assert [entry.text for entry in logged if entry.kind == "error"] == []


@pytest.fixture
def bench(window: Workbench) -> Workbench:
    """The window with nothing under way, no sticker, no run."""
    session = window.session
    end(session)
    for entry in session.history.entries:
        session.remove_runs(entry.number)
    session.commit_stickers((), "Clear")
    session.clear_perturbation()
    session.set_bounds({})
    session.set_target(None)
    session.undo_stack.clear()
    session.change(live=True)
    fresh(session)
    return window


def swap(bench: Workbench, name: str) -> None:
    session = bench.session
    bench.window.panels["model"].load(name)
    until(lambda: session.classifier.name == name and not session.waiting("model"), name)
    fresh(session)


def begin(session: Session, attack: PGD | StickerPGD, steps: int = 3) -> None:
    session.runs.start(attack)
    until(lambda: session.runs.job is not None and session.runs.job.index >= steps, "some steps")


def end(session: Session) -> None:
    session.runs.cancel()
    until(lambda: not session.runs.running and not session.runs.abandoned, "the end of the run")


def fresh(session: Session) -> None:
    until(lambda: session.frame is not None and not any(map(session.waiting, ("frame", "content", "open"))), "the frame")
    settle()


def assert_true_to_life(bench: Workbench) -> None:
    """What is on the canvas is the scene; and where it says so, the outcome of a run that is kept."""
    session = bench.session
    fresh(session)
    frame = session.frame
    assert frame.scene.classifier is session.classifier
    assert frame.scene.stickers == session.stickers
    assert torch.equal(frame.observation.clean_image, session.clean)
    assert torch.equal(frame.observation.adversarial_image, session.scene.adversarial())
    assert (bench.window.canvas.adversarial_pane.pixels == frame.adversarial_pixels).all()
    assert bench.window.canvas.stickers == session.stickers
    entry = session.history.shown
    if entry is not None:
        assert torch.allclose(entry.result.adversarial[0], frame.observation.adversarial_image, atol=1e-6)
    assert {row.name for row in bench.window.panels["prediction"].view.bars.rows} <= set(session.classifier.labels)


# ---------------------------------------------------------------------- another image, another model


def test_another_image_while_an_attack_runs(bench: Workbench, session: Session) -> None:
    """What the attack had reached belongs to the image before: it is kept, and can be shown again with that image."""
    stop = session.clean
    other = samples_for(session.classifier)[1]
    begin(session, PGD(steps=LONG))
    open_path(session, other.path)
    until(lambda: session.image["name"] == other.path.name and not session.runs.abandoned and session.history.entries, "the other image")
    assert_true_to_life(bench)
    (entry,) = session.history.entries
    assert session.delta is None
    assert session.history.shown is None
    assert str(entry.result.reason) == "cancelled"
    assert entry.image["name"] != other.path.name
    session.show_entry(entry.number)
    assert session.clean is stop
    assert session.photograph.name == session.image["name"] == "sign-stop-32.png"
    assert_true_to_life(bench)


@pytest.mark.parametrize("label", [14, None])
def test_another_model_while_an_attack_runs(bench: Workbench, session: Session, label: int | None) -> None:
    """From 43 classes to 10 and back: labels, bars and captions of one model never meet another's."""
    session.set_label(label)
    begin(session, PGD(steps=LONG))
    swap(bench, "digits")
    until(lambda: not session.runs.abandoned and session.history.entries, "the end of the run")
    assert session.clean.shape == (1, 28, 28)
    assert_true_to_life(bench)
    (entry,) = session.history.entries
    session.commit_stickers((STICKER,), "Draw")
    digit = session.clean
    session.show_entry(entry.number)
    assert_true_to_life(bench)
    assert session.classifier.name == "signs"
    assert session.stickers == ()
    press_keys(bench.window, "Ctrl+Z")  # the sticker lay on the digit: they come back together
    assert (session.classifier.name, session.clean, session.stickers) == ("digits", digit, (STICKER,))
    assert_true_to_life(bench)
    press_keys(bench.window, "Ctrl+Shift+Z")
    assert (session.classifier.name, session.stickers) == ("signs", ())
    assert_true_to_life(bench)
    swap(bench, "digits")
    assert_true_to_life(bench)


def test_another_model_while_a_frame_is_asked_for(bench: Workbench, session: Session) -> None:
    seen: list[tuple[Frame | None, object]] = []
    connection = session.observed.connect(lambda: seen.append((session.frame, session.classifier)))
    session.refresh()
    bench.window.panels["model"].load("digits")

    def another_is_there() -> bool:
        session.refresh()  # a frame is asked for at every turn, until the very one at which the model changes
        return session.classifier.name != "signs"

    until(another_is_there, "the other model")
    fresh(session)
    session.observed.disconnect(connection)
    assert seen
    assert all(frame is not None and frame.scene.classifier is classifier for frame, classifier in seen)
    assert_true_to_life(bench)


def test_an_image_that_comes_before_the_model(bench: Workbench, session: Session) -> None:
    """Both were asked for; the model was told of the image before, and does not bring it back."""
    other = samples_for(session.classifier)[3]
    open_path(session, other.path)
    bench.window.panels["model"].load("digits")
    until(lambda: session.classifier.name == "digits" and not session.waiting("model"), "the model")
    assert_true_to_life(bench)
    swap(bench, "signs")
    open_path(session, other.path)
    bench.window.panels["model"].load("signs-bounded")
    until(lambda: session.classifier.name == "signs-bounded" and not session.waiting("model"), "the twin")
    fresh(session)
    assert session.image["name"] == other.path.name
    assert session.photograph.path == other.path
    assert_true_to_life(bench)
    swap(bench, "signs")


def test_a_model_that_no_image_fits(bench: Workbench, session: Session) -> None:
    """It comes while a frame of the image before is being made: the docks empty themselves and stay empty."""
    classifier, clean, image = session.classifier, session.clean, session.image
    session.refresh()
    session.set_classifier(classifier.derive(size=40))
    assert session.clean is None
    until(lambda: not session.waiting("frame"), "the frame that nobody wants")
    settle()
    assert session.frame is None
    assert bench.window.panels["prediction"].painted is None
    assert bench.window.canvas.adversarial_pane.pixels is None
    session.set_classifier(classifier, clean, image, 14)
    assert_true_to_life(bench)


# ---------------------------------------------------------------------- stickers, while an attack paints them


def test_undo_while_the_sticker_is_painted(bench: Workbench, session: Session) -> None:
    """What it paints is gone, so it ends; what it had reached is kept; the canvas shows no trace of it."""
    session.commit_stickers((STICKER,), "Draw")
    begin(session, StickerPGD(steps=LONG))
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: not session.runs.running and session.history.entries, "the end")
    assert session.stickers == ()
    assert session.history.shown is None
    assert_true_to_life(bench)
    assert torch.equal(session.frame.observation.adversarial_image, session.clean)
    session.show_entry(session.history.entries[0].number)
    assert_true_to_life(bench)
    assert session.stickers[0].content.image is not None


def test_deleting_the_sticker_that_is_painted(bench: Workbench, session: Session) -> None:
    session.commit_stickers((STICKER,), "Draw")
    fresh(session)
    begin(session, StickerPGD(steps=LONG))
    session.select(1)
    QTest.keyClick(bench.window.canvas, Qt.Key.Key_Delete)
    assert session.stickers == ()
    until(lambda: not session.runs.running and session.history.entries, "the end")
    assert_true_to_life(bench)
    press_keys(bench.window, "Ctrl+Z")
    assert session.stickers == (STICKER,)
    assert_true_to_life(bench)


@pytest.mark.parametrize("live", [True, False])
def test_a_drag_takes_what_was_painted_along(bench: Workbench, session: Session, live: bool) -> None:
    """It pauses, the content so far travels with the mouse, and the attack goes on from it at the new place."""
    session.change(live=live)
    session.commit_stickers((STICKER,), "Draw")
    fresh(session)
    begin(session, StickerPGD(steps=LONG), 6)
    carried = []

    def between(_place: int) -> None:
        assert session.runs.job.paused
        until(lambda: session.stickers[0].content.image is not None, "the content")
        carried.append((session.stickers[0].x, session.stickers[0].content.image))

    widget, points = on_pane(bench, line((13.5, 13.5), (17.5, 15.5), 4))
    drag(widget, points, between)
    until(lambda: session.runs.job is not None and not session.runs.job.paused and session.runs.job.index > 2, "more steps")
    assert [x for x, _ in carried] == [11, 12, 13, 14]
    assert all(image is carried[0][1] for _, image in carried)
    assert carried[0][1].std() > 0.1
    assert session.runs.attack.begin == "current"
    assert session.runs.attack.steps < LONG
    end(session)
    assert_true_to_life(bench)
    (entry,) = session.history.entries
    assert session.history.shown is entry
    assert (entry.before.stickers[0].x, entry.before.stickers[0].content.image is carried[0][1]) == (14, True)


def test_cancelling_in_the_middle_of_a_drag(bench: Workbench, session: Session) -> None:
    """What was painted lands on the sticker where it is let go, as a step of its own to undo."""
    session.commit_stickers((STICKER,), "Draw")
    fresh(session)
    begin(session, StickerPGD(steps=LONG), 6)

    def between(place: int) -> None:
        if place == 1:
            end(session)

    widget, points = on_pane(bench, line((13.5, 13.5), (17.5, 15.5), 4))
    drag(widget, points, between)
    (sticker,) = session.stickers
    assert (sticker.x, sticker.y) == (14, 12)
    assert sticker.content.image.std() > 0.1
    assert len(session.history.entries) == 1
    assert_true_to_life(bench)
    stack = session.undo_stack
    assert [stack.text(i) for i in range(stack.count())][-2:] == ["Move sticker 1", "Optimise sticker content"]


def test_a_nudged_sticker_is_painted_where_it_is(bench: Workbench, session: Session) -> None:
    session.commit_stickers((STICKER,), "Draw")
    fresh(session)
    begin(session, StickerPGD(steps=LONG), 4)
    first = session.runs.job
    session.select(1)
    for _ in range(3):
        QTest.keyClick(bench.window.canvas, Qt.Key.Key_Right)
    until(
        lambda: session.runs.job is not first and session.runs.job is not None and session.runs.job.index > 2, "the attack at the new place"
    )
    until(lambda: session.frame.step is not None and session.frame.scene.stickers[0].x == 13, "its picture")
    end(session)
    assert session.stickers[0].x == 13
    assert_true_to_life(bench)
    assert session.history.shown is session.history.entries[-1]


def test_a_paused_attack_follows_when_it_goes_on(bench: Workbench, session: Session) -> None:
    session.commit_stickers((STICKER,), "Draw")
    fresh(session)
    begin(session, StickerPGD(steps=LONG), 4)
    session.runs.pause(True)
    widget, points = on_pane(bench, line((13.5, 13.5), (17.5, 15.5), 4))
    drag(widget, points)
    fresh(session)
    assert session.runs.job.paused  # as it was left
    assert session.stickers[0].content.image is not None
    session.runs.pause(False)
    until(lambda: session.frame.step is not None and session.frame.scene.stickers[0].x == 14, "a picture of the new place")
    end(session)
    assert_true_to_life(bench)


def test_a_sticker_that_is_moved_under_a_pixel_attack(bench: Workbench, session: Session) -> None:
    """The attack goes on as begun; pictures of the sticker's old place are not shown, and its outcome is kept as it was."""
    session.commit_stickers((replace(STICKER, content=Colour((1.0, 0.0, 0.0))),), "Draw")
    fresh(session)
    begin(session, PGD(steps=LONG))
    session.commit_stickers((moved(session.stickers[0], 5, 0),), "Move")
    fresh(session)
    places: set[int] = set()
    connection = session.observed.connect(lambda: places.add(session.frame.scene.stickers[0].x))
    index = session.runs.job.index
    until(lambda: session.runs.job.index > index + 5, "more steps")
    end(session)
    session.observed.disconnect(connection)
    assert places <= {15}
    assert_true_to_life(bench)
    assert session.history.shown is None
    (entry,) = session.history.entries
    assert entry.scene.stickers[0].x == 10


# ---------------------------------------------------------------------- runs and bounds


def test_two_starts_in_a_row(bench: Workbench, session: Session) -> None:
    session.runs.start(PGD(steps=LONG))
    session.runs.start(PGD(steps=7))
    until(lambda: not session.runs.running and session.history.entries, "the second")
    assert_true_to_life(bench)
    (entry,) = session.history.entries
    assert entry.result.operation.steps == 7
    assert session.history.shown is entry


def test_a_bound_while_the_attack_is_held(bench: Workbench, session: Session) -> None:
    """The image that the attack had reached stays in sight, under the bound."""
    begin(session, PGD(steps=LONG), 4)
    session.runs.pause(True)
    answers: list[int] = []
    session.ask("held", lambda: 1, answers.append, what="Answering")  # answered after the last step
    until(lambda: answers and session.frame.step == session.runs.job.index, "the last picture")
    held = session.frame
    session.set_bounds({session.classifier.sites[0].name: 0.5})
    until(lambda: session.frame.observation.bounded is not None, "the bound")
    assert session.frame.step == held.step
    assert torch.equal(session.frame.observation.adversarial_image, held.observation.adversarial_image)
    end(session)
    assert_true_to_life(bench)
    assert session.frame.observation.bounded is not None


def test_removing_the_run_that_is_shown(bench: Workbench, session: Session) -> None:
    session.runs.start(PGD(steps=3))
    until(lambda: not session.runs.running and session.history.shown is not None, "the run")
    fresh(session)
    attacked = session.frame.observation.adversarial_image
    session.remove_runs(session.history.shown.number)
    assert session.history.shown is None
    fresh(session)
    assert_true_to_life(bench)
    assert torch.equal(session.frame.observation.adversarial_image, session.frame.observation.clean_image)
    session.undo_stack.undo()
    fresh(session)
    assert torch.equal(session.frame.observation.adversarial_image, attacked)


def test_another_image_under_a_drag(bench: Workbench, session: Session) -> None:
    """It was being read when the drag began: the drag ends, and its sticker comes over to the new image from where it was before."""
    stop, other = session.clean, samples_for(session.classifier)[1]
    session.commit_stickers((STICKER,), "Draw")
    fresh(session)

    def between(place: int) -> None:
        if place == 1:
            open_path(session, other.path)
            until(lambda: session.image["name"] == other.path.name, "the other image")

    widget, points = on_pane(bench, line((13.5, 13.5), (17.5, 15.5), 4))
    drag(widget, points, between)
    assert session.stickers == (STICKER,)
    assert session.undo_stack.undoText() == f"Open {other.path.name}"
    assert_true_to_life(bench)
    press_keys(bench.window, "Ctrl+Z")
    assert session.clean is stop
    assert session.stickers == (STICKER,)
    assert_true_to_life(bench)


def test_what_is_no_longer_being_opened_is_no_longer_said(session: Session) -> None:
    """A newer request of the same key takes the place of one that was said to be under way, and says nothing itself."""
    said: list[str] = []
    connection = session.busyChanged.connect(said.append)
    session.ask("open", lambda: 0, lambda _: None, what="Opening", busy="Opening photo.png…")
    session.ask("open", lambda: 0, lambda _: None, what="Opening")
    until(lambda: not session.waiting("open"), "the answer")
    session.busyChanged.disconnect(connection)
    assert said == ["Opening photo.png…", ""]


# ---------------------------------------------------------------------- one run after the other


class Hanging(PGD):
    """PGD whose second step lasts until it is let go."""

    hangs: ClassVar[threading.Event] = threading.Event()
    let_go: ClassVar[threading.Event] = threading.Event()

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        for step in super().iterate(problem):
            yield step
            self.hangs.set()
            self.let_go.wait(10)


def test_two_runs_cancelled_within_one_step_lose_nothing(session: Session) -> None:
    """The first run has made a step, the second none: the first one's best is kept, whenever its step ends."""
    Hanging.let_go.clear()
    session.runs.start(Hanging(steps=LONG))
    until(Hanging.hangs.is_set, "the second step")
    session.runs.cancel()
    until(lambda: not session.runs.running, "the window's freedom")
    session.runs.start(PGD(steps=LONG))
    session.runs.cancel()
    until(lambda: not session.runs.running, "the window's freedom")
    Hanging.let_go.set()
    until(lambda: not session.runs.abandoned, "the end of both")
    assert [type(entry.result.operation) for entry in session.history.entries] == [Hanging]
    assert session.delta is None  # what is on the canvas is the second one's, which made no step


# ---------------------------------------------------------------------- the end


def test_a_step_that_hangs_is_waited_for_once(qapp: QApplication) -> None:
    lane, hangs = EngineThread("hanging"), threading.Event()

    def steps() -> Iterator[object]:
        yield hangs.wait(60)

    lane.start()
    lane.submit(Job("hanging", steps))
    until(lambda: lane._jobs["hanging"]._run is not None, "the step that hangs")
    assert not stop([lane], 1)
    assert not stop([lane], 10**9)
    hangs.set()
    assert lane.wait(10_000)


def test_both_lanes_are_told_to_leave_before_either_is_waited_for(qapp: QApplication) -> None:
    """Else closing would take as long as both together: here the first lane's step ends when the second lane's run does."""
    behind, lane, ended = EngineThread("behind"), EngineThread("in front"), threading.Event()

    def hanging() -> Iterator[object]:
        yield ended.wait(10)

    def endless() -> Iterator[object]:
        try:
            while True:
                yield AttackStep(0, None, torch.zeros(0), torch.zeros(0))
        finally:
            ended.set()

    for each, steps in ((behind, hanging), (lane, endless)):
        each.start()
        each.submit(Job("run", steps))
        until(lambda each=each: each._jobs["run"]._run is not None, "its first step")
    assert stop([behind, lane], 3000)
