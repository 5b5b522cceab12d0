"""The tour's stages on the canvas: the views of the pair, an outdated result, context menus, and compared runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from gui.canvas.pictures import VIEWS
from gui.session.state import AttackSettings
from tests.gui.canvas_events import NONE, drag, move, press, release
from tests.gui.driving import click, draw, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def views(tour: Tour) -> None:
    """Each view of a finished attack, by its key; the divider is dragged."""
    tour.window.workspaces.switch("attack")
    tour.session.change(stickers=(), settings=AttackSettings(), compared=())
    run_attack(tour.bench)
    canvas = tour.window.canvas
    for key, view in enumerate(VIEWS, start=1):
        press_keys(tour.window, str(key))
        until(lambda: not tour.session.waiting("difference"), "the difference")
        if view == "wipe":
            side = canvas.image_size[1]
            drag(canvas.stage, [(side / 2, side / 2), (side / 3, side / 2), (side / 4, side / 2)])
            assert abs(canvas.stage.divider - 0.25) < 0.05
        if view == "blink" and canvas.stage.taking_turns:
            click(tour.window.centre.header.options.turns)
        settle()
        tour.picture(f"canvas-{view}")
    press_keys(tour.window, "1")


def outdated(tour: Tour) -> None:
    """A result whose parameters have changed since, and a sticker over a perturbation."""
    tour.session.change(settings=AttackSettings({"eps": 2 / 255}))
    settle()
    assert tour.window.canvas.adversarial_pane.view.veil.shown
    tour.picture("canvas-outdated")
    tour.session.change(settings=AttackSettings())
    draw(tour.bench)
    settle()
    assert not tour.window.canvas.adversarial_pane.view.veil.shown
    move(tour.window.canvas.clean_pane, (5.5, 5.5), NONE)
    settle()
    tour.picture("canvas-sticker-over-perturbation")


def menu(tour: Tour) -> None:
    """The context menu of the sticker and the image under the mouse."""
    pane = tour.window.canvas.adversarial_pane
    at = pane.position(15.5, 20.5)
    press(pane, (15.5, 20.5), Qt.MouseButton.RightButton)
    release(pane, (15.5, 20.5), Qt.MouseButton.RightButton)
    QApplication.sendEvent(pane.viewport, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, pane.viewport.mapToGlobal(at)))
    settle()
    opened = QApplication.activePopupWidget()
    assert isinstance(opened, QMenu)
    tour.picture("canvas-menu", opened)
    opened.close()
    press_keys(tour.window, "Ctrl+Z")


def compared(tour: Tour) -> None:
    """A and B of two runs, and a grid of four."""
    for eps in (2 / 255, 4 / 255, 16 / 255):
        tour.session.change(settings=AttackSettings({"eps": eps}))
        run_attack(tour.bench)
    numbers = [run.number for run in tour.session.history.attacks][-4:]
    canvas = tour.window.canvas
    tour.session.change(compared=tuple(numbers[:2]))
    until(lambda: canvas.comparing, "the comparison")
    settle()
    tour.picture("canvas-two-runs")
    tour.session.change(compared=tuple(numbers))
    until(lambda: len(canvas.pictures) == 4, "the grid")
    move(canvas.panes[0], (9.5, 9.5), NONE)
    settle()
    tour.picture("canvas-grid")
    click(tour.window.centre.header.options.leave)
    tour.session.change(settings=AttackSettings())
    tour.window.workspaces.switch("attack")
    settle()


STAGES = (views, outdated, menu, compared)
