"""Actions: the QActions of all menus' tables, which fill the menus and follow the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from gui import theme
from gui.shell.actions import attack, canvas_views, edit, file, help, runs, stickers, study, timeline, view
from gui.shell.actions.conditions import has_frame
from gui.shell.actions.spec import ActionSpec
from gui.widgets.literal import literal

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell


def _before(id: str, specs: tuple[ActionSpec, ...], others: tuple[ActionSpec, ...]) -> tuple[ActionSpec, ...]:
    """Return the table with the commands of another one before the command of that id."""
    place = [spec.id for spec in specs].index(id)
    return (*specs[:place], *others, *specs[place:])


MENUS: dict[str, tuple[ActionSpec, ...]] = {
    "File": _before("save_image", file.SPECS, study.SPECS),
    "Edit": (*edit.SPECS, *stickers.SPECS),
    "Attack": (*attack.SPECS, *runs.SPECS),
    "View": (*view.LAYOUT, *canvas_views.SPECS, *timeline.SPECS, *view.THEME),
    "Help": help.SPECS,
}
SPECS: tuple[ActionSpec, ...] = tuple(spec for specs in MENUS.values() for spec in specs)


class Actions(QObject):
    """The QActions of the tables, by id. They are enabled and disabled as the session changes."""

    def __init__(self, shell: Shell, window: QMainWindow) -> None:
        super().__init__(window)
        self._shell, self._session = shell, shell.session
        self._paused = self._framed = False
        self._groups: dict[str, QActionGroup] = {}
        self._by_id = {spec.id: self._make(spec, window) for spec in SPECS}
        session = self._session
        for signal in (
            session.engineReady,
            session.classifierChanged,
            session.imageChanged,
            session.perturbationChanged,
            session.runs.changed,
            session.history.changed,
            session.staleness.changed,
            session.undo_stack.indexChanged,
            session.selectionChanged,
        ):
            signal.connect(self._update)
        session.observed.connect(self._on_observed)
        session.moments.changed.connect(self._on_moment)
        self._update()

    def __getitem__(self, id: str) -> QAction:
        return self._by_id[id]

    def find(self, id: str) -> QAction | None:
        """Return the action of that id; None if no table has it."""
        return self._by_id.get(id)

    def _make(self, spec: ActionSpec, window: QMainWindow) -> QAction:
        action = QAction(literal(spec.title), window)
        action.setObjectName(f"action.{spec.id}")
        action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
        keys = f" ({spec.shortcuts[0]})" if spec.shortcuts else ""
        action.setToolTip(f"{spec.tip}{keys}")
        action.setStatusTip("")
        if spec.icon:
            action.setIcon(theme.icon(spec.icon))
        if spec.keys_elsewhere:
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        if spec.group:
            group = self._groups.setdefault(spec.group, QActionGroup(window))
            group.addAction(action)
        action.setCheckable(bool(spec.group) or spec.checkable)
        action.triggered.connect(lambda _checked=False: spec.do(self._shell))
        window.addAction(action)
        return action

    # ------------------------------------------------------------------ menus

    def fill_menus(self, window: QMainWindow) -> dict[str, QMenu]:
        """Fill the menu bar, and return all menus by path, such as ``View/Theme``, in the order of the tables."""
        menus: dict[str, QMenu] = {}
        for title, specs in MENUS.items():
            menu = menus[title] = window.menuBar().addMenu(title)
            for spec in specs:
                path = f"{title}/{spec.submenu}" if spec.submenu else title
                if path not in menus:
                    menus[path] = menu.addMenu(spec.submenu)
                if spec.rule:
                    menus[path].addSeparator()
                menus[path].addAction(self[spec.id])
        return menus

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _on_observed(self) -> None:
        """Update the actions when the first frame arrives or the frame is lost. Other frames change nothing here, and they are frequent."""
        if has_frame(self._session) != self._framed:
            self._update()

    @Slot()
    def _on_moment(self) -> None:
        """Update the timeline's actions alone, since its iterations change many times a second."""
        for spec in timeline.SPECS:
            self._by_id[spec.id].setEnabled(spec.enabled(self._session))

    @Slot()
    def _update(self) -> None:
        self._framed = has_frame(self._session)
        for spec in SPECS:
            self._by_id[spec.id].setEnabled(spec.enabled(self._session))
        job, stack = self._session.runs.job, self._session.undo_stack
        paused = job is not None and job.paused
        if paused != self._paused:  # setting an icon repaints the spine
            self._paused = paused
            self["pause"].setText("Continue" if paused else "Pause")
            self["pause"].setIcon(theme.icon("mdi6.play-pause" if paused else "mdi6.pause"))
        self["undo"].setText(literal(f"Undo {stack.undoText()}".strip()))
        self["redo"].setText(literal(f"Redo {stack.redoText()}".strip()))

    def check(self, id: str, on: bool = True) -> None:
        """Check the action of that id, which unchecks the others of its group, or uncheck a switch."""
        self[id].setChecked(on)
