"""Driving the window with real clicks, drags and keys, and waiting for their effects."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QAction, QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gui.app import Workbench, build_workbench
from tests.gui.patience import PATIENCE_S

if TYPE_CHECKING:
    from gui.session.session import Session


class Late(AssertionError):
    """A condition did not become true in time."""


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Process events until the condition holds, in an event loop of its own: ``QTest.qWait`` would hold the GIL while it waits."""
    if condition():
        return
    loop, timer = QEventLoop(), QTimer()
    end = time.monotonic() + seconds
    timer.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > end else None)
    timer.start(1)
    loop.exec()
    timer.stop()
    if not condition():
        raise Late(f"{what} did not come within {seconds:g} s")


def settle() -> None:
    """Process all pending events and paints."""
    for _ in range(3):
        QApplication.processEvents()


def open_window(width: int = 1280, height: int = 800) -> Workbench:
    """Open and return a window whose engine is loading."""
    bench = build_workbench([])
    bench.window.resize(width, height)
    bench.window.show()
    return bench


def destroy(window: QWidget) -> None:
    """Close a window and destroy its widgets: every style sheet that is set later would reach those that are only closed."""
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def wait_ready(bench: Workbench) -> None:
    """Wait until the stop sign is classified."""
    until(lambda: bench.session.frame is not None, "the first frame", 120)
    settle()


def click(widget: QWidget, at: QPoint | None = None) -> None:
    """Press and release the left button on a widget, by default in its middle."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at or widget.rect().center())


def drag(widget: QWidget, points: Sequence[QPoint], between: Callable[[int], None] = lambda _place: None) -> None:
    """Press at the first point, move along the others, release at the last. ``between`` is called after each move."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    _mouse(widget, QEvent.Type.MouseButtonPress, points[0], left, left)
    for place, point in enumerate(points[1:]):
        _mouse(widget, QEvent.Type.MouseMove, point, none, left)
        QApplication.processEvents()
        between(place)
    _mouse(widget, QEvent.Type.MouseButtonRelease, points[-1], left, none)


def _mouse(widget: QWidget, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
    here, there = QPointF(at), QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, here, there, button, buttons, Qt.KeyboardModifier.NoModifier))


def press_keys(widget: QWidget, keys: str) -> None:
    """Type a shortcut. The window is made active first, since shortcuts need that and there may be no window manager."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        QApplication.setActiveWindow(widget.window())
    QTest.keySequence(widget, QKeySequence(keys))


def action(bench: Workbench, id: str) -> QAction:
    """Return the action of a menu's command by its id."""
    return bench.window.actions_table[id]


def choose_attack(bench: Workbench, title: str) -> None:
    """Open the list of attacks in the spine and click one."""
    chip = bench.window.spine.attack
    click(chip)
    tree = chip.list.tree
    (item,) = tree.findItems(title, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    tree.scrollToItem(item)
    click(tree.viewport(), tree.visualItemRect(item).center())
    assert chip.popup is not None
    assert not chip.popup.isVisible()


def run_attack(bench: Workbench) -> None:
    """Run the planned attack to its end."""
    before = len(bench.session.history.entries)
    press_keys(bench.window, "F5")
    until(lambda: len(bench.session.history.entries) > before and not bench.session.runs.running, "the end of the attack")
    until(lambda: frame_is_newest(bench.session), "the frame of the result")
    settle()


def frame_is_newest(session: Session) -> bool:
    """Return whether the frame shows what is on the canvas now; the one that was made before an attack is of no step either."""
    return session.frame is not None and not session.waiting("frame")


def wait_written(session: Session) -> None:
    """Wait until every file that was requested is written, with what is written after it, and is announced."""
    until(lambda: not any(pending.keep for pending in session._requests._pending.values()), "the end of the writing")
    settle()


def line(start: tuple[float, float], end: tuple[float, float], count: int) -> list[tuple[float, float]]:
    """Return ``count`` points from one point to another, both included."""
    return [(start[0] + (end[0] - start[0]) * i / count, start[1] + (end[1] - start[1]) * i / count) for i in range(count + 1)]


def on_pane(bench: Workbench, points: Sequence[tuple[float, float]]) -> tuple[QWidget, list[QPoint]]:
    """Return the adversarial pane's widget, and points of the image as positions on it."""
    pane = bench.window.canvas.adversarial_pane
    return pane.viewport, [pane.position(*point) for point in points]


def draw(bench: Workbench) -> None:
    """Draw a sticker of 8 x 7 pixels over the lower part of the sign."""
    press_keys(bench.window, "R")
    widget, points = on_pane(bench, line((12.5, 18.5), (19.5, 24.5), 4))
    drag(widget, points)
    until(lambda: bench.session.frame.scene.stickers == bench.session.stickers, "the frame with the sticker")


class Hold:
    """Keeps a lane busy with one request until `release` is called."""

    def __init__(self, session: Session, *, background: bool = False) -> None:
        self._begun, self._let_go = threading.Event(), threading.Event()
        session.ask("hold", self._wait, lambda _: None, what="Holding", background=background)
        assert self._begun.wait(PATIENCE_S)

    def _wait(self) -> None:
        self._begun.set()
        assert self._let_go.wait(PATIENCE_S)

    def release(self) -> None:
        self._let_go.set()

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
