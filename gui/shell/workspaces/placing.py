"""Placing docks as a workspace says, in the room that the window has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget

from gui.shell.workspaces.spec import Column, Tabs, WorkspaceSpec

if TYPE_CHECKING:
    from gui.shell.docks import Side

AREAS: dict[Side, Qt.DockWidgetArea] = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
LEAST: dict[Side, int] = {"left": 320, "right": 272}
"""The widths of the columns at the least: no panel needs more, so that none widens its column when it is built or first shown."""
MOST_SIDE = 360
"""Its width from the start at the most, beside the canvas."""
NARROW, LOW = 960, 620
"""A window below these sizes has one column of docks, or one place in each column."""
TALL = 900
"""From this height the drawer of a workspace without canvas is open from the start."""
CANVAS_SHARE = 0.41
"""The share of the window that docks leave to the canvas: the drawer stays closed and columns are narrower where they would leave less."""
FRAME, STRIP, RAIL = 100, 28, 64
"""About the height of menu bar, spine and status bar, that of the strip which names folded docks, and the width of the rail."""

Docks = Mapping[str, QDockWidget]


def shape(width: int, height: int) -> str:
    """Return the name of the shape that a workspace has in a window of this size, empty for the usual one; each has layouts of its own."""
    return ".narrow" * (width < NARROW) + ".low" * (height < LOW)


def fitted(spec: WorkspaceSpec, width: int, height: int) -> WorkspaceSpec:
    """Return the workspace for a window of this size: where there is little room, the docks of a column share one place.

    In a narrow window there is one column, of the docks that would be in front; more tabs could not be read. The menu has the others.
    """
    if width < NARROW:
        fronts = tuple(tabs[:1] for column in (spec.left, spec.right) for tabs in column.places)
        spec = replace(spec, left=_merged(Column(fronts, spec.left.share)), right=Column())
    if height < LOW:
        spec = replace(spec, left=_merged(spec.left), right=_merged(spec.right))
    return spec


def _merged(column: Column) -> Column:
    return replace(column, places=(column.docks,) if column.places else (), shares=())


def drawer_fits(spec: WorkspaceSpec, width: int, height: int) -> bool:
    """Return whether an open drawer leaves the canvas its share of the window."""
    if not spec.canvas:
        return height >= TALL
    sides = RAIL + sum(_wanted(spec, side, width) for side in _sides(spec))
    canvas = (width - sides) * (height - FRAME - round(spec.bottom.share * height))
    return canvas >= CANVAS_SHARE * width * height


def widths(spec: WorkspaceSpec, width: int, height: int) -> dict[Side, int]:
    """Return the widths of the columns: their shares of the window, or less where that would leave the canvas too little."""
    found = {side: _wanted(spec, side, width) for side in _sides(spec)}
    if not spec.canvas:
        return found
    beside = height - FRAME - (round(spec.bottom.share * height) if drawer_fits(spec, width, height) else STRIP)
    excess = sum(found.values()) - round(width - RAIL - CANVAS_SHARE * width * height / max(beside, 1))
    for side in sorted(found, key=lambda each: found[each] - _least(spec, each), reverse=True):
        cut = max(0, min(excess, found[side] - _least(spec, side)))
        found[side] -= cut
        excess -= cut
    return found


def _sides(spec: WorkspaceSpec) -> list[Side]:
    return [side for side in LEAST if spec.columns[side].places]


def _least(spec: WorkspaceSpec, side: Side) -> int:
    return spec.columns[side].least or LEAST[side]


def _wanted(spec: WorkspaceSpec, side: Side, width: int) -> int:
    """Return the width that the column at the left or right has where there is room."""
    column = spec.columns[side]
    wanted = round(column.share * width)
    return max(_least(spec, side), min(wanted, column.most or MOST_SIDE) if spec.canvas else wanted)


def place(window: QMainWindow, spec: WorkspaceSpec, docks: Docks, homes: Mapping[str, Side]) -> None:
    """Put every dock in its place of the workspace. Docks without a place are hidden among those of their home."""
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    set_corners(window, spec)
    anchors: dict[Side, QDockWidget] = {}
    for side, column in spec.columns.items():
        for tabs in known(column, docks):
            window.addDockWidget(AREAS[side], docks[tabs[0]], _along(side))
            for name in tabs[1:]:
                window.tabifyDockWidget(docks[tabs[0]], docks[name])
            anchors.setdefault(side, docks[tabs[0]])
    for name in set(docks) - set(spec.docks):
        home = homes[name]
        window.addDockWidget(AREAS[home], docks[name])
        if home in anchors:
            window.tabifyDockWidget(anchors[home], docks[name])
    for name, dock in docks.items():
        dock.setVisible(name in spec.docks)
    for column in spec.columns.values():
        for tabs in known(column, docks):
            docks[tabs[0]].raise_()


def known(column: Column, docks: Docks) -> list[Tabs]:
    """Return the places of a column, less the docks that the window does not have."""
    places = (tuple(name for name in tabs if name in docks) for tabs in column.places)
    return [tabs for tabs in places if tabs]


def set_corners(window: QMainWindow, spec: WorkspaceSpec) -> None:
    """Let the columns at the left and right reach down beside the canvas, and the drawer span the window where there is no canvas."""
    left, right, bottom = AREAS["left"], AREAS["right"], AREAS["bottom"]
    for corner, area in (
        (Qt.Corner.TopLeftCorner, left),
        (Qt.Corner.BottomLeftCorner, left if spec.canvas else bottom),
        (Qt.Corner.TopRightCorner, right),
        (Qt.Corner.BottomRightCorner, right if spec.canvas else bottom),
    ):
        window.setCorner(corner, area)
    window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)


def _along(side: Side) -> Qt.Orientation:
    return Qt.Orientation.Horizontal if side == "bottom" else Qt.Orientation.Vertical


def set_sizes(window: QMainWindow, spec: WorkspaceSpec, docks: Docks) -> None:
    """Set the sizes of the columns and of their places."""
    wide, high = window.width(), window.height()
    sides: list[Side] = [side for side in LEAST if known(spec.columns[side], docks)]
    firsts = [docks[known(spec.columns[side], docks)[0][0]] for side in sides]
    wanted = widths(spec, wide, high)
    window.resizeDocks(firsts, [wanted[side] for side in sides], Qt.Orientation.Horizontal)
    above = high - FRAME
    if bottom := known(spec.bottom, docks):
        drawer = round(spec.bottom.share * high)
        above -= 0 if spec.canvas or not docks[bottom[0][0]].isVisibleTo(window) else drawer
        uppers = [] if spec.canvas else firsts  # without a canvas between them Qt needs both heights
        window.resizeDocks([*uppers, docks[bottom[0][0]]], [*(high - FRAME - drawer for _ in uppers), drawer], Qt.Orientation.Vertical)
    for side, column in spec.columns.items():
        fronts = [docks[tabs[0]] for tabs in known(column, docks)]
        if len(fronts) > 1:
            shares = column.shares if len(column.shares) == len(fronts) else (1,) * len(fronts)
            extent = wide if side == "bottom" else above
            window.resizeDocks(fronts, [round(extent * share / sum(shares)) for share in shares], _along(side))
