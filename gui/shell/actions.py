"""Every command as data: one table makes the menus, the tool bar and the keyboard help page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar

from gui import theme
from gui.widgets.literal import literal

if TYPE_CHECKING:
    from gui.session.session import Session


def always(_session: Session) -> bool:
    """Return True: the command is available at any time, also while the engine is loading."""
    return True


def ready(session: Session) -> bool:
    """Return whether the engine is loaded."""
    return session.ready


def has_frame(session: Session) -> bool:
    """Return whether an image is on the canvas."""
    return session.frame is not None and session.clean is not None


def can_run(session: Session) -> bool:
    """Return whether an attack can start: there is an image, and no attack is in progress."""
    return session.scene is not None and not session.runs.running


def running(session: Session) -> bool:
    """Return whether an attack is in progress, paused or not."""
    return session.runs.running


def perturbed(session: Session) -> bool:
    """Return whether there is a perturbation on the canvas and no attack in progress."""
    return session.delta is not None and not session.runs.running


def can_undo(session: Session) -> bool:
    """Return whether there is an undo step."""
    return session.undo_stack.canUndo()


def can_redo(session: Session) -> bool:
    """Return whether there is an undone step to redo."""
    return session.undo_stack.canRedo()


def has_runs(session: Session) -> bool:
    """Return whether there is a finished attack."""
    return bool(session.history.attacks)


@dataclass(frozen=True)
class ActionSpec:
    """A command. ``id`` names the method of `Commands` that it calls."""

    id: str
    title: str
    menu: str
    tip: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[Session], bool] = always
    group: str = ""
    """Commands of one group exclude each other: one of them is checked."""
    rule: bool = False
    """Whether the menu has a separator before the command."""


MENUS = ("File", "Edit", "Attack", "View", "Help")

SPECS: tuple[ActionSpec, ...] = (
    ActionSpec("open_image", "Open image…", "File", "Open a photograph or drawing", ("Ctrl+O",), "mdi6.folder-open-outline", ready),
    ActionSpec("paste_image", "Paste image", "File", "Open the picture on the clipboard", ("Ctrl+V",), "mdi6.content-paste", ready),
    ActionSpec("open_model", "Open model…", "File", "Load another classifier", ("Ctrl+M",), "mdi6.brain", ready),
    ActionSpec(
        "save_image",
        "Save adversarial image…",
        "File",
        "Save the adversarial image as PNG, read it again, and say whether it is still adversarial",
        ("Ctrl+S",),
        "mdi6.content-save-outline",
        has_frame,
        rule=True,
    ),
    ActionSpec(
        "export_figure", "Export figure…", "File", "Compose a figure for a paper", ("Ctrl+E",), "mdi6.file-export-outline", has_frame
    ),
    ActionSpec("quit", "Quit", "File", "Leave Gibbon", ("Ctrl+Q",), "mdi6.exit-to-app", rule=True),
    ActionSpec("undo", "Undo", "Edit", "Take back the last change", ("Ctrl+Z",), "mdi6.undo", can_undo),
    ActionSpec("redo", "Redo", "Edit", "Make it again", ("Ctrl+Shift+Z", "Ctrl+Y"), "mdi6.redo", can_redo),
    ActionSpec(
        "copy_adversarial",
        "Copy adversarial image",
        "Edit",
        "Copy the adversarial image to the clipboard",
        ("Ctrl+Shift+C",),
        "mdi6.content-copy",
        has_frame,
        rule=True,
    ),
    ActionSpec("copy_clean", "Copy clean image", "Edit", "Copy the clean image to the clipboard", (), "mdi6.content-copy", has_frame),
    ActionSpec(
        "clear_perturbation",
        "Clear perturbation",
        "Edit",
        "Back to the clean image; stickers stay",
        ("Ctrl+Backspace",),
        "mdi6.eraser",
        perturbed,
        rule=True,
    ),
    ActionSpec(
        "choose_label", "True label…", "Edit", "Name the true class of the image", ("Ctrl+L",), "mdi6.label-outline", has_frame, rule=True
    ),
    ActionSpec("run", "Run", "Attack", "Run the attack that is set up in the Attack dock", ("F5", "Ctrl+R"), "mdi6.play", can_run),
    ActionSpec("pause", "Pause", "Attack", "Hold the attack between two steps, or let it go on", ("Ctrl+P",), "mdi6.pause", running),
    ActionSpec("cancel", "Cancel", "Attack", "End the attack; its best image so far is kept", ("Esc",), "mdi6.stop", running),
    ActionSpec("previous_run", "Previous run", "Attack", "Show the run that finished before", ("Alt+Left",), "", has_runs, rule=True),
    ActionSpec("next_run", "Next run", "Attack", "Show the run that finished after", ("Alt+Right",), "", has_runs),
    ActionSpec(
        "select_tool",
        "Select",
        "Edit",
        "Select, move and resize stickers",
        ("V",),
        "mdi6.cursor-default-outline",
        has_frame,
        group="tool",
        rule=True,
    ),
    ActionSpec(
        "rectangle_tool", "Draw sticker", "Edit", "Draw a rectangle: a sticker", ("R",), "mdi6.vector-square-plus", has_frame, group="tool"
    ),
    ActionSpec(
        "ellipse_tool", "Draw ellipse", "Edit", "Draw an ellipse: a round sticker", ("E",), "mdi6.ellipse-outline", has_frame, group="tool"
    ),
    ActionSpec("pan_tool", "Pan", "Edit", "Move the view", ("H",), "mdi6.hand-back-right-outline", has_frame, group="tool"),
    ActionSpec("zoom_in", "Zoom in", "View", "Show larger", ("Ctrl++", "Ctrl+="), "mdi6.magnify-plus-outline", has_frame),
    ActionSpec("zoom_out", "Zoom out", "View", "Show smaller", ("Ctrl+-",), "mdi6.magnify-minus-outline", has_frame),
    ActionSpec("fit", "Fit", "View", "Show the whole image", ("Ctrl+0",), "mdi6.fit-to-screen-outline", has_frame),
    ActionSpec("actual_size", "100 %", "View", "One image pixel is one screen pixel", ("Ctrl+1",), "mdi6.numeric-1-box-outline", has_frame),
    ActionSpec("theme_system", "System", "View/Theme", "Light or dark, as the system is", group="theme"),
    ActionSpec("theme_light", "Light", "View/Theme", "Always light", group="theme"),
    ActionSpec("theme_dark", "Dark", "View/Theme", "Always dark", group="theme"),
    ActionSpec("reset_layout", "Reset layout", "View", "Put every dock back in its place", icon="mdi6.view-dashboard-outline"),
    ActionSpec("keyboard_help", "Keyboard and mouse", "Help", "All shortcuts on one page", ("F1",), "mdi6.keyboard-outline"),
    ActionSpec("about", "About Gibbon", "Help", "Versions and licences", icon="mdi6.information-outline"),
)

TOOL_BAR: tuple[str, ...] = (
    *("open_image", "|", "select_tool", "rectangle_tool", "pan_tool", "fit", "|"),
    *("run", "pause", "cancel", "|", "undo", "redo", "|", "export_figure"),
)
"""The ids of the tool bar's commands; ``|`` is a separator."""
WITH_TEXT = ("run", "rectangle_tool", "export_figure")
"""The main commands, which the tool bar shows with their titles."""


