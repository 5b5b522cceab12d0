"""The tour through the workspaces: each with a sticker drawn and an attack run, then the drawer, a floating dock, and the canvas alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.workspaces.table import WORKSPACES
from tests.gui.driving import draw, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.shell.workspaces.spec import WorkspaceSpec
    from tests.gui.tour.tour import Tour


def run(tour: Tour) -> None:
    draw(tour.bench)
    run_attack(tour.bench)
    run_attack(tour.bench)
    tour.picture("after-two-runs")


def workspace(spec: WorkspaceSpec, tour: Tour) -> None:
    press_keys(tour.window, f"Alt+{1 + WORKSPACES.index(spec)}")
    settle()
    until(lambda: not tour.session.waiting("frame"), "the frame")
    assert tour.window.workspaces.current is spec
    tour.picture(f"workspace-{spec.name}")


def drawer(tour: Tour) -> None:
    press_keys(tour.window, "Alt+1")
    was_open = tour.window.workspaces.drawer.is_open
    press_keys(tour.window, "Ctrl+J")
    settle()
    assert tour.window.workspaces.drawer.is_open != was_open
    tour.picture("drawer-closed" if was_open else "drawer-open")
    press_keys(tour.window, "Ctrl+J")


def canvas_only(tour: Tour) -> None:
    press_keys(tour.window, "F11")
    settle()
    tour.picture("canvas-only")
    press_keys(tour.window, "F11")
    settle()


STAGES = (run, *(partial(workspace, spec) for spec in WORKSPACES), drawer, canvas_only)
