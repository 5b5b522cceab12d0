"""Shell: the part of the main window that commands need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from gui.canvas import ImageCanvas
    from gui.session.session import Session
    from gui.settings import Settings
    from gui.shell.workspaces.workspaces import Workspaces
    from gui.theme import Theme


class Chooser(Protocol):
    """A chip of the spine that opens a list to choose from."""

    def open(self) -> None: ...


class Choosers(Protocol):
    """The choosers of the spine."""

    @property
    def model(self) -> Chooser: ...
    @property
    def image(self) -> Chooser: ...
    @property
    def goal(self) -> Chooser: ...
    @property
    def attack(self) -> Chooser: ...


class Shell(Protocol):
    """The part of the main window that the commands need."""

    panels: dict[str, Any]
    """The panels by the names of their docks; empty until they are built."""

    @property
    def session(self) -> Session: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def theme(self) -> Theme: ...
    @property
    def canvas(self) -> ImageCanvas: ...
    @property
    def spine(self) -> Choosers: ...
    @property
    def workspaces(self) -> Workspaces: ...
    def window(self) -> QWidget:
        """Return the window itself, the parent of dialogs."""
        ...

    def bring_up(self, name: str, control: str = "") -> None: ...
    def open_experiment(self, slug: str) -> None: ...
    def start_guide(self, slug: str) -> None: ...
    def show_palette(self) -> None: ...
    def show_keyboard_help(self) -> None: ...
    def close(self) -> bool: ...
