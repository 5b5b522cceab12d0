"""Whatever a person does in whatever order: once nothing moves, the canvas and the panels show the session's own scene.

``python -m tests.gui.test_random_walk 20 200`` walks twenty seeds of two hundred actions each.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider

from gui.panels.attack.eps_slider import SETTLE_MS, EpsSlider
from tests.gui.driving import action, drag, on_pane, press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.session.session import Session


class Walker:
    """Random actions with real events on one window."""

    def __init__(self, bench: Workbench, seed: int) -> None:
        self.bench, self.session, self.random = bench, bench.session, random.Random(seed)
        self.done: list[str] = []

    def walk(self, count: int) -> None:
        """Do so many things, with more or less time between two of them."""
        choices: list[Callable[[], object]] = [
            *[self.draw, self.draw, self.move, self.move, self.delete, self.nudge, self.undo, self.redo, self.bound, self.run, self.run],
            *[self.pause, self.cancel, self.earlier_run, self.slide_eps, self.saliency, self.clear, self.other_attack, self.remove_run],
            *[self.brush, self.polygon, self.turn, self.hide, self.several],
        ]
        for _ in range(count):
            do = self.random.choice(choices)
            self.done.append(do.__name__)
            do()
            for _ in range(self.random.choice((0, 0, 1, 5))):
                settle()
            if self.random.random() < 0.3:
                QTest.qWait(self.random.choice((1, 20, 60)))

    def rest(self) -> None:
        """Wait until nothing is under way, and let what is late come."""
        session = self.session
        until(lambda: session.runs.job is None or session.runs.job.paused or session.runs.job.index >= 0, "the run's first step")
        session.runs.cancel()
        until(lambda: not session.runs.running and not session.runs.abandoned, f"the end of the run after {self.done}")
        QTest.qWait(500)  # the slider settles
        until(lambda: not any(session.waiting(key) for key in ("frame", "moved", "moved.kept", "content")), "the last frame")
        QTest.qWait(50)
        until(lambda: not session.waiting("frame"), "the last frame")

    # ------------------------------------------------------------------ what a person does

    def _points(self, count: int) -> tuple[object, list[QPoint]]:
        return on_pane(self.bench, [(self.random.uniform(-2, 34), self.random.uniform(-2, 34)) for _ in range(count)])

    def draw(self) -> None:
        press_keys(self.bench.window, "R")
        widget, points = self._points(self.random.choice((2, 3, 5)))
        drag(widget, points)  # type: ignore[arg-type]

    def move(self) -> None:
        if self.session.stickers:
            sticker = self.random.choice(self.session.stickers)
            press_keys(self.bench.window, "V")
            inside = (sticker.x + sticker.width / 2, sticker.y + sticker.height / 2)
            widget, points = on_pane(self.bench, [inside, *((self.random.uniform(0, 32), self.random.uniform(0, 32)) for _ in range(3))])
            drag(widget, points)

    def brush(self) -> None:
        press_keys(self.bench.window, self.random.choice(("P", "Shift+P")))
        self.bench.window.canvas.set_radius(self.random.choice((1, 2, 5)))
        widget, points = self._points(self.random.choice((1, 3, 5)))
        drag(widget, points)  # type: ignore[arg-type]

    def polygon(self) -> None:
        press_keys(self.bench.window, "L")
        widget, points = self._points(self.random.choice((2, 3, 5)))
        for point in points:
            drag(widget, [point, point])  # type: ignore[arg-type]
        self._key(self.random.choice((Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)))

    def turn(self) -> None:
        knob = self.bench.window.canvas.panes[0].view.handles.knob()
        if knob is not None:
            widget, points = self._points(3)
            drag(widget, [knob.toPoint(), *points])  # type: ignore[arg-type]

    def hide(self) -> None:
        action(self.bench, self.random.choice(("hide_sticker", "lock_sticker"))).trigger()

    def several(self) -> None:
        self.bench.window.canvas.select_all()
        action(self.bench, self.random.choice(("align_left", "align_to_image_middle", "snap_sticker", "front_sticker"))).trigger()

    def delete(self) -> None:
        self._key(Qt.Key.Key_Delete)

    def nudge(self) -> None:
        self._key(self.random.choice((Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Down)))

    def _key(self, key: Qt.Key) -> None:
        self.bench.window.canvas.setFocus()
        QTest.keyClick(self.bench.window.canvas, key)

    def undo(self) -> None:
        action(self.bench, "undo").trigger()

    def redo(self) -> None:
        action(self.bench, "redo").trigger()

    def bound(self) -> None:
        site = self.random.choice(self.session.classifier.sites).name  # type: ignore[union-attr]
        self.session.set_bounds(self.random.choice(({}, {site: self.random.uniform(0.5, 3)})))

    def run(self) -> None:
        from engine import attacks

        if self.session.runs.job is None:
            kinds = (attacks.FGSM(), attacks.PGD(steps=30), attacks.PGD(steps=100_000), attacks.StickerPGD(steps=20))
            self.session.runs.start(self.random.choice(kinds))

    def pause(self) -> None:
        action(self.bench, "pause").trigger()

    def cancel(self) -> None:
        action(self.bench, "cancel").trigger()

    def earlier_run(self) -> None:
        action(self.bench, self.random.choice(("previous_run", "next_run"))).trigger()

    def slide_eps(self) -> None:
        slider = next(s for s in self.bench.window.findChildren(QSlider) if s.accessibleName() == "eps of the finished run")
        if slider.isVisible():
            slider.setFocus()
            QTest.keyClick(slider, self.random.choice((Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_PageUp)))

    def saliency(self) -> None:
        self.bench.window.panels["perturbation"].tabs.setCurrentIndex(self.random.randrange(2))

    def clear(self) -> None:
        action(self.bench, "clear_perturbation").trigger()

    def other_attack(self) -> None:
        self.session.change(**self.session.plan.choosing(self.random.choice(("fgsm", "pgd", "sticker-pgd"))))

    def remove_run(self) -> None:
        entries = self.session.history.entries
        if entries:
            self.session.remove_runs(self.random.choice(entries).number)


def mismatch(session: Session) -> list[str]:
    """In what the frame on the canvas differs from the session's scene."""
    frame, scene = session.frame, session.scene
    assert frame is not None
    assert scene is not None
    seen = frame.scene
    same = {
        "classifier": seen.classifier is scene.classifier,
        "clean": seen.clean is scene.clean,
        "stickers": seen.stickers == scene.stickers,
        "delta": seen.delta is scene.delta,
        "bounds": seen.bounds == scene.bounds,
        "explanations": seen.explanations == scene.explanations,
        "grown": seen.grown == scene.grown,
        "step": frame.step is None,
        "image": bool((frame.observation.adversarial_image - scene.adversarial()).abs().max() == 0),
    }
    return [name for name, holds in same.items() if not holds]


