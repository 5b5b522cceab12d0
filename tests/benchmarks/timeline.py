"""The timeline: ``python -m tests.benchmarks.timeline [ROUNDS]`` scrubs in the real window, and looks for memory that is not given back.

An update is one iteration that the canvas and every visible panel have painted. A round opens the window, runs an attack, scrubs through it
and closes the window, all in one process.
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
from PySide6.QtWidgets import QApplication, QWidget

from gui.app import Workbench
from tests.acceptance.figures import Figure, at_least, at_most
from tests.gui.driving import open_window, settle, until, wait_ready

HZ = 120
SECONDS = 5.0
STEPS = 100
EVERY = 100
"""Rounds over which the growth is counted."""


class Painted(QObject):
    """Counts the iterations that every visible widget which follows the frame has painted."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.window)
        from gui.panels.activations.layer_list import LayerList
        from gui.plots.bars import ProbabilityBars
        from gui.plots.pixel_maps import PixelMaps

        self._session, panels = bench.session, bench.window.panels
        found: list[QWidget] = [
            bench.window.canvas.adversarial_pane.viewport,
            panels["prediction"].findChild(ProbabilityBars),
            *panels["perturbation"].findChildren(PixelMaps),
            panels["activations"].findChild(LayerList).viewport(),
        ]
        self.widgets = [widget for widget in found if widget is not None and widget.isVisible()]
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
    assert bench.shut_down()
    bench.window.deleteLater()
    bench.session.deleteLater()
    settle()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def round_of_a_window() -> None:
    """Open the window, run an attack, scrub, close."""
    bench = open_window()
    wait_ready(bench)
    run_to_the_end(bench, 10)
    for step in (0, 3, 7, 10):
        bench.session.moments.show(step)
        until(lambda: bench.session.frame is not None and bench.session.frame.step == bench.session.moments.index, "the iteration")
    scrub(bench, 0.1)
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


def rounds(total: int) -> Iterator[Figure]:
    """The growth of each hundred rounds after the first few, in which libraries fill their caches."""
    for _ in range(min(20, total)):
        round_of_a_window()
    last = resident()
    yield Figure("memory after the first rounds (MB)", last)
    for first in range(0, total, EVERY):
        made = min(EVERY, total - first)
        for _ in range(made):
            round_of_a_window()
        now = resident()
        yield at_most(f"growth in rounds {first + 1} to {first + made} (MB)", now - last, 1.0)
        last = now


def figures(total: int = 500) -> Iterator[Figure]:
    """All of it."""
    app = QApplication.instance() or QApplication([])
    yield from scrubbing()
    yield from rounds(total)
    app.processEvents()


if __name__ == "__main__":
    for figure in figures(int(sys.argv[1]) if len(sys.argv) > 1 else 500):
        print(*figure.as_row(), sep=" | ", flush=True)
    sys.exit(0)
