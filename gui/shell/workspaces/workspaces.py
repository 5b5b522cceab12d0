"""Workspaces: exchanges the layouts of the docks, and keeps each as the user leaves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLayout, QMainWindow, QToolBar, QWidget

from gui.settings import Settings
from gui.shell.dock import Dock
from gui.shell.docks import DockSpec
from gui.shell.workspaces.drawer import Drawer
from gui.shell.workspaces.placing import drawer_fits, fitted, place, set_corners, set_sizes, shape
from gui.shell.workspaces.proportions import Proportions
from gui.shell.workspaces.spec import WorkspaceSpec, layout_version
from gui.shell.workspaces.tabs import DockTabs


class Workspaces(QObject):
    """One session stands under all workspaces: switching exchanges only where the docks are and which of them are seen."""

    switched = Signal(str)
    """The name of the workspace that is shown now."""
    aloneChanged = Signal(bool)
    """The canvas is alone now, or no more."""

    def __init__(
        self,
        window: QMainWindow,
        centre: QWidget,
        docks: Mapping[str, Dock],
        specs: Sequence[DockSpec],
        settings: Settings,
        table: Sequence[WorkspaceSpec],
    ) -> None:
        super().__init__(window)
        self._window, self._docks, self._specs, self._settings = window, docks, specs, settings
        self._centre = centre
        self._table = {spec.name: spec for spec in table}
        self.tabs = DockTabs(window, docks)
        self.drawer = Drawer(window, docks, self.tabs)
        self._proportions = Proportions(window, centre, docks)
        self.current = self._table.get(settings.text("window/workspace"), table[0])
        self._fitted, self._shape = self.current, ""
        self._hidden: list[QWidget] | None = None

    def show_again(self) -> None:
        """Show the present workspace as it was left, or as its table says."""
        self._apply(self.current)

    def has(self, name: str) -> bool:
        """Return whether there is a workspace of that name."""
        return name in self._table

    def switch(self, name: str) -> None:
        """Keep the present workspace as it is, and show another."""
        self.show_canvas_alone(False)
        if name != self.current.name:
            self.keep()
            self.current = self._table[name]
            self._apply(self.current)
            self.switched.emit(name)

    def reset(self) -> None:
        """Put the docks of the present workspace back in their places. The other workspaces stay as they are."""
        self.show_canvas_alone(False)
        with self._still():
            self._fit(self.current)
            self._place()

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Paint nothing, and leave the window its size, until the docks are in their places.

        The docks have less room for a moment than they need, which would make the window grow; and at a fractional scale growing and
        shrinking back does not end at the same size.
        """
        layout = self._layout()
        if layout.sizeConstraint() == QLayout.SizeConstraint.SetNoConstraint:  # inside another call
            yield
            return
        constraint = layout.sizeConstraint()
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._window.setUpdatesEnabled(False)
        try:
            yield
        finally:
            layout.setSizeConstraint(constraint)
            self._window.setUpdatesEnabled(True)
            for dock in self._docks.values():
                dock.setUpdatesEnabled(True)  # one that floats has become a window meanwhile, which the main window does not reach

    # ------------------------------------------------------------------ the canvas alone

    @property
    def canvas_is_alone(self) -> bool:
        """Whether everything but the canvas and the menu bar is hidden for the time being."""
        return self._hidden is not None

    def show_canvas_alone(self, alone: bool) -> None:
        """Hide docks, tool bars and status bar until the next call, and show them as they were."""
        if alone == self.canvas_is_alone:
            return
        with self._still():
            if self._hidden is None:
                self.keep()
                bars = [*self._window.findChildren(QToolBar, options=Qt.FindChildOption.FindDirectChildrenOnly), self._window.statusBar()]
                self._hidden = [widget for widget in bars if not widget.isHidden()]
                for widget in (*self._hidden, *self._docks.values()):
                    widget.hide()
                self._centre.show()
            else:
                hidden, self._hidden = self._hidden, None
                for widget in hidden:
                    widget.show()
                self._apply(self.current)
        self.aloneChanged.emit(alone)

    # ------------------------------------------------------------------ keeping and restoring

    def keep(self) -> None:
        """Store the present workspace as it is."""
        self._settings.keep_text("window/workspace", self.current.name)
        if self.canvas_is_alone:
            return
        self._settings.keep_bytes(self._key, self._window.saveState(self._version))
        self._settings.keep_text(f"window/{self._key}.folded", " ".join(self.drawer.folded))

    def _apply(self, spec: WorkspaceSpec) -> None:
        with self._still():
            self._centre.setVisible(spec.canvas)
            self.drawer.set_folded(())
            set_corners(self._window, spec)
            self._fit(spec)
            if self._restore() and self._fits():
                folded = self._settings.text(f"window/{self._key}.folded").split()
                self.drawer.set_folded(tuple(name for name in folded if name in self._docks))
                self._activate()
                self.tabs.sync()
            else:
                self._place()

    def _fit(self, spec: WorkspaceSpec) -> None:
        """Fit the workspace to the window as it is now. A layout is kept for the shape of window that it was made for."""
        size = self._window.size()
        self._fitted, self._shape = fitted(spec, size.width(), size.height()), shape(size.width(), size.height())

    def _restore(self) -> bool:
        blob = self._settings.bytes(self._key)
        return not blob.isEmpty() and self._window.restoreState(blob, self._version)

    def _fits(self) -> bool:
        """Return whether the docks fit window and screen, which may be smaller than at the time of the layout."""
        least, room = self._window.minimumSizeHint(), self._window.screen().availableSize().expandedTo(self._window.size())
        return least.width() <= room.width() and least.height() <= room.height()

    def _place(self) -> None:
        spec, size = self._fitted, self._window.size()
        self._centre.setVisible(spec.canvas)
        self.drawer.set_folded(())
        place(self._window, spec, self._docks, {each.name: each.side for each in self._specs})
        if not drawer_fits(spec, size.width(), size.height()):
            self.drawer.set_folded(spec.bottom.docks)
        self._activate()
        self.tabs.sync()
        self._activate()  # the titles have come or gone
        set_sizes(self._window, spec, self._docks)

    def _activate(self) -> None:
        """Lay the docks out at once, since their sizes can only be set afterwards."""
        self._layout().activate()

    def _layout(self) -> QLayout:
        layout = self._window.layout()
        assert layout is not None
        return layout

    @property
    def _key(self) -> str:
        """The name under which the layout that is shown is kept."""
        return f"workspaces/{self._fitted.name}{self._shape}"

    @property
    def _version(self) -> int:
        return layout_version(self._specs, self._fitted)
