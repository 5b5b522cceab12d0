"""OperationRunner: any operation runs in a lane, is watched, held, cancelled, and says how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import torch

import engine
from engine.artifacts import Artifact, Table
from engine.operation import Operation, Problem, Step
from gui.lanes.jobs import Job
from gui.lanes.readings import Readings
from gui.lanes.runner import OperationRunner
from tests.gui.driving import until
from tests.gui.panel_scenes import small

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gui.lanes.jobs import JobOutcome
    from gui.session.session import Session


class Counting(Operation):
    """Yields steps whose reading is the square of their number."""

    slug: ClassVar[str] = "counting"
    title: ClassVar[str] = "Counting"
    family: ClassVar[str] = "Test"
    steps: int = 100
    pause: float = 0.0

    def iterate(self, problem: Problem) -> Iterator[Step]:
        for index in range(self.steps):
            time.sleep(self.pause)
            square = torch.tensor(float(index * index))
            yield Step(index, self.steps - 1, readings={"square": square}, news=f"number {index}", share_done=index / self.steps)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        return {"last": Table(("last",), ((str(last.index),),), "Last")}


class Heard:
    """What a runner said."""

    def __init__(self, runner: OperationRunner) -> None:
        self.changed = self.progressed = 0
        self.previews: list[Any] = []
        self.outcomes: list[JobOutcome] = []
        runner.changed.connect(self._on_changed)
        runner.progressed.connect(self._on_progressed)
        runner.previewed.connect(lambda: self.previews.append(runner.preview))
        runner.ended.connect(self.outcomes.append)

    def _on_changed(self) -> None:
        self.changed += 1

    def _on_progressed(self) -> None:
        self.progressed += 1


def counting(**parameters: Any) -> engine.Run:
    return engine.start(Counting(**parameters), small(), torch.rand(1, 3, 16, 16))


@pytest.fixture(params=["interactive", "background"])
def runner(request: pytest.FixtureRequest, session: Session) -> OperationRunner:
    return OperationRunner(session.lane if request.param == "interactive" else session.background, "counting", session, every_ms=5)


def test_an_operation_that_is_no_attack_runs_to_its_end(runner: OperationRunner) -> None:
    heard = Heard(runner)
    job = runner.start(lambda: counting(steps=300), make_preview=lambda _run, step: step.index, collect=True, context="mine")
    assert runner.running
    until(lambda: not runner.running, "the end")
    (outcome,) = heard.outcomes
    assert outcome.job is job
    assert outcome.status == "finished"
    assert outcome.result.artifacts["last"].rows == (("299",),)
    assert job.context == "mine"
    assert runner.ending is outcome
    assert heard.changed == 2  # it began, it ended: not once for each step
    assert (job.index, job.total, job.news) == (299, 299, "number 299")
    assert job.share_done == pytest.approx(299 / 300)
    assert heard.previews == sorted(heard.previews)
    assert [(point.index, point.values["square"]) for point in job.trace] == [(n, float(n * n)) for n in range(300)]
    assert job.readings == {"square": 299.0**2}


def test_every_step_is_in_the_trace_which_is_bounded(runner: OperationRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thinned by doubling: evenly spaced, the last step included."""
    monkeypatch.setattr(Readings.__init__, "__kwdefaults__", {"most": 50})
    job = runner.start(lambda: counting(steps=1001), collect=True)
    until(lambda: not runner.running, "the end")
    indices = [point.index for point in job.trace]
    assert indices == [*range(0, 1001, 32), 1000]
    assert all(point.values["square"] == float(point.index**2) for point in job.trace)


def test_readings_are_transferred_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most ten times a second, all steps at once: a wait for each of them would cost a GPU's time."""
    transfers: list[int] = []
    stack = torch.stack

    def counted(tensors: list[torch.Tensor], *rest: Any) -> torch.Tensor:
        transfers.append(len(tensors))
        return stack(tensors, *rest)

    monkeypatch.setattr(torch, "stack", counted)
    readings = Readings(collect=True)
    began = time.perf_counter()
    for index in range(400):
        readings.add(Step(index, None, readings={"a": torch.tensor(float(index)), "b": torch.tensor(2**24 + 1)}))
        time.sleep(0.0005)
    passed = time.perf_counter() - began
    assert 2 <= len(transfers) <= 2 + passed / 0.1
    readings.flush()
    assert sum(transfers) == 800
    assert [point.index for point in readings.trace] == [*range(400)]
    assert readings.newest == {"a": 399.0, "b": 2.0**24 + 1}


