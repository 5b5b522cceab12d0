"""How quick the window is: ``python -m tests.benchmarks.window`` prints a table.

A stall is the longest time between two beats of a timer that is due at every turn of the event loop, over a switch and the paints after it.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from gui.app import Workbench
from gui.shell.workspaces.table import WORKSPACES
from tests.acceptance.figures import Figure, at_most
from tests.benchmarks.live import start_ups
from tests.gui.driving import open_window, settle, until, wait_ready

LIMIT_MS = 100.0
WATCHED_MS = 250
"""For how long the beats are watched after a switch: its last paints are over by then."""


def stall(act: Callable[[], object]) -> tuple[float, float]:
    """Return the longest time for which an action of the window holds the event loop, and the main thread's work, in milliseconds."""
    loop, beat, beats, before = QEventLoop(), QTimer(), [time.perf_counter()], time.thread_time()
    beat.setTimerType(Qt.TimerType.PreciseTimer)
    beat.setInterval(1)
    beat.timeout.connect(lambda: beats.append(time.perf_counter()))
    beat.start()
    QTimer.singleShot(10, act)
    QTimer.singleShot(WATCHED_MS, loop.quit)
    loop.exec()
    beat.stop()
    return 1000 * max(later - earlier for earlier, later in itertools.pairwise(beats)), 1000 * (time.thread_time() - before)


def workspace_stalls(bench: Workbench, rounds: int = 4) -> list[tuple[float, float]]:
    """Return the stall of every switch from one workspace to the next, several times around."""
    switch = bench.window.workspaces.switch
    for spec in WORKSPACES:  # each is laid out for the first time
        switch(spec.name)
        settle()
    return [stall(lambda name=spec.name: switch(name)) for _ in range(rounds) for spec in WORKSPACES]  # type: ignore[misc]


def theme_stalls(bench: Workbench, rounds: int = 6) -> list[tuple[float, float]]:
    """Return the stall of switches between light and dark."""
    before = bench.window.theme.choice
    found = [stall(lambda dark=place % 2 == 0: bench.window.theme.choose("dark" if dark else "light")) for place in range(rounds)]  # type: ignore[misc]
    bench.window.theme.choose(before)
    settle()
    return found


def switches(bench: Workbench, when: str) -> Iterator[Figure]:
    """Return the stalls of both kinds of switches, and the work of the main thread."""
    for what, found in (("workspace", workspace_stalls(bench)), ("theme", theme_stalls(bench))):
        stalls, work = zip(*found, strict=True)
        yield at_most(f"stall at a {what} switch {when}, median (ms)", statistics.median(stalls), LIMIT_MS)
        yield at_most("  the worst (ms)", max(stalls), LIMIT_MS)
        yield Figure("  the main thread's own work, which a loaded machine does not stretch, median (ms)", statistics.median(work))


def figures() -> Iterator[Figure]:
    """Return all figures: the starts, then the switches at rest and beside an attack."""
    paint, ready, torch = start_ups()
    yield at_most("window painted, best of 5 (s)", paint, 1.0)
    yield at_most("ready, best of 5 (s)", ready, torch + 1)
    yield Figure("  of it torch's own import (s)", torch)
    app = QApplication.instance() or QApplication([])
    bench = open_window()
    wait_ready(bench)
    try:
        from engine import attacks

        session = bench.session
        session.runs.start(attacks.PGD())
        until(lambda: session.history.entries and not session.runs.running, "the run")
        settle()
        yield from switches(bench, "at rest")
        session.runs.start(attacks.PGD(steps=100_000))
        until(lambda: session.runs.job is not None and session.runs.job.index > 5, "the attack's first steps")
        yield from switches(bench, "beside an attack")
        session.runs.cancel()
        until(lambda: not session.runs.running, "the end of the attack")
    finally:
        bench.window.close()
        bench.shut_down()
        app.processEvents()


if __name__ == "__main__":
    for figure in figures():
        print(*figure.as_row(), sep=" | ", flush=True)
    sys.exit(0)
