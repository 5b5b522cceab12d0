"""Jobs: the registry of long work, its progress in words, and its Cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6

from gui.lanes.jobs import Job
from gui.lanes.progress_text import ShareMeter
from gui.lanes.runner import OperationRunner
from tests.gui.driving import until
from tests.gui.test_runner import counting

if TYPE_CHECKING:
    from gui.session.session import Session


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def job_at(share: float | None, news: str = "") -> Job:
    job = Job("test", lambda: None)  # type: ignore[arg-type, return-value]
    job.share_done, job.news = share, news
    return job


def test_the_remaining_time_is_that_of_the_present_pace() -> None:
    clock = Clock()
    meter, job = ShareMeter(clock), job_at(0.0, "epoch 1 of 4")
    assert meter.words(job) == "epoch 1 of 4 · 0 %"
    clock.time, job.share_done = 110.0, 0.25  # a quarter in 10 s: three quarters in 30 s
    assert meter.words(job) == "epoch 1 of 4 · 25 % · 30 s left"
    clock.time = 115.0  # 5 s into a step that has not ended
    assert meter.words(job) == "epoch 1 of 4 · 25 % · 25 s left"
    clock.time = 141.0  # the estimate was too short: silence, no negative time
    assert meter.words(job) == "epoch 1 of 4 · 25 %"


def test_a_pause_does_not_count() -> None:
    clock = Clock()
    meter, job = ShareMeter(clock), job_at(0.0)
    meter.words(job)
    clock.time, job.share_done = 110.0, 0.5
    meter.words(job)
    job.request_pause(True)
    assert meter.words(job) == "50 % · paused"
    clock.time = 1000.0
    job.request_pause(False)
    meter.words(job)
    clock.time, job.share_done = 1010.0, 0.75  # a quarter in 10 s since the pause
    assert meter.words(job) == "75 % · 10 s left"


def test_work_of_unknown_length_says_its_stage_alone() -> None:
    meter, job = ShareMeter(Clock()), job_at(None, "loading MNIST")
    assert meter.words(job) == "loading MNIST"
    assert meter.words(job_at(None)) == "starting"


def test_a_watched_runner_is_listed_while_it_runs_and_can_be_cancelled(session: Session) -> None:
    runner = OperationRunner(session.background, "table", session)
    work = session.jobs.watch(runner, "experiments", lambda: "Counting")
    seen: list[int] = []
    session.jobs.changed.connect(lambda: seen.append(len(session.jobs.running)))
    assert session.jobs.running == ()
    runner.start(lambda: counting(steps=10_000, pause=0.002))
    until(lambda: (work.share or 0) > 0, "progress")
    assert session.jobs.running == (work,)
    assert (work.title, work.panel) == ("Counting", "experiments")
    assert "number" in work.progress
    session.jobs.cancel_all()
    until(lambda: not session.jobs.running, "the end")
    assert seen[0] == 1
    assert seen[-1] == 0
    assert runner.ending is not None
    assert runner.ending.status == "cancelled"


def test_two_panels_stand_side_by_side(session: Session) -> None:
    runners = [OperationRunner(session.background, key, session) for key in ("training", "tables")]
    works = [session.jobs.watch(runner, key, lambda key=key: key) for runner, key in zip(runners, ("training", "tables"), strict=True)]  # type: ignore[misc]
    for runner in runners:
        runner.start(lambda: counting(steps=10_000, pause=0.002))
    assert session.jobs.running == tuple(works)
    works[0].pause(True)
    assert [work.paused for work in works] == [True, False]
    assert works[0].progress.endswith("paused")
    session.jobs.cancel_all()
    until(lambda: not session.jobs.running, "the end of both")


def test_the_work_of_a_panel_that_is_gone_is_forgotten(session: Session) -> None:
    runner = OperationRunner(session.background, "gone", session)
    session.jobs.watch(runner, "gone", lambda: "gone")
    shiboken6.delete(runner)
    assert session.jobs.running == ()
    session.jobs.stop()