def test_without_collecting_only_the_newest_is_transferred(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = Readings(collect=False)
    readings.add(Step(0, None, readings={"a": torch.tensor(0.0)}))
    for index in range(1, 50):
        readings.add(Step(index, None, readings={"a": torch.tensor(float(index))}))
    assert readings.newest["a"] < 49
    readings.flush()
    assert readings.newest == {"a": 49.0}
    assert readings.trace == ()


def test_previews_are_asked_for_only_where_they_are_wanted(session: Session) -> None:
    wanted = [False]
    runner = OperationRunner(session.lane, "counting", session, every_ms=5, previews=lambda: wanted[0])
    heard = Heard(runner)
    job = runner.start(lambda: counting(steps=100_000, pause=0.0005), make_preview=lambda _run, step: step.index)
    until(lambda: heard.progressed > 5 and job.index > 20, "some ticks")
    assert heard.previews == []
    wanted[0] = True
    until(lambda: heard.previews, "a preview")
    runner.cancel()
    until(lambda: not runner.running, "the end")


def test_pause_holds_and_cancel_keeps_what_there_is(runner: OperationRunner) -> None:
    heard = Heard(runner)
    job = runner.start(lambda: counting(steps=100_000, pause=0.0005))
    until(lambda: job.index > 3, "some steps")
    runner.pause(True)
    runner.pause(True)
    assert job.paused
    time.sleep(0.02)
    at = job.index
    time.sleep(0.05)
    assert job.index <= at + 1
    runner.pause(False)
    until(lambda: job.index > at + 3, "more steps")
    runner.cancel()
    runner.cancel()
    until(lambda: not runner.running, "the end")
    assert [outcome.status for outcome in heard.outcomes] == ["cancelled"]
    assert heard.outcomes[0].result.artifacts["last"].rows == ((str(job.index),),)
    assert heard.changed == 5  # began, paused, went on, was cancelled, ended


def slow_preview(_run: engine.Run, step: Step) -> int:
    """Return the step's number after a time in which the run makes steps that are not previewed."""
    time.sleep(0.05)
    return step.index


def test_a_paused_run_shows_its_last_step(runner: OperationRunner) -> None:
    heard = Heard(runner)
    job = runner.start(lambda: counting(steps=100_000, pause=0.004), make_preview=slow_preview)
    for _ in range(4):
        behind = len(heard.previews)
        until(lambda behind=behind: len(heard.previews) > behind and job.index > heard.previews[-1] + 3, "steps without a preview")
        runner.pause(True)  # in the middle of a step, which is still made
        until(lambda: heard.previews[-1] == job.index, "the preview of the last step")
        at = job.index
        time.sleep(0.03)
        assert job.index == at
        runner.pause(False)
    runner.cancel()
    until(lambda: not runner.running, "the end")


def test_a_preview_that_fails_in_a_pause_ends_the_run_with_a_sentence(runner: OperationRunner) -> None:
    heard, broken = Heard(runner), threading.Event()

    def preview(_run: engine.Run, step: Step) -> int:
        time.sleep(0.05)
        if broken.is_set():
            raise RuntimeError("no picture today")
        return step.index

    job = runner.start(lambda: counting(steps=100_000, pause=0.004), make_preview=preview)
    until(lambda: heard.previews and job.index > heard.previews[-1] + 3, "steps without a preview")
    broken.set()
    runner.pause(True)
    until(lambda: heard.outcomes, "the end")
    assert "no picture today" in heard.outcomes[0].failure.sentence  # type: ignore[union-attr]


def test_an_error_is_a_sentence_and_the_runner_goes_on(runner: OperationRunner) -> None:
    heard = Heard(runner)

    def broken() -> engine.Run:
        raise RuntimeError("no weights today")

    runner.start(broken)
    until(lambda: not runner.running, "the end")
    assert heard.outcomes[0].failure is not None
    assert "no weights today" in heard.outcomes[0].failure.sentence
    runner.start(lambda: counting(steps=3))
    until(lambda: not runner.running, "the second end")
    assert heard.outcomes[1].status == "finished"


def test_a_new_run_replaces_the_one_before(runner: OperationRunner) -> None:
    heard = Heard(runner)
    first = runner.start(lambda: counting(steps=100_000, pause=0.0005))
    second = runner.start(lambda: counting(steps=5))
    until(lambda: not runner.running, "the end")
    assert first.cancelled
    assert [outcome.job for outcome in heard.outcomes] == [second]


def test_a_step_that_lasts_is_left_and_its_outcome_comes_later(session: Session) -> None:
    let_go = threading.Event()

    def steps() -> Iterator[Step]:
        yield Step(0, None)
        let_go.wait(20)
        yield Step(1, None)

    class Slow:
        def __init__(self) -> None:
            self._steps = steps()

        def __iter__(self) -> Slow:
            return self

        def __next__(self) -> Step:
            return next(self._steps)

        def close(self) -> None:
            self._steps.close()

        def result(self) -> Any:
            return type("Best", (), {"reason": "cancelled"})()

    runner = OperationRunner(session.lane, "slow", session, patience_ms=20)
    heard = Heard(runner)
    job = runner.start(Slow)
    until(lambda: job.index == 0, "the first step")
    runner.cancel()
    until(lambda: not runner.running, "the window's freedom", 2)
    assert runner.abandoned == [job]
    assert heard.outcomes == []
    let_go.set()
    until(lambda: heard.outcomes, "the outcome")
    assert runner.abandoned == []
    assert heard.outcomes[0].result is not None


def test_two_runners_of_one_lane_hear_of_their_own_runs_only(session: Session) -> None:
    runners = [OperationRunner(session.lane, key, session) for key in ("one", "other")]
    heard = [Heard(runner) for runner in runners]
    jobs = [runner.start(lambda steps=steps: counting(steps=steps)) for runner, steps in zip(runners, (5, 50), strict=True)]
    until(lambda: not any(runner.running for runner in runners), "both ends")
    assert [[outcome.job for outcome in each.outcomes] for each in heard] == [[job] for job in jobs]


def test_a_job_is_a_value_that_a_thread_of_any_kind_can_advance() -> None:
    """No lane: `advance` makes one step after the other, and its outcome ends it."""
    job = Job("counting", lambda: counting(steps=4), collect=True)
    outcomes = [job.advance() for _ in range(5)]
    assert outcomes[:4] == [None] * 4
    assert outcomes[4] is not None
    assert outcomes[4].status == "finished"
    assert not job.started
    cancelled = Job("counting", lambda: counting(steps=4))
    cancelled.request_cancel()
    outcome = cancelled.advance()
    assert outcome is not None
    assert (outcome.status, outcome.result) == ("cancelled", None)
