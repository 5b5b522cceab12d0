"""CanvasHeader: the bar above the canvas. Its buttons are the menus' actions, so that both are enabled and checked together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui.canvas.header.brush import BrushOptions
from gui.canvas.header.options import ViewOptions
from gui.canvas.header.zoom import ZoomText
from gui.canvas.pictures import VIEWS
from gui.theme import GRID, TEXT_BESIDE_ICON

if TYPE_CHECKING:
    from gui.canvas.view import ImageCanvas

TOOLS = ("select_tool", "rectangle_tool", "ellipse_tool", "polygon_tool", "brush_tool", "eraser_tool", "pan_tool")
VIEW_ACTIONS = tuple(f"view_{name}" for name in VIEWS)
ZOOM = ("zoom_out", "zoom_in", "fit", "pixel_grid")
HEIGHT = 34
ICON_ONLY = Qt.ToolButtonStyle.ToolButtonIconOnly


class ActionTable(Protocol):
    """The window's actions by their ids."""

    def __getitem__(self, id: str) -> QAction: ...


class CanvasHeader(QWidget):
    """Tools at the left, then the views with their options, and the zoom at the right. What does not fit is hidden: the menus have all."""

    def __init__(self, canvas: ImageCanvas, actions: ActionTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.setObjectName("canvasHeader")
        self.setAccessibleName("Tools and views of the canvas")
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.buttons = {id: _button(actions[id]) for id in (*TOOLS, *VIEW_ACTIONS, *ZOOM)}
        self.options, self.zoom, self.brush = ViewOptions(canvas), ZoomText(canvas), BrushOptions(canvas)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(GRID, 2, GRID, 2)
        self._row.setSpacing(2)
        self._add(TOOLS)
        self._row.addWidget(self.brush)
        self._views_rule = self._rule()
        self._add(VIEW_ACTIONS)
        self._row.addWidget(self.options)
        self._row.addStretch(1)
        self._add(("zoom_out",))
        self._row.addWidget(self.zoom)
        self._add(("zoom_in", "fit", "pixel_grid"))
        self._optional: tuple[QWidget, ...] = (*(self.buttons[id] for id in ("pixel_grid", "zoom_out", "zoom_in")), self.zoom)
        """The parts that a narrow bar hides, the least important first."""
        canvas.viewChanged.connect(self._on_view)
        canvas.toolChanged.connect(self._on_view)
        self._on_view()

    def _add(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._row.addWidget(self.buttons[id])

    def _rule(self) -> QFrame:
        rule = QFrame()
        rule.setFrameShape(QFrame.Shape.VLine)
        rule.setFixedHeight(HEIGHT - 16)
        rule.setForegroundRole(self.palette().ColorRole.Mid)
        self._row.addSpacing(4)
        self._row.addWidget(rule)
        self._row.addSpacing(4)
        return rule

    @Slot()
    def _on_view(self) -> None:
        """Show the tools unless runs are compared, the views if there are two pictures, and the options of the chosen ones."""
        for id in TOOLS:
            self.buttons[id].setVisible(not self._canvas.comparing)
        self.brush.follow()
        self._fit_width()

    def _show_views(self, wanted: bool) -> None:
        two = wanted and len(self._canvas.pictures) == 2
        for id in VIEW_ACTIONS:
            self.buttons[id].setVisible(two)
        self._views_rule.setVisible(two and not self._canvas.comparing)
        self.options.follow()
        self.options.setVisible(wanted)

    # ------------------------------------------------------------------ a narrow bar

    def _fit_width(self) -> None:
        """Hide what does not fit, and show the views' names if there is room for them. The radius of a brush goes before the views."""
        self._show_views(True)
        shown = len(self._optional)
        for named in (True, False):
            for id in VIEW_ACTIONS:
                self.buttons[id].setToolButtonStyle(TEXT_BESIDE_ICON if named else ICON_ONLY)
            for widget in self._optional:
                widget.setVisible(True)
            if self._fits():
                return
        while shown and not self._fits():
            shown -= 1
            self._optional[len(self._optional) - 1 - shown].setVisible(False)
        if self.brush.isVisibleTo(self) and not self._fits():
            self._show_views(False)

    def _fits(self) -> bool:
        self._row.invalidate()
        return self._row.sizeHint().width() <= self.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_width()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, HEIGHT)


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
