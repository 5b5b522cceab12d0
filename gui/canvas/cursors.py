"""The mouse pointers of the tools' roles."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from gui.canvas.tools import Role

_SHAPES: dict[Role, Qt.CursorShape] = {
    "arrow": Qt.CursorShape.ArrowCursor,
    "cross": Qt.CursorShape.CrossCursor,
    "hand": Qt.CursorShape.OpenHandCursor,
    "grab": Qt.CursorShape.ClosedHandCursor,
    "move": Qt.CursorShape.SizeAllCursor,
    "horizontal": Qt.CursorShape.SizeHorCursor,
    "vertical": Qt.CursorShape.SizeVerCursor,
    "falling": Qt.CursorShape.SizeFDiagCursor,
    "rising": Qt.CursorShape.SizeBDiagCursor,
}
_SIDE = 24


@lru_cache(maxsize=16)
def cursor_of(role: Role) -> QCursor:
    """Return the mouse pointer of a role. Qt has none for rotating, so that one is drawn: an arc with an arrow at its end."""
    return QCursor(_turning()) if role == "turn" else QCursor(_SHAPES[role])


def _turning() -> QPixmap:
    pixmap = QPixmap(_SIDE, _SIDE)
    pixmap.fill(QColor(0, 0, 0, 0))
    box = QRectF(5, 5, _SIDE - 10, _SIDE - 10)
    arc = QPainterPath()
    arc.arcMoveTo(box, 60)
    arc.arcTo(box, 60, 270)
    end = arc.currentPosition()
    head = QPolygonF([end + QPointF(-6, -1), end + QPointF(5, -3), end + QPointF(2, 7)])
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0), 5.0), (QColor(255, 255, 255), 2.0)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(arc)
        painter.setPen(QPen(colour, max(0.1, width - 2), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(colour)
        painter.drawPolygon(head)
    painter.end()
    return pixmap
