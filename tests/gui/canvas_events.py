"""Real mouse and key events on a canvas, at positions in image pixels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from engine.stickers import Sticker
from gui.canvas import ImageCanvas
from gui.canvas.pane import Pane

NO = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.MouseButton.NoButton


class Owner:
    """Stands in for the session: applies the canvas's signals to its stickers, and records all signals."""

    def __init__(self, canvas: ImageCanvas, stickers: tuple[Sticker, ...] = ()) -> None:
        self.canvas = canvas
        self.stickers, self.selected = stickers, None
        self.also: frozenset[int] = frozenset()
        self.said: list[tuple] = []
        for name in ("stickersDragged", "stickersCommitted", "dragStarted", "dragEnded", "selectionChanged", "toolChanged", "notice"):
            getattr(canvas, name).connect(lambda *values, name=name: self._hear(name, values))
        canvas.set_stickers(stickers, None)

    def _hear(self, name: str, values: tuple) -> None:
        self.said.append((name, *values))
        if name == "stickersDragged":
            self.stickers = values[0]
        elif name == "stickersCommitted":
            self.stickers = values[1]
        elif name == "selectionChanged":
            self.selected, self.also = values
        if name in ("stickersDragged", "stickersCommitted", "selectionChanged"):
            self.canvas.set_stickers(self.stickers, self.selected, self.also)

    def heard(self, name: str) -> list[tuple]:
        return [values[1:] for values in self.said if values[0] == name]

    def boxes(self) -> list[tuple[int, int, int, int]]:
        return [(sticker.x, sticker.y, sticker.width, sticker.height) for sticker in self.stickers]


def images(side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    clean = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    return clean, random.integers(0, 256, (side, side, 3), dtype=np.uint8)


def mouse(
    widget: QWidget, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, buttons: Qt.MouseButton, keys: Qt.KeyboardModifier = NO
) -> None:
    event = QMouseEvent(kind, QPointF(at), QPointF(widget.mapToGlobal(at)), button, buttons, keys)
    QApplication.sendEvent(widget, event)


def press(pane: Pane, at: tuple[float, float], button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NO) -> None:
    mouse(pane.viewport, QEvent.Type.MouseButtonPress, pane.position(*at), button, button, keys)


def move(pane: Pane, at: tuple[float, float], button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NO) -> None:
    mouse(pane.viewport, QEvent.Type.MouseMove, pane.position(*at), NONE, button, keys)


def release(pane: Pane, at: tuple[float, float], button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NO) -> None:
    mouse(pane.viewport, QEvent.Type.MouseButtonRelease, pane.position(*at), button, NONE, keys)


def drag(pane: Pane, points: Iterable[tuple[float, float]], button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NO) -> None:
    first, *others = points
    press(pane, first, button, keys)
    for point in others:
        move(pane, point, button, keys)
    release(pane, others[-1] if others else first, button, keys)


def wheel(pane: Pane, at: tuple[float, float], notches: int) -> None:
    view, position = pane.viewport, pane.position(*at)
    event = QWheelEvent(
        QPointF(position),
        QPointF(view.mapToGlobal(position)),
        QPoint(),
        QPoint(0, 120 * notches),
        NONE,
        NO,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def key(widget: QWidget, which: Qt.Key, keys: Qt.KeyboardModifier = NO) -> None:
    QTest.keyClick(widget, which, keys)


def overridden(widget: QWidget, which: Qt.Key, keys: Qt.KeyboardModifier = NO) -> bool:
    """Whether the widget takes the key before a menu's shortcut does."""
    event = QKeyEvent(QEvent.Type.ShortcutOverride, which, keys)
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()
