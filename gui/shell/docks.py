"""The table of the docks, with name, panel and place of each. A new dock is one panel's class and one line of this table."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from gui import theme

if TYPE_CHECKING:
    from gui.session.session import Session

Side = Literal["left", "right", "bottom"]
_AREAS: dict[Side, Qt.DockWidgetArea] = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}


class MakesPanel(Protocol):
    """The class of a panel: a widget that is constructed with the session."""

    def __call__(self, session: Session) -> QWidget: ...


@dataclass(frozen=True)
class DockSpec:
    """A dock and its panel, which is a class of the module ``gui.panels.NAME``."""

    name: str
    """The dock's object name is ``dock.NAME``."""
    title: str
    panel: str
    """The name of the panel's class."""
    side: Side
    """The edge of the window at which the dock is placed, below earlier ones of the same side."""
    beside: str = ""
    """The name of an earlier dock that it shares a place with, as tabs; empty for a place of its own."""

    @property
    def module(self) -> str:
        """The name of the module that holds the panel's class."""
        return f"gui.panels.{self.name}"

    @property
    def panel_class(self) -> MakesPanel:
        """The panel's class, whose module is imported by this."""
        return cast(MakesPanel, getattr(importlib.import_module(self.module), self.panel))


DOCKS: tuple[DockSpec, ...] = (
    DockSpec("attack", "Attack", "AttackPanel", "left"),
    DockSpec("image", "Image", "ImagePanel", "left"),
    DockSpec("model", "Model", "ModelPanel", "left", beside="image"),
    DockSpec("stickers", "Stickers", "StickersPanel", "left", beside="image"),
    DockSpec("prediction", "Prediction", "PredictionPanel", "right"),
    DockSpec("perturbation", "Perturbation and saliency", "PerturbationPanel", "right"),
    DockSpec("activations", "Activations", "ActivationsPanel", "bottom"),
    DockSpec("results", "Results", "ResultsPanel", "bottom", beside="activations"),
    DockSpec("transfer", "Transfer", "TransferPanel", "bottom", beside="activations"),
    DockSpec("batch", "Images", "BatchPanel", "bottom", beside="activations"),
    DockSpec("runs", "Runs", "RunsPanel", "bottom", beside="activations"),
    DockSpec("messages", "Messages", "MessagesPanel", "bottom", beside="activations"),
)


def layout_version(specs: Sequence[DockSpec]) -> int:
    """Return a number that changes with the table, so that a layout stored for another table is not restored."""
    return zlib.crc32(repr([(spec.name, spec.side, spec.beside) for spec in specs]).encode()) & 0x7FFF_FFFF


def place_docks(window: QMainWindow, specs: Sequence[DockSpec], docks: Mapping[str, QDockWidget]) -> None:
    """Put every dock in its place of the table, with the first of each group of tabs in front."""
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    for corner, side in (
        (Qt.Corner.TopLeftCorner, "left"),
        (Qt.Corner.BottomLeftCorner, "left"),
        (Qt.Corner.TopRightCorner, "right"),
        (Qt.Corner.BottomRightCorner, "right"),
    ):
        window.setCorner(corner, _AREAS[cast(Side, side)])
    window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
    for spec in (spec for spec in specs if not spec.beside):
        window.addDockWidget(_AREAS[spec.side], docks[spec.name])
    for spec in (spec for spec in specs if spec.beside):
        window.tabifyDockWidget(docks[spec.beside], docks[spec.name])
    for dock in docks.values():
        dock.show()
    for spec in (spec for spec in specs if not spec.beside):
        docks[spec.name].raise_()


def set_dock_sizes(window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
    """Set the default sizes of the docks."""
    wide, high = window.width(), window.height()
    side = max(37 * theme.GRID, round(0.21 * wide))
    window.resizeDocks([docks["attack"], docks["prediction"]], [side, side], Qt.Orientation.Horizontal)
    upper = 62 if high >= 900 else 70  # an attack's form has many rows, while the image is also on the canvas
    window.resizeDocks([docks["attack"], docks["image"]], [upper, 100 - upper], Qt.Orientation.Vertical)
    window.resizeDocks([docks["prediction"], docks["perturbation"]], [45, 55], Qt.Orientation.Vertical)
    window.resizeDocks([docks["activations"]], [round(0.38 * high)], Qt.Orientation.Vertical)
