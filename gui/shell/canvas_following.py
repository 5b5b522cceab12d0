"""CanvasFollower: the window follows its canvas, with checked tools and views, and the Stickers dock when the hand touches a sticker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDockWidget

    from gui.canvas import ImageCanvas
    from gui.settings import Settings
    from gui.shell.actions import Actions


class CanvasFollower(QObject):
    """Connects a window's parts with its canvas, once that is built."""

    def __init__(self, canvas: ImageCanvas, actions: Actions, settings: Settings, stickers: QDockWidget) -> None:
        super().__init__(canvas)
        self._canvas, self._actions, self._stickers = canvas, actions, stickers
        on = settings.text("canvas/grid", "on") == "on"
        canvas.set_grid(on)
        actions["pixel_grid"].setChecked(on)
        canvas.toolChanged.connect(self._on_tool)
        canvas.viewChanged.connect(self._on_view)
        canvas.stickerTouched.connect(self._on_sticker)
        self._on_tool(canvas.tool)
        self._on_view()

    @Slot(str)
    def _on_tool(self, tool: str) -> None:
        self._actions.check(f"{tool}_tool")

    @Slot()
    def _on_view(self) -> None:
        self._actions.check(f"view_{self._canvas.view}")

    @Slot()
    def _on_sticker(self) -> None:
        """Bring the Stickers dock to the front of its tabs; the focus stays, and a dock that was closed stays closed."""
        if not self._stickers.isHidden():
            self._stickers.raise_()
