"""The number of CPU threads at which some work is fastest, measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import torch

_measured: dict[tuple[str, str], int] = {}


def threads_for(key: tuple[str, str], device: torch.device, work: Callable[[], object]) -> int:
    """Return the number of CPU threads at which ``work`` is fastest, measured once for each key; 1 on an accelerator.

    One core is left free, so that a window stays fluid.
    """
    if key not in _measured:
        cores = os.cpu_count() or 1
        candidates = tuple(n for n in (1, 2, 4, 8, 16) if n == 1 or n <= max(1, cores - 1))
        _measured[key] = 1 if device.type != "cpu" or len(candidates) == 1 else fastest_threads(work, candidates)
    return _measured[key]


def fastest_threads(work: Callable[[], object], candidates: tuple[int, ...], repeats: int = 5) -> int:
    """Measure at which number of CPU threads ``work`` is fastest, by the best of ``repeats`` timings each.

    The thread count of the calling thread is restored. OpenMP workers spin while they wait, so on busy cores more threads can be a hundred
    times slower: a count must be measured.
    """
    before = torch.get_num_threads()
    best, best_seconds = candidates[0], float("inf")
    try:
        for count in candidates:
            torch.set_num_threads(count)
            work()
            seconds = min(_timed(work) for _ in range(repeats))
            # More threads must be 10 % faster than fewer: otherwise they only take cores from the window.
            if seconds < 0.9 * best_seconds:
                best, best_seconds = count, seconds
    finally:
        torch.set_num_threads(before)
    return best


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