class Actions(QObject):
    """The QActions of the table, by id. They are enabled and disabled as the session changes."""

    def __init__(self, session: Session, commands: QObject, window: QMainWindow) -> None:
        super().__init__(window)
        self._session = session
        self._paused = self._framed = False
        self._groups: dict[str, QActionGroup] = {}
        self._by_id = {spec.id: self._make(spec, commands, window) for spec in SPECS}
        for signal in (
            session.engineReady,
            session.classifierChanged,
            session.imageChanged,
            session.perturbationChanged,
            session.runs.changed,
            session.history.changed,
            session.undo_stack.indexChanged,
        ):
            signal.connect(self._update)
        session.observed.connect(self._on_observed)
        self._update()

    def __getitem__(self, id: str) -> QAction:
        return self._by_id[id]

    def _make(self, spec: ActionSpec, commands: QObject, window: QMainWindow) -> QAction:
        action = QAction(spec.title, window)
        action.setObjectName(f"action.{spec.id}")
        action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
        keys = f" ({spec.shortcuts[0]})" if spec.shortcuts else ""
        action.setToolTip(f"{spec.tip}{keys}")
        action.setStatusTip("")
        if spec.icon:
            action.setIcon(theme.icon(spec.icon))
        if spec.group:
            group = self._groups.setdefault(spec.group, QActionGroup(window))
            action.setCheckable(True)
            group.addAction(action)
        action.triggered.connect(getattr(commands, spec.id))
        window.addAction(action)
        return action

    # ------------------------------------------------------------------ menus and tool bar

    def fill_menus(self, window: QMainWindow) -> dict[str, QMenu]:
        """Fill the menu bar, and return all menus by path, such as ``View/Theme``, in the order of the table."""
        menus = {name: window.menuBar().addMenu(name) for name in MENUS}
        for spec in SPECS:
            if spec.menu not in menus:
                parent, _, name = spec.menu.partition("/")
                menus[spec.menu] = menus[parent].addMenu(name)
            if spec.rule:
                menus[spec.menu].addSeparator()
            menus[spec.menu].addAction(self[spec.id])
        return menus

    def fill_tool_bar(self, bar: QToolBar) -> None:
        """Fill the tool bar with the commands of `TOOL_BAR`."""
        for id in TOOL_BAR:
            if id == "|":
                bar.addSeparator()
                continue
            bar.addAction(self[id])
            button = bar.widgetForAction(self[id])
            button.setAccessibleName(self[id].text())
            if id in WITH_TEXT:
                button.setToolButtonStyle(theme.TEXT_BESIDE_ICON)  # type: ignore[attr-defined]

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _on_observed(self) -> None:
        """Update the actions when the first frame arrives or the frame is lost. Other frames change nothing here, and they are frequent."""
        if has_frame(self._session) != self._framed:
            self._update()

    @Slot()
    def _update(self) -> None:
        self._framed = has_frame(self._session)
        for spec in SPECS:
            self._by_id[spec.id].setEnabled(spec.enabled(self._session))
        job, stack = self._session.runs.job, self._session.undo_stack
        paused = job is not None and job.paused
        if paused != self._paused:  # setting an icon repaints the tool bar
            self._paused = paused
            self["pause"].setText("Continue" if paused else "Pause")
            self["pause"].setIcon(theme.icon("mdi6.play-pause" if paused else "mdi6.pause"))
        self["undo"].setText(literal(f"Undo {stack.undoText()}".strip()))
        self["redo"].setText(literal(f"Redo {stack.redoText()}".strip()))

    def check(self, id: str) -> None:
        """Check the action of that id, which unchecks the others of its group."""
        self[id].setChecked(True)
