"""PaneMouse: turns Qt's mouse events on a pane into pointers.

It uses the viewport's raw press, move and release: pyqtgraph's own scene would turn drags shorter than half a second or five pixels into
clicks, and would hold moves back.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QNativeGestureEvent, QWheelEvent

from gui.canvas.pane import Pane
from gui.canvas.tools import Kind, Pointer

WHEEL_STEP = 1.25
"""The factor of zoom per notch of the wheel."""


class PaneMouse(QObject):
    """Filters the mouse events of one pane's viewport."""

    pressed = Signal(object, object)
    """The pointer and the mouse button."""
    moved = Signal(object, object)
    """The pointer and the mouse buttons that are down."""
    released = Signal(object, object)
    doubleClicked = Signal(object, object)
    wheeled = Signal(float, object)
    """The notches that the wheel was turned by, and the pointer."""
    zoomed = Signal(float, object)
    """The factor of a zoom by two fingers, and the pointer to zoom about."""
    left = Signal()

    def __init__(self, pane: Pane, parent: QObject) -> None:
        super().__init__(parent)
        self._pane = pane
        pane.viewport.installEventFilter(self)

    def pointer(self, at: QPointF, modifiers: Qt.KeyboardModifier, kind: Kind = "move") -> Pointer:
        """Return the pointer at a position in the viewport, under the present placement of the image."""
        placement = self._pane.placement
        x, y = placement.to_image(at.x(), at.y())
        shift, ctrl = (bool(modifiers & key) for key in (Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier))
        return Pointer(x, y, 1 / placement.scale, shift, kind, ctrl)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        if isinstance(event, QWheelEvent):
            delta = event.angleDelta().y() or event.angleDelta().x()
            self.wheeled.emit(delta / 120, self.pointer(event.position(), event.modifiers()))
            event.accept()
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoomed.emit(1 + event.value(), self.pointer(event.position(), Qt.KeyboardModifier.NoModifier))
            return True
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        return False

    def _mouse(self, event: QMouseEvent) -> bool:
        keys, kind = event.modifiers(), event.type()
        if kind == QEvent.Type.MouseButtonPress:
            self.pressed.emit(self.pointer(event.position(), keys, "press"), event.button())
        elif kind == QEvent.Type.MouseButtonDblClick:
            second = replace(self.pointer(event.position(), keys, "press"), double=True)
            self.doubleClicked.emit(second, event.button())
        elif kind == QEvent.Type.MouseMove:
            self.moved.emit(self.pointer(event.position(), keys, "move"), event.buttons())
        elif kind == QEvent.Type.MouseButtonRelease:
            self.released.emit(self.pointer(event.position(), keys, "release"), event.button())
        else:
            return False
        event.accept()
        return True
