"""How live the window is: ``python -m tests.benchmarks.live`` drives the real one and prints a table.

An update is one painted frame whose image, bars and perturbation belong to one sticker position. It counts when the canvas and all
panels in sight have painted the same frame; its latency is the time from when the mouse event of that position was due until then.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from gui.app import Workbench
from tests.acceptance.figures import Figure, at_least, at_most
from tests.benchmarks.following import followers
from tests.gui.driving import open_window, settle, until, wait_ready

if TYPE_CHECKING:
    from engine.stickers import Sticker

HZ = 60
SECONDS = 5.0
AT_LEAST_SEEN = 3
"""The canvas, the bars and the perturbation: what the Stickers workspace shows."""
UNTIL_SEEN = """
import gui.app
build = gui.app.build_workbench
def watched(argv=None, **options):
    bench = build(argv, **options)
    bench.session.observed.connect(bench.app.quit)
    return bench
gui.app.build_workbench = watched
gui.app.main(["gibbon", gui.app.FRESH])
"""
"""Open the window as `main` does, and leave when the stop sign has been classified."""
TORCH_ALONE = "import time; began = time.perf_counter(); import torch; print(time.perf_counter() - began)"


class Watch(QObject):
    """Counts updates: frames that all watched widgets have painted."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.window)
        self._session = bench.session
        self._dragged = bench.session.stickers[-1].id
        self._widgets = followers(bench)
        assert len(self._widgets) >= AT_LEAST_SEEN, "a panel of the story is hidden"
        self._missing: set[int] = set()
        self._position: int | None = None
        self.due: dict[int, float] = {}
        """Sticker position to the time when the mouse event that put it there was due."""
        self.latencies: list[float] = []
        for widget in self._widgets:
            widget.installEventFilter(self)
        bench.session.observed.connect(self._on_observed)

    def _on_observed(self) -> None:
        frame = self._session.frame
        there = () if frame is None else frame.scene.stickers
        position = next((sticker.x for sticker in there if sticker.id == self._dragged), None)
        if position is not None and position != self._position and position in self.due:
            self._position = position
            self._missing = {id(widget) for widget in self._widgets}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._missing:
            self._missing.discard(id(watched))
            if not self._missing and self._position is not None:
                QTimer.singleShot(0, self._painted)  # when this paint, the last one missing, is over
        return False

    def _painted(self) -> None:
        assert self._position is not None
        self.latencies.append(time.perf_counter() - self.due[self._position])


