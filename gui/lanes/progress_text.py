"""A run's progress and remaining time in words: by its rate of steps (`RateMeter`), or by the share that is done (`ShareMeter`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.lanes.jobs import Job

BEFORE_A_GUESS_S = 3.0
"""Seconds of a job before its remaining time is estimated from the share that is done."""


class RateMeter:
    """Measures the rate of a job since it began or was last resumed, so that pauses do not count."""

    def __init__(self, unit: str = "step") -> None:
        """``unit`` is the noun of one step, such as “image”."""
        self._unit = unit
        self._job: Job | None = None
        self._since, self._from = 0.0, 0
        self._paused = False

    def words(self, job: Job) -> str:
        """Return a job's progress in words, such as ``step 12 of 40 · 230 /s · 0.1 s left``."""
        index = max(0, job.index)
        if job is not self._job or job.paused != self._paused:
            self._job, self._paused, self._since, self._from = job, job.paused, time.perf_counter(), index
        step = f"{self._unit} {index:,} of {job.total:,}" if job.total else f"{self._unit} {index:,}"
        if job.cancelled:
            return f"{step} · ending"
        if job.index < 0 and not job.paused:
            return job.news or "starting"
        if job.paused:
            return f"{step} · paused"
        passed = time.perf_counter() - self._since
        if index <= self._from or passed < 0.2:
            return step
        rate = (index - self._from) / passed
        left = f" · {_duration((job.total - index) / rate)} left" if job.total else ""
        return f"{step} · {rate:.3g} /s{left}"


def share_of(job: Job) -> float | None:
    """Return the share of a job that is done, in [0, 1]; None where it is unknown."""
    if job.share_done is not None:
        return job.share_done
    return min(1.0, (job.index + 1) / (job.total + 1)) if job.total and job.index >= 0 else None


class ShareMeter:
    """Estimates the remaining time of a job from the share that is done, since it began or was last resumed.

    It suits jobs whose single steps may take minutes, for which a rate says nothing: the time that passes within a step counts.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._job: Job | None = None
        self._paused = False
        self._began = self._seen = 0.0
        self._first: float | None = None
        """The share that was done when the measurement began."""
        self._share: float | None = None

    def words(self, job: Job) -> str:
        """Return a job's progress in words, such as ``epoch 4 of 20 · 18 % · 3 min 20 s left``."""
        share, now = share_of(job), self._now()
        if job is not self._job or job.paused != self._paused:
            self._job, self._paused, self._began, self._first, self._share = job, job.paused, now, share, share
            self._seen = now
        elif share != self._share:
            self._share, self._seen = share, now
        parts = [job.news or "starting"] if share is None or job.news else []
        if share is not None:
            parts.append(f"{100 * share:.0f} %")
        if job.cancelled:
            parts.append("ending")
        elif job.paused:
            parts.append("paused")
        elif (left := self._left(now)) is not None:
            parts.append(f"{_duration(left) if left >= 10 else f'{max(1, round(left))} s'} left")
        return " · ".join(parts)

    def _left(self, now: float) -> float | None:
        """Return the remaining seconds; None while there is no estimate, or after it has turned out too short."""
        first = self._first or 0.0
        if self._share is None or self._share <= first or now - self._began < BEFORE_A_GUESS_S:
            return None
        left = (self._seen - self._began) * (1 - self._share) / (self._share - first) - (now - self._seen)
        return left if left > 0 else None


def _duration(seconds: float) -> str:
    from engine.text.formatting import duration  # the window is painted before the engine is imported

    return duration(seconds)
