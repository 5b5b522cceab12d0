"""CanvasFollower: the window and its canvas follow each other: checked tools and views, the Stickers dock, the Compare workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDockWidget

    from gui.canvas.canvas_link import CanvasLink
    from gui.session.session import Session
    from gui.settings import Settings
    from gui.shell.actions import Actions
    from gui.shell.workspaces.workspaces import Workspaces

COMPARE = "compare"


class CanvasFollower(QObject):
    """Connects a window's parts with its canvas, once that is built."""

    def __init__(
        self, session: Session, link: CanvasLink, actions: Actions, settings: Settings, stickers: QDockWidget, workspaces: Workspaces
    ) -> None:
        canvas = link.canvas
        super().__init__(canvas)
        self._session, self._canvas, self._actions, self._stickers = session, canvas, actions, stickers
        self._workspaces = workspaces
        on = settings.text("canvas/grid", "on") == "on"
        canvas.set_grid(on)
        actions["pixel_grid"].setChecked(on)
        canvas.toolChanged.connect(self._on_tool)
        canvas.viewChanged.connect(self._on_view)
        canvas.stickerTouched.connect(self._on_sticker)
        canvas.headingDoubleClicked.connect(actions["canvas_alone"].trigger)
        workspaces.switched.connect(self._on_workspace)
        link.comparison.chosen.connect(self._on_compared)
        self._on_workspace(workspaces.current.name)
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

    @Slot(str)
    def _on_workspace(self, name: str) -> None:
        """Show the compared runs in their workspace alone: in all others the canvas has the image and its attack."""
        self._session.comparison.set_wanted(name == COMPARE)

    @Slot()
    def _on_compared(self) -> None:
        """Go to the workspace in which the runs that the user has just chosen are compared."""
        self._workspaces.switch(COMPARE)
