"""Trust lights as marks: a triangle where one is on, a ring where it is off, a dot where it is not measured. Shapes, not colours, tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui import theme
from gui.theme import GRID, number_font

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

    from engine.evaluate.trust import Light

_STEP = 11
"""Pixels from one mark to the next: the words beside them have room in the narrowest dock, too."""
_GROUP = 6
"""Pixels between the two kinds of signs."""


def paint_triangle(painter: QPainter, centre: QPointF, ink: QColor, radius: float = 5.0) -> None:
    """Paint the mark beside a number that violates a rule: a shape, so that it is seen without colour, too."""
    x, y = centre.x(), centre.y()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([QPointF(x, y - radius), QPointF(x + radius, y + 0.8 * radius), QPointF(x - radius, y + 0.8 * radius)]))
    painter.restore()


def paint_light(painter: QPainter, centre: QPointF, light: Light, palette: QPalette) -> None:
    """Paint the mark of one light, about 10 pixels wide."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if light.state == "on":
        paint_triangle(painter, centre, theme.readable(theme.ALERT, palette, 3.0))
        return
    quiet = theme.muted_colour(palette)
    if light.state == "off":
        painter.setPen(theme.pen(quiet, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, 3.5, 3.5)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(quiet)
        painter.drawEllipse(centre, 1.3, 1.3)


def forms_of(lights: Sequence[Light]) -> tuple[str, ...]:
    """Return the lights in words from the longest form to the shortest."""
    seen, left = sum(light.on for light in lights), sum(light.state == "not measured" for light in lights)
    short = f"{seen} {'light' if seen == 1 else 'lights'} on" if seen else "no light on"
    return words_of(lights), f"{short}, {left} open" if left else short, short


def words_of(lights: Sequence[Light]) -> str:
    """Return the lights in a few words: ``2 trust lights on, 5 not measured``."""
    seen = [light for light in lights if light.on]
    left = sum(light.state == "not measured" for light in lights)
    first = f"{len(seen)} trust {'light' if len(seen) == 1 else 'lights'} on" if seen else "no trust light on"
    return f"{first}, {left} not measured" if left else first


class LightRow(QWidget):
    """A row of marks with a few words. A click or Enter opens the sentences; a tool tip has the light under the mouse."""

    opened = Signal()
    """The user wants to read the sentences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lights: tuple[Light, ...] = ()
        self.setFont(number_font(self.font()))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.fontMetrics().lineSpacing() + 4)
        self.hide()

    def show_lights(self, lights: Sequence[Light]) -> None:
        """Show lights; without any the row is hidden."""
        if tuple(lights) != self.lights:
            self.lights = tuple(lights)
            named = ", ".join(light.sign.title for light in self.lights if light.on)
            self.setAccessibleName(f"{words_of(self.lights)}{f': {named}' if named else ''}")
            self.setVisible(bool(self.lights))
            self.update()

    def place(self, index: int) -> float:
        """Return the x coordinate of a mark's centre."""
        first = sum(light.sign.kind == "gradient masking" for light in self.lights)
        return 7 + index * _STEP + (_GROUP if index >= first else 0)

    @property
    def text(self) -> str:
        """The words beside the marks."""
        return words_of(self.lights)

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self.lights:
            return
        with QPainter(self) as painter:
            middle = self.height() / 2
            for index, light in enumerate(self.lights):
                paint_light(painter, QPointF(self.place(index), middle), light, self.palette())
            left = self.place(len(self.lights) - 1) + _STEP
            painter.setPen(
                theme.text_colour(self.palette()) if any(light.on for light in self.lights) else theme.muted_colour(self.palette())
            )
            rect = QRectF(left, 0, self.width() - left, self.height())
            room, metrics = int(rect.width()), self.fontMetrics()
            shown = next((form for form in forms_of(self.lights) if metrics.horizontalAdvance(form) <= room), "")
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            if self.hasFocus():
                painter.setPen(theme.pen(self.palette().color(QPalette.ColorRole.Highlight), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def light_at(self, x: float) -> Light | None:
        """Return the light whose mark is at an x coordinate."""
        return next((light for index, light in enumerate(self.lights) if abs(self.place(index) - x) <= _STEP / 2), None)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and self.lights:
            light = self.light_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self.text if light is None else tip_of(light), self)
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


def tip_of(light: Light) -> str:
    """Return a light as a tool tip: its name and state, the figures, and what it means and what to do where it is on."""
    lines = [f"{light.sign.title}: {light.state}", *([light.measured] if light.measured else [])]
    return "\n".join([*lines, light.sign.meaning, light.sign.cure] if light.on else [*lines, f"On, it would mean: {light.sign.meaning}"])


class LightMark(QWidget):
    """The mark of one light."""

    def __init__(self, light: Light, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.light = light
        self.setFixedSize(2 * GRID, self.fontMetrics().lineSpacing() + 4)
        self.setAccessibleName(light.state)
        self.setToolTip(light.state)

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            paint_light(painter, QPointF(GRID, self.height() / 2), self.light, self.palette())
