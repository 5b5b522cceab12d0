"""Which device, how many threads, which versions: what a result must know to be made again."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Callable
from functools import cache

import torch

from engine.errors import GibbonError

_PACKAGES = ("gibbon-workbench", "torch", "torchvision", "numpy", "pydantic")


def device_of(wanted: torch.device | str | None = None) -> torch.device:
    """The device with its number, so that "cuda" and "cuda:0" are the same one. None: CUDA where there is one, else the CPU.

    Raises
    ------
    GibbonError
        A GPU is wanted, and there is none.
    """
    device = torch.device(wanted if wanted is not None else "cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise GibbonError(f"There is no GPU here that torch can use, so “{device}” cannot be chosen. Leave the device out, or give cpu.")
    return torch.device("cuda", torch.cuda.current_device()) if device.type == "cuda" and device.index is None else device


def devices() -> list[torch.device]:
    """Every device that can be chosen, the CPU first."""
    return [torch.device("cpu"), *(torch.device("cuda", i) for i in range(torch.cuda.device_count()))]


def describe(device: torch.device) -> str:
    """The device in words: the GPU's name, or the CPU with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide the numbers."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def fastest_threads(work: Callable[[], object], candidates: tuple[int, ...], repeats: int = 5) -> int:
    """The number of CPU threads at which ``work`` is fastest, by the best of ``repeats`` timings each.

    The thread count of the calling thread is left as it was. OpenMP workers spin while they wait, so on busy cores more threads can
    be a hundred times slower: a count must be measured.
    """
    before = torch.get_num_threads()
    best, best_seconds = candidates[0], float("inf")
    try:
        for count in candidates:
            torch.set_num_threads(count)
            work()
            seconds = min(_timed(work) for _ in range(repeats))
            # More threads must pay: 10 % better than fewer, or they only take cores from the window.
            if seconds < 0.9 * best_seconds:
                best, best_seconds = count, seconds
    finally:
        torch.set_num_threads(before)
    return best


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
