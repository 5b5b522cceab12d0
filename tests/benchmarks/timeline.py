"""The timeline: ``python -m tests.benchmarks.timeline [ROUNDS]`` scrubs in the real window, and looks for memory that is not given back.

An update is one iteration that the canvas and every visible panel have painted. Memory is looked at in two kinds of rounds, ROUNDS of each,
all in one process. A round in the open window runs PGD with 10 steps, drags through its iterations, removes the run and forgets the undo
steps that would bring it back. A round of a whole window opens it, does the same and closes it.

A growth is the difference of the resident memory between two moments after a round, with free memory given back to the system before, in MB
per hundred rounds. Every hundred is judged, and so are the rounds from the middle to the end, which no longer fill the caches of libraries
and of the allocator, nor the history's memory for removed runs, which has a limit.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPixmapCache
from PySide6.QtWidgets import QApplication

from gui.app import Workbench
from gui.shell.garbage import Garbage
from tests.acceptance.figures import Figure, at_least, at_most
from tests.benchmarks.following import followers
from tests.gui.driving import open_window, settle, until, wait_ready

HZ = 120
SECONDS = 5.0
STEPS = 100
EVERY = 100
"""Rounds for each figure of memory."""


class Painted(QObject):
    """Counts the iterations that every visible widget which follows the frame has painted."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.window)
        self.widgets = followers(bench)
        self._missing: set[int] = set()
        self.count = 0
        for widget in self.widgets:
            widget.installEventFilter(self)
        bench.session.observed.connect(self._on_observed)

    def _on_observed(self) -> None:
        self._missing = {id(widget) for widget in self.widgets}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._missing:
            self._missing.discard(id(watched))
            self.count += not self._missing
        return False


def run_to_the_end(bench: Workbench, steps: int) -> None:
    """Run PGD, and wait for the frame of its result."""
    from engine import attacks

    session, before = bench.session, len(bench.session.history.entries)
    session.runs.start(attacks.PGD(steps=steps))
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the run")
    until(lambda: session.frame is not None and session.frame.step is None and not session.waiting("frame"), "the frame")
    settle()


def scrub(bench: Workbench, seconds: float, count: Callable[[], int] = lambda: 0) -> tuple[int, float]:
    """Drag back and forth over the strip with mouse events; return how many updates were counted meanwhile, and the seconds."""
    strip = bench.window.centre.foot.strip  # type: ignore[union-attr]
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    last = strip.maximum()

    def post(kind: QEvent.Type, step: int, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
        at = QPoint(round(strip.x_of(step)), strip.height() // 2)
        event = QMouseEvent(kind, QPointF(at), QPointF(strip.mapToGlobal(at)), button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.postEvent(strip, event)

    loop, mouse = QEventLoop(), QTimer()
    mouse.setTimerType(Qt.TimerType.PreciseTimer)
    mouse.setInterval(1)
    began, before, sent = time.perf_counter(), count(), 0
    post(QEvent.Type.MouseButtonPress, 0, left, left)

    def move() -> None:
        nonlocal sent
        if time.perf_counter() - began >= seconds:
            loop.quit()
        elif time.perf_counter() - began >= sent / HZ:
            sent += 1
            post(QEvent.Type.MouseMove, abs((sent + last) % (2 * last) - last), none, left)

    mouse.timeout.connect(move)
    mouse.start()
    loop.exec()
    mouse.stop()
    took, counted = time.perf_counter() - began, count() - before
    post(QEvent.Type.MouseButtonRelease, 0, left, none)
    settle()
    return counted, took


def scrubbing() -> Iterator[Figure]:
    """Iterations a second under the hand, with all panels of the story in sight."""
    bench = open_window()
    wait_ready(bench)
    try:
        run_to_the_end(bench, STEPS)
        for dock in ("", "activations"):
            if dock:
                bench.window.bring_up(dock)
            settle()
            watch = Painted(bench)
            counted, took = scrub(bench, SECONDS, lambda watch=watch: watch.count)  # type: ignore[misc]
            name = f"iterations a second under the hand, {len(watch.widgets)} views"
            yield at_least(name, counted / took, 30)
            watch.deleteLater()
    finally:
        close(bench)


def close(bench: Workbench) -> None:
    """Close the window and end its session, and let Qt and Python destroy what is gone."""
    bench.window.close()
    until(bench.shut_down, "the end of the threads")  # on a loaded machine a thread may need longer than the window waits
    bench.window.deleteLater()
    bench.session.deleteLater()
    settle()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def round_in_a_window(bench: Workbench) -> None:
    """Run an attack, show iterations of it, remove the run, and forget the steps that would bring it back."""
    session = bench.session
    run_to_the_end(bench, 10)
    for step in (0, 3, 7, 10):
        session.moments.show(step)
        until(lambda: session.frame is not None and session.frame.step == session.moments.index, "the iteration")
    scrub(bench, 0.1)
    session.remove_runs(session.history.entries[-1].number)
    until(lambda: not session.waiting("frame"), "the frame")
    settle()
    session.undo_stack.clear()


def round_of_a_window() -> None:
    """Open the window, work in it, close it."""
    bench = open_window()
    wait_ready(bench)
    round_in_a_window(bench)
    close(bench)


def resident() -> float:
    """Return the memory of this process that is resident, in MB, after everything that is free was given back.

    Without that, the allocator keeps pages in which a little is still in use, as many as its luck wants: tens of MB that no code holds.
    """
    gc.collect()
    QPixmapCache.clear()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(name: str, work: Callable[[], None], total: int) -> Iterator[Figure]:
    """Do the work ``total`` times; yield the growth of the resident memory in each hundred, and in the last half per hundred."""
    half, seen, last = total - total // 2, {0: resident()}, 0
    yield Figure(f"{name}: memory before the first (MB)", seen[0])
    for done in range(1, total + 1):
        work()
        if done in (half, total) or done % EVERY == 0:
            seen[done] = resident()
        if done % EVERY == 0:
            yield at_most(f"{name}: growth in {last + 1} to {done} (MB)", seen[done] - seen[last], 1.0)
            last = done
    yield Figure(f"{name}: memory after the last (MB)", seen[total])
    slope = EVERY * (seen[total] - seen[half]) / max(1, total - half)
    yield at_most(f"{name}: growth in {half + 1} to {total} (MB per {EVERY})", slope, 1.0)


def rounds(total: int) -> Iterator[Figure]:
    """The growth in the open window, and over whole windows."""
    bench = open_window()
    wait_ready(bench)
    yield from growth("rounds in the open window", lambda: round_in_a_window(bench), total)
    close(bench)
    yield from growth("rounds of a whole window", round_of_a_window, total)


def figures(total: int = 500) -> Iterator[Figure]:
    """All of it."""
    app = QApplication.instance() or QApplication([])
    garbage = Garbage(app)  # as in the application: a collection in an engine thread would destroy widgets
    garbage.settle()
    yield from scrubbing()
    yield from rounds(total)
    garbage.stop()
    app.processEvents()


if __name__ == "__main__":
    for figure in figures(int(sys.argv[1]) if len(sys.argv) > 1 else 500):
        print(*figure.as_row(), sep=" | ", flush=True)
    sys.exit(0)
