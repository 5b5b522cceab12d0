"""MainWindow: composes canvas, docks, menus and status bar, and restores their layout. It holds no logic."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from gui import theme
from gui.clipboard import local_files
from gui.session.session import Session
from gui.settings import Settings
from gui.shell.actions import Actions
from gui.shell.actions.file import open_files, open_mime
from gui.shell.actions.panels import PanelActions
from gui.shell.actions.recent import RecentMenu
from gui.shell.actions.reproduce import ReproduceMenu
from gui.shell.actions.runs import carry_out
from gui.shell.actions.sessions import SessionsMenu
from gui.shell.canvas_following import CanvasFollower
from gui.shell.centre import Centre
from gui.shell.dock import Dock
from gui.shell.docks import DOCKS, DockSpec
from gui.shell.last_study import starts_with_last
from gui.shell.spine.bar import Spine
from gui.shell.status_bar import StatusBar
from gui.shell.study_link import StudyLink
from gui.shell.workspaces.news import News
from gui.shell.workspaces.rail import Rail
from gui.shell.workspaces.table import WORKSPACES
from gui.shell.workspaces.workspaces import Workspaces
from gui.widgets.reveal import reveal

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas

BASE = QSize(2, 2)
"""The window's base size, from which a window manager counts steps.

At a fractional scale Qt asks for sizes in steps of two device pixels. Without a base size they are counted from the least size, which
changes with the docks: each change would cost the window a pixel. Any size does that stays as it is.
"""
FRAME = 32
"""The height of the window's own frame, about."""