def check(bench: Workbench, seed: int, count: int) -> None:
    """Walk, rest, compare."""
    walker = Walker(bench, seed)
    walker.walk(count)
    walker.rest()
    assert mismatch(bench.session) == [], f"seed {seed}: {walker.done}"
    assert bench.window.panels["prediction"].painted is bench.session.frame


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_the_canvas_at_rest_shows_the_newest_state(bench: Workbench, seed: int) -> None:
    check(bench, seed, 40)


def test_an_eps_that_nobody_keeps_leaves_the_canvas(bench: Workbench) -> None:
    """Another attack is chosen while the slider has not settled: the slider goes, and so does what it showed."""
    from engine import attacks

    session = bench.session
    session.change(**session.plan.choosing("fgsm"))
    session.runs.start(attacks.FGSM())
    until(lambda: session.history.shown is not None and not session.runs.running, "the run")
    settle()
    walker, (eps,) = Walker(bench, 0), bench.window.findChildren(EpsSlider)
    eps._settled.setInterval(60_000)  # or a busy machine lets it settle first
    walker.slide_eps()
    until(lambda: not session.waiting("moved"), "the preview")
    assert mismatch(session) == ["delta", "image"]
    session.change(**session.plan.choosing("pgd"))
    eps._settled.setInterval(SETTLE_MS)
    walker.rest()
    assert mismatch(session) == []


def test_a_preview_from_before_a_bound_is_dropped(bench: Workbench) -> None:
    """It lies in its box until the timer takes it, and the frame under the bound may come first."""
    from dataclasses import replace

    session = bench.session
    from engine import attacks

    session.runs.start(attacks.PGD(steps=100_000))
    until(lambda: session.frame is not None and session.frame.step is not None, "a preview")
    session.runs.pause(True)
    until(lambda: not session.lane.busy, "the pause")
    stale = session.runs.runner.preview
    session.set_bounds({session.classifier.sites[0].name: 1.0})  # type: ignore[union-attr]
    until(lambda: not session.waiting("frame") and session.frame is not None and session.frame.scene.bounds, "the frame")
    fresh = session.frame
    session.runs.runner.preview = replace(stale)
    session.runs.runner.previewed.emit()
    assert session.frame is fresh
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end")


def main(seeds: int, count: int) -> None:
    """Walk in one window; the first walk that ends wrong is named with all that was done."""
    from tests.gui.driving import open_window, wait_ready

    bench = open_window()
    wait_ready(bench)
    wrong = 0
    for seed in range(seeds):
        bench.session.commit_stickers((), "Clear")
        bench.session.clear_perturbation()
        try:
            check(bench, seed, count)
        except AssertionError as error:
            wrong += 1
            print(str(error).splitlines()[0], flush=True)
        print(f"seed {seed} done, {wrong} wrong", flush=True)
    bench.window.close()
    bench.shut_down()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
