"""RateMeter: a run's progress, rate and remaining time in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.lanes.jobs import Job


def duration(seconds: float) -> str:
    """Return a duration in words, such as ``0.8 s``, ``42 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class RateMeter:
    """Measures the rate of a job since it began or was last resumed, so that pauses do not count."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._since, self._from = 0.0, 0
        self._paused = False

    def words(self, job: Job) -> str:
        """Return a job's progress in words, such as ``step 12 of 40 · 230 /s · 0.1 s left``."""
        index = max(0, job.index)
        if job is not self._job or job.paused != self._paused:
            self._job, self._paused, self._since, self._from = job, job.paused, time.perf_counter(), index
        step = f"step {index:,} of {job.total:,}" if job.total else f"step {index:,}"
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
        left = f" · {duration((job.total - index) / rate)} left" if job.total else ""
        return f"{step} · {rate:.3g} /s{left}"