class MainWindow(QMainWindow):
    """The main window of a session.

    It is built in two stages, so that it is on the screen at once: first menus, spine, empty docks and status bar, which need only Qt;
    then, after the first paint, canvas and panels, which need pyqtgraph.
    """

    canvas: ImageCanvas

    def __init__(self, session: Session, settings: Settings, chosen_theme: theme.Theme, specs: Sequence[DockSpec] = DOCKS) -> None:
        super().__init__()
        self.session, self.settings, self.theme = session, settings, chosen_theme
        chosen_theme.setParent(self)
        self.setObjectName("main")
        self.setWindowTitle("Gibbon")
        self.setAcceptDrops(True)
        self.setBaseSize(BASE)
        self.setAnimated(False)  # an animation that goes on while a layout is restored ends at the place of the layout before
        self.centre = Centre()
        self.setCentralWidget(self.centre)
        self.panels: dict[str, Any] = {}
        self._specs = specs
        self.docks = {spec.name: Dock(spec, self) for spec in specs}
        self.workspaces = Workspaces(self, self.centre, self.docks, specs, settings, WORKSPACES)
        self.actions_table = Actions(self, self)
        self.panel_actions = PanelActions(self, self, self.docks, specs)
        self._make_menus()
        self.spine = Spine(self, self)
        self.addToolBar(self.spine)
        Rail(self, [self.actions_table[f"workspace_{spec.name}"] for spec in WORKSPACES], [self.actions_table["toggle_drawer"]])
        status = StatusBar(session, self)
        status.jobs.panelAsked.connect(self.bring_up)
        self.setStatusBar(status)
        StudyLink(session, settings, self.workspaces, self)
        session.photographChanged.connect(self._on_photograph)
        self.actions_table.check(f"theme_{chosen_theme.choice}")
        self.actions_table.check("start_with_last", starts_with_last(settings))
        News(session, self.workspaces.tabs)
        session.engineReady.connect(self.centre.lift_veil)
        self.centre.headerDoubleClicked.connect(self.actions_table["canvas_alone"].trigger)
        self._follow_workspaces()
        self._restore()

    # ------------------------------------------------------------------ canvas and panels

    def import_panels(self) -> None:
        """Import all modules that `fill` needs. This must not run at the same time as torch's import, since both import NumPy."""
        for module in ("gui.canvas", "gui.panels.timeline", *(spec.module for spec in self._specs)):
            importlib.import_module(module)

    def fill(self) -> None:
        """Build the canvas and the panels: the second stage."""
        from gui.canvas import ImageCanvas
        from gui.canvas.canvas_link import CanvasLink
        from gui.canvas.header import CanvasHeader
        from gui.shell.canvas_menu import CanvasMenu

        self.canvas = ImageCanvas()
        self.centre.set_canvas(self.canvas)
        self.centre.set_header(CanvasHeader(self.canvas, self.actions_table))
        self.centre.set_foot(self._make_foot())
        self.canvas_link = CanvasLink(self.session, self.canvas)
        CanvasMenu(self.session, self.canvas, self.actions_table)
        CanvasFollower(self.session, self.canvas_link, self.actions_table, self.settings, self.docks["stickers"], self.workspaces)
        self.canvas.filesDropped.connect(self._on_files)
        for spec in self._specs:
            panel = self.panels[spec.name] = spec.panel_class(self.session)
            self.docks[spec.name].setWidget(panel)
        if "runs" in self.panels:
            self.panels["runs"].asked.connect(self._on_run_command)
        QTimer.singleShot(0, self.workspaces.show_again)  # after the layout: docks with panels have sizes of their own

    def _make_foot(self) -> QWidget:
        from gui.panels.timeline import TimelineFoot

        foot = TimelineFoot(self.session)
        foot.set_export(self.actions_table.find("export_animation"))
        return foot

    @Slot(str, object)
    def _on_run_command(self, name: str, numbers: tuple[int, ...]) -> None:
        carry_out(self, name, numbers)

    @Slot(object)
    def _on_files(self, paths: list[str]) -> None:
        open_files(self, paths)

    # ------------------------------------------------------------------ docks

    def news(self, name: str) -> None:
        """Mark a dock with a dot until it is looked at: it has something new, and it is not pushed to the front."""
        self.workspaces.tabs.add_news(name)

    def reset_layout(self) -> None:
        """Put the docks of the present workspace back in their places."""
        self.workspaces.reset()

    def bring_up(self, name: str, control: str = "") -> None:
        """Show a dock as the front tab, and focus the control of an accessible name, or the panel."""
        dock, panel = self.docks[name], self.panels[name]
        self.workspaces.show_canvas_alone(False)
        if name in self.workspaces.drawer.folded:
            self.workspaces.drawer.unfold(name)
        dock.show()
        dock.raise_()
        controls = (child for child in panel.findChildren(QWidget) if child.accessibleName() == control)
        target = next(controls, panel)
        reveal(target)
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # ------------------------------------------------------------------ menus

    def _make_menus(self) -> None:
        menus = self.actions_table.fill_menus(self)
        menus["File"].insertMenu(self.actions_table["paste_image"], RecentMenu(self))
        menus["File"].insertMenu(self.actions_table["save_study"], SessionsMenu(self))
        self.reproduce = ReproduceMenu(self)
        self.menuBar().insertMenu(menus["View"].menuAction(), self.reproduce)
        view = menus["View"]
        first = self.actions_table["toggle_drawer"]
        view.insertSeparator(first)
        view.insertActions(first, self.panel_actions.all)

    def _follow_workspaces(self) -> None:
        """Check the commands of the workspace that is shown, of the drawer, and of the canvas alone."""
        check, drawer = self.actions_table.check, self.workspaces.drawer
        self.workspaces.switched.connect(lambda name: check(f"workspace_{name}"))
        self.workspaces.aloneChanged.connect(lambda alone: check("canvas_alone", alone))
        self.workspaces.tabs.changed.connect(lambda: check("toggle_drawer", drawer.is_open))
        check(f"workspace_{self.workspaces.current.name}")
        self.workspaces.switched.connect(self.session.places.note)
        self.session.places.wanted.connect(self._on_place)

    @Slot(str, str)
    def _on_place(self, workspace: str, dock: str) -> None:
        """Show a workspace and a dock that a panel asked for."""
        if workspace:
            self.workspaces.switch(workspace)
        if dock:
            self.bring_up(dock)

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _on_photograph(self) -> None:
        from engine import resources

        photograph = self.session.photograph
        path = None if photograph is None else photograph.path
        if path is not None and resources.folder() not in path.absolute().parents:
            self.settings.add_recent_image(path)

    # ------------------------------------------------------------------ dialogs

    def start_guide(self, slug: str) -> None:
        """Begin a guided tour, in place of one that is in progress."""
        from gui.shell.guides.bar import show_guide

        show_guide(slug, self.session, self)

    def show_palette(self) -> None:
        """Open the command palette."""
        from gui.shell.palette import open_palette

        open_palette(self)

    def open_experiment(self, slug: str) -> None:
        """Show the Test workspace with an experiment of the lectures."""
        self.session.places.go("test", "experiments")
        self.panels["experiments"].choose(slug)

    def show_keyboard_help(self) -> None:
        """Open the help page of keyboard and mouse."""
        from gui.shell.help_page import KeyboardHelp

        KeyboardHelp(self).open()

    # ------------------------------------------------------------------ drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_files(event.mimeData()) or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        open_mime(self, event.mimeData(), "dropped image")
        event.acceptProposedAction()

    # ------------------------------------------------------------------ from one start to the next

    def _restore(self) -> None:
        if not self.restoreGeometry(self.settings.bytes("geometry")):
            self.resize(_first_size(self.screen().availableSize()))
        self.workspaces.show_again()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.keep_bytes("geometry", self.saveGeometry())
        self.workspaces.keep()
        self.settings.store.sync()
        self.hide()  # at once, since ending the thread may take seconds while it imports
        super().closeEvent(event)
        self.session.shut_down()


def _first_size(room: QSize) -> QSize:
    """Return the window's size at the first start: most of the screen, and all of a small one but for the frame."""
    wide, high = room.width(), room.height() - FRAME
    return QSize(min(1600, max(round(0.92 * wide), min(wide, 1280))), min(1000, max(round(0.92 * high), min(high, 800))))