def _mouse(widget: QWidget, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
    event = QMouseEvent(kind, QPointF(at), QPointF(widget.mapToGlobal(at)), button, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.postEvent(widget, event)


def drag_back_and_forth(bench: Workbench, seconds: float = SECONDS) -> list[float]:
    """Drag the topmost sticker for some seconds with mouse events at 60 Hz, one pixel each; the latencies of the updates."""
    watch = Watch(bench)
    pane = bench.window.canvas.adversarial_pane
    sticker = bench.session.stickers[-1]
    middle = (sticker.x + sticker.width / 2, sticker.y + sticker.height / 2)
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    reach = 32 - sticker.width - sticker.x
    _mouse(pane.viewport, QEvent.Type.MouseButtonPress, pane.position(*middle), left, left)
    loop, mouse = QEventLoop(), QTimer()
    mouse.setTimerType(Qt.TimerType.PreciseTimer)
    mouse.setInterval(1)
    began = time.perf_counter()
    sent = 0

    def move() -> None:
        nonlocal sent
        due = began + sent / HZ
        if sent >= HZ * seconds:
            loop.quit()
        elif time.perf_counter() >= due:
            place = abs((sent + reach) % (2 * reach) - reach)  # a triangle: a new position with every event
            watch.due[sticker.x + place] = due
            _mouse(pane.viewport, QEvent.Type.MouseMove, pane.position(middle[0] + place, middle[1]), none, left)
            sent += 1

    mouse.timeout.connect(move)
    mouse.start()
    loop.exec()  # as the application's: it lets go of the GIL while it waits
    mouse.stop()
    _mouse(pane.viewport, QEvent.Type.MouseMove, pane.position(*middle), none, left)
    _mouse(pane.viewport, QEvent.Type.MouseButtonRelease, pane.position(*middle), left, none)
    until(lambda: bench.session.frame is not None and bench.session.frame.scene.stickers == bench.session.stickers, "the last frame", 10)
    latencies = list(watch.latencies)
    watch.deleteLater()
    return latencies


def crowd() -> tuple[Sticker, ...]:
    """99 stickers of every shape, two of three rotated, and a polygon of 1,000 corners on top."""
    import torch

    from engine.stickers import Brushed, Colour, Ellipse, Optimised, Polygon, Rectangle, Sticker

    shapes = (Rectangle(), Ellipse(), Polygon(), Brushed.of(torch.eye(4)))
    rest = tuple(
        Sticker(1 + n, 7 * n % 24, 5 * n % 24, 4, 4, Colour((0, n / 99, 1)), shape=shapes[n % 4], angle=30 * (n % 3)) for n in range(99)
    )
    turns = [2 * math.pi * corner / 1000 for corner in range(1000)]
    corners = tuple((0.5 + (0.4 + 0.1 * math.sin(9 * a)) * math.cos(a), 0.5 + (0.4 + 0.1 * math.sin(9 * a)) * math.sin(a)) for a in turns)
    return *rest, Sticker(100, 1, 12, 8, 8, Optimised(), shape=Polygon(corners))


def crowded_figures(bench: Workbench, rounds: int = 3, seconds: float = 2.0) -> Iterator[Figure]:
    """Updates a second while one of 100 stickers is dragged, a polygon of 1,000 corners, and of one alone, in turn."""
    from engine.stickers import Optimised, Sticker

    scenes = {"alone": (Sticker(1, 1, 12, 8, 8, Optimised()),), "crowd": crowd()}
    seen: dict[str, list[float]] = {name: [] for name in scenes}
    for _ in range(rounds):
        for name, stickers in scenes.items():
            bench.session.commit_stickers(stickers, "Draw")
            until(lambda there=stickers: bench.session.frame.scene.stickers == there, "the frame of the stickers")  # type: ignore[misc,union-attr]
            seen[name].append(len(drag_back_and_forth(bench, seconds)) / seconds)
    alone, many = (statistics.median(seen[name]) for name in scenes)
    yield at_least("updates a second, a polygon of 1,000 corners among 100 stickers", many, 30)
    yield Figure("  one sticker alone, measured in turn", alone)
    yield Figure("  ratio", many / alone)


def heartbeat(bench: Workbench, seconds: float = 5.0) -> list[float]:
    """Milliseconds between beats of a timer that is due at every turn of the event loop, while PGD runs on ``signs``."""
    from engine import attacks

    bench.session.runs.start(attacks.PGD(steps=100_000))
    until(lambda: bench.session.runs.job is not None and bench.session.runs.job.index > 5, "the attack's first steps")
    beats = [time.perf_counter()]
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(5)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start()
    until(lambda: beats[-1] - beats[0] > seconds, "the beats", seconds + 30)
    timer.stop()
    bench.session.runs.cancel()
    until(lambda: not bench.session.runs.running, "the end of the attack")
    return [1000 * (after - before) for before, after in itertools.pairwise(beats)]


def start_ups(times: int = 5) -> tuple[float, float, float]:
    """Best of several process starts: first paint, ready, and torch's own import in a fresh process, in seconds."""
    best = [float("inf")] * 3
    for _ in range(times):
        alone = subprocess.run([sys.executable, "-c", TORCH_ALONE], capture_output=True, text=True, check=True).stdout
        said = subprocess.run(
            [sys.executable, "-c", UNTIL_SEEN],
            env={**os.environ, "GIBBON_TRACE_STARTUP": "1"},
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            check=True,
        ).stderr
        paint, ready = (float(re.search(pattern, said)[1]) for pattern in (r"first paint at ([\d.]+)", r"ready.* at ([\d.]+)"))  # type: ignore[index]
        best = [min(best[0], paint), min(best[1], ready), min(best[2], float(alone))]
    return best[0], best[1], best[2]


RUNS = """
import time
from tests.gui.driving import open_window, settle, until, wait_ready
bench = open_window()
wait_ready(bench)
from engine import attacks
session = bench.session
until(lambda: not session.waiting("threads"), "the threads")
until(lambda: not session.waiting("warm-up"), "the warm-up")
for _ in range(2):
    began, before = time.perf_counter(), len(session.history.entries)
    session.runs.start(attacks.PGD())
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the run")
    until(lambda: not session.waiting("frame"), "the frame")
    settle()
    print("took", time.perf_counter() - began, flush=True)
bench.window.close()
bench.shut_down()
"""
"""Two runs of PGD in a fresh window, each until it is painted."""


def first_runs(times: int = 5) -> tuple[float, float]:
    """Seconds of the first and of the second run of a session, medians over several process starts."""
    first, second = [], []
    for _ in range(times):
        said = subprocess.run(
            [sys.executable, "-c", RUNS], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
        ).stdout
        one, two = (float(line.split()[1]) for line in said.splitlines() if line.startswith("took"))
        first.append(one)
        second.append(two)
    return statistics.median(first), statistics.median(second)


def theme_switches(bench: Workbench, times: int = 6) -> float:
    """Milliseconds for which a theme switch holds the main thread until all is painted, median."""
    took = []
    before = bench.window.theme.choice
    for place in range(times):
        began = time.perf_counter()
        bench.window.theme.choose("dark" if place % 2 == 0 else "light")
        settle()
        took.append(1000 * (time.perf_counter() - began))
    bench.window.theme.choose(before)
    settle()
    return statistics.median(took)


def widgets() -> int:
    """How many widgets there are, those left out that are about to be destroyed."""
    settle()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return len(QApplication.allWidgets())


def choose_every_attack(bench: Workbench) -> None:
    """Set up each attack in turn, and the first again."""
    from engine.attacks import CATALOGUE

    first = bench.session.plan.slug
    for slug in (*CATALOGUE, first):
        bench.session.change(**bench.session.plan.choosing(slug))
        settle()


def theme_figures(bench: Workbench) -> Iterator[Figure]:
    """A switch in a fresh window, and after every attack was set up twice; with the widgets that there are."""
    yield at_most("theme switch in a fresh window, median (ms)", theme_switches(bench), 100)
    choose_every_attack(bench)
    once = widgets()
    choose_every_attack(bench)
    yield at_most("theme switch after every attack was set up twice, median (ms)", theme_switches(bench), 100)
    yield Figure("  widgets after every attack was set up once", once)
    yield at_most("  widgets after every attack was set up twice", widgets(), once)


def figures() -> Iterator[Figure]:
    """All of it."""
    from engine import attacks
    from engine.stickers import Colour, Optimised, Sticker

    paint, ready, torch = start_ups()
    yield at_most("first paint, best of 5 (s)", paint, 1.0)
    yield at_most("ready, best of 5 (s)", ready, torch + 1)
    yield Figure("  of it torch's own import (s)", torch)
    first, second = first_runs()
    yield at_most("first run of a session over the second, medians of 5 starts", first / second, 1.5)
    yield Figure("  the second run (s)", second)
    app = QApplication.instance() or QApplication([])
    bench = open_window()
    wait_ready(bench)
    bench.window.reset_layout()  # whatever layout was kept
    bench.window.workspaces.switch("stickers")
    try:
        yield from theme_figures(bench)
        yield from crowded_figures(bench)
        bench.session.commit_stickers((Sticker(1, 1, 12, 8, 8, Optimised()),), "Draw")
        bench.session.runs.start(attacks.StickerPGD())
        until(lambda: bench.session.history.entries and not bench.session.runs.running, "the sticker's content")
        latencies = drag_back_and_forth(bench)
        yield at_least("updates a second while a sticker is dragged", len(latencies) / SECONDS, 30)
        yield at_most("  latency p95 (ms)", 1000 * statistics.quantiles(latencies, n=20)[-1], 150)
        yield Figure("  latency median (ms)", 1000 * statistics.median(latencies))
        beats = heartbeat(bench)
        yield at_most("longest stall of the event loop while PGD runs (ms)", max(beats), 50)
        yield Figure("  median between beats of a 5 ms timer (ms)", statistics.median(beats))
        yield Figure("  p99 (ms)", statistics.quantiles(beats, n=100)[-1])
        bench.session.commit_stickers((replace(bench.session.stickers[0], content=Colour()),), "Colour")
        bench.session.runs.start(attacks.PGD(steps=100_000))
        until(lambda: bench.session.runs.job is not None and bench.session.runs.job.index > 5, "the attack's first steps")
        latencies = drag_back_and_forth(bench)
        yield at_least("updates a second, dragged while an attack runs", len(latencies) / SECONDS, 8)
        bench.session.runs.cancel()
        until(lambda: not bench.session.runs.running, "the end of the attack")
    finally:
        bench.window.close()
        bench.shut_down()
        app.processEvents()


if __name__ == "__main__":
    for figure in figures():
        print(*figure.as_row(), sep=" | ", flush=True)
    sys.exit(0)
